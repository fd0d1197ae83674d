/** What the coordinator sends; src/Coordinator/Dashboard/Feed writes it. */
export interface Standing {
  readonly status: 'created' | 'running' | 'paused' | 'finished';
  readonly version: number;
  readonly time: number | null;
  readonly wall: number | null;
  readonly accepted: number;
  readonly rejected: number;
  readonly lost: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly events: number;
  readonly waitsFor: string;
  readonly finishReason: string;
  readonly finishDetail: string;
}

export interface Card {
  readonly id: string;
  readonly name: string;
  readonly strategy: string;
  readonly source: Source;
  readonly clients: number;
  readonly standing: Standing;
  readonly accuracy: number | null;
  readonly best: number | null;
  readonly loss: number | null;
  readonly epsilon: number | null;
  readonly bytes: number | null;
  readonly curve: readonly (number | null)[];
}

export type Source = 'simulation' | 'folder' | 'live';

export interface FeedHeader {
  readonly id: string;
  readonly name: string;
  readonly strategy: string;
  readonly scheduler: string;
  readonly source: Source;
  readonly clients: number;
  readonly seed: string;
  readonly aggregationGoal: number;
  readonly concurrency: number;
  readonly maxStaleness: number;
  readonly stopVersions: number;
  readonly stopUpdates: number;
  readonly stopSeconds: number | null;
  readonly targetAccuracy: number | null;
  readonly clip: number | null;
  readonly epsilonBudget: number | null;
  readonly configuration: string;
  readonly clientNames: readonly string[];
}

type Numbers = (number | null)[];

export interface MetricsColumns {
  version: number[];
  round: number[];
  time: Numbers;
  wall: Numbers;
  accuracy: Numbers;
  loss: Numbers;
  updates: number[];
  bytesUp: number[];
  bytesDown: number[];
  staleness: Numbers;
  epsilon: Numbers;
}

export interface VersionColumns {
  version: number[];
  time: Numbers;
  updates: number[];
  staleness: Numbers;
  weightSum: Numbers;
  stepNorm: Numbers;
  agreement: Numbers;
}

export interface UpdateColumns {
  assignment: number[];
  client: number[];
  base: number[];
  staleness: number[];
  steps: number[];
  examples: Numbers;
  download: Numbers;
  train: Numbers;
  upload: Numbers;
  aggregate: Numbers;
  weight: Numbers;
  norm: Numbers;
  cosine: Numbers;
  end: number[];
  reason: string[];
  dispatched: Numbers;
  ended: Numbers;
  version: number[];
}

export interface GroupColumns {
  number: number[];
  opened: Numbers;
  expected: Numbers;
  latest: Numbers;
  closed: Numbers;
  members: number[][];
  arrived: number[];
  version: number[];
}

export interface EventColumns {
  time: Numbers;
  wall: Numbers;
  severity: number[];
  kind: string[];
  text: string[];
  client: number[];
  version: number[];
}

export interface TaskColumns {
  assignment: number[];
  client: number[];
  base: number[];
  steps: number[];
  dispatched: Numbers;
}

export interface Tallies {
  readonly staleness: readonly number[];
  readonly ends: readonly { readonly end: number; readonly reason: string; readonly count: number }[];
}

export type Slice<T> = T & { readonly after: number; readonly last: number; readonly seq: number[] };

export interface Frame {
  readonly standing: Standing;
  readonly metrics?: Slice<MetricsColumns>;
  readonly versions?: Slice<VersionColumns>;
  readonly updates?: Slice<UpdateColumns>;
  readonly groups?: Slice<GroupColumns>;
  readonly events?: Slice<EventColumns>;
  readonly tasks?: TaskColumns;
  readonly tallies?: Tallies;
}

import type { Rows } from './columns.ts';

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

/** How the page keeps the streams; the names are the wire's. What it has no use for is not kept. */
export const metricsShape = { version: 'int', round: 'int', time: 'double', wall: 'double', accuracy: 'double', loss: 'double', updates: 'instant', bytesUp: 'instant', bytesDown: 'instant', staleness: 'double', epsilon: 'double' } as const;
export const versionShape = { version: 'int', time: 'double', updates: 'int', staleness: 'double', weightSum: 'double', stepNorm: 'double', agreement: 'double' } as const;
export const updateShape = {
  client: 'int', base: 'int', staleness: 'int', steps: 'int', examples: 'float', download: 'span', train: 'span', upload: 'span', aggregate: 'span', weight: 'float', norm: 'float', end: 'byte', reason: 'word',
  dispatched: 'instant', ended: 'instant', version: 'int',
} as const;
export const eventShape = { time: 'double', wall: 'double', severity: 'byte', kind: 'word', text: 'text', client: 'int', version: 'int' } as const;

export type MetricsRows = Rows<typeof metricsShape>;
export type VersionRows = Rows<typeof versionShape>;
export type UpdateRows = Rows<typeof updateShape>;
export type EventRows = Rows<typeof eventShape>;

type Numbers = (number | null)[];

/** Clients that the scheduler expects together, told again whenever that changes. */
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

/** A group as its newest point tells it. */
export interface Group {
  readonly number: number;
  readonly opened: number;
  readonly expected: number | null;
  readonly latest: number | null;
  readonly closed: number | null;
  readonly members: Int32Array;
  readonly arrived: number;
  readonly version: number;
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

type Wire = Slice<Readonly<Record<string, readonly unknown[]>>>;

export interface Frame {
  readonly standing: Standing;
  readonly metrics?: Wire;
  readonly versions?: Wire;
  readonly updates?: Wire;
  readonly groups?: Slice<GroupColumns>;
  readonly events?: Wire;
  readonly tasks?: TaskColumns;
  readonly tallies?: Tallies;
}

/** `GET /v1/runs/{run}/privacy`; what is absent is not there. */
export interface RunPrivacy {
  readonly run: string;
  readonly version: number;
  readonly statement: Statement;
  readonly course?: readonly { readonly version: number; readonly epsilon?: number }[];
  readonly clientsCharged?: number;
  readonly clients?: readonly { readonly number: number; readonly client: string; readonly name: string; readonly participations: number; readonly epsilon?: number; readonly lifetimeEpsilon?: number }[];
  readonly lifetime?: { readonly epsilon: number; readonly delta: number };
}

export interface Guarantee {
  readonly epsilon?: number;
  readonly delta: number;
  readonly unit: string;
  readonly adjacency: string;
  readonly trust: string;
  readonly accountant: string;
  readonly assumptions: readonly string[];
}

export interface Statement {
  readonly policy: string;
  readonly text: string;
  readonly mechanism: string;
  readonly simulated: boolean;
  readonly unit?: string;
  readonly adjacency?: string;
  readonly planned?: Guarantee;
  readonly spent?: Guarantee;
  readonly withoutShuffling?: Guarantee;
  readonly epsilonBudget: number;
  readonly delta: number;
  readonly reportEpsilon: number;
  readonly minimumBatch: number;
  readonly cap: number;
  readonly because: string;
  readonly parties: readonly { readonly party: string; readonly sees: string; readonly trusted: boolean }[];
  readonly notProtected: readonly string[];
}

/** `GET /v1/runs/{run}/secure-sums`: the latest sessions, oldest first. */
export interface SecureSums {
  readonly sessions: readonly {
    readonly number: number; readonly started: number; readonly seconds: number; readonly phase: string; readonly members: number; readonly sharers: number; readonly survivors: number;
    readonly unmasked: number; readonly minimum: number; readonly threshold: number; readonly margin: number; readonly problem: string;
  }[];
}

/** What a question has found, of `GET /v1/runs/{run}`; there once a version is published. */
export interface Analysis {
  readonly kind: string;
  readonly question: string;
  readonly reports: number;
  readonly malformed: number;
  readonly confidence: number;
  readonly estimates: readonly Estimate[];
  readonly notes: readonly string[];
}

export interface Estimate {
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

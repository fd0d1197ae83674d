import type { Run } from '../lib/run.ts';
import type { UpdateColumns } from '../lib/types.ts';

/** A version, as the updates that went into it tell. */
export interface Publication {
  readonly version: number;
  /** Row (of the stream's life) of its first update. */
  readonly firstRow: number;
  time: number;
  count: number;
}

/** What the timeline looks up: each client's assignments in order, the versions that they made, and how far the buffer was filled. */
export class TimelineModel {
  /** Rows of each client, in the order of their ends. */
  readonly lanes = new Map<number, number[]>();
  readonly published: Publication[] = [];
  /** When accepted updates arrived, ascending. */
  readonly arrivals: number[] = [];
  /** Latest time on the run's clock that a row speaks of. */
  end = 0;
  start = Infinity;
  /** Highest client number met. */
  most = -1;

  private next = 0;
  private generation = -1;
  private trimmed = 0;
  private unsorted = false;

  constructor(private readonly run: Run) {}

  get rows(): UpdateColumns {
    return this.run.updates.rows;
  }

  /** Index of a row in the columns as they are now. */
  at(row: number): number {
    return row - this.run.updates.removed;
  }

  /** Takes in what came since the last call: O(new rows). */
  update(): void {
    const { updates } = this.run;
    if (this.generation !== updates.generation || updates.removed - this.trimmed > 50_000) this.restart();
    const { client, end, weight, version, ended, aggregate, dispatched } = updates.rows;
    for (; this.next < updates.removed + updates.length; this.next++) {
      const i = this.next - updates.removed;
      const lane = this.lanes.get(client[i]!);
      if (lane) lane.push(this.next);
      else this.lanes.set(client[i]!, [this.next]);
      const arrived = ended[i] ?? 0;
      this.most = Math.max(this.most, client[i]!);
      this.end = Math.max(this.end, arrived + (aggregate[i] ?? 0));
      this.start = Math.min(this.start, dispatched[i] ?? 0);
      if (end[i] !== 0 || !(version[i]! > 0) || weight[i] === 0) continue;
      if (this.arrivals.length > 0 && arrived < this.arrivals.at(-1)!) this.unsorted = true;
      this.arrivals.push(arrived);
      const folded = arrived + (aggregate[i] ?? 0);
      const current = this.published.at(-1);
      if (current && current.version === version[i]) {
        current.count++;
        current.time = Math.max(current.time, folded);
      } else this.published.push({ version: version[i]!, firstRow: this.next, time: folded, count: 1 });
    }
    if (this.unsorted) {
      this.arrivals.sort((a, b) => a - b);
      this.unsorted = false;
    }
  }

  /** Updates that had arrived and were not yet part of a version, at a time; `just` before what was published at that very time. */
  fillAt(time: number, standingVersion: number, just = false): number {
    const arrived = below(this.arrivals, time, true);
    const until = this.publishedBefore(time, just);
    let merged = 0;
    if (until > 0) {
      const last = this.published[until - 1]!;
      // The newest version may still be open: its updates are in the buffer.
      merged = this.cumulative(until - 1) + (last.version <= standingVersion ? last.count : 0);
    }
    return Math.max(0, arrived - merged);
  }

  private cumulated: number[] = [];

  /** Updates in all versions before the given one. */
  private cumulative(index: number): number {
    while (this.cumulated.length <= index) {
      const at = this.cumulated.length;
      this.cumulated.push(at === 0 ? 0 : this.cumulated[at - 1]! + this.published[at - 1]!.count);
    }
    return this.cumulated[index]!;
  }

  publishedBefore(time: number, just = false): number {
    let [low, high] = [0, this.published.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (just ? this.published[middle]!.time < time : this.published[middle]!.time <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Rows of a client that end behind a time: index into its lane. */
  firstAfter(lane: readonly number[], time: number): number {
    const { ended, aggregate } = this.rows;
    let [low, high] = [0, lane.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const i = this.at(lane[middle]!);
      if (i < 0 || (ended[i] ?? 0) + (aggregate[i] ?? 0) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private restart(): void {
    this.lanes.clear();
    this.published.length = 0;
    this.arrivals.length = 0;
    this.cumulated = [];
    this.next = this.trimmed = this.run.updates.removed;
    this.generation = this.run.updates.generation;
    this.end = 0;
    this.start = Infinity;
  }
}

export function below(sorted: readonly number[], value: number, inclusive: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (inclusive ? sorted[middle]! <= value : sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

import type { Run } from '../lib/run.ts';
import type { UpdateRows } from '../lib/types.ts';

const none = -1;

/**
 * What the timeline looks up: each client's assignments in order, the versions that they made, and how far the buffer was filled. A row
 * is numbered over the stream's whole life. All in arrays of the stream's own capacity: nothing here grows with the run.
 */
export class TimelineModel {
  /** Clients met, by number: how many rows each has had, and its newest. */
  private counts = new Int32Array(0);
  private newest = new Int32Array(0);
  /** The row of the same client before, by slot. */
  private before = new Int32Array(0);
  /** When accepted updates arrived, ascending; index i of a life stands at i − arrivalsGone. */
  private arrivals = new Float64Array(0);
  private arrivalsGone = 0;
  private arrivalCount = 0;
  /** Versions: number, when, and updates in it and in all before; the newest may still be open. */
  private versions = new Int32Array(0);
  private times = new Float64Array(0);
  private merged = new Float64Array(0);
  private versionCount = 0;
  /** Updates in versions that were forgotten. */
  private mergedBefore = 0;

  /** Latest time on the run's clock that a row speaks of. */
  end = 0;
  /** Highest client number met. */
  most = -1;

  private next = 0;
  private generation = -1;

  constructor(private readonly run: Run) {}

  get rows(): UpdateRows {
    return this.run.updates.rows;
  }

  get isEmpty(): boolean {
    return this.most < 0;
  }

  /** Index of a row in the columns as they are now; negative when it is forgotten. */
  at(row: number): number {
    return row - this.run.updates.removed;
  }

  /** Takes in what came since the last call: O(new rows). */
  update(): void {
    const { updates } = this.run;
    if (this.generation !== updates.generation || this.before.length !== updates.capacity) this.restart();
    const { client, end, weight, version, ended, aggregate } = updates.rows;
    this.next = Math.max(this.next, updates.removed);
    for (; this.next < updates.removed + updates.length; this.next++) {
      const i = this.next - updates.removed;
      const who = client[i]!;
      if (who >= this.counts.length) this.meet(who);
      this.before[this.next % this.before.length] = this.counts[who]! > 0 ? this.newest[who]! : none;
      this.newest[who] = this.next;
      this.counts[who]!++;
      const [arrived, folded] = [ended[i]!, ended[i]! + aggregate[i]!];
      this.most = Math.max(this.most, who);
      this.end = Math.max(this.end, folded);
      if (end[i] !== 0 || !(version[i]! > 0) || weight[i] === 0) continue;
      this.arrive(arrived);
      this.merge(version[i]!, folded);
    }
  }

  /** How many assignments of a client have ended. */
  countOf(client: number): number {
    return this.counts[client] ?? 0;
  }

  /** The clients met. */
  *clients(): Iterable<number> {
    for (let client = 0; client <= this.most; client++) if (this.counts[client]! > 0) yield client;
  }

  /** A client's newest row that is kept, or −1. */
  newestOf(client: number): number {
    const row = (this.counts[client] ?? 0) > 0 ? this.newest[client]! : none;
    return row >= this.run.updates.removed ? row : none;
  }

  /** The client's row before, or −1. */
  rowBefore(row: number): number {
    const older = this.before[row % this.before.length]!;
    return older >= this.run.updates.removed ? older : none;
  }

  /** The oldest row of a client that ends behind a time, or −1; merges count as its end. */
  firstAfter(client: number, time: number): number {
    const { ended, aggregate } = this.rows;
    let found = none;
    for (let row = this.newestOf(client); row >= 0; row = this.rowBefore(row)) {
      const i = this.at(row);
      if (ended[i]! + aggregate[i]! < time) break;
      found = row;
    }
    return found;
  }

  /** The client's row behind the given one, or −1. */
  rowAfter(client: number, row: number): number {
    let after = none;
    for (let r = this.newestOf(client); r > row; r = this.rowBefore(r)) after = r;
    return after;
  }

  /** Updates that had arrived and were not yet part of a version, at a time; `just` before what was published at that very time. */
  fillAt(time: number, standingVersion: number, just = false): number {
    const arrived = this.arrivalsGone + count(this.arrivals, this.arrivalCount, time, true);
    const until = count(this.times, this.versionCount, time, !just);
    if (this.arrivalsGone > 0 && arrived === this.arrivalsGone) return 0; // Before what is kept.
    // The newest version may still be open: its updates are in the buffer.
    const closed = until > 0 && this.versions[until - 1]! > standingVersion ? until - 1 : until;
    return Math.max(0, arrived - (closed > 0 ? this.merged[closed - 1]! : this.mergedBefore));
  }

  /** The first version behind a time, until another: when it was published; NaN for none. */
  publishedIn(from: number, to: number): number {
    const at = count(this.times, this.versionCount, from, true);
    return at < this.versionCount && this.times[at]! <= to ? this.times[at]! : NaN;
  }

  /** Updates that ended between two times, counted into bins: the newest rows of all clients. */
  density(from: number, to: number, bins: number): { accepted: Uint32Array; other: Uint32Array } {
    const [accepted, other] = [new Uint32Array(bins), new Uint32Array(bins)];
    const { ended, end } = this.rows;
    const scale = bins / (to - from || 1);
    for (let i = 0; i < ended.length; i++) {
      const bin = Math.floor((ended[i]! - from) * scale);
      if (bin >= 0 && bin < bins) (end[i] === 0 ? accepted : other)[bin]!++;
    }
    return { accepted, other };
  }

  private meet(client: number): void {
    const size = Math.max(64, client + 1, this.counts.length * 2, this.run.header.peek()?.clients ?? 0);
    const [counts, newest] = [new Int32Array(size), new Int32Array(size)];
    counts.set(this.counts);
    newest.set(this.newest);
    [this.counts, this.newest] = [counts, newest];
  }

  private arrive(time: number): void {
    if (this.arrivalCount === this.arrivals.length) {
      const gone = this.arrivals.length >> 3;
      this.arrivals.copyWithin(0, gone);
      this.arrivalCount -= gone;
      this.arrivalsGone += gone;
    }
    // Rows come in the order in which they were merged, so arrivals are nearly in order.
    let at = this.arrivalCount++;
    for (; at > 0 && this.arrivals[at - 1]! > time; at--) this.arrivals[at] = this.arrivals[at - 1]!;
    this.arrivals[at] = time;
  }

  private merge(version: number, time: number): void {
    const newest = this.versionCount - 1;
    if (newest >= 0 && this.versions[newest] === version) {
      this.merged[newest]!++;
      this.times[newest] = Math.max(this.times[newest]!, time);
      return;
    }
    if (this.versionCount === this.versions.length) {
      const gone = this.versions.length >> 3;
      this.mergedBefore = this.merged[gone - 1]!;
      for (const column of [this.versions, this.times, this.merged]) column.copyWithin(0, gone);
      this.versionCount -= gone;
    }
    const at = this.versionCount++;
    this.versions[at] = version;
    this.times[at] = time;
    this.merged[at] = (at > 0 ? this.merged[at - 1]! : this.mergedBefore) + 1;
  }

  private restart(): void {
    const { updates } = this.run;
    this.counts.fill(0);
    if (this.before.length !== updates.capacity) {
      this.before = new Int32Array(updates.capacity).fill(none);
      this.arrivals = new Float64Array(updates.capacity).fill(1);
      this.versions = new Int32Array(updates.capacity).fill(1);
      this.times = new Float64Array(updates.capacity).fill(1);
      this.merged = new Float64Array(updates.capacity).fill(1);
    }
    this.arrivalCount = this.arrivalsGone = this.versionCount = this.mergedBefore = 0;
    this.next = updates.removed;
    this.generation = updates.generation;
    this.end = 0;
    this.most = -1;
  }
}

/** How many of the first values, which ascend, are below a bound (or at it). */
function count(sorted: Float64Array, length: number, bound: number, inclusive: boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (inclusive ? sorted[middle]! <= bound : sorted[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

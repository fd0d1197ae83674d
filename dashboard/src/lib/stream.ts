import { signal } from '@preact/signals';
import type { Slice } from './types.ts';

/** Rows that are read at a time when going back. */
const block = 20_000;

type Columns = Record<string, unknown[]>;

/**
 * One stream of a run as columns in memory: slices are appended when they follow on from what is there; when one does not, the gap is
 * read over HTTP. Bounded: the oldest quarter goes when there are too many rows.
 */
export class Stream<T extends { [K in keyof T]: unknown[] }> {
  /** Grows with every change; what draws from the columns depends on it. */
  readonly tick = signal(0);
  last = 0;
  /** Rows that are kept no longer: row i of the stream's life stands at i − removed. */
  removed = 0;
  /** Grows when the rows start afresh: whatever was derived from them is void. */
  generation = 0;
  /** False until the history was read once. */
  loaded = false;

  /** Sequence number of the first row that is kept. */
  first = 1;

  private backfilled = 0;
  private columns: Columns;
  private seen = 0;
  private repairing: Promise<void> | null = null;
  private repairedAt = -Infinity;

  constructor(
    readonly name: string,
    private readonly names: readonly (keyof T & string)[],
    private readonly read: (name: string, after: number, newest?: number) => Promise<Slice<T>>,
    private readonly most: number,
    /** Read so many of the newest rows first, what is older afterwards; 0 to read from the beginning. */
    private readonly recent = 0,
  ) {
    this.columns = empty(names);
  }

  get rows(): T {
    return this.columns as unknown as T;
  }

  get length(): number {
    return this.columns[this.names[0]!]!.length;
  }

  reset(): void {
    this.columns = empty(this.names);
    this.last = 0;
    this.seen = 0;
    this.removed = 0;
    this.first = 1;
    this.backfilled = 0;
    this.generation++;
    this.loaded = false;
    this.tick.value++;
  }

  /** A slice from the hub. */
  take(slice: Slice<T>): void {
    this.seen = slice.last;
    if (!this.loaded) return; // The history that is being read will have it.
    if (slice.last < this.last) {
      this.reset(); // Another run under the same name.
      this.repair();
    } else if (slice.after <= this.last) this.append(slice);
    else this.repair();
  }

  /** Reads whatever is missing; resolves when there is nothing more. */
  repair(): Promise<void> {
    this.repairing ??= this.catchUp().finally(() => {
      this.repairing = null;
    });
    return this.repairing;
  }

  private async catchUp(): Promise<void> {
    // At most one round of repairs per second: a run that is faster than that is looked at, not read along.
    const wait = this.repairedAt + 1000 - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    this.repairedAt = performance.now();
    if (this.last === 0 && this.recent > 0) {
      const newest = await this.read(this.name, 0, this.recent);
      this.append(newest);
      this.first = newest.seq[0] ?? 1;
      void this.backfill();
    }
    for (;;) {
      const slice = await this.read(this.name, this.last);
      this.append(slice);
      this.loaded = true;
      if (slice.seq.length === 0 || this.last >= Math.max(slice.last, this.seen)) break;
    }
    this.tick.value++;
  }

  /** What is older than the newest rows, block by block, while the newest are shown already. */
  private async backfill(): Promise<void> {
    const generation = this.generation;
    while (this.first > 1 && this.length < this.most) {
      const older = await this.read(this.name, Math.max(0, this.first - 1 - block));
      let count = older.seq.findIndex((seq) => seq >= this.first);
      if (count < 0) count = older.seq.length;
      if (count === 0 || this.generation !== generation + this.backfilled || this.removed > 0) return;
      for (const name of this.names) this.columns[name] = (older[name] as unknown[]).slice(0, count).concat(this.columns[name]!);
      this.first = older.seq[0]!;
      this.backfilled++;
      this.generation++;
      this.tick.value++;
    }
  }

  private append(slice: Slice<T>): void {
    let from = 0;
    while (from < slice.seq.length && slice.seq[from]! <= this.last) from++;
    if (from === slice.seq.length) return;
    for (const name of this.names) {
      const [into, values] = [this.columns[name]!, slice[name] as unknown[]];
      for (let i = from; i < values.length; i++) into.push(values[i]);
    }
    this.last = slice.seq.at(-1)!;
    if (this.length > this.most * 1.25) {
      const excess = this.length - this.most;
      for (const name of this.names) this.columns[name]!.splice(0, excess);
      this.removed += excess;
      this.first += excess;
    }
    this.tick.value++;
  }
}

function empty(names: readonly string[]): Columns {
  return Object.fromEntries(names.map((name) => [name, [] as unknown[]]));
}

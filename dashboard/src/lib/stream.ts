import { signal } from '@preact/signals';
import { Columns, type Kind, type Rows, type Shape } from './columns.ts';
import type { Group, GroupColumns, Slice } from './types.ts';

/** Rows that are read at a time when going back. */
const block = 20_000;

type Wire = Slice<Readonly<Record<string, readonly unknown[]>>>;

export interface StreamOptions {
  /** Rows that are kept. */
  readonly most: number;
  /** When it is full: forget the oldest rows, or keep every second one of the older ones, which is right for curves. */
  readonly thins?: boolean;
  /** Read so many of the newest rows first, what is older afterwards; from the beginning when left out. */
  readonly recent?: number;
}

/**
 * One stream of a run as columns in bounded memory: slices are appended when they follow on from what is there; when one does not, the
 * gap is read over HTTP.
 */
export class Stream<S extends Shape> {
  /** Grows with every change; what draws from the columns depends on it. */
  readonly tick = signal(0);
  last = 0;
  /** Rows that are kept no longer: row i of the stream's life stands at i − removed. Not for a stream that thins. */
  removed = 0;
  /** Grows when the rows start afresh: whatever was derived from them is void. */
  generation = 0;
  /** False until the history was read once. */
  loaded = false;

  /** Sequence number of the first row that is kept. */
  first = 1;

  private readonly columns: Columns<S>;
  private backfilled = 0;
  private seen = 0;
  private repairing: Promise<void> | null = null;
  private repairedAt = -Infinity;

  constructor(readonly name: string, shape: S, private readonly read: (name: string, after: number, newest?: number) => Promise<Wire>, private readonly options: StreamOptions) {
    // Room beyond what is kept: forgetting moves all rows, so it is done for many at once.
    this.columns = new Columns(shape, options.thins ? options.most : options.most + (options.most >> 4));
  }

  get rows(): Rows<S> {
    return this.columns.rows;
  }

  get length(): number {
    return this.columns.length;
  }

  /** Rows that fit now; grows once. */
  get capacity(): number {
    return this.columns.capacity;
  }

  reset(): void {
    this.columns.clear();
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
  take(slice: Wire): void {
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
    if (this.last === 0 && this.options.recent !== undefined) {
      const newest = await this.read(this.name, 0, this.options.recent);
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
  protected async backfill(): Promise<void> {
    const generation = this.generation;
    while (this.first > 1 && this.length < this.options.most) {
      const older = await this.read(this.name, Math.max(0, this.first - 1 - block));
      let count = older.seq.findIndex((seq) => seq >= this.first);
      if (count < 0) count = older.seq.length;
      const from = Math.max(0, count - (this.options.most - this.length));
      if (count === from || this.generation !== generation + this.backfilled || this.removed > 0) return;
      this.columns.reserve(count - from);
      this.columns.shift(count - from);
      this.columns.write(0, older, from, count);
      this.first = older.seq[from]!;
      this.backfilled++;
      this.generation++;
      this.tick.value++;
    }
  }

  protected append(slice: Wire): void {
    let from = 0;
    while (from < slice.seq.length && slice.seq[from]! <= this.last) from++;
    if (from === slice.seq.length) return;
    while (from < slice.seq.length) {
      this.columns.reserve(Math.min(slice.seq.length - from, block));
      if (this.columns.length === this.columns.capacity) this.makeRoom();
      const to = Math.min(slice.seq.length, from + this.columns.capacity - this.columns.length);
      this.columns.write(this.columns.length, slice, from, to);
      from = to;
    }
    this.last = slice.seq.at(-1)!;
    this.tick.value++;
  }

  private makeRoom(): void {
    if (this.options.thins) {
      this.columns.thin();
      return;
    }
    const excess = this.columns.capacity - this.options.most;
    this.columns.drop(excess);
    this.removed += excess;
    this.first += excess;
  }
}

/** Groups are told again whenever they change; only the newest word on each is kept, and only the newest groups. */
export class GroupStream extends Stream<Record<never, Kind>> {
  readonly groups = new Map<number, Group>();

  constructor(read: (name: string, after: number, newest?: number) => Promise<Slice<GroupColumns>>, private readonly mostGroups: number) {
    super('groups', {}, read as unknown as (name: string, after: number, newest?: number) => Promise<Wire>, { most: 16, recent: 4 * mostGroups });
  }

  override reset(): void {
    this.groups.clear();
    super.reset();
  }

  protected override async backfill(): Promise<void> {}

  protected override append(wire: Wire): void {
    const slice = wire as unknown as Slice<GroupColumns>;
    for (let i = 0; i < slice.seq.length; i++) {
      if (slice.seq[i]! <= this.last) continue;
      this.groups.set(slice.number[i]!, {
        number: slice.number[i]!, opened: slice.opened[i] ?? this.groups.get(slice.number[i]!)?.opened ?? NaN, expected: slice.expected[i] ?? null, latest: slice.latest[i] ?? null, closed: slice.closed[i] ?? null,
        members: Int32Array.from(slice.members[i]!), arrived: slice.arrived[i]!, version: slice.version[i]!,
      });
    }
    for (const number of this.groups.keys()) {
      if (this.groups.size <= this.mostGroups) break;
      this.groups.delete(number);
    }
    if (slice.seq.length === 0 || slice.seq.at(-1)! <= this.last) return;
    this.last = slice.seq.at(-1)!;
    this.tick.value++;
  }
}

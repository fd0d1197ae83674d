/**
 * How a column is kept. Numbers stand in typed arrays, which hold nothing but the numbers and are never collected piece by piece:
 * `int` and `byte`; `double` and `float`, in which what is missing is NaN; `instant` (double) and `span` (float), in which it is 0;
 * `word`: one of few different texts, kept as its number; `text`: a text of its own.
 */
export type Kind = 'int' | 'byte' | 'double' | 'float' | 'instant' | 'span' | 'word' | 'text';

export type Shape = Readonly<Record<string, Kind>>;

/** Texts of which there are few, by row. */
export interface Words {
  readonly length: number;
  of(row: number): string;
}

/** The columns of a shape as they are read. */
export type Rows<S extends Shape> = {
  readonly [N in keyof S]: S[N] extends 'int' ? Int32Array : S[N] extends 'byte' ? Uint8Array : S[N] extends 'word' ? Words : S[N] extends 'text' ? readonly string[] : S[N] extends 'float' | 'span' ? Float32Array : Float64Array;
};

type Numbers = Int32Array | Uint8Array | Float32Array | Float64Array;

const most = 256;

/** Rows start in a small buffer and go over to a full one once: a short run costs little, a long one does not grow. */
const small = 4096;

function numbers(kind: Kind, capacity: number): Numbers {
  switch (kind) {
    case 'int': return new Int32Array(capacity);
    case 'byte': case 'word': return new Uint8Array(capacity);
    case 'float': case 'span': return new Float32Array(capacity);
    default: return new Float64Array(capacity);
  }
}

/** Columns of equal length in bounded memory. */
export class Columns<S extends Shape> {
  length = 0;
  capacity: number;
  private buffers: Record<string, Numbers> = {};
  private texts: Record<string, string[]> = {};
  private words: string[] = [];
  private codes = new Map<string, number>();
  private view: Rows<S> | null = null;

  /** @param full Rows that fit at most; whoever appends makes room before. */
  constructor(readonly shape: S, readonly full: number) {
    this.capacity = Math.min(small, full);
    this.clear();
  }

  clear(): void {
    this.length = 0;
    this.capacity = Math.min(small, this.full);
    [this.words, this.view] = [[], null];
    this.codes.clear();
    for (const [name, kind] of Object.entries(this.shape)) {
      if (kind === 'text') this.texts[name] = [];
      else this.buffers[name] = numbers(kind, this.capacity);
    }
  }

  /** Views of what is there; they hold until the columns change. */
  get rows(): Rows<S> {
    if (this.view) return this.view;
    const view: Record<string, unknown> = {};
    for (const [name, kind] of Object.entries(this.shape)) {
      if (kind === 'text') view[name] = this.texts[name];
      else if (kind === 'word') {
        const [codes, words] = [this.buffers[name]!, this.words];
        view[name] = { length: this.length, of: (row: number) => words[codes[row]!] ?? '' } satisfies Words;
      } else view[name] = this.buffers[name]!.subarray(0, this.length);
    }
    return (this.view = view as Rows<S>);
  }

  /** Copies rows from..to of a slice to the given place, which is the end or, when prepending, a place made by {@link shift}. */
  write(at: number, slice: Readonly<Record<string, readonly unknown[]>>, from: number, to: number): void {
    for (const [name, kind] of Object.entries(this.shape)) {
      const values = slice[name] ?? [];
      if (kind === 'text') {
        for (let i = from; i < to; i++) this.texts[name]![at + i - from] = String(values[i] ?? '');
        continue;
      }
      const into = this.buffers[name]!;
      const missing = kind === 'double' || kind === 'float' ? NaN : 0;
      for (let i = from; i < to; i++) into[at + i - from] = kind === 'word' ? this.code(String(values[i] ?? '')) : ((values[i] as number | null | undefined) ?? missing);
    }
    this.length = Math.max(this.length, at + to - from);
    this.view = null;
  }

  /** Room for so many rows more, in one step. False: they do not fit even so. */
  reserve(count: number): boolean {
    if (this.length + count > this.capacity && this.capacity < this.full) {
      this.capacity = this.full;
      for (const [name, kind] of Object.entries(this.shape)) {
        if (kind === 'text') continue;
        const larger = numbers(kind, this.capacity);
        larger.fill(1); // Touched now: pages that the system hands out later would look like growth, and be it.
        larger.set(this.buffers[name]!.subarray(0, this.length));
        this.buffers[name] = larger;
      }
      this.view = null;
    }
    return this.length + count <= this.capacity;
  }

  /** Forgets the oldest rows. */
  drop(count: number): void {
    for (const [name, kind] of Object.entries(this.shape)) {
      if (kind === 'text') this.texts[name]!.splice(0, count);
      else this.buffers[name]!.copyWithin(0, count, this.length);
    }
    this.length -= count;
    this.view = null;
  }

  /** Moves all rows back by so many, which the caller then writes at 0. */
  shift(count: number): void {
    for (const [name, kind] of Object.entries(this.shape)) {
      if (kind === 'text') this.texts[name]!.unshift(...new Array<string>(count).fill(''));
      else this.buffers[name]!.copyWithin(count, 0, this.length);
    }
    this.length += count;
    this.view = null;
  }

  /** Keeps every second one of the older three quarters: a curve keeps its shape, with less detail the older it is. */
  thin(): void {
    const older = (this.length >> 2) * 3;
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      if (i < older && i % 2 === 1) continue;
      for (const name in this.buffers) this.buffers[name]![kept] = this.buffers[name]![i]!;
      for (const name in this.texts) this.texts[name]![kept] = this.texts[name]![i]!;
      kept++;
    }
    for (const name in this.texts) this.texts[name]!.length = kept;
    this.length = kept;
    this.view = null;
  }

  private code(text: string): number {
    let code = this.codes.get(text);
    if (code === undefined) {
      if (this.words.length === most) return most - 1;
      code = this.words.push(this.words.length === most - 1 ? 'other' : text) - 1;
      this.codes.set(text, code);
    }
    return code;
  }
}

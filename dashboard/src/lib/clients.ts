import { signal } from '@preact/signals';
import * as api from './api.ts';
import type { Run } from './run.ts';

/** Numbers of each client, by its number; NaN where nobody knows. */
const columns = ['state', 'dispatched', 'accepted', 'rejected', 'lost', 'leftOut', 'staleness', 'lastStaleness', 'steps', 'examples', 'secondsPerStep', 'busy', 'weight', 'lastSeen', 'accuracy', 'bytesUp', 'bytesDown'] as const;

export type ClientColumn = (typeof columns)[number];

export const states = ['never asked', 'training now', 'last update accepted', 'last update not used', 'last work lost', 'gone for good'] as const;

type Answer = { readonly stamp: number; readonly count: number; readonly client: number[] } & Record<ClientColumn, (number | null)[]>;

/** All clients of a run, kept up to date by reading only those that changed. */
export class ClientTable {
  readonly tick = signal(0);
  readonly problem = signal('');
  count = 0;
  loaded = false;

  private stamp = 0;
  private values: Record<ClientColumn, Float64Array>;

  constructor(private readonly run: Run) {
    this.values = Object.fromEntries(columns.map((name) => [name, new Float64Array(0)])) as Record<ClientColumn, Float64Array>;
  }

  get(name: ClientColumn): Float64Array {
    return this.values[name];
  }

  /** Reads once per second while the returned function was not called. */
  watch(): () => void {
    let timer: ReturnType<typeof setTimeout>;
    let over = false;
    const read = async () => {
      if (!document.hidden || !this.loaded) {
        try {
          this.take((await api.history<unknown>(this.run.id, 'clients', this.stamp)) as unknown as Answer);
          this.problem.value = '';
        } catch (reason) {
          this.problem.value = reason instanceof Error ? reason.message : String(reason);
        }
      }
      if (!over) timer = setTimeout(() => void read(), this.count > 20_000 ? 2000 : 1000);
    };
    void read();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }

  private take(answer: Answer): void {
    if (answer.stamp < this.stamp) this.reset();
    if (answer.count > this.count) this.grow(answer.count);
    for (const name of columns) {
      const [into, from] = [this.values[name], answer[name]];
      for (let i = 0; i < answer.client.length; i++) into[answer.client[i]!] = from[i] ?? NaN;
    }
    const changed = answer.client.length > 0 || !this.loaded;
    [this.stamp, this.loaded] = [answer.stamp, true];
    if (changed) this.tick.value++;
  }

  private reset(): void {
    this.stamp = this.count = 0;
  }

  private grow(count: number): void {
    for (const name of columns) {
      const larger = new Float64Array(count);
      larger.fill(['secondsPerStep', 'lastSeen', 'accuracy', 'staleness'].includes(name) ? NaN : 0);
      larger.set(this.values[name].subarray(0, Math.min(count, this.count)));
      this.values[name] = larger;
    }
    this.count = count;
  }
}

const tables = new WeakMap<Run, ClientTable>();

export function clientsOf(run: Run): ClientTable {
  let table = tables.get(run);
  if (!table) tables.set(run, (table = new ClientTable(run)));
  return table;
}

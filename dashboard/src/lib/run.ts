import { signal } from '@preact/signals';
import * as api from './api.ts';
import { watchRun } from './link.ts';
import { GroupStream, Stream } from './stream.ts';
import { eventShape, metricsShape, updateShape, versionShape, type FeedHeader, type Frame, type GroupColumns, type Standing, type Tallies, type TaskColumns } from './types.ts';

export type Topic = 'curves' | 'updates' | 'groups' | 'events' | 'tasks' | 'tallies';

/** Assignments kept in the page, of some 70 bytes each. */
export const mostUpdates = 100_000;

/** Points of a curve: several per pixel of any screen. */
const mostPoints = 20_000;

const mostGroups = 2000;
const mostEvents = 10_000;

/** One run as this page knows it: its streams, and where it stands. */
export class Run {
  readonly header = signal<FeedHeader | null>(null);
  readonly standing = signal<Standing | null>(null);
  readonly canControl = signal(false);
  readonly problem = signal('');
  readonly tasks = signal<TaskColumns | null>(null);
  readonly tallies = signal<Tallies | null>(null);
  readonly metrics: Stream<typeof metricsShape>;
  readonly versions: Stream<typeof versionShape>;
  readonly updates: Stream<typeof updateShape>;
  readonly groups: GroupStream;
  readonly events: Stream<typeof eventShape>;

  private instance = '';

  constructor(readonly id: string) {
    const read = (name: string, after: number, newest?: number) => api.history<Readonly<Record<string, readonly unknown[]>>>(id, name, after, newest);
    this.metrics = new Stream('metrics', metricsShape, read, { most: mostPoints, thins: true });
    this.versions = new Stream('versions', versionShape, read, { most: mostPoints, thins: true });
    this.updates = new Stream('updates', updateShape, read, { most: mostUpdates, recent: 5000 });
    this.groups = new GroupStream((name, after, newest) => api.history<GroupColumns>(id, name, after, newest), mostGroups);
    this.events = new Stream('events', eventShape, read, { most: mostEvents, recent: 2000 });
  }

  /** Follows the run until the returned function is called. */
  watch(topics: readonly Topic[]): () => void {
    const leave = watchRun(this.id, topics, (frame) => this.take(frame), () => void this.load(topics));
    const timer = setInterval(() => void this.meet(), 3000);
    return () => {
      clearInterval(timer);
      leave();
    };
  }

  get name(): string {
    return this.header.value?.name ?? this.id;
  }

  clientName(client: number): string {
    return this.header.value?.clientNames[client] || `client ${client}`;
  }

  private take(frame: Frame): void {
    this.standing.value = frame.standing;
    if (frame.metrics) this.metrics.take(frame.metrics);
    if (frame.versions) this.versions.take(frame.versions);
    if (frame.updates) this.updates.take(frame.updates);
    if (frame.groups) this.groups.take(frame.groups as unknown as Parameters<GroupStream['take']>[0]);
    if (frame.events) this.events.take(frame.events);
    if (frame.tasks) this.tasks.value = frame.tasks;
    if (frame.tallies) this.tallies.value = frame.tallies;
  }

  /** Real clients join a run that goes on: how many they are, and what they are called. */
  private async meet(): Promise<void> {
    const known = this.header.peek();
    if (known?.source !== 'live' || this.standing.peek()?.status === 'finished' || document.hidden) return;
    try {
      const { header } = await api.feed(this.id);
      if (header.clients !== known.clients || header.clientNames.length !== known.clientNames.length) this.header.value = header;
    } catch {
      // The link's own lamp says when nobody answers.
    }
  }

  private async load(topics: readonly Topic[]): Promise<void> {
    try {
      const feed = await api.feed(this.id);
      if (this.instance !== '' && feed.instance !== this.instance) {
        for (const stream of [this.metrics, this.versions, this.updates, this.groups, this.events]) stream.reset();
      }
      this.instance = feed.instance;
      this.header.value = feed.header;
      this.canControl.value = feed.canControl;
      const reads: Promise<void>[] = [];
      if (topics.includes('curves')) reads.push(this.metrics.repair(), this.versions.repair());
      if (topics.includes('updates')) reads.push(this.updates.repair());
      if (topics.includes('groups')) reads.push(this.groups.repair());
      if (topics.includes('events')) reads.push(this.events.repair());
      await Promise.all(reads);
      this.problem.value = '';
    } catch (problem) {
      this.problem.value = problem instanceof Error ? problem.message : String(problem);
    }
  }
}

const runs = new Map<string, Run>();

/** The same run for every page that shows it; the few looked at last are kept. */
export function runOf(id: string): Run {
  let run = runs.get(id);
  if (!run) {
    run = new Run(id);
    runs.set(id, run);
    if (runs.size > 6) runs.delete(runs.keys().next().value!);
  }
  return run;
}

import { signal } from '@preact/signals';
import * as api from './api.ts';
import { watchRun } from './link.ts';
import { Stream } from './stream.ts';
import type { EventColumns, FeedHeader, Frame, GroupColumns, MetricsColumns, Standing, Tallies, TaskColumns, UpdateColumns, VersionColumns } from './types.ts';

export type Topic = 'curves' | 'updates' | 'groups' | 'events' | 'tasks' | 'tallies';

/** Assignments kept in the page. */
export const mostUpdates = 100_000;

/** One run as this page knows it: its streams, and where it stands. */
export class Run {
  readonly header = signal<FeedHeader | null>(null);
  readonly standing = signal<Standing | null>(null);
  readonly canControl = signal(false);
  readonly problem = signal('');
  readonly tasks = signal<TaskColumns | null>(null);
  readonly tallies = signal<Tallies | null>(null);
  readonly metrics: Stream<MetricsColumns>;
  readonly versions: Stream<VersionColumns>;
  readonly updates: Stream<UpdateColumns>;
  readonly groups: Stream<GroupColumns>;
  readonly events: Stream<EventColumns>;

  private instance = '';

  constructor(readonly id: string) {
    const read = <T>(name: string, after: number, newest?: number) => api.history<T>(id, name, after, newest);
    this.metrics = new Stream('metrics', ['version', 'round', 'time', 'wall', 'accuracy', 'loss', 'updates', 'bytesUp', 'bytesDown', 'staleness', 'epsilon'], read<MetricsColumns>, 40_000);
    this.versions = new Stream('versions', ['version', 'time', 'updates', 'staleness', 'weightSum', 'stepNorm', 'agreement'], read<VersionColumns>, 70_000);
    this.updates = new Stream(
      'updates',
      ['assignment', 'client', 'base', 'staleness', 'steps', 'examples', 'download', 'train', 'upload', 'aggregate', 'weight', 'norm', 'cosine', 'end', 'reason', 'dispatched', 'ended', 'version'],
      read<UpdateColumns>,
      mostUpdates,
      5000,
    );
    this.groups = new Stream('groups', ['number', 'opened', 'expected', 'latest', 'closed', 'members', 'arrived', 'version'], read<GroupColumns>, 20_000);
    this.events = new Stream('events', ['time', 'wall', 'severity', 'kind', 'text', 'client', 'version'], read<EventColumns>, 20_000, 2000);
  }

  /** Follows the run until the returned function is called. */
  watch(topics: readonly Topic[]): () => void {
    return watchRun(this.id, topics, (frame) => this.take(frame), () => void this.load(topics));
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
    if (frame.groups) this.groups.take(frame.groups);
    if (frame.events) this.events.take(frame.events);
    if (frame.tasks) this.tasks.value = frame.tasks;
    if (frame.tallies) this.tallies.value = frame.tallies;
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

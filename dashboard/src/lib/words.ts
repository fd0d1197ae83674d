/** The field's words in one sentence each, for somebody who has never met them. */
export const schedulers: Record<string, { readonly title: string; readonly how: string }> = {
  compass: {
    title: 'FedCompass',
    how: 'Clients differ in speed. The coordinator measures each one and gives fast clients more local steps, slow ones fewer, so that a group arrives at about the same time; each full group makes a new version of the model, and nobody waits for the slowest.',
  },
  buffered: {
    title: 'FedBuff',
    how: 'A fixed number of clients trains at any time. Updates gather in a buffer; whenever it holds the goal of K updates, they are averaged into a new version of the model, and whoever is done simply starts again.',
  },
  immediate: {
    title: 'FedAsync',
    how: 'Every update makes a new version at once. Fast clients are heard often; an update that started from an old version counts less.',
  },
  synchronous: {
    title: 'FedAvg',
    how: 'Training goes in rounds: a cohort of clients is invited, all train from the same version, and when their updates are in, the average becomes the next version. The round lasts as long as its slowest member.',
  },
  'fixed-window': {
    title: 'FedFix',
    how: 'A new version comes at fixed times: whatever arrived within the window is averaged, whoever is late counts in the next window.',
  },
  anarchic: {
    title: 'Anarchic',
    how: 'Clients decide for themselves when they train and how much; the coordinator remembers what each of them sent last and averages over all.',
  },
};

export function schedulerOf(name: string): { readonly title: string; readonly how: string } {
  return schedulers[name] ?? { title: name || 'Unknown strategy', how: 'Clients train on their own data and send updates; the coordinator combines them into the next version of one shared model.' };
}

export const finish: Record<string, string> = {
  versions: 'reached its number of versions',
  'client-updates': 'reached its number of updates',
  time: 'reached its time',
  'target-reached': 'reached its target accuracy',
  'no-improvement': 'stopped improving',
  diverged: 'diverged',
  operator: 'was stopped by an operator',
  stalled: 'stalled: no client could be given work',
  budget: 'spent its privacy budget',
  partial: 'was not finished when its folder was read',
};

export const reasons: Record<string, string> = {
  stale: 'started from too old a version',
  duplicate: 'was sent before',
  'too-late': 'came after its lease had ended',
  'not-finite': 'held values that are not numbers',
  malformed: 'contradicts itself',
  'round-closed': 'came after its round had closed',
  'run-over': 'the run was over',
  'deadline-passed': 'did not come in time',
  'client-failed': 'the client gave up',
  'client-lost': 'the client vanished',
  'never-folded-in': 'arrived but no version was made any more',
  unknown: 'named no assignment of this run',
  'not-yours': "named another client's assignment",
};

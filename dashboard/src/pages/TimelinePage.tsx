import { useEffect } from 'preact/hooks';
import type { Run } from '../lib/run.ts';
import { schedulerOf } from '../lib/words.ts';
import { RunHead } from '../parts/RunHead.tsx';
import { Timeline } from '../timeline/Timeline.tsx';

const look: Record<string, string> = {
  compass: 'Clients of different speed form a group: the fast ones are given more steps and the slow ones fewer, so that their bars end close together, within the shaded window. Then the group is merged into a new version of the model (vertical line), and its members start again from it at once. In rounds, everybody would wait for the slowest of all; here a client waits for its group only.',
  buffered: 'Look at the buffer on top: it fills as updates arrive and empties into a new version at the goal. Nobody waits for anybody; slow clients come in with older versions.',
  synchronous: 'Look for waiting: every round begins together and ends with its slowest member; the empty stretches are clients that are done and wait.',
  immediate: 'Look at the density: every bar that ends makes a version at once, so a client with a long bar misses many versions meanwhile.',
  'fixed-window': 'Look at the rhythm: whatever has arrived is merged at fixed times, and those clients start again together.',
  anarchic: 'Look at the irregularity: every client chooses for itself when it trains and how much.',
};

export function TimelinePage({ run }: { run: Run }) {
  useEffect(() => run.watch(['updates', 'groups', 'tasks']), [run]);
  const header = run.header.value;
  return (
    <section aria-labelledby="run-title">
      <RunHead run={run} page="Timeline" />
      <p class="how"><strong>{schedulerOf(header?.scheduler ?? '').title}.</strong> {look[header?.scheduler ?? ''] ?? 'Each lane is one client; each bar is one piece of work, from the moment it was given out until its update was merged.'}</p>
      <Timeline run={run} title="Who does what, when" note="Each lane is one client; each bar is one piece of work: fetch the model, train on its own data, send the update. Empty means idle." height={Math.max(360, Math.min(720, innerHeight - 300))} />
    </section>
  );
}

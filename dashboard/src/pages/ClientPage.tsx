import { useEffect } from 'preact/hooks';
import { LineChart } from '../charts/LineChart.tsx';
import { clientsOf, states } from '../lib/clients.ts';
import { bytes, duration, percent, short, whole } from '../lib/format.ts';
import { href } from '../lib/route.ts';
import type { Run } from '../lib/run.ts';
import { reasons } from '../lib/words.ts';
import { Figure, Problem } from '../parts/Bits.tsx';
import { measures } from '../parts/measures.ts';
import { Timeline } from '../timeline/Timeline.tsx';

const mostRows = 100;

/** One client: what it does, how fast it is, and what became of its updates. */
export function ClientPage({ run, client }: { run: Run; client: number }) {
  const table = clientsOf(run);
  useEffect(() => run.watch(['updates', 'groups', 'tasks']), [run]);
  useEffect(() => table.watch(), [table]);
  void table.tick.value;
  void run.updates.tick.value;
  if (!Number.isInteger(client) || client < 0 || (table.loaded && client >= table.count)) {
    return <Problem title="There is no such client">This run has {whole(table.count)} clients. <a href={href(['runs', run.id, 'clients'])}>All clients</a></Problem>;
  }

  const value = (name: Parameters<typeof table.get>[0]) => table.get(name)[client] ?? NaN;
  const u = run.updates.rows;
  const mine: number[] = [];
  for (let i = 0; i < u.client.length; i++) if (u.client[i] === client) mine.push(i);
  const done = mine.filter((i) => u.steps[i]! > 0);
  const x = done.map((i) => u.ended[i]!);
  const heard = measures.find((m) => m.name === 'balance')!;
  const common = { xLabel: "time on the run's clock", xFormat: duration };
  return (
    <section aria-labelledby="client-title">
      <p><a href={href(['runs', run.id, 'clients'])}>← All clients</a></p>
      <h1 id="client-title" class="long">{run.clientName(client)} <span class="of">of {run.name}</span></h1>
      <p class="faint">{states[value('state')] ?? 'not known yet'}; last heard of at {duration(value('lastSeen'))}</p>
      <dl class="figures">
        <Figure label="Updates" value={whole(value('accepted'))} hint={`${whole(value('rejected'))} not used, ${whole(value('lost'))} lost`} />
        <Figure label="Heard" value={table.count > 0 ? heard.format(heard.of(table)(client)) : '–'} hint="share of weight over share of examples" />
        <Figure label="Speed" value={duration(value('secondsPerStep'))} hint="per local step" />
        <Figure label="Staleness" value={short(value('staleness'))} hint="versions missed, on average" />
        <Figure label="Local steps" value={whole(value('steps'))} hint={`${duration(value('busy'))} busy`} />
        <Figure label="Examples" value={whole(value('examples'))} hint="that never leave it" />
        {Number.isFinite(value('accuracy')) && <Figure label="Accuracy" value={percent(value('accuracy'))} hint="on its own test examples" />}
        {value('bytesUp') > 0 && <Figure label="Traffic" value={bytes(value('bytesUp') + value('bytesDown'))} hint={`${bytes(value('bytesUp'))} up`} />}
      </dl>
      <div class="stack">
        <Timeline run={run} only={[client]} title="What it did, when" note="Each bar is one piece of work: fetch the model, train, send the update." height={180} />
        <div class="grid two">
          <LineChart title="Seconds per step" note="How long one local step took, each time it trained." series={[{ label: 'seconds per step', colour: 0, x, y: done.map((i) => u.train[i]! / u.steps[i]!) }]} yFormat={duration} zero {...common} empty="It has not finished any work yet." />
          <LineChart title="Staleness" note="How many versions appeared while it was training." series={[{ label: 'staleness', colour: 4, x, y: done.map((i) => u.staleness[i]!) }]} yFormat={short} zero {...common} empty="It has not finished any work yet." />
        </div>
        <div class="card">
          <h3>Its work, newest first</h3>
          <div class="table-box" tabIndex={0} role="region" aria-label="Its work">
            <table>
              <thead><tr>{['From version', 'Given out', 'Took', 'Steps', 'Staleness', 'Weight', 'Outcome'].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
              <tbody>
                {mine.slice(-mostRows).reverse().map((i) => (
                  <tr key={i + run.updates.first}>
                    <td>{u.base[i]}</td><td>{duration(u.dispatched[i])}</td><td>{duration(u.ended[i]! - u.dispatched[i]!)}</td><td>{whole(u.steps[i])}</td><td>{u.staleness[i]}</td><td>{short(u.weight[i])}</td>
                    <td>{['accepted', 'not used', 'lost'][u.end[i]!]}{u.version[i]! > 0 ? `, in version ${u.version[i]}` : ''}{u.reason.of(i) ? ` (${reasons[u.reason.of(i)] ?? u.reason.of(i)})` : ''}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {mine.length === 0 && <p class="empty">{run.updates.loaded ? 'No work of this client has ended yet.' : 'Reading …'}</p>}
        </div>
      </div>
    </section>
  );
}

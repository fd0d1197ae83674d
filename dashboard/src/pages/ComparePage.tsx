import { useEffect } from 'preact/hooks';
import { LineChart } from '../charts/LineChart.tsx';
import { axes, axisOf } from '../lib/axes.ts';
import type { Values } from '../charts/axis.ts';
import { bestOf, bytes, duration, isNumber, percent, short, whole } from '../lib/format.ts';
import { href, route, setQuery } from '../lib/route.ts';
import { runOf, type Run } from '../lib/run.ts';
import { Choice, Problem } from '../parts/Bits.tsx';

const mostRuns = 6;

/** Several runs over one axis: against versions, time, bytes or privacy, whichever is scarce. */
export function ComparePage() {
  const query = route.value.query;
  const ids = (query.get('runs') ?? '').split(',').filter(Boolean).slice(0, mostRuns);
  const runs = ids.map(runOf);
  const key = ids.join();
  useEffect(() => {
    const leaves = runs.map((run) => run.watch(['curves']));
    return () => leaves.forEach((leave) => leave());
  }, [key]);
  runs.forEach((run) => void run.metrics.tick.value);
  const axis = axisOf(query.get('x') ?? 'time');
  const smoothing = Number(query.get('smooth') ?? '0');
  const logLoss = query.get('loss') === 'log';
  if (ids.length === 0) return <Problem title="Nothing to compare">Tick two runs or more on the page <a href={href(['runs'])}>Runs</a>.</Problem>;
  const curves = (of: (run: Run) => Values) => runs.map((run, i) => ({ label: run.name, colour: i, x: axis.of(run.metrics.rows), y: of(run) }));
  const common = { xLabel: axis.label, xFormat: axis.format, smoothing, height: 340 };
  const offered = axes.filter((a) => a.name !== 'epsilon' || runs.some((run) => run.metrics.rows.epsilon.some(isNumber)));
  return (
    <section aria-labelledby="compare-title">
      <h1 id="compare-title">Compare</h1>
      <p class="note">The same curves over one axis. Which run is better depends on what is scarce: versions, time, bytes or privacy; switch and see.</p>
      <div class="bar">
        <Choice label="Against" value={axis.name} options={offered.map((a) => [a.name, a.button] as const)} onChange={(name) => setQuery({ x: name })} />
        <label class="slider">Smoothing <input type="range" min="0" max="0.99" step="0.01" value={smoothing} onInput={(e) => setQuery({ smooth: e.currentTarget.value === '0' ? null : e.currentTarget.value })} /> <output>{smoothing.toFixed(2)}</output></label>
        <label class="check"><input type="checkbox" checked={logLoss} onChange={(e) => setQuery({ loss: e.currentTarget.checked ? 'log' : null })} /> logarithmic loss</label>
      </div>
      <div class="stack">
        <LineChart title="Accuracy of runs" note="Higher and further left is better: more learnt for less." series={curves((run) => run.metrics.rows.accuracy)} yFormat={percent} {...common} empty="None of these runs was evaluated yet." />
        <LineChart title="Loss of runs" note="Lower and further left is better." series={curves((run) => run.metrics.rows.loss)} yFormat={short} logY={logLoss} {...common} empty="None of these runs was evaluated yet." />
        <div class="card">
          <h3>Side by side</h3>
          <div class="table-box" tabIndex={0} role="region" aria-label="Runs side by side">
            <table>
              <thead><tr>{['Run', 'Strategy', 'Final accuracy', 'Best', 'Final loss', 'Versions', 'Updates', 'Time', 'Traffic', 'ε'].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
              <tbody>
                {runs.map((run) => {
                  const m = run.metrics.rows;
                  return (
                    <tr key={run.id}>
                      <td><a href={href(['runs', run.id])}>{run.name}</a></td><td>{run.header.value?.strategy ?? '–'}</td><td>{percent(m.accuracy.at(-1))}</td>
                      <td>{percent(bestOf(m.accuracy))}</td><td>{short(m.loss.at(-1))}</td><td>{whole(run.standing.value?.version)}</td>
                      <td>{whole(run.standing.value?.accepted)}</td><td>{duration(run.standing.value?.time)}</td><td>{bytes((m.bytesUp.at(-1) ?? 0) + (m.bytesDown.at(-1) ?? 0))}</td><td>{short(m.epsilon.at(-1))}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        </div>
      </div>
    </section>
  );
}

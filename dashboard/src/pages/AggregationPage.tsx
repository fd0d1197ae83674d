import { useEffect } from 'preact/hooks';
import { BarChart } from '../charts/BarChart.tsx';
import { LineChart } from '../charts/LineChart.tsx';
import { isNumber, short, whole } from '../lib/format.ts';
import type { Run } from '../lib/run.ts';
import { ink } from '../lib/theme.ts';
import { reasons } from '../lib/words.ts';
import { RunHead } from '../parts/RunHead.tsx';

const normBins = 24;

/** How updates become a version: how old they are, how long, how well they agree, and which are not used. */
export function AggregationPage({ run }: { run: Run }) {
  useEffect(() => run.watch(['curves', 'updates', 'tallies']), [run]);
  void run.updates.tick.value;
  void run.versions.tick.value;
  const tallies = run.tallies.value;
  const header = run.header.value;
  const v = run.versions.rows;
  const colours = ink();
  const staleness = tallies?.staleness ?? [];
  const all = staleness.reduce((a, b) => a + b, 0);
  const ends = (tallies?.ends ?? []).filter((e) => e.end !== 0 || e.reason !== '');
  const norms = histogram(run.updates.rows.norm, header?.clip ?? null);
  const common = { xLabel: 'model version', xFormat: whole };
  return (
    <section aria-labelledby="run-title">
      <RunHead run={run} page="Aggregation" />
      <p class="how"><strong>Aggregation</strong> turns the updates of several clients into the next version of the model. An update is a direction to move the model in; here one sees how fresh those directions are, how long, how well they agree, and which were left out.</p>
      <div class="grid two">
        <BarChart title="Staleness of accepted updates" note="How many versions appeared while the client trained: 0 is fresh. A long tail means slow clients work on old models; their updates are given less weight." xLabel="staleness τ, in versions" yLabel="updates" format={short}
          bars={staleness.map((value, i) => ({ label: i === 128 ? '128+' : String(i), value, hint: `staleness ${i}: ${whole(value)} updates (${((value / all) * 100).toFixed(1)} %)` }))}
          mark={header && header.maxStaleness >= 0 && header.maxStaleness + 1 < staleness.length ? { index: header.maxStaleness + 1, label: 'refused from here' } : undefined} empty="No update was accepted yet." />
        <BarChart title="Left out, and why" note="Work that did not become part of the model. Some loss is normal where devices come and go; a rule that rejects honest clients shows here first." lying xLabel="reason" yLabel="assignments" format={whole}
          bars={ends.map((e) => ({ label: reasons[e.reason] ?? e.reason, value: e.count, hatched: true, colour: e.end === 2 ? colours.lost : e.end === 1 ? colours.rejected : colours.group, hint: `${['came in time, and the rule left it out', 'not used', 'lost'][e.end]}: ${reasons[e.reason] ?? e.reason}, ${whole(e.count)}` }))} empty="Nothing was left out: every update that was asked for came and was used." />
        <LineChart title="Updates per version" note="How many clients made each version. Asynchronous strategies keep it steady, or let it follow the groups." series={[{ label: 'updates', colour: 0, x: v.version, y: Float64Array.from(v.updates, (n) => n || NaN) }]} yFormat={short} zero {...common} empty="No version was published yet." />
        <LineChart title="Weight per version" note="What the weights of a version add up to. Below 1 the version moves less far, because its updates were stale or few." series={[{ label: 'weight', colour: 2, x: v.version, y: v.weightSum }]} yFormat={short} zero {...common} empty="The weights of versions are not recorded for this run." />
        <BarChart title="Length of updates" note={<>How far each update wants to move the model (ℓ2 norm){isNumber(header?.clip) ? '; what is longer than the clip is shortened to it, so that nobody can pull too hard' : '. This run does not clip'}.</>} xLabel="ℓ2 norm" yLabel="updates" format={whole} bars={norms.bars} mark={norms.clip >= 0 ? { index: norms.clip, label: 'clip' } : undefined} empty="Lengths were not measured: in a results folder they are not kept, and under a privacy policy they would tell what it hides." />
        <LineChart title="Agreement of updates" note="The mean cosine between an update and what it was merged into: near 1 all clients pull one way, near 0 they cancel out, as very different data make them." series={[{ label: 'mean cosine', colour: 3, x: v.version, y: v.agreement }]} yFormat={short} zero {...common} empty="Agreement was not measured: in a results folder it is not kept, and under a privacy policy it would tell what it hides." />
        <LineChart title="Length of the server's step" note="How far the server optimizer moved the model with each version. It shrinks as training converges; a jump up is a warning." series={[{ label: 'step', colour: 1, x: v.version, y: v.stepNorm }]} yFormat={short} zero {...common} empty="Steps were not measured in this run." />
        <LineChart title="Staleness per version" note="The mean staleness of the updates that made each version." series={[{ label: 'mean staleness', colour: 4, x: v.version, y: v.staleness }]} yFormat={short} zero {...common} empty="No version was published yet." />
      </div>
    </section>
  );
}

function histogram(values: Float32Array, clip: number | null): { bars: { label: string; value: number; hint: string }[]; clip: number } {
  const known = values.filter(isNumber);
  if (known.length === 0) return { bars: [], clip: -1 };
  const most = Math.max(known.reduce((a, b) => Math.max(a, b), 0), isNumber(clip) ? clip * 1.05 : 0) || 1;
  const counts = new Array<number>(normBins).fill(0);
  for (const value of known) counts[Math.min(normBins - 1, Math.floor((value / most) * normBins))]!++;
  return {
    bars: counts.map((value, i) => ({ label: short(((i + 0.5) * most) / normBins), value, hint: `${short((i * most) / normBins)} to ${short(((i + 1) * most) / normBins)}: ${whole(value)} updates` })),
    clip: isNumber(clip) ? Math.floor((clip / most) * normBins) : -1,
  };
}

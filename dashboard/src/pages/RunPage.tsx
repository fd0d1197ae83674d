import { useEffect, useState } from 'preact/hooks';
import { LineChart } from '../charts/LineChart.tsx';
import { act } from '../lib/api.ts';
import { axesOf, axisOf } from '../lib/axes.ts';
import type { Values } from '../charts/axis.ts';
import { bestOf, bytes, duration, isNumber, nothing, percent, short, whole } from '../lib/format.ts';
import { route, setQuery } from '../lib/route.ts';
import type { Run } from '../lib/run.ts';
import type { FeedHeader, Standing } from '../lib/types.ts';
import { finish, schedulerOf } from '../lib/words.ts';
import { Choice, Figure, Problem, Status } from '../parts/Bits.tsx';
import { AnalysisFound, questionOf } from './AnalysisPage.tsx';

/** What the run learns, and how far it is. */
export function RunPage({ run }: { run: Run }) {
  useEffect(() => run.watch(['curves', 'tallies']), [run]);
  void run.metrics.tick.value;
  const header = run.header.value;
  const standing = run.standing.value;
  const problem = run.problem.value;
  if (!header || !standing) {
    return problem ? <Problem title="This run cannot be shown">{problem}</Problem> : <p class="empty" role="status">Reading the run …</p>;
  }

  const m = run.metrics.rows;
  const strategy = schedulerOf(header.scheduler);
  const question = questionOf(header);
  return (
    <section aria-labelledby="run-title">
      <div class="page-head">
        <div>
          <h1 id="run-title" class="long">{header.name}</h1>
          <p class="faint"><Status standing={standing} /> {question ? <>A question to clients, under {strategy.title}</> : <>{strategy.title} · {header.strategy}</>} · {whole(header.clients)} {header.clients === 1 ? 'client' : 'clients'} · seed {header.seed}</p>
        </div>
        {run.canControl.value && <Controls run={run} standing={standing} />}
      </div>
      <Progress header={header} standing={standing} metrics={m} />
      <p class="how"><strong>How this works.</strong> {question ? question.how : strategy.how}</p>
      {header.source === 'live' && standing.status === 'running' && standing.accepted === 0 && standing.inFlight === 0 && (
        <div class="card empty-page">
          <h2>The run is ready; clients bring their data to it</h2>
          <p>Each client takes part from where its data are. {question ? 'On this machine, one that answers from a folder:' : <>On this machine, twelve that stand in for shares of the run's own data section, or one with data of its own:</>}</p>
          <pre>{`${question ? '' : `./fed client --run ${run.id} --count 12\n`}./fed client --run ${run.id} --data my-folder`}</pre>
        </div>
      )}
      {question
        ? <AnalysisFound run={run} question={question} header={header} standing={standing} />
        : <Learnt run={run} header={header} standing={standing} />}
      {header.configuration && <details class="card"><summary>Configuration, with every default</summary><pre class="configuration" tabIndex={0}>{header.configuration}</pre></details>}
    </section>
  );
}

/** What a run that trains has learnt. */
function Learnt({ run, header, standing }: { run: Run; header: FeedHeader; standing: Standing }) {
  const m = run.metrics.rows;
  const query = route.value.query;
  const axis = axisOf(query.get('x'));
  const smoothing = Number(query.get('smooth') ?? '0');
  const logLoss = query.get('loss') === 'log';
  const x = axis.of(m);
  const accuracy = m.accuracy.at(-1) ?? null;
  const before = m.accuracy.at(-11) ?? null;
  const best = bestOf(m.accuracy);
  const curve = (y: Values, label: string, colour: number) => [{ label, colour, x, y }];
  const common = { xLabel: axis.label, xFormat: axis.format, smoothing };
  const hasEpsilon = m.epsilon.some(isNumber);
  return (
    <>
      <dl class="figures">
        <Figure label="Accuracy" value={percent(accuracy)} hint={isNumber(accuracy) && isNumber(before) ? `${accuracy >= before ? '+' : '−'}${Math.abs((accuracy - before) * 100).toFixed(1)} points in 10 evaluations` : best !== null ? `best ${percent(best)}` : 'share of test examples it gets right'} />
        <Figure label="Loss" value={short(m.loss.at(-1))} hint="how wrong it is on average" />
        <Figure label="Version" value={whole(standing.version)} hint={header.stopVersions > 0 ? `of ${whole(header.stopVersions)}` : 'of the shared model'} />
        <Figure label="Training now" value={standing.inFlight < 0 ? nothing : whole(standing.inFlight)} hint={standing.waiting > 0 ? `${whole(standing.waiting)} wait for work` : 'clients with work in hand'} />
        <Figure label="Updates" value={whole(standing.accepted)} hint={`${whole(standing.rejected)} rejected, ${whole(standing.lost)} lost`} />
        <Figure label="Time" value={duration(standing.time)} hint={`${duration(standing.wall)} real`} />
        <Figure label="Traffic" value={bytes((m.bytesUp.at(-1) ?? 0) + (m.bytesDown.at(-1) ?? 0))} hint={`${bytes(m.bytesUp.at(-1) ?? 0)} up`} />
        {hasEpsilon && <Figure label="Privacy spent" value={`ε ${short(m.epsilon.at(-1))}`} hint={isNumber(header.epsilonBudget) ? `of ${short(header.epsilonBudget)}` : 'less is more private'} />}
      </dl>
      <div class="bar">
        <Choice label="Against" value={axis.name} options={axesOf(m).map((a) => [a.name, header.source === 'live' && a.name === 'time' ? "Run's time" : a.button] as const)} onChange={(name) => setQuery({ x: name === 'version' ? null : name })} />
        <label class="slider">Smoothing <input type="range" min="0" max="0.99" step="0.01" value={smoothing} onInput={(e) => setQuery({ smooth: e.currentTarget.value === '0' ? null : e.currentTarget.value })} /> <output>{smoothing.toFixed(2)}</output></label>
        <label class="check"><input type="checkbox" checked={logLoss} onChange={(e) => setQuery({ loss: e.currentTarget.checked ? 'log' : null })} /> logarithmic loss</label>
      </div>
      <div class="grid two">
        <LineChart title="Accuracy" note="The share of test examples that the shared model gets right. It should rise, quickly at first." series={curve(m.accuracy, 'accuracy', 0)} yFormat={percent} {...common}
          mark={isNumber(header.targetAccuracy) && header.targetAccuracy > 0 ? { y: header.targetAccuracy, label: `target ${percent(header.targetAccuracy)}` } : undefined} empty="No version was evaluated yet; the first evaluation comes with the first version." />
        <LineChart title="Loss" note="How wrong the model is on average. It should fall; if it rises again, training has become unstable." series={curve(m.loss, 'loss', 1)} yFormat={short} logY={logLoss} {...common} empty="No version was evaluated yet." />
        <LineChart title="Staleness" note="How many versions appeared while a client was training. Stale updates pull the model towards where it used to be; 0 means every update was fresh." series={curve(m.staleness, 'mean staleness', 4)} yFormat={short} zero {...common} empty="No update was folded in yet." />
        {hasEpsilon
          ? <LineChart title="Privacy spent" note="ε bounds how much anybody can learn about one participant from all that was published: the smaller, the more private." series={curve(m.epsilon, 'ε', 3)} yFormat={short} zero {...common} smoothing={0} mark={isNumber(header.epsilonBudget) ? { y: header.epsilonBudget, label: 'budget' } : undefined} />
          : <LineChart title="Traffic" note="What was sent so far: the model down to clients, their updates up." series={[{ label: 'up', colour: 2, x, y: m.bytesUp }, { label: 'down', colour: 5, x, y: m.bytesDown }]} yFormat={bytes} zero {...common} smoothing={0} empty="Nothing was sent yet." />}
      </div>
    </>
  );
}

function Controls({ run, standing }: { run: Run; standing: Standing }) {
  const [problem, setProblem] = useState('');
  const [asks, setAsks] = useState(false);
  if (standing.status === 'finished') return null;
  const send = (verb: 'pause' | 'resume' | 'stop') => () => {
    setAsks(false);
    act(run.id, verb).then(() => setProblem(''), (reason: Error) => setProblem(reason.message));
  };
  return (
    <div class="controls">
      {standing.status === 'paused'
        ? <button type="button" class="primary" onClick={send('resume')}>Resume</button>
        : <button type="button" onClick={send('pause')}>Pause</button>}
      {asks
        ? <><button type="button" class="danger" onClick={send('stop')}>Really stop</button><button type="button" onClick={() => setAsks(false)}>Go on</button></>
        : <button type="button" onClick={() => setAsks(true)}>Stop …</button>}
      {problem && <p role="alert">{problem}</p>}
    </div>
  );
}

/** How far the run is on the way to the first of its ends, and when it gets there at this pace. */
function Progress({ header, standing, metrics }: { header: FeedHeader; standing: Standing; metrics: Run['metrics']['rows'] }) {
  const shares = [
    header.stopVersions > 0 ? standing.version / header.stopVersions : 0,
    header.stopUpdates > 0 ? standing.accepted / header.stopUpdates : 0,
    isNumber(header.stopSeconds) && header.stopSeconds > 0 && isNumber(standing.time) ? standing.time / header.stopSeconds : 0,
  ];
  const done = standing.status === 'finished';
  const share = done ? 1 : Math.min(1, Math.max(...shares));
  const rate = recentRate(header, standing, metrics) ?? (isNumber(standing.wall) && share > 0 ? share / standing.wall : null);
  const left = !done && rate !== null && share > 0.005 ? (1 - share) / rate : null;
  const text = done
    ? `The run ${finish[standing.finishReason] ?? 'ended'}. ${standing.finishDetail}`
    : standing.status === 'paused'
      ? 'Paused: nothing is given out until somebody resumes it.'
      : standing.waitsFor || (left === null ? 'Running.' : `Running; about ${duration(left < 100 ? Math.ceil(left) : Math.ceil(left / 10) * 10)} left at this pace.`);
  return (
    <div class="progress">
      <progress max={1} value={share} aria-label="How far the run is" />
      <span>{done ? '' : `${Math.floor(share * 100)} % · `}{text}</span>
    </div>
  );
}

/** Share of the way per real second, over the last thirty evaluations: the pace at the start says little about the pace now. */
function recentRate(header: FeedHeader, standing: Standing, m: Run['metrics']['rows']): number | null {
  const from = Math.max(0, m.wall.length - 30);
  const [w0, v0] = [m.wall[from], m.version[from]];
  if (header.stopVersions === 0 || !isNumber(w0) || v0 === undefined || !isNumber(standing.wall) || standing.wall - w0 < 1) return null;
  return (standing.version - v0) / header.stopVersions / (standing.wall - w0) || null;
}

import { useEffect, useRef, useState } from 'preact/hooks';
import { BarChart } from '../charts/BarChart.tsx';
import { LineChart } from '../charts/LineChart.tsx';
import * as api from '../lib/api.ts';
import { isNumber, percent, short, upTo, whole } from '../lib/format.ts';
import type { Run } from '../lib/run.ts';
import type { RunPrivacy, SecureSums, Statement } from '../lib/types.ts';
import { Figure, Problem } from '../parts/Bits.tsx';
import { RunHead } from '../parts/RunHead.tsx';

/** Milliseconds between two questions, however fast versions come. */
const patience = 2000;

const alternatives: Record<string, string> = {
  'zero-out': 'against the alternative that it had contributed nothing',
  'add-remove': 'against the alternative that it had not been there',
  'replace-one': 'against the alternative that it had held any other data',
};

/** What the run promises, what of it is spent, and what it rests on. */
export function PrivacyPage({ run }: { run: Run }) {
  useEffect(() => run.watch(['curves']), [run]);
  void run.metrics.tick.value;
  const [told, problem] = usePrivacy(run);
  const m = run.metrics.rows;
  const header = run.header.value;
  if (!header || !told) {
    return <section aria-labelledby="run-title"><RunHead run={run} page="Privacy" />{problem && <Problem title="What this run says about privacy cannot be shown">{problem}</Problem>}</section>;
  }

  const { statement } = told;
  const { planned, spent } = statement;
  const guarantee = planned ?? spent;
  const course = told.course ?? [];
  const bound = statement.epsilonBudget > 0 ? statement.epsilonBudget : planned?.epsilon;
  const left = isNumber(planned?.epsilon) ? Math.max(0, planned.epsilon - (spent?.epsilon ?? 0)) : null;
  return (
    <section aria-labelledby="run-title">
      <RunHead run={run} page="Privacy" />
      <p class="how">
        <strong>Privacy.</strong> {guarantee || statement.unit
          ? <>ε bounds how much more likely anything that is published becomes because one {statement.unit ?? 'client'} took part as it did: by a factor of e<sup>ε</sup> at most, but for a probability of δ. It adds up over versions; the run ends before it would go too far.</>
          : <>This run has no privacy policy. Data stay at the clients, but nothing bounds what their updates tell of them.</>}
        {statement.simulated && <> This is a simulation: its noise comes from a seed and protects nobody; the numbers are what the same run would promise with real clients.</>}
      </p>
      {(guarantee || statement.unit) && (
        <>
          <dl class="figures">
            <Figure label="Spent" value={spent ? `ε ${upTo(spent.epsilon)}` : 'nothing'} hint={`at δ ${upTo(statement.delta)}, by the client that spent most`} />
            <Figure label="At most" value={planned ? `ε ${upTo(planned.epsilon)}` : 'no bound'} hint={`${statement.epsilonBudget > 0 ? `the budget is ${upTo(statement.epsilonBudget)}` : 'known before the run'}; accountant ${guarantee?.accountant ?? 'none yet'}`} />
            <Figure label="Left" value={left === null ? '–' : `ε ${short(left)}`} hint={statement.cap > 0 ? `each client ${statement.cap === 1 ? 'once' : `${whole(statement.cap)} times`} at most` : 'to the bound'} />
            <Figure label="Protects" value={<span class="wordy">{(statement.unit ?? '–').replace('-', ' ')}</span>} hint={alternatives[statement.adjacency ?? ''] ?? ''} />
            <Figure label="Trusts" value={<span class="wordy">{statement.parties.filter((p) => p.trusted).map((p) => p.party.replace(/^the /, '')).join(', ') || 'nobody'}</span>} hint={`policy ${statement.policy}${statement.mechanism ? `, ${statement.mechanism}` : ''}`} />
            {statement.reportEpsilon > 0 && <Figure label="One report" value={`ε₀ ${upTo(statement.reportEpsilon)}`} hint="left when everybody else colludes" />}
            {statement.withoutShuffling && <Figure label="Without shuffling" value={`ε ${upTo(statement.withoutShuffling.epsilon)}`} hint="left when the shuffler is malicious" />}
            {told.lifetime && <Figure label="In all runs" value={`ε ${upTo(told.lifetime.epsilon)}`} hint="that one client may spend at this coordinator" />}
          </dl>
          <div class="grid two">
            <LineChart title="ε spent by version" note="What the run has cost the client that it cost most, up to each version. It never falls, and never crosses the line." steps zero
              series={[{ label: 'ε', colour: 3, x: course.map((p) => p.version), y: course.map((p) => p.epsilon ?? null) }]} xLabel="model version" xFormat={whole} yFormat={short}
              mark={isNumber(bound) ? { y: bound, label: statement.epsilonBudget > 0 ? 'budget' : 'at most' } : undefined} empty="Nothing has been released yet, so nothing has been spent." />
            <LineChart title="Accuracy against ε" note="What was learnt for what was spent: higher and further left is better."
              series={[{ label: 'accuracy', colour: 0, x: m.epsilon, y: m.accuracy }]} xLabel="privacy spent, ε" xFormat={short} yFormat={percent} empty="No version was evaluated yet." />
          </div>
          <Spenders told={told} />
        </>
      )}
      {statement.policy === 'shuffle' && <Batches run={run} statement={statement} />}
      {header.source === 'live' && ['secure-sum', 'distributed'].includes(statement.policy) && <Sums run={run} />}
      <Words statement={statement} assumptions={guarantee?.assumptions ?? []} />
    </section>
  );
}

/** Asks again when a version has come, with a pause between. */
function usePrivacy(run: Run): [RunPrivacy | null, string] {
  const [told, setTold] = useState<RunPrivacy | null>(null);
  const [problem, setProblem] = useState('');
  const asked = useRef(0);
  const standing = run.standing.value;
  useEffect(() => {
    const ask = () => {
      asked.current = performance.now();
      api.privacy(run.id).then((next) => (setTold(next), setProblem('')), (reason: Error) => setProblem(reason.message));
    };
    const timer = setTimeout(ask, Math.max(0, asked.current === 0 ? 0 : asked.current + patience - performance.now()));
    return () => clearTimeout(timer);
  }, [run, standing?.version, standing?.status]);
  return [told, problem];
}

function Spenders({ told }: { told: RunPrivacy }) {
  const clients = told.clients ?? [];
  const { cap } = told.statement;
  if (clients.length === 0) return null;
  const name = (c: (typeof clients)[number]) => c.name || (c.client ? c.client : `client ${c.number}`);
  return (
    <div class="grid two" style={{ marginTop: '1rem' }}>
      <BarChart title="Clients nearest their cap" lying xLabel="client" yLabel="participations" format={whole}
        note={<>Those that have taken part most often{told.clientsCharged ? ` of ${whole(told.clientsCharged)} that were charged` : ''}{cap > 0 ? `; after ${whole(cap)} a client rests for good` : ''}.</>}
        bars={clients.slice(0, 12).map((c) => ({ label: name(c), value: c.participations, hint: `${name(c)}: ${whole(c.participations)} times${cap > 0 ? `, ${whole(Math.max(0, cap - c.participations))} left` : ''}` }))} />
      <div class="card">
        <h3>What each has spent</h3>
        <div class="table-box" tabIndex={0} role="region" aria-label="Clients nearest their cap">
          <table>
            <thead><tr>{['Client', 'Times', 'Left', ...(clients.some((c) => isNumber(c.epsilon)) ? ['ε'] : []), ...(told.lifetime ? ['ε in all runs'] : [])].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
            <tbody>
              {clients.map((c) => (
                <tr key={c.number}>
                  <td>{name(c)}</td><td>{whole(c.participations)}</td><td>{cap > 0 ? whole(Math.max(0, cap - c.participations)) : 'no cap'}</td>
                  {clients.some((other) => isNumber(other.epsilon)) && <td>{upTo(c.epsilon)}</td>}{told.lifetime && <td>{isNumber(c.lifetimeEpsilon) ? upTo(c.lifetimeEpsilon) : ''}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </div>
  );
}

/** What came out of the shuffler: whole batches, none below the minimum. */
function Batches({ run, statement }: { run: Run; statement: Statement }) {
  void run.versions.tick.value;
  const v = run.versions.rows;
  const held = run.standing.value?.inFlight ?? -1;
  return (
    <div class="grid" style={{ marginTop: '1rem' }}>
      <LineChart title="Reports per batch" zero steps xLabel="model version" xFormat={whole} yFormat={short}
        note={<>Each version is made of one batch or more, and the shuffler lets none go that is smaller than {whole(statement.minimumBatch)}: the ε above is computed for that. {held >= 0 && <>{whole(held)} reports are awaited now: not finished yet, or held by the shuffler until their batch is full.</>}</>}
        series={[{ label: 'reports', colour: 2, x: v.version, y: Float64Array.from(v.updates, (n) => n || NaN) }]} mark={{ y: statement.minimumBatch, label: 'minimum' }} empty="No batch has come out of the shuffler yet." />
    </div>
  );
}

/** Sessions of secure aggregation: who dropped out, and how far each was from failing. */
function Sums({ run }: { run: Run }) {
  const [facts, setFacts] = useState<SecureSums | null>(null);
  const [problem, setProblem] = useState('');
  const standing = run.standing.value;
  useEffect(() => {
    const timer = setTimeout(() => api.secureSums(run.id).then((next) => (setFacts(next), setProblem('')), (reason: Error) => setProblem(reason.message)), 500);
    return () => clearTimeout(timer);
  }, [run, standing?.version, standing?.status, standing?.accepted]);
  if (problem) return <Problem title="The sessions of secure aggregation cannot be shown">{problem}</Problem>;
  const sessions = facts?.sessions ?? [];
  const x = sessions.map((_, i) => i + 1);
  return (
    <div class="stack" style={{ marginTop: '1rem' }}>
      <div class="grid two">
        <LineChart title="Dropouts of secure aggregation" zero xLabel="session" xFormat={whole} yFormat={short} note="How many clients began each session, and whose updates are in its sum: the difference dropped out on the way."
          series={[{ label: 'members', colour: 5, x, y: sessions.map((s) => s.members) }, { label: 'in the sum', colour: 2, x, y: sessions.map((s) => (s.phase === 'done' ? s.survivors : null)) }]} empty="No session has begun yet." />
        <LineChart title="Margin" zero xLabel="session" xFormat={whole} yFormat={short} note="Clients in the sum beyond the fewest that it may have. At 0 one dropout more would have failed the session, loudly."
          series={[{ label: 'margin', colour: 1, x, y: sessions.map((s) => (s.phase === 'done' ? s.margin : null)) }]} empty="No session has ended yet." />
      </div>
      <div class="card">
        <h2>Sessions</h2>
        <div class="table-box" tabIndex={0} role="region" aria-label="Sessions of secure aggregation">
          <table>
            <thead><tr>{['Session', 'Phase', 'Members', 'Dropped', 'Minimum', 'Threshold', 'Margin', 'Seconds', 'Problem'].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
            <tbody>
              {sessions.slice(-40).reverse().map((s) => (
                <tr key={s.number}><td>{s.number}</td><td>{s.phase}</td><td>{whole(s.members)}</td><td>{s.phase === 'done' ? whole(s.members - s.survivors) : '–'}</td><td>{whole(s.minimum)}</td><td>{whole(s.threshold)}</td><td>{s.phase === 'done' ? whole(s.margin) : '–'}</td><td>{short(s.seconds)}</td><td>{s.problem}</td></tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </div>
  );
}

function Words({ statement, assumptions }: { statement: Statement; assumptions: readonly string[] }) {
  return (
    <div class="stack" style={{ marginTop: '1rem' }}>
      <div class="card">
        <h2>Who sees what</h2>
        <div class="table-box" tabIndex={0} role="region" aria-label="Who sees what">
          <table class="words">
            <thead><tr><th scope="col">Who</th><th scope="col">Sees</th><th scope="col">Trusted</th></tr></thead>
            <tbody>{statement.parties.map((p) => <tr key={p.party}><td>{p.party}</td><td>{p.sees}</td><td>{p.trusted ? 'yes' : 'no'}</td></tr>)}</tbody>
          </table>
        </div>
      </div>
      <div class="grid two">
        {assumptions.length > 0 && <div class="card"><h2>It holds as long as</h2><ul class="prose">{assumptions.map((a) => <li key={a}>{a}</li>)}</ul></div>}
        <div class="card"><h2>Not protected</h2><ul class="prose">{statement.notProtected.map((s) => <li key={s}>{s}</li>)}</ul></div>
      </div>
      <details class="card"><summary>The statement as one paragraph, as in the model card</summary><p class="prose">{statement.text}</p></details>
    </div>
  );
}

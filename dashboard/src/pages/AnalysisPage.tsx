import { useEffect, useRef, useState } from 'preact/hooks';
import { BarChart } from '../charts/BarChart.tsx';
import { LineChart } from '../charts/LineChart.tsx';
import * as api from '../lib/api.ts';
import { duration, nothing, percent, short, upTo, whole } from '../lib/format.ts';
import type { Run } from '../lib/run.ts';
import type { Analysis, Estimate, FeedHeader, RunPrivacy, Standing } from '../lib/types.ts';
import { Figure, Problem } from '../parts/Bits.tsx';

/** Milliseconds between two questions, however fast versions come. */
const patience = 2000;

const kinds: Record<string, { readonly of: string; readonly how: string; readonly shares: boolean }> = {
  mean: { of: 'The mean of', how: 'Each client rounds its number at random to one that tells little of it; over many clients the randomness averages out.', shares: false },
  histogram: { of: 'Shares of', how: 'Each client tells its bin, or at random another one. How often that happens is known, so that the shares of all can be worked out; nobody’s own bin can.', shares: true },
  quantiles: { of: 'Quantiles of', how: 'Each client tells at random in which half, quarter or eighth of the range its number lies; together the answers say where the quantiles are.', shares: false },
  heavyHitters: { of: 'The most frequent', how: 'Clients in groups tell, at random, beginnings of their word of different lengths. Beginnings that many share are followed to whole words; a word of few is never found.', shares: true },
};

export interface Question {
  readonly kind: string;
  readonly about: string;
  /** How it is asked and answered, in a few sentences. */
  readonly how: string;
}

/** A run's question; null for a run that trains. */
export function questionOf(header: FeedHeader): Question | null {
  const [, kind = '', about = ''] = /^analysis:\n {2}kind: (\w+)\n(?: {2}.*\n)*? {2}question: (.+)/m.exec(header.configuration) ?? [];
  return kind === '' ? null : { kind, about, how: `${kinds[kind]?.how ?? ''} Every client answers once, whatever happens, and what leaves it is random enough that whoever sees it learns little.` };
}

/** How a question stands: who has answered, what it has cost, and what is known so far. */
export function AnalysisFound({ run, question, header, standing }: { run: Run; question: Question; header: FeedHeader; standing: Standing }) {
  const [found, privacy, problem] = useFound(run, standing);
  void run.versions.tick.value;
  const v = run.versions.rows;
  const { kind, about } = question;
  const { of, shares } = kinds[kind] ?? { of: kind, shares: false };
  const { planned, spent } = privacy?.statement ?? {};
  const isShuffled = privacy?.statement.policy === 'shuffle';
  const format = shares ? percent : short;
  const known = found?.estimates ?? [];
  const within = found ? `${Math.round(found.confidence * 100)} % interval` : 'interval';
  return (
    <>
      {problem && <Problem title="What was found cannot be shown">{problem}</Problem>}
      <dl class="figures">
        <Figure label="Reports in" value={whole(standing.accepted)} hint={`${whole(standing.rejected)} rejected, ${whole(standing.lost)} lost${found && found.malformed > 0 ? `, ${whole(found.malformed)} that no honest client sends` : ''}`} />
        <Figure label={isShuffled ? 'Batches' : 'Versions'} value={whole(standing.version)} hint={header.aggregationGoal > 0 ? `of ${whole(header.aggregationGoal)} reports each` : 'each says what all reports so far say'} />
        <Figure label="Asked now" value={standing.inFlight < 0 ? nothing : whole(standing.inFlight)} hint={isShuffled ? 'not finished, or held by the shuffler' : 'clients that have not reported yet'} />
        <Figure label="Privacy spent" value={spent ? `ε ${upTo(spent.epsilon)}` : 'nothing'} hint={planned ? `at most ${upTo(planned.epsilon)}, by one report each` : 'one report each'} />
        {(privacy?.statement.reportEpsilon ?? 0) > 0 && <Figure label="One report" value={`ε₀ ${upTo(privacy?.statement.reportEpsilon)}`} hint="left when everybody else colludes" />}
        <Figure label="Time" value={duration(standing.time)} hint={`${duration(standing.wall)} real`} />
      </dl>
      <div class="grid two">
        {shares
          ? <BarChart title={`${of} ${about}`} lying={kind === 'heavyHitters'} xLabel={about} yLabel="share of clients" format={percent}
              note={<>{found && <>What {whole(found.reports)} reports say; the lines are {within}s. </>}Without bias a share may come out below 0: then it is drawn as none.</>}
              bars={known.map((e) => ({ label: e.name, value: e.value, span: [e.low, e.high], hint: worded(e, percent) }))} empty="Nothing is published yet; the first estimate comes with the first version." />
          : <Numbers title={`${of} ${about}`} known={known} reports={found?.reports ?? 0} within={within} />}
        <LineChart title={isShuffled ? 'Reports per batch' : 'Reports per version'} zero steps xLabel="version" xFormat={whole} yFormat={short} note={isShuffled ? 'Reports come by whole batches, in an order that tells nothing of who sent which.' : 'How many reports each version has folded in. An interval halves with four times as many in all.'}
          series={[{ label: 'reports', colour: 2, x: v.version, y: Float64Array.from(v.updates, (n) => n || NaN) }]} empty={standing.version > 0 ? 'No version was published since the coordinator started.' : 'No version is published yet.'} />
      </div>
      {found && shares && <div class="card" style={{ marginTop: '1rem' }}><h2>Estimates, with {within}s</h2><Table known={known} format={format} /></div>}
      {found && found.notes.length > 0 && <div class="card" style={{ marginTop: '1rem' }}><h2>To read them</h2><ul class="prose">{found.notes.map((n) => <li key={n}>{n}</li>)}</ul></div>}
    </>
  );
}

const worded = (e: Estimate, format: (value: number) => string) => `${e.name}: ${format(e.value)}, within ${format(e.low)} to ${format(e.high)}`;

/** Numbers with their intervals on one axis would need a scale that only the question knows: they stand in a table. */
function Numbers({ title, known, reports, within }: { title: string; known: readonly Estimate[]; reports: number; within: string }) {
  return (
    <div class="card">
      <h3>{title}</h3>
      {known.length === 0
        ? <p class="empty">Nothing is published yet; the first estimate comes with the first version.</p>
        : <><p class="note">What {whole(reports)} reports say, with {within}s.</p><Table known={known} format={short} /></>}
    </div>
  );
}

function Table({ known, format }: { known: readonly Estimate[]; format: (value: number) => string }) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="Estimates">
      <table>
        <thead><tr>{['What', 'Estimate', 'From', 'To'].map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
        <tbody>{known.map((e) => <tr key={e.name}><td>{e.name}</td><td>{format(e.value)}</td><td>{format(e.low)}</td><td>{format(e.high)}</td></tr>)}</tbody>
      </table>
    </div>
  );
}

/** Asks again when a version has come, with a pause between. */
function useFound(run: Run, standing: Standing): [Analysis | null, RunPrivacy | null, string] {
  const [told, setTold] = useState<[Analysis | null, RunPrivacy | null]>([null, null]);
  const [problem, setProblem] = useState('');
  const asked = useRef(0);
  useEffect(() => {
    const ask = () => {
      asked.current = performance.now();
      Promise.all([api.analysis(run.id), api.privacy(run.id)]).then((next) => (setTold(next), setProblem('')), (reason: Error) => setProblem(reason.message));
    };
    const timer = setTimeout(ask, Math.max(0, asked.current === 0 ? 0 : asked.current + patience - performance.now()));
    return () => clearTimeout(timer);
  }, [run, standing.version, standing.status]);
  return [...told, problem];
}

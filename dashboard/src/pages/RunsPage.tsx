import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Sparkline } from '../charts/Sparkline.tsx';
import { overview, refused, type Overview } from '../lib/api.ts';
import { bytes, duration, isNumber, percent, short, whole } from '../lib/format.ts';
import { go, href, route, setQuery } from '../lib/route.ts';
import { schedulerOf } from '../lib/words.ts';
import { Status } from '../parts/Bits.tsx';

/** All runs there are, as cards; tick some to compare them. */
export function RunsPage() {
  const [known, setKnown] = useState<Overview | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let over = false;
    const read = async () => {
      try {
        setKnown(await overview());
        setProblem('');
      } catch (reason) {
        setProblem(reason instanceof Error ? reason.message : String(reason));
      }
      if (!over) timer = setTimeout(() => void read(), document.hidden ? 10_000 : 2000);
    };
    void read();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, []);

  const chosen = new Set((route.value.query.get('chosen') ?? '').split(',').filter(Boolean));
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setQuery({ chosen: next.size > 0 ? [...next].join(',') : null });
  };
  if (refused.value) return null;
  const runs = known?.runs ?? [];
  return (
    <section aria-labelledby="runs-title">
      <div class="page-head">
        <div>
          <h1 id="runs-title">Runs</h1>
          <p class="note">A run trains one shared model from data that never leave their owners: clients train on their own data and send back only what they changed in the model.</p>
        </div>
        {runs.length > 1 && (
          <button type="button" class="primary" disabled={chosen.size < 2} onClick={() => go(['compare'], { runs: [...chosen].join(',') })}>
            {chosen.size < 2 ? 'Tick runs to compare' : `Compare ${chosen.size} runs`}
          </button>
        )}
      </div>
      {problem && <p class="banner" role="status"><strong>The list cannot be read now.</strong> {problem}</p>}
      {known?.canCreate && <NewRun open={runs.length === 0} />}
      {known && runs.length === 0 && !known.canCreate && (
        <div class="card empty-page">
          <h2>No run here yet</h2>
          <p>Start one in a terminal; it appears here by itself:</p>
          <pre>./fed demo --dashboard</pre>
        </div>
      )}
      <ul class="cards">
        {runs.map((run) => (
          <li key={run.id} class="card run-card">
            <div class="run-card-head">
              {runs.length > 1 && <input type="checkbox" aria-label={`Compare ${run.name}`} checked={chosen.has(run.id)} onChange={() => toggle(run.id)} />}
              <h2><a href={href(['runs', run.id])}>{run.name}</a></h2>
              <Status standing={run.standing} />
            </div>
            <p class="faint">{schedulerOf(run.strategy.split(' ')[0] ?? '').title} · {run.strategy || 'strategy not told'}</p>
            <Sparkline values={run.curve} label={`Accuracy of ${run.name} over time, now ${percent(run.accuracy)}`} />
            <dl class="run-card-facts">
              <div><dt>Accuracy</dt><dd>{percent(run.accuracy)}{isNumber(run.best) && isNumber(run.accuracy) && run.best > run.accuracy + 5e-4 ? ` (best ${percent(run.best)})` : ''}</dd></div>
              <div><dt>Loss</dt><dd>{short(run.loss)}</dd></div>
              <div><dt>Version</dt><dd>{whole(run.standing.version)}</dd></div>
              <div><dt>Clients</dt><dd>{whole(run.clients)}</dd></div>
              <div><dt>Time</dt><dd>{duration(run.standing.time)}</dd></div>
              <div><dt>Traffic</dt><dd>{bytes(run.bytes)}</dd></div>
            </dl>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The form is read when it is opened: few who look at runs begin one. */
function NewRun({ open }: { open: boolean }) {
  const [isOpen, setOpen] = useState(open);
  const [Form, setForm] = useState<{ readonly of: ComponentType } | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    if (isOpen && Form === null) import('../form/NewRun.tsx').then((module) => setForm({ of: module.default }), () => setProblem('The form could not be read; close and open it to try again.'));
  }, [isOpen]);
  return (
    <details class="card new-run" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary><strong>New run</strong></summary>
      {Form ? <Form.of /> : <p class="empty" role="status">{problem || 'Reading the form …'}</p>}
    </details>
  );
}

import { useEffect, useRef, useState } from 'preact/hooks';
import { csv, save } from '../charts/Frame.tsx';
import { duration, whole } from '../lib/format.ts';
import { href, route, setQuery } from '../lib/route.ts';
import type { Run } from '../lib/run.ts';
import { Choice } from '../parts/Bits.tsx';
import { RunHead } from '../parts/RunHead.tsx';

const rowsAtOnce = 200;
const levels = [['all', 'All'], ['1', 'Warnings'], ['2', 'Errors']] as const;
const glyphs = ['·', '▲', '✕'] as const;
const words = ['information', 'warning', 'error'] as const;

/** What happened, as sentences, newest first; each has an address. */
export function EventsPage({ run }: { run: Run }) {
  useEffect(() => run.watch(['events']), [run]);
  void run.events.tick.value;
  const [shown, setShown] = useState(rowsAtOnce);
  const query = route.value.query;
  const [level, kind, find, at] = [query.get('level') ?? 'all', query.get('kind') ?? 'all', (query.get('find') ?? '').toLowerCase(), Number(query.get('event') ?? '0')];
  const e = run.events.rows;
  const kinds = [...new Set(e.text.map((_, i) => e.kind.of(i)))].sort();
  const rows: number[] = [];
  for (let i = e.text.length - 1; i >= 0; i--) {
    if (level !== 'all' && e.severity[i]! < Number(level)) continue;
    if (kind !== 'all' && e.kind.of(i) !== kind) continue;
    if (find && !e.text[i]!.toLowerCase().includes(find)) continue;
    rows.push(i);
  }
  const number = (i: number) => i + run.events.first;
  const marked = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (at > 0 && run.events.loaded) marked.current?.scrollIntoView({ block: 'center' });
  }, [at, run.events.loaded]);
  const upTo = at > 0 ? Math.max(shown, rows.findIndex((i) => number(i) === at) + 20) : shown;
  const take = () => save('events.csv', new Blob([csv({ head: ['number', 'time s', 'wall s', 'severity', 'kind', 'text', 'client', 'version'], rows: rows.map((i) => [number(i), e.time[i] ?? null, e.wall[i] ?? null, words[e.severity[i]!]!, e.kind.of(i), e.text[i]!, e.client[i]!, e.version[i]!]) })], { type: 'text/csv' }));
  return (
    <section aria-labelledby="run-title">
      <RunHead run={run} page="Events" />
      <p class="note">What happened, newest first. A number in front is a link to that event.</p>
      <div class="bar">
        <Choice label="Show" value={level} options={levels} onChange={(next) => setQuery({ level: next === 'all' ? null : next, event: null })} />
        <label class="check">Kind <select value={kind} onChange={(event) => setQuery({ kind: event.currentTarget.value === 'all' ? null : event.currentTarget.value, event: null })}><option value="all">all</option>{kinds.map((k) => <option key={k} value={k}>{k}</option>)}</select></label>
        <label class="check">Find <input type="search" value={query.get('find') ?? ''} onInput={(event) => setQuery({ find: event.currentTarget.value || null, event: null })} /></label>
        <button type="button" onClick={take}>CSV</button>
        <span class="faint" role="status">{whole(rows.length)} of {whole(e.text.length)} events</span>
      </div>
      {rows.length === 0 && <p class="card empty">{run.events.loaded ? (e.text.length > 0 ? 'No event is like that; show all to see the others.' : 'Nothing happened yet.') : 'Reading the events …'}</p>}
      <ol class="events" reversed>
        {rows.slice(0, upTo).map((i) => (
          <li key={number(i)} class={`event s${e.severity[i]}${number(i) === at ? ' marked' : ''}`} ref={number(i) === at ? marked : null}>
            <a class="number" href={href(['runs', run.id, 'events'], { ...Object.fromEntries(query), event: String(number(i)) })} aria-label={`Link to event ${number(i)}`}>{number(i)}</a>
            <span class="glyph" title={words[e.severity[i]!]}><span aria-hidden="true">{glyphs[e.severity[i]!]}</span><span class="unseen">{words[e.severity[i]!]}</span></span>
            <time>{duration(e.time[i])}</time>
            <span class="text">{e.text[i]}{e.client[i]! >= 0 && <> <a href={href(['runs', run.id, 'clients', String(e.client[i])])}>{run.clientName(e.client[i]!)}</a></>}</span>
            <span class="kind">{e.kind.of(i)}</span>
          </li>
        ))}
      </ol>
      {rows.length > upTo && <button type="button" onClick={() => setShown(upTo + 500)}>Show {whole(Math.min(500, rows.length - upTo))} more</button>}
    </section>
  );
}

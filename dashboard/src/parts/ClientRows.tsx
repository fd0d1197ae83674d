import { useEffect, useRef, useState } from 'preact/hooks';
import type { ClientTable } from '../lib/clients.ts';
import { whole } from '../lib/format.ts';
import { href, route, setQuery } from '../lib/route.ts';
import type { Run } from '../lib/run.ts';
import { isKnown, measures } from './measures.ts';

const rowHeight = 30;
const boxHeight = 460;

/** All clients as a table of which only the rows in sight exist; sortable, and searched by name or number. */
export function ClientRows({ run, table }: { run: Run; table: ClientTable }) {
  const [scroll, setScroll] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const query = route.value.query;
  const [by, down, find] = [query.get('sort') ?? 'client', query.get('dir') === 'down', query.get('find') ?? ''];
  void table.tick.value;
  const known = measures.filter((m) => isKnown(m, table));
  // Sorted anew when asked otherwise, and as values change, but not more often than eyes can follow.
  const sorted = useRef<{ key: string; at: number; rows: number[] }>({ key: '', at: 0, rows: [] });
  const key = `${by}|${down}|${find}|${table.count}`;
  if (sorted.current.key !== key || performance.now() - sorted.current.at > (table.count > 5000 ? 4000 : 1500)) {
    sorted.current = { key, at: performance.now(), rows: sort(run, table, by, down, find) };
  }
  const rows = sorted.current.rows;
  useEffect(() => {
    box.current?.scrollTo(0, 0);
  }, [by, down, find]);
  const first = Math.max(0, Math.floor(scroll / rowHeight) - 4);
  const last = Math.min(rows.length, first + Math.ceil(boxHeight / rowHeight) + 8);
  const heads = [{ name: 'client', label: 'Client', note: 'Its name or number.' }, ...known];
  const order = (name: string) => setQuery(by === name ? { dir: down ? null : 'down' } : { sort: name === 'client' ? null : name, dir: name === 'client' ? null : 'down' });
  const values = known.map((m) => m.of(table));
  return (
    <div class="card">
      <div class="bar">
        <h3 id="client-rows">One by one</h3>
        <label class="check">Find <input type="search" value={find} placeholder="name or number" onInput={(e) => setQuery({ find: e.currentTarget.value || null })} /></label>
        <span class="faint" role="status">{find ? `${whole(rows.length)} of ${whole(table.count)}` : whole(table.count)} {table.count === 1 ? 'client' : 'clients'}</span>
      </div>
      <div class="virtual" ref={box} style={{ height: `${Math.min(boxHeight, (rows.length + 1.4) * rowHeight + 8)}px` }} onScroll={(e) => setScroll(e.currentTarget.scrollTop)} tabIndex={0} role="region" aria-labelledby="client-rows">
        <table aria-rowcount={rows.length + 1}>
          <thead>
            <tr>{heads.map((head) => (
              <th key={head.name} scope="col" aria-sort={by === head.name ? (down ? 'descending' : 'ascending') : 'none'}>
                <button type="button" class="sort" title={head.note} onClick={() => order(head.name)}>{head.label}<span aria-hidden="true">{by === head.name ? (down ? ' ▾' : ' ▴') : ''}</span></button>
              </th>
            ))}</tr>
          </thead>
          <tbody>
            <tr aria-hidden="true" class="filler" style={{ height: `${first * rowHeight}px` }} />
            {rows.slice(first, last).map((client, i) => (
              <tr key={client} aria-rowindex={first + i + 2} style={{ height: `${rowHeight}px` }}>
                <td><a href={href(['runs', run.id, 'clients', String(client)])}>{run.clientName(client)}</a></td>
                {known.map((m, j) => <td key={m.name}>{m.format(values[j]!(client))}</td>)}
              </tr>
            ))}
            <tr aria-hidden="true" class="filler" style={{ height: `${(rows.length - last) * rowHeight}px` }} />
          </tbody>
        </table>
      </div>
      {rows.length === 0 && table.loaded && <p class="empty">{find ? `No client is called or numbered ${find}.` : 'No client has joined yet.'}</p>}
    </div>
  );
}

function sort(run: Run, table: ClientTable, by: string, down: boolean, find: string): number[] {
  const needle = find.trim().toLowerCase();
  const rows: number[] = [];
  for (let i = 0; i < table.count; i++) if (needle === '' || String(i) === needle || run.clientName(i).toLowerCase().includes(needle)) rows.push(i);
  const measure = measures.find((m) => m.name === by);
  if (measure) {
    const value = measure.of(table);
    // What is not known stands last, whichever way.
    const key = Float64Array.from({ length: table.count }, (_, i) => (Number.isFinite(value(i)) ? (down ? -value(i) : value(i)) : Infinity));
    rows.sort((a, b) => (key[a]! === key[b]! ? a - b : key[a]! - key[b]!));
  } else if (down) rows.reverse();
  return rows;
}

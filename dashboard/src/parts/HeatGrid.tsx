import { useRef, useState } from 'preact/hooks';
import { extent } from '../charts/axis.ts';
import { Frame } from '../charts/Frame.tsx';
import { Picture } from '../charts/Picture.tsx';
import type { Surface } from '../charts/surface.ts';
import { states, type ClientTable } from '../lib/clients.ts';
import { whole } from '../lib/format.ts';
import { go } from '../lib/route.ts';
import type { Run } from '../lib/run.ts';
import { ink, isDark, type Ink } from '../lib/theme.ts';
import { Legend } from './Bits.tsx';
import type { Measure } from './measures.ts';
import { showTip } from './tip.ts';

const glyphs = ['', '▸', '●', '◆', '✕', '–'] as const;

export function stateColours(colours: Ink): readonly string[] {
  return [colours.idle, colours.download, colours.upload, colours.rejected, colours.lost, colours.wait];
}

/** From dark to light over one hue order (viridis): also in grey, and with every colour vision, more is lighter. */
const scale = ['#440154', '#46327e', '#365c8d', '#277f8e', '#1fa187', '#4ac16d', '#a0da39', '#fde725'] as const;

/** A cell per client, as large as fits; up to a hundred thousand on one canvas. */
export function HeatGrid({ run, table, measure }: { run: Run; table: ClientTable; measure: Measure }) {
  const tip = useRef<HTMLDivElement>(null);
  const spoken = useRef<HTMLParagraphElement>(null);
  const [chosen, setChosen] = useState(-1);
  const [width, setWidth] = useState(1000);
  void isDark.value;
  void table.tick.value;
  const count = table.count;
  const cell = cellSize(count, width);
  const columns = Math.max(1, Math.floor(width / cell));
  const height = Math.max(cell, Math.ceil(count / columns) * cell);
  const value = measure.of(table);
  const isState = measure.name === 'state';
  const [low, high] = isState ? [0, 5] : finiteExtent(value, count);
  const say = (client: number) => `${run.clientName(client)}: ${measure.label.toLowerCase()} ${measure.format(value(client))}${isState ? '' : `, ${states[table.get('state')[client]!]}`}`;

  const draw = (surface: Surface) => {
    const colours = ink();
    const size = surface.width === width ? cell : cellSize(count, surface.width);
    const perRow = Math.max(1, Math.floor(surface.width / size));
    const gap = size >= 8 ? 2 : size >= 4 ? 1 : 0;
    const byState = stateColours(colours);
    for (let client = 0; client < count; client++) {
      const [x, y] = [(client % perRow) * size, Math.floor(client / perRow) * size];
      const v = value(client);
      const fill = isState ? byState[v]! : Number.isFinite(v) ? scale[Math.min(7, Math.floor(((v - low) / (high - low || 1)) * 8))]! : colours.idle;
      surface.rect(x, y, size - gap, size - gap, fill);
      if (isState && size >= 14 && v > 0) surface.text(x + (size - gap) / 2, y + (size - gap) / 2 + 0.5, glyphs[v]!, v === 5 ? colours.card : '#0b1118', { align: 'center', size: Math.min(14, size * 0.6), bold: true });
      if (client === chosen) surface.rect(x - 1, y - 1, size - gap + 2, size - gap + 2, 'none', colours.text);
    }
  };

  const at = (event: PointerEvent) => {
    const [cx, cy] = [Math.floor(event.offsetX / cell), Math.floor(event.offsetY / cell)];
    const client = cy * columns + cx;
    return cx < columns && client < count ? client : -1;
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (event.key === 'Enter' && chosen >= 0) go(['runs', run.id, 'clients', String(chosen)]);
    if (by === undefined || count === 0) return;
    event.preventDefault();
    const next = chosen < 0 ? 0 : Math.max(0, Math.min(count - 1, chosen + by));
    setChosen(next);
    spoken.current!.textContent = `${say(next)}. Enter opens it.`;
  };
  const colours = ink();
  return (
    <Frame
      title={`All clients by ${measure.label.toLowerCase()}`}
      note={`Each cell is one client. ${measure.note}`}
      legend={isState
        ? <Legend items={states.map((label, i) => ({ colour: stateColours(colours)[i]!, label: `${glyphs[i] ? `${glyphs[i]} ` : ''}${label} (${whole(countOf(table, i))})` }))} />
        : <p class="scale"><span>{measure.format(low)}</span>{scale.map((colour) => <i key={colour} style={{ background: colour }} />)}<span>{measure.format(high)}</span></p>}
      describe={() => isState ? `${count} clients: ${states.map((s, i) => `${countOf(table, i)} ${s}`).join(', ')}.` : `${count} clients, ${measure.label.toLowerCase()} from ${measure.format(low)} to ${measure.format(high)}.`}
      table={() => ({ head: ['client', measure.label], rows: Array.from({ length: count }, (_, i) => [run.clientName(i), isState ? measure.format(value(i)) : value(i)]) })}
      draw={draw}
      exportSize={[900, Math.max(60, Math.ceil(count / Math.max(1, Math.floor(900 / cellSize(count, 900)))) * cellSize(count, 900))]}
    >
      {count === 0
        ? <p class="empty">{table.loaded ? 'No client has joined yet. They appear here as they enrol.' : 'Reading the clients …'}</p>
        : (
          <div class="canvas-box" ref={(element) => { const w = element?.clientWidth ?? 0; if (w > 0 && w !== width) setWidth(w); }}>
            <Picture draw={draw} height={height} class="cells" tabIndex={0} role="application" aria-label={`Grid of ${count} clients. Arrow keys go from client to client, Enter opens one.`}
              onPointerMove={(e: PointerEvent) => { const client = at(e); showTip(tip.current!, e.currentTarget as HTMLElement, client < 0 ? '' : say(client), e.offsetX, e.offsetY); }}
              onPointerLeave={() => { tip.current!.hidden = true; }}
              onClick={(e: PointerEvent) => { const client = at(e); if (client >= 0) go(['runs', run.id, 'clients', String(client)]); }}
              onKeyDown={key} />
            <div class="tip" ref={tip} hidden />
          </div>
        )}
      <p class="unseen" aria-live="polite" ref={spoken} />
    </Frame>
  );
}

/** As large as lets all fit into a screen's height, between 2 and 30 pixels. */
function cellSize(count: number, width: number): number {
  const room = width * 420;
  return Math.max(2, Math.min(30, Math.floor(Math.sqrt(room / Math.max(1, count)))));
}

function countOf(table: ClientTable, state: number): number {
  const values = table.get('state');
  let found = 0;
  for (let i = 0; i < table.count; i++) if (values[i] === state) found++;
  return found;
}

function finiteExtent(value: (client: number) => number, count: number): [number, number] {
  return extent(Array.from({ length: count }, (_, i) => value(i)));
}

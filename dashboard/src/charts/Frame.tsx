import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { isDark, ink } from '../lib/theme.ts';
import { CanvasSurface, SvgSurface, type Surface } from './surface.ts';

export interface TableData {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

export interface FrameProps {
  readonly title: string;
  /** One sentence for somebody who has never met the subject. */
  readonly note: ComponentChildren;
  /** What a screen reader says instead of the picture; asked every few seconds. */
  readonly describe: () => string;
  readonly table: () => TableData;
  /** Draws the picture for SVG and PNG. */
  readonly draw: (surface: Surface) => void;
  readonly exportSize?: readonly [number, number];
  readonly tools?: ComponentChildren;
  readonly legend?: ComponentChildren;
  readonly children: ComponentChildren;
}

const mostTableRows = 200;

/** Around every chart: what it is, what it means, the numbers behind it as a table, and the ways to take it along. */
export function Frame(props: FrameProps) {
  const [shown, setShown] = useState(false);
  const id = useId();
  return (
    <figure class="chart card" aria-labelledby={`${id}-title`}>
      <figcaption>
        <div class="chart-head">
          <h3 id={`${id}-title`}>{props.title}</h3>
          <div class="chart-tools">
            {props.tools}
            <button type="button" class="quiet" aria-expanded={shown} onClick={() => setShown(!shown)}>Table</button>
            <Export {...props} />
          </div>
        </div>
        <p class="note">{props.note}</p>
      </figcaption>
      {props.legend}
      {props.children}
      <Label describe={props.describe} />
      {shown && <DataTable title={props.title} {...limited(props.table())} />}
    </figure>
  );
}

/** The sentence for screen readers, renewed rarely so that it can be listened to. */
function Label({ describe }: { describe: () => string }) {
  const latest = useRef(describe);
  latest.current = describe;
  const [text, setText] = useState(describe);
  useEffect(() => {
    const timer = setInterval(() => setText(latest.current()), 4000);
    const soon = setTimeout(() => setText(latest.current()), 600);
    return () => (clearInterval(timer), clearTimeout(soon));
  }, []);
  return <p class="unseen">{text}</p>;
}

function limited(table: TableData): TableData & { readonly of: number } {
  const all = table.rows.length;
  if (all <= mostTableRows) return { ...table, of: all };
  const rows = Array.from({ length: mostTableRows }, (_, i) => table.rows[Math.floor((i * (all - 1)) / (mostTableRows - 1))]!);
  return { head: table.head, rows, of: all };
}

function DataTable({ title, head, rows, of }: TableData & { title: string; of: number }) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
      <table>
        {of > rows.length && <caption>{rows.length} of {of} rows, evenly chosen; the CSV has all.</caption>}
        <thead><tr>{head.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
        <tbody>{rows.map((row, i) => <tr key={i}>{row.map((cell, j) => <td key={j}>{cell === null || Number.isNaN(cell) ? '–' : cell}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}

function Export(props: FrameProps) {
  const menu = useRef<HTMLDetailsElement>(null);
  const take = (make: () => void) => () => {
    make();
    menu.current?.removeAttribute('open');
    menu.current?.querySelector('summary')?.focus();
  };
  return (
    <details class="menu" ref={menu} onKeyDown={(e) => e.key === 'Escape' && menu.current?.removeAttribute('open')}>
      <summary aria-label={`Export ${props.title}`}>Export</summary>
      <div class="menu-list">
        <button type="button" onClick={take(() => save(name(props.title, 'svg'), new Blob([svg(props)], { type: 'image/svg+xml' })))}>SVG</button>
        <button type="button" onClick={take(() => png(props))}>PNG</button>
        <button type="button" onClick={take(() => save(name(props.title, 'csv'), new Blob([csv(props.table())], { type: 'text/csv' })))}>CSV</button>
      </div>
    </details>
  );
}

const size = (props: FrameProps) => props.exportSize ?? [900, 420];

export function svg(props: FrameProps): string {
  const [w, h] = size(props);
  const surface = new SvgSurface(w, h, ink().card);
  props.draw(surface);
  return surface.toString(`${props.title}. ${props.describe()}`);
}

function png(props: FrameProps): void {
  const [w, h] = size(props);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [w * 2, h * 2];
  const context = canvas.getContext('2d')!;
  context.scale(2, 2);
  context.fillStyle = ink(isDark.peek()).card;
  context.fillRect(0, 0, w, h);
  props.draw(new CanvasSurface(context, w, h));
  canvas.toBlob((blob) => blob && save(name(props.title, 'png'), blob), 'image/png');
}

export function csv({ head, rows }: TableData): string {
  const field = (value: string | number | null) => {
    const text = value === null || Number.isNaN(value) ? '' : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [head, ...rows].map((row) => row.map(field).join(',')).join('\n') + '\n';
}

function name(title: string, extension: string): string {
  return `${title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')}.${extension}`;
}

export function save(file: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = file;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

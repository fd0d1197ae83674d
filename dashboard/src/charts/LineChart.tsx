import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { isNumber, whole } from '../lib/format.ts';
import { dashes, ink, isDark } from '../lib/theme.ts';
import { envelope, extent, smooth, ticks, type Values } from './axis.ts';
import { Frame } from './Frame.tsx';
import { font, type Surface } from './surface.ts';

/** What an axis may count in: 1, 2, 2.5 and 5 times a power of ten; versions and the like in whole numbers. */
const steps = Array.from({ length: 31 }, (_, i) => i - 15).flatMap((e) => [1, 2, 2.5, 5].map((m) => Number(`${m}e${e}`)));
const wholeSteps = steps.filter(Number.isInteger);

export interface Series {
  readonly label: string;
  /** Index into the palette; among several curves it also gives the dash, so that colour is never alone. */
  readonly colour: number;
  readonly x: Values;
  readonly y: Values;
}

export interface LineChartProps {
  readonly title: string;
  readonly note: ComponentChildren;
  readonly series: readonly Series[];
  readonly xLabel: string;
  readonly xFormat: (value: number | null) => string;
  readonly yFormat: (value: number | null) => string;
  /** 0 for none, towards 1 for more; the raw line stays, faint. */
  readonly smoothing?: number;
  readonly logY?: boolean;
  readonly height?: number;
  readonly steps?: boolean;
  readonly zero?: boolean;
  /** A horizontal line with a name: a target, a bound. */
  readonly mark?: { readonly y: number; readonly label: string } | undefined;
  readonly tools?: ComponentChildren;
  readonly empty?: string;
}

interface Prepared {
  readonly series: Series;
  readonly x: number[];
  readonly raw: (number | null)[];
  readonly y: (number | null)[];
}

function prepare(series: Series, smoothing: number, logY: boolean): Prepared {
  const [x, raw]: [number[], (number | null)[]] = [[], []];
  const count = Math.min(series.x.length, series.y.length);
  for (let i = 0; i < count; i++) {
    const [at, value] = [series.x[i], series.y[i]];
    if (!isNumber(at)) continue;
    x.push(at);
    raw.push(isNumber(value) && (!logY || value > 0) ? value : null);
  }
  return { series, x, raw, y: smooth(raw, smoothing) };
}

/** Curves over one x axis, drawn by uPlot; what is missing is a gap, never a guess. */
export function LineChart(props: LineChartProps) {
  const { series, smoothing = 0, logY = false, height = 260, yFormat, xFormat } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const spoken = useRef<HTMLParagraphElement>(null);
  const prepared = series.map((s) => prepare(s, smoothing, logY));
  const width = useRef(600);
  const dark = isDark.value;
  const hasPoints = prepared.some((p) => p.y.some((y) => y !== null));

  // uPlot wants one x for all; each curve keeps its own shape after thinning.
  const joined = (() => {
    const most = Math.max(300, width.current * 3);
    const tables = prepared.flatMap((p): uPlot.AlignedData[] => {
      const kept = envelope(p.raw, most);
      const x = kept.map((i) => p.x[i]!);
      return smoothing > 0 ? [[x, kept.map((i) => p.raw[i]!)], [x, kept.map((i) => p.y[i]!)]] : [[x, kept.map((i) => p.y[i]!)]];
    });
    const sorted = tables.map(inOrder);
    return sorted.length === 0 ? ([[]] as unknown as uPlot.AlignedData) : sorted.length === 1 ? sorted[0]! : uPlot.join(sorted, sorted.map((t) => t.slice(1).map(() => 2)));
  })();
  const data = useRef(joined);
  data.current = joined;
  const formats = useRef({ xFormat, yFormat });
  formats.current = { xFormat, yFormat };
  const shape = `${dark}|${smoothing > 0}|${logY}|${props.xLabel}|${props.steps ?? false}|${props.zero ?? false}|${props.mark?.y ?? ''}|${series.map((s) => `${s.label}#${s.colour}`).join('|')}`;

  useEffect(() => {
    const root = box.current!;
    const colours = ink(dark);
    const axis = { stroke: colours.faint, grid: { stroke: colours.line, width: 1 }, ticks: { stroke: colours.line, width: 1, size: 4 }, font: `11px ${font}` };
    const stepped = props.steps ? uPlot.paths.stepped!({ align: 1 }) : undefined;
    const lines: uPlot.Series[] = series.flatMap((s): uPlot.Series[] => {
      const colour = colours.series[s.colour % colours.series.length]!;
      const dash = series.length > 1 ? [...(dashes[s.colour % dashes.length] ?? [])] : [];
      const main: uPlot.Series = { label: s.label, stroke: colour, width: 1.75, dash, spanGaps: false, points: { show: (u) => u.data[0].length === 1, size: 7, fill: colour }, value: (_, v) => formats.current.yFormat(v), ...(stepped ? { paths: stepped } : {}) };
      return smoothing > 0 ? [{ label: `${s.label} (raw)`, stroke: `${colour}55`, width: 1, points: { show: false }, value: (_, v) => formats.current.yFormat(v) }, main] : [main];
    });
    const mark = props.mark;
    const options: uPlot.Options = {
      width: Math.max(240, root.clientWidth),
      height,
      legend: { show: true, live: true },
      cursor: { drag: { x: true, y: false }, points: { size: 7 } },
      scales: { x: { time: false }, y: { distr: logY ? 3 : 1, ...(props.zero && !logY ? { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 1) * 1.05 || 1] } : {}) } },
      axes: [
        { ...axis, label: props.xLabel, labelSize: 16, labelFont: `11px ${font}`, size: 34, space: 70, incrs: () => (formats.current.xFormat === whole ? wholeSteps : steps), values: (_, values) => values.map((v) => formats.current.xFormat(v)) },
        { ...axis, size: 56, values: (_, values) => values.map((v) => (v === null ? '' : formats.current.yFormat(v))) },
      ],
      series: [{ label: props.xLabel, value: (_, v) => formats.current.xFormat(v) }, ...lines],
      hooks: {
        setCursor: [newest],
        draw: [
          (u) => {
            if (!mark) return;
            const y = u.valToPos(mark.y, 'y', true);
            const { left, top, width: w, height: h } = u.bbox;
            if (y < top || y > top + h) return;
            const c = u.ctx;
            c.save();
            c.strokeStyle = colours.faint;
            c.setLineDash([6, 4]);
            c.beginPath();
            c.moveTo(left, y);
            c.lineTo(left + w, y);
            c.stroke();
            c.fillStyle = colours.faint;
            c.font = `${11 * devicePixelRatio}px ${font}`;
            c.textAlign = 'right';
            c.fillText(mark.label, left + w - 4, y - 4 * devicePixelRatio);
            c.restore();
          },
        ],
      },
    };
    const made = new uPlot(options, data.current, root);
    newest(made);
    plot.current = made;
    const resize = new ResizeObserver(() => {
      width.current = root.clientWidth;
      made.setSize({ width: Math.max(240, root.clientWidth), height });
    });
    resize.observe(root);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, height]);

  useEffect(() => {
    // Drawn with the screen, and not at all while the tab is hidden.
    const handle = requestAnimationFrame(() => {
      const u = plot.current;
      if (!u || u.data === joined) return;
      u.setData(joined, u.scales['x']?.min === undefined || !zoomed(u));
      newest(u);
    });
    return () => cancelAnimationFrame(handle);
  });

  const move = (event: KeyboardEvent) => {
    const u = plot.current;
    if (!u || !['ArrowLeft', 'ArrowRight', 'Home', 'End', 'Escape'].includes(event.key)) return;
    event.preventDefault();
    if (event.key === 'Escape') {
      u.setData(u.data, true);
      u.setCursor({ left: -10, top: -10 });
      return;
    }
    const xs = u.data[0];
    const now = u.cursor.idx ?? (event.key === 'ArrowRight' ? -1 : xs.length);
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? xs.length - 1 : Math.min(xs.length - 1, Math.max(0, now + (event.key === 'ArrowRight' ? 1 : -1) * (event.shiftKey ? 10 : 1)));
    u.setCursor({ left: u.valToPos(xs[to]!, 'x'), top: u.bbox.height / 2 / devicePixelRatio });
    if (spoken.current) {
      const values = prepared.map((p) => `${p.series.label} ${yFormat(nearest(p, xs[to]!))}`).join(', ');
      spoken.current.textContent = `${props.xLabel} ${xFormat(xs[to]!)}: ${values}`;
    }
  };

  const describe = () => {
    const parts = prepared.map((p) => {
      const last = p.raw.findLast((y) => y !== null);
      const [low, high] = extent(p.raw);
      return last === undefined || last === null ? `${p.series.label}: nothing yet` : `${p.series.label}: now ${yFormat(last)}, between ${yFormat(low)} and ${yFormat(high)} over ${p.raw.length} points`;
    });
    return `Line chart by ${props.xLabel}. ${parts.join('. ')}.`;
  };

  const table = () => ({
    head: [props.xLabel, ...prepared.map((p) => p.series.label)],
    rows: prepared.length === 1
      ? prepared[0]!.x.map((x, i) => [x, prepared[0]!.raw[i] ?? null])
      : prepared.every((p) => p.x.length === prepared[0]!.x.length && p.series.x === prepared[0]!.series.x)
        ? (prepared[0]?.x ?? []).map((x, i) => [x, ...prepared.map((p) => p.raw[i] ?? null)])
        : prepared.flatMap((p, k) => p.x.map((x, i) => [x, ...prepared.map((_, j) => (j === k ? (p.raw[i] ?? null) : null))])),
  });

  return (
    <Frame title={props.title} note={props.note} tools={props.tools} describe={describe} table={table} draw={(surface) => drawLines(surface, props, prepared)}>
      {!hasPoints && <p class="empty">{props.empty ?? 'Nothing was measured yet.'}</p>}
      <div class={hasPoints ? 'plot' : 'plot gone'} ref={box} tabIndex={0} role="group" aria-label={`${props.title}: arrow keys read the values, Escape shows everything`} onKeyDown={move} />
      <p class="unseen" aria-live="polite" ref={spoken} />
    </Frame>
  );
}

function inOrder(table: uPlot.AlignedData): uPlot.AlignedData {
  const xs = table[0] as number[];
  for (let i = 1; i < xs.length; i++) {
    if (xs[i]! < xs[i - 1]!) {
      const order = xs.map((_, k) => k).sort((a, b) => xs[a]! - xs[b]!);
      return table.map((column) => order.map((k) => (column as (number | null)[])[k]!)) as unknown as uPlot.AlignedData;
    }
  }
  return table;
}

/** Without a pointer over it, the legend tells the newest values. */
function newest(u: uPlot): void {
  const count = u.data[0].length;
  if (count === 0 || (u.cursor.left ?? -1) >= 0) return;
  const last = u.data.map((column, i) => (i === 0 ? count - 1 : (column as (number | null)[]).findLastIndex((y) => y !== null && y !== undefined)));
  u.setLegend({ idxs: last.map((i) => (i < 0 ? count - 1 : i)) }, false);
}

function zoomed(u: uPlot): boolean {
  const xs = u.data[0];
  const { min, max } = u.scales['x']!;
  return xs.length > 1 && min !== undefined && max !== undefined && min !== null && max !== null && (min > xs[0]! || max < xs.at(-1)!);
}

function nearest(p: Prepared, x: number): number | null {
  let best = 0;
  for (let i = 1; i < p.x.length; i++) if (Math.abs(p.x[i]! - x) <= Math.abs(p.x[best]! - x)) best = i;
  return p.raw[best] ?? null;
}

/** The same curves for SVG and PNG. */
function drawLines(surface: Surface, props: LineChartProps, prepared: readonly Prepared[]): void {
  const colours = ink();
  const [left, top, right, bottom] = [64, 44, 16, 44];
  const [w, h] = [surface.width - left - right, surface.height - top - bottom];
  const [x0, x1] = extent(prepared.flatMap((p) => p.x));
  const scale = (y: number) => (props.logY ? Math.log10(y) : y);
  let [y0, y1] = extent(prepared.flatMap((p) => p.raw.map((y) => (y === null ? null : scale(y)))));
  if (props.zero && !props.logY) y0 = Math.min(0, y0);
  if (y0 === y1) y1 = y0 + 1;
  const px = (x: number) => left + (x1 === x0 ? w / 2 : ((x - x0) / (x1 - x0)) * w);
  const py = (y: number) => top + h - ((scale(y) - y0) / (y1 - y0)) * h;
  surface.text(left, 20, props.title, colours.text, { size: 15, bold: true });
  for (const x of ticks(x0, x1, 7)) {
    surface.line([[px(x), top], [px(x), top + h]], colours.line);
    surface.text(px(x), top + h + 14, props.xFormat(x), colours.faint, { align: 'center', size: 11 });
  }
  for (const y of ticks(y0, y1, 5)) {
    const value = props.logY ? 10 ** y : y;
    surface.line([[left, py(value)], [left + w, py(value)]], colours.line);
    surface.text(left - 8, py(value), props.yFormat(value), colours.faint, { align: 'right', size: 11 });
  }
  surface.text(left + w / 2, surface.height - 10, props.xLabel, colours.faint, { align: 'center', size: 11 });
  let legend = left + w;
  for (const p of prepared) {
    const colour = colours.series[p.series.colour % colours.series.length]!;
    const dash = prepared.length > 1 ? dashes[p.series.colour % dashes.length]! : [];
    const draw = (ys: readonly (number | null)[], width: number, opacity: number) => {
      let run: [number, number][] = [];
      for (const i of envelope(ys, 2000)) {
        const y = ys[i];
        if (y === null || y === undefined) {
          if (run.length > 0) surface.line(run, colour, width, dash, opacity);
          run = [];
        } else run.push([px(p.x[i]!), py(y)]);
      }
      if (run.length > 0) surface.line(run, colour, width, dash, opacity);
    };
    if (p.y !== p.raw && (props.smoothing ?? 0) > 0) draw(p.raw, 1, 0.35);
    draw(p.y, 1.75, 1);
    surface.text(legend, 20, p.series.label, colour, { align: 'right', size: 12, bold: true });
    legend -= p.series.label.length * 7 + 20;
  }
  if (props.mark) surface.line([[left, py(props.mark.y)], [left + w, py(props.mark.y)]], colours.faint, 1, [6, 4]);
}

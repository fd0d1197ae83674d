import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { ink } from '../lib/theme.ts';
import { showTip } from '../parts/tip.ts';
import { ticks } from './axis.ts';
import { Frame } from './Frame.tsx';
import { Picture } from './Picture.tsx';
import type { Surface } from './surface.ts';

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly colour?: string;
  readonly hatched?: boolean;
  /** From where to where the value may lie. */
  readonly span?: readonly [number, number];
  /** What the tip says; the label and value when left out. */
  readonly hint?: string;
}

export interface BarChartProps {
  readonly title: string;
  readonly note: ComponentChildren;
  readonly bars: readonly Bar[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly format: (value: number) => string;
  readonly height?: number;
  readonly empty?: string;
  /** A vertical line before the bar of this index. */
  readonly mark?: { readonly index: number; readonly label: string } | undefined;
  /** Bars that lie, for few categories with long names. */
  readonly lying?: boolean;
}

const [left, top, right, bottom] = [52, 14, 10, 40];

/** Counts by category or by bin. */
export function BarChart(props: BarChartProps) {
  const { bars, format, lying = false } = props;
  const height = props.height ?? (lying ? Math.max(80, bars.length * 30 + 16) : 220);
  const tip = useRef<HTMLDivElement>(null);
  const spoken = useRef<HTMLParagraphElement>(null);
  const [chosen, setChosen] = useState(-1);
  const total = bars.reduce((sum, bar) => sum + Math.max(0, bar.value), 0);
  const say = (bar: Bar) => bar.hint ?? `${bar.label}: ${format(bar.value)}`;
  const at = (event: PointerEvent, width: number) =>
    lying ? Math.floor((event.offsetY - 8) / ((height - 16) / bars.length)) : Math.floor((event.offsetX - left) / ((width - left - right) / bars.length));
  const move = (event: PointerEvent) => {
    const canvas = event.currentTarget as HTMLCanvasElement;
    const bar = bars[at(event, canvas.clientWidth)];
    showTip(tip.current!, canvas, bar ? say(bar) : '', event.offsetX, event.offsetY);
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (by === undefined || bars.length === 0) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(bars.length - 1, chosen + by));
    setChosen(next);
    spoken.current!.textContent = say(bars[next]!);
  };
  const draw = (surface: Surface) => (lying ? drawLying(surface, props, chosen) : drawStanding(surface, props, chosen));
  return (
    <Frame
      title={props.title}
      note={props.note}
      describe={() => (total === 0 ? `${props.title}: nothing yet.` : `Bars by ${props.xLabel}: ${bars.filter((b) => b.value > 0).slice(0, 12).map(say).join('; ')}.`)}
      table={() => ({ head: [props.xLabel, props.yLabel], rows: bars.map((bar) => [bar.label, bar.value]) })}
      draw={draw}
      exportSize={[900, lying ? height + 20 : 360]}
    >
      {total === 0
        ? <p class="empty">{props.empty ?? 'Nothing was counted yet.'}</p>
        : (
          <div class="canvas-box">
            <Picture draw={draw} height={height} tabIndex={0} role="group" aria-label={`${props.title}: arrow keys read the bars`} onPointerMove={move} onPointerLeave={() => { tip.current!.hidden = true; }} onKeyDown={key} onBlur={() => setChosen(-1)} />
            <div class="tip" ref={tip} hidden />
          </div>
        )}
      <p class="unseen" aria-live="polite" ref={spoken} />
    </Frame>
  );
}

/** The longest bar, or the far end of the longest interval. */
const mostOf = (bars: readonly Bar[]) => Math.max(...bars.map((bar) => Math.max(bar.value, bar.span?.[1] ?? 0)), 1e-12);

function drawStanding(surface: Surface, { bars, format, xLabel, mark }: BarChartProps, chosen: number): void {
  const colours = ink();
  const [w, h] = [surface.width - left - right, surface.height - top - bottom];
  const most = mostOf(bars);
  let before = '';
  for (const value of ticks(0, most, 4)) {
    if (format(value) === before) continue; // Half a client is none.
    before = format(value);
    const y = top + h - (value / most) * h;
    surface.line([[left, y], [left + w, y]], colours.line);
    surface.text(left - 6, y, format(value), colours.faint, { align: 'right', size: 11 });
  }
  const step = w / bars.length;
  const every = Math.ceil(34 / step);
  bars.forEach((bar, i) => {
    const [x, tall] = [left + i * step, (Math.max(0, bar.value) / most) * h];
    const fill = bar.colour ?? colours.accent;
    const width = Math.max(1, step - (step > 6 ? 2 : 0));
    if (bar.hatched) surface.hatched(x, top + h - tall, width, tall, fill);
    else surface.rect(x, top + h - tall, width, tall, fill);
    if (bar.span) {
      const [from, to] = bar.span.map((value) => top + h - (Math.max(0, value) / most) * h) as [number, number];
      surface.line([[x + width / 2, from], [x + width / 2, to]], colours.text, 1.5);
    }
    if (i === chosen) surface.rect(x - 1, top, width + 2, h, 'none', colours.text);
    if (i % every === 0) surface.text(x + width / 2, top + h + 12, bar.label, colours.faint, { align: 'center', size: 11, most: step * every });
  });
  if (mark && mark.index >= 0) {
    const x = left + mark.index * step;
    surface.line([[x, top - 6], [x, top + h]], colours.text, 1.5, [6, 4]);
    surface.text(x + 4, top, mark.label, colours.text, { size: 11 });
  }
  surface.text(left + w / 2, surface.height - 10, xLabel, colours.faint, { align: 'center', size: 11 });
}

function drawLying(surface: Surface, { bars, format }: BarChartProps, chosen: number): void {
  const colours = ink();
  const names = Math.min(240, surface.width * 0.42);
  const step = (surface.height - 16) / bars.length;
  const most = mostOf(bars);
  bars.forEach((bar, i) => {
    const y = 8 + i * step;
    const scale = (value: number) => (Math.max(0, value) / most) * (surface.width - names - 70);
    const width = scale(bar.value);
    surface.text(names - 8, y + step / 2, bar.label, colours.text, { align: 'right', most: names - 12 });
    if (bar.hatched) surface.hatched(names, y + 4, width, step - 8, bar.colour ?? colours.accent);
    else surface.rect(names, y + 4, width, step - 8, bar.colour ?? colours.accent);
    if (bar.span) surface.line([[names + scale(bar.span[0]), y + step / 2], [names + scale(bar.span[1]), y + step / 2]], colours.text, 1.5);
    surface.text(names + Math.max(width, scale(bar.span?.[1] ?? 0)) + 6, y + step / 2, format(bar.value), colours.faint, { size: 11 });
    if (i === chosen) surface.rect(names - 1, y + 2, width + 2, step - 4, 'none', colours.text);
  });
}

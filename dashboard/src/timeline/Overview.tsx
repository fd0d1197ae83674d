import { useRef } from 'preact/hooks';
import { Picture } from '../charts/Picture.tsx';
import type { Surface } from '../charts/surface.ts';
import { duration } from '../lib/format.ts';
import { ink } from '../lib/theme.ts';
import type { TimelineModel } from './model.ts';

const height = 40;

/** The whole run in a strip: how much came back when, and which part the lanes below show. Drag it, or click where to look. */
export function Overview({ model, now, from, to, labelWidth, onMove }: { model: TimelineModel; now: number; from: number; to: number; labelWidth: number; onMove: (begin: number) => void }) {
  const grip = useRef<number | null>(null);
  const whole = Math.max(now, to, 1e-9);
  const [a, b] = [Math.max(0, from), Math.min(whole, to)];
  const draw = (surface: Surface) => {
    const colours = ink();
    const width = surface.width - labelWidth;
    const bins = Math.max(1, Math.floor(width / 3));
    const { accepted, other } = model.density(0, whole, bins);
    let most = 1;
    for (let i = 0; i < bins; i++) most = Math.max(most, accepted[i]! + other[i]!);
    surface.rect(0, 0, surface.width, height, colours.card);
    surface.rect(labelWidth, 0, width, height, colours.idle);
    const step = width / bins;
    for (let i = 0; i < bins; i++) {
      const [good, bad] = [(accepted[i]! / most) * (height - 6), (other[i]! / most) * (height - 6)];
      if (good > 0) surface.rect(labelWidth + i * step, height - Math.max(1, good), step, Math.max(1, good), colours.train);
      if (bad > 0) surface.rect(labelWidth + i * step, height - good - Math.max(1, bad), step, Math.max(1, bad), colours.lost);
    }
    const x = (time: number) => labelWidth + (time / whole) * width;
    surface.rect(labelWidth, 0, x(a) - labelWidth, height, `${colours.page}b3`);
    surface.rect(x(b), 0, Math.max(0, surface.width - x(b)), height, `${colours.page}b3`);
    surface.rect(x(a), 0, Math.max(3, x(b) - x(a)), height, 'none', colours.text);
    const [first, second] = labelWidth < 90 ? ['whole', 'run'] : ['whole run', duration(now)];
    surface.text(labelWidth - 8, height / 2 - 6, first, colours.faint, { align: 'right', size: 11 });
    surface.text(labelWidth - 8, height / 2 + 8, second, colours.faint, { align: 'right', size: 11 });
  };
  const timeAt = (event: PointerEvent) => {
    const element = event.currentTarget as HTMLElement;
    return Math.max(0, Math.min(whole, ((event.offsetX - labelWidth) / Math.max(1, element.clientWidth - labelWidth)) * whole));
  };
  const down = (event: PointerEvent) => {
    const time = timeAt(event);
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    grip.current = time >= a && time <= b ? time - from : (to - from) / 2;
    if (time < a || time > b) onMove(time - grip.current);
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -0.25, ArrowRight: 0.25, ArrowDown: -0.25, ArrowUp: 0.25, PageUp: 1, PageDown: -1 }[event.key];
    if (by === undefined && event.key !== 'Home' && event.key !== 'End') return;
    event.preventDefault();
    onMove(event.key === 'Home' ? 0 : event.key === 'End' ? now : from + by! * (to - from));
  };
  return (
    <Picture draw={draw} height={height} class="overview" tabIndex={0} role="slider" aria-label="The part of the run that is shown" aria-valuemin={0} aria-valuemax={Math.round(whole)} aria-valuenow={Math.round(a)}
      aria-valuetext={`${duration(a)} to ${duration(b)} of ${duration(now)}`} onKeyDown={key} onPointerDown={down}
      onPointerMove={(event: PointerEvent) => { if (grip.current !== null) onMove(timeAt(event) - grip.current); }}
      onPointerUp={() => { grip.current = null; }} onPointerCancel={() => { grip.current = null; }} />
  );
}

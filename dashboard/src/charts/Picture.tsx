import { useEffect, useRef } from 'preact/hooks';
import { drawn } from '../lib/frames.ts';
import { isDark } from '../lib/theme.ts';
import { CanvasSurface, type Surface } from './surface.ts';

/** A canvas that is drawn with the screen, at the screen's own resolution. Interaction is the caller's. */
export function Picture({ draw, height, ...rest }: { draw: (surface: Surface) => void; height: number } & Record<string, unknown>) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  latest.current = draw;
  void isDark.value;
  const paint = () => {
    const element = canvas.current;
    if (!element) return;
    const began = performance.now();
    const scale = devicePixelRatio || 1;
    const [w, h] = [element.clientWidth, element.clientHeight];
    [element.width, element.height] = [Math.round(w * scale), Math.round(h * scale)];
    const context = element.getContext('2d')!;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    latest.current(new CanvasSurface(context, w, h));
    drawn(performance.now() - began);
  };
  useEffect(() => {
    const handle = requestAnimationFrame(paint);
    return () => cancelAnimationFrame(handle);
  });
  useEffect(() => {
    const resize = new ResizeObserver(() => requestAnimationFrame(paint));
    resize.observe(canvas.current!);
    return () => resize.disconnect();
  }, []);
  return <canvas ref={canvas} {...rest} style={{ height: `${height}px` }} />;
}

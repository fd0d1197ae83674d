import { extent } from './axis.ts';

/** A curve the size of a word. */
export function Sparkline({ values, label }: { values: readonly (number | null)[]; label: string }) {
  const points = values.filter((v): v is number => v !== null);
  if (points.length < 2) return <span class="faint">–</span>;
  const [low, high] = extent(points);
  const at = (v: number, i: number) => `${((i / (points.length - 1)) * 96 + 2).toFixed(1)},${(26 - ((v - low) / (high - low || 1)) * 22).toFixed(1)}`;
  return (
    <svg class="spark" viewBox="0 0 100 28" role="img" aria-label={label} preserveAspectRatio="none">
      <polyline points={points.map(at).join(' ')} fill="none" stroke="currentColor" stroke-width="1.75" vector-effect="non-scaling-stroke" />
    </svg>
  );
}

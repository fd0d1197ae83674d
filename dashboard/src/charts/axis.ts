/** Numbers of a curve; what is missing is null or NaN. */
export type Values = ArrayLike<number | null>;

/** Round numbers that divide a range into about so many parts. */
export function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low) || count < 1) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? power * 10;
  const found: number[] = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step) found.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return found;
}

/** The smallest and largest finite value; [0, 1] when there is none. */
export function extent(values: Iterable<number | null | undefined>): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? [0, 1] : [low, high];
}

/**
 * Indices that keep a curve's shape at so many points: of each bucket its first, its least and its greatest. Gaps (null) stay gaps.
 */
export function envelope(ys: Values, most: number): number[] {
  const all = ys.length;
  if (all <= most) return Array.from({ length: all }, (_, i) => i);
  const buckets = Math.max(1, Math.floor(most / 3));
  const kept: number[] = [];
  for (let b = 0; b < buckets; b++) {
    const [from, to] = [Math.floor((b * all) / buckets), Math.floor(((b + 1) * all) / buckets)];
    let [low, high] = [from, from];
    for (let i = from; i < to; i++) {
      const y = ys[i];
      if (y === null || y === undefined) continue;
      if (ys[low] === null || y < ys[low]!) low = i;
      if (ys[high] === null || y > ys[high]!) high = i;
    }
    kept.push(...[...new Set([from, low, high])].sort((a, b) => a - b));
  }
  if (kept.at(-1) !== all - 1) kept.push(all - 1);
  return kept;
}

/**
 * Exponential moving average with the bias of its start removed (TensorBoard's): state = α·state + (1 − α)·y, divided by 1 − αᵗ.
 * What is missing stays missing and leaves the state alone.
 */
export function smooth(ys: readonly (number | null)[], alpha: number): (number | null)[] {
  if (alpha <= 0) return [...ys];
  let [state, weight] = [0, 0];
  return ys.map((y) => {
    if (y === null || !Number.isFinite(y)) return null;
    state = alpha * state + (1 - alpha) * y;
    weight = alpha * weight + (1 - alpha);
    return state / weight;
  });
}

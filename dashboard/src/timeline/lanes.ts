import type { Run } from '../lib/run.ts';
import type { TimelineModel } from './model.ts';

/** Which clients have a lane, and in which order. */
export type Order = 'number' | 'active' | 'speed' | 'updates';

/** About six assignments of a typical client: enough to see a pattern. */
export function typicalSpan(model: TimelineModel, now: number): number {
  const { dispatched, ended } = model.rows;
  const count = Math.min(200, ended.length);
  if (count === 0) return Math.max(10, now);
  const lengths = Float64Array.from({ length: count }, (_, k) => ended[ended.length - 1 - k]! - dispatched[ended.length - 1 - k]!).sort();
  return Math.max(lengths[Math.floor(count * 0.75)]! * 7, 1e-3);
}

export function laneOrder(run: Run, model: TimelineModel, order: Order, from: number, to: number, only?: readonly number[]): readonly number[] {
  if (only) return only;
  if (order === 'active') {
    const active = new Set<number>(run.tasks.peek()?.client ?? []);
    for (const client of model.clients()) {
      const row = model.firstAfter(client, from);
      if (row >= 0 && model.rows.dispatched[model.at(row)]! <= to) active.add(client);
    }
    return [...active].sort((a, b) => a - b);
  }
  const all = Math.max(run.header.peek()?.clients ?? 0, model.most + 1);
  const numbers = Array.from({ length: all }, (_, i) => i);
  if (order === 'updates') return numbers.sort((a, b) => model.countOf(b) - model.countOf(a) || a - b);
  if (order === 'speed') {
    const speed = new Map(numbers.map((c) => [c, secondsPerStep(model, c)]));
    return numbers.sort((a, b) => speed.get(a)! - speed.get(b)! || a - b);
  }
  return numbers;
}

function secondsPerStep(model: TimelineModel, client: number): number {
  const { train, steps } = model.rows;
  for (let row = model.newestOf(client), tries = 0; row >= 0 && tries < 5; row = model.rowBefore(row), tries++) {
    const i = model.at(row);
    if (steps[i]! > 0) return train[i]! / steps[i]!;
  }
  return Infinity;
}

import { bytes, duration, isNumber, short, whole } from './format.ts';
import type { MetricsRows } from './types.ts';
import type { Values } from '../charts/axis.ts';

/** What a curve can be drawn against. */
export type AxisName = 'version' | 'round' | 'time' | 'wall' | 'bytes' | 'epsilon' | 'updates';

export interface Axis {
  readonly name: AxisName;
  readonly button: string;
  readonly label: string;
  readonly format: (value: number | null) => string;
  readonly of: (metrics: MetricsRows) => Values;
}

export const axes: readonly Axis[] = [
  { name: 'version', button: 'Version', label: 'model version', format: whole, of: (m) => m.version },
  { name: 'round', button: 'Round', label: 'round', format: whole, of: (m) => m.round },
  { name: 'updates', button: 'Updates', label: 'client updates', format: short, of: (m) => m.updates },
  { name: 'time', button: 'Virtual time', label: "time on the run's clock", format: duration, of: (m) => m.time },
  { name: 'wall', button: 'Real time', label: 'real time since the start', format: duration, of: (m) => m.wall },
  { name: 'bytes', button: 'Bytes', label: 'bytes sent, both ways', format: bytes, of: (m) => m.bytesUp.map((up, i) => up + (m.bytesDown[i] ?? 0)) },
  { name: 'epsilon', button: 'ε', label: 'privacy spent, ε', format: short, of: (m) => m.epsilon },
];

export function axisOf(name: string | null): Axis {
  return axes.find((axis) => axis.name === name) ?? axes[0]!;
}

/** Only what the run has: ε without privacy, or time of a run without a clock, is not offered. */
export function axesOf(metrics: MetricsRows): readonly Axis[] {
  return axes.filter((axis) => axis.name !== 'epsilon' || metrics.epsilon.some(isNumber));
}

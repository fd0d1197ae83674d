/** Numbers as people read them. What is not there is an en dash, never a zero. */
export const nothing = '–';

export function isNumber(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

export function percent(value: number | null | undefined): string {
  return isNumber(value) ? `${(value * 100).toFixed(1)} %` : nothing;
}

/** About three digits. */
export function short(value: number | null | undefined): string {
  if (!isNumber(value)) return nothing;
  const size = Math.abs(value);
  if (size >= 1e9) return `${trim(value / 1e9)} G`;
  if (size >= 1e6) return `${trim(value / 1e6)} M`;
  if (size >= 1e4) return `${trim(value / 1e3)} k`;
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString('en');
  if (size === 0) return '0';
  if (size < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

/** A promise: three digits, never below what it stands for. */
export function upTo(value: number | null | undefined): string {
  if (!isNumber(value)) return '∞';
  if (value === 0) return '0';
  const rounded = Number(value.toPrecision(3));
  const next = rounded >= value ? rounded : rounded + 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  return next < 1e-3 || next >= 1e5 ? Number(next.toPrecision(3)).toExponential().replace('e+', 'e') : String(Number(next.toPrecision(3)));
}

export function whole(value: number | null | undefined): string {
  return isNumber(value) ? Math.round(value).toLocaleString('en') : nothing;
}

export function bytes(value: number | null | undefined): string {
  if (!isNumber(value)) return nothing;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : trim(value)} ${units[unit]}`;
}

/** Seconds in the two units that matter. */
export function duration(seconds: number | null | undefined): string {
  if (!isNumber(seconds)) return nothing;
  const size = Math.abs(seconds);
  if (size === 0) return '0 s';
  if (size < 1) return `${trim(seconds * 1000)} ms`;
  if (size < 100) return `${trim(seconds)} s`;
  if (size < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`.replace(' 0 s', '');
  if (size < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`.replace(' 0 min', '');
  return `${Math.floor(seconds / 86_400)} d ${Math.round((seconds % 86_400) / 3600)} h`.replace(' 0 h', '');
}

export function clockTime(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}

function trim(value: number): string {
  const size = Math.abs(value);
  return size >= 100 ? value.toFixed(0) : size >= 10 ? String(Number(value.toFixed(1))) : String(Number(value.toFixed(2)));
}

/** The greatest value there is; null when there is none. */
export function bestOf(values: Float64Array): number | null {
  return values.reduce<number | null>((a, b) => (isNumber(b) && (a === null || b > a) ? b : a), null);
}

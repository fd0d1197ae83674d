import { signal } from '@preact/signals';

/** Okabe and Ito's colours: told apart with every kind of colour vision; each also has its own dash or hatch. */
export const palette = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6d00', '#666666'] as const;
const paletteOnDark = ['#4aa8e8', '#f08a3c', '#2fc79a', '#e09cc4', '#f2b632', '#8fd0f7', '#d6c04d', '#a8a8a8'] as const;
export const dashes: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 2], [12, 4], [4, 4]];

export type Theme = 'light' | 'dark' | 'system';

const key = 'federated-theme';
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

export const theme = signal<Theme>((localStorage.getItem(key) as Theme | null) ?? 'system');
export const isDark = signal(false);

function apply(): void {
  isDark.value = theme.value === 'dark' || (theme.value === 'system' && prefersDark.matches);
  document.documentElement.dataset['theme'] = isDark.value ? 'dark' : 'light';
}

export function setTheme(value: Theme): void {
  theme.value = value;
  localStorage.setItem(key, value);
  apply();
}

prefersDark.addEventListener('change', apply);
apply();

export const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** What canvases draw with; the same names as in the style sheet. */
export interface Ink {
  readonly text: string;
  readonly faint: string;
  readonly line: string;
  readonly page: string;
  readonly card: string;
  readonly accent: string;
  readonly download: string;
  readonly train: string;
  readonly upload: string;
  readonly wait: string;
  readonly lost: string;
  readonly rejected: string;
  readonly idle: string;
  readonly group: string;
  readonly series: readonly string[];
}

export function ink(dark = isDark.value): Ink {
  const series = dark ? paletteOnDark : palette;
  return dark
    ? { text: '#e6e9ee', faint: '#a3acb9', line: '#333c49', page: '#12161c', card: '#1a2029', accent: series[0], download: series[5], train: series[0], upload: series[2], wait: '#55606f', lost: series[1], rejected: series[3], idle: '#232b36', group: series[4], series }
    : { text: '#1b2430', faint: '#5a6675', line: '#d9dee5', page: '#f6f7f9', card: '#ffffff', accent: series[0], download: series[5], train: series[0], upload: series[2], wait: '#b6bfca', lost: series[1], rejected: series[3], idle: '#eceff3', group: '#b87f00', series };
}

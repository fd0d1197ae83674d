import type { ComponentChildren } from 'preact';
import type { Standing } from '../lib/types.ts';

/** A number that matters, with what it means. */
export function Figure({ label, value, hint }: { label: string; value: ComponentChildren; hint?: ComponentChildren }) {
  return (
    <div class="figure">
      <dt>{label}</dt>
      <dd>{value}</dd>
      {hint !== undefined && <dd class="hint">{hint}</dd>}
    </div>
  );
}

const glyphs = { created: '◌', running: '▶', paused: '❚❚', finished: '■' } as const;

export function Status({ standing }: { standing: Standing }) {
  const bad = ['diverged', 'stalled'].includes(standing.finishReason);
  return (
    <span class={`status ${standing.status}${bad ? ' bad' : ''}`}>
      <span aria-hidden="true">{bad ? '✕' : glyphs[standing.status]}</span> {bad ? standing.finishReason : standing.status}
    </span>
  );
}

/** One choice of a few, as buttons that say which is on. */
export function Choice<T extends string>({ label, value, options, onChange }: { label: string; value: T; options: readonly (readonly [T, string])[]; onChange: (value: T) => void }) {
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {options.map(([key, text]) => (
        <button type="button" key={key} aria-pressed={key === value} onClick={() => onChange(key)}>{text}</button>
      ))}
    </fieldset>
  );
}

export function Legend({ items }: { items: readonly { readonly colour: string; readonly label: string; readonly hatched?: boolean; readonly line?: 'thin' | 'upright' }[] }) {
  return (
    <ul class="legend">
      {items.map((item) => (
        <li key={item.label}><span class={`swatch${item.hatched ? ' hatched' : ''}${item.line ? ` ${item.line}` : ''}`} style={{ '--swatch': item.colour }} aria-hidden="true" />{item.label}</li>
      ))}
    </ul>
  );
}

export function Problem({ title, children }: { title: string; children: ComponentChildren }) {
  return <div class="card problem" role="alert"><h2>{title}</h2><div>{children}</div></div>;
}

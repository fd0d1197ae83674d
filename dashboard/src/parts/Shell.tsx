import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { clockTime } from '../lib/format.ts';
import { link } from '../lib/link.ts';
import { href, route } from '../lib/route.ts';
import { setTheme, theme, type Theme } from '../lib/theme.ts';

export const runPages = [
  ['', 'Run'],
  ['timeline', 'Timeline'],
  ['clients', 'Clients'],
  ['aggregation', 'Aggregation'],
  ['privacy', 'Privacy'],
  ['events', 'Events'],
] as const;

/** Around every page: where one is, where one can go, and whether what one sees is current. */
export function Shell({ children, runName }: { children: ComponentChildren; runName?: string }) {
  const [first, id, page = ''] = route.value.path;
  const inRun = first === 'runs' && id !== undefined;
  const tabs = useRef<HTMLElement>(null);
  // On a phone not all tabs are in sight; the one that is open is.
  useEffect(() => tabs.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }), [inRun, page]);
  return (
    <>
      <a class="skip" href="#content" onClick={(e) => (e.preventDefault(), document.getElementById('content')?.focus())}>Skip to the content</a>
      <header class="top">
        <a class="brand" aria-label="Federated: all runs" href={href(['runs'])}><Logo /> <span class="brand-name">Federated</span></a>
        <nav aria-label="Main">
          <a href={href(['runs'])} aria-current={!inRun && first !== 'system' ? 'page' : undefined}>Runs</a>
          <a href={href(['system'])} aria-current={first === 'system' ? 'page' : undefined}>System</a>
        </nav>
        <span class="spacer" />
        {inRun && <LinkLamp />}
        <ThemeChoice />
      </header>
      {inRun && (
        <nav class="tabs" ref={tabs} aria-label={`Pages of ${runName ?? id}`}>
          {runPages.map(([key, label]) => (
            <a key={key} href={href(key ? ['runs', id, key] : ['runs', id])} aria-current={page === key ? 'page' : undefined}>{label}</a>
          ))}
        </nav>
      )}
      {inRun && <StaleBanner />}
      <main id="content" tabIndex={-1}>{children}</main>
    </>
  );
}

function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <circle cx="16" cy="16" r="6" fill="var(--accent)" />
      <path d="M16 10V5M11 19l-5 4M21 19l5 4" stroke="var(--accent)" stroke-width="2" />
      <circle cx="16" cy="4" r="3" fill="var(--group)" /><circle cx="5" cy="24" r="3" fill="var(--group)" /><circle cx="27" cy="24" r="3" fill="var(--group)" />
    </svg>
  );
}

function LinkLamp() {
  const { isUp } = link.value;
  return <span class={`lamp ${isUp ? 'on' : 'off'}`}><span aria-hidden="true">{isUp ? '●' : '○'}</span> {isUp ? 'live' : 'not live'}</span>;
}

/** Never a frozen picture that looks alive. */
function StaleBanner() {
  const { isUp, asOf, attempt } = link.value;
  const [patient, setPatient] = useState(true);
  useEffect(() => {
    setPatient(true);
    const timer = setTimeout(() => setPatient(false), 1500);
    return () => clearTimeout(timer);
  }, [isUp]);
  if (isUp || (patient && asOf === 0)) return null;
  return (
    <p class="banner" role="status">
      <strong>{asOf === 0 ? 'Not connected yet.' : `Connection lost. What you see is as of ${clockTime(asOf)}.`}</strong>{' '}
      Connecting again{attempt > 1 ? ` (attempt ${attempt})` : ''}; nothing needs to be done here.
    </p>
  );
}

function ThemeChoice() {
  return (
    <label class="theme">
      <span class="unseen">Colours</span>
      <select value={theme.value} onChange={(e) => setTheme(e.currentTarget.value as Theme)}>
        <option value="system">Auto</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}

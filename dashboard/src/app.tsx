import { useEffect, useState } from 'preact/hooks';
import { refused } from './lib/api.ts';
import { keepToken, route, token } from './lib/route.ts';
import { runOf, type Run } from './lib/run.ts';
import { AggregationPage } from './pages/AggregationPage.tsx';
import { ClientPage } from './pages/ClientPage.tsx';
import { ClientsPage } from './pages/ClientsPage.tsx';
import { ComparePage } from './pages/ComparePage.tsx';
import { EventsPage } from './pages/EventsPage.tsx';
import { PrivacyPage } from './pages/PrivacyPage.tsx';
import { RunPage } from './pages/RunPage.tsx';
import { RunsPage } from './pages/RunsPage.tsx';
import { SystemPage } from './pages/SystemPage.tsx';
import { TimelinePage } from './pages/TimelinePage.tsx';
import { Shell } from './parts/Shell.tsx';

export function App() {
  const [page, id, part = '', detail] = route.value.path;
  const run = page === 'runs' && id !== undefined ? runOf(id) : null;
  const header = run?.header.value;
  useEffect(() => {
    document.title = [part && part[0]!.toUpperCase() + part.slice(1), header?.name ?? id, 'Federated'].filter(Boolean).join(' · ');
  }, [page, id, part, header?.name]);
  useEffect(() => scrollTo(0, 0), [page, id, part, detail]);
  if (refused.value) return <Shell><SignIn /></Shell>;
  return (
    <Shell {...(header ? { runName: header.name } : {})}>
      {run !== null ? <PageOf run={run} part={part} detail={detail} key={run.id} /> : page === 'system' ? <SystemPage /> : page === 'compare' ? <ComparePage /> : <RunsPage />}
    </Shell>
  );
}

function PageOf({ run, part, detail }: { run: Run; part: string; detail: string | undefined }) {
  switch (part) {
    case 'timeline': return <TimelinePage run={run} />;
    case 'clients': return detail === undefined ? <ClientsPage run={run} /> : <ClientPage run={run} client={Number(detail)} key={detail} />;
    case 'aggregation': return <AggregationPage run={run} />;
    case 'privacy': return <PrivacyPage run={run} />;
    case 'events': return <EventsPage run={run} />;
    default: return <RunPage run={run} />;
  }
}

/** Whoever has the link is in; whoever lost it pastes its token. */
function SignIn() {
  const [text, setText] = useState('');
  const enter = (event: Event) => {
    event.preventDefault();
    keepToken(/token=([^&\s]+)/.exec(text)?.[1] ?? text.trim());
    location.reload();
  };
  return (
    <form class="card sign-in" onSubmit={enter}>
      <h1>Sign in</h1>
      <p>{token.value ? 'The coordinator does not take the token of this tab; it was perhaps restarted.' : 'This dashboard opens with a link that carries a token.'} Paste the link that the coordinator printed, or its token.</p>
      <label>Link or token <input type="password" autocomplete="off" value={text} onInput={(e) => setText(e.currentTarget.value)} required /></label>
      <button type="submit" class="primary">Open</button>
    </form>
  );
}

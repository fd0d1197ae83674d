import { useEffect, useState } from 'preact/hooks';
import { refused } from './lib/api.ts';
import { keepToken, route, token } from './lib/route.ts';
import { runOf } from './lib/run.ts';
import { RunPage } from './pages/RunPage.tsx';
import { RunsPage } from './pages/RunsPage.tsx';
import { TimelinePage } from './pages/TimelinePage.tsx';
import { Shell } from './parts/Shell.tsx';

export function App() {
  const { path } = route.value;
  const [page, id, part = ''] = path;
  const run = page === 'runs' && id !== undefined ? runOf(id) : null;
  const header = run?.header.value;
  useEffect(() => {
    document.title = [part && part[0]!.toUpperCase() + part.slice(1), header?.name ?? id, 'Federated'].filter(Boolean).join(' · ');
    scrollTo(0, 0);
  }, [page, id, part, header?.name]);
  if (refused.value) return <Shell><SignIn /></Shell>;
  return (
    <Shell {...(header ? { runName: header.name } : {})}>
      {run === null ? <RunsPage /> : part === 'timeline' ? <TimelinePage run={run} key={run.id} /> : <RunPage run={run} key={run.id} />}
    </Shell>
  );
}

/** Whoever has the link is in; whoever lost it pastes its token. */
function SignIn() {
  const [text, setText] = useState('');
  const enter = (event: Event) => {
    event.preventDefault();
    const given = /token=([^&\s]+)/.exec(text)?.[1] ?? text.trim();
    keepToken(given);
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

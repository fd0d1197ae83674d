import { signal } from '@preact/signals';
import { token } from './route.ts';
import type { Analysis, Card, FeedHeader, RunPrivacy, SecureSums, Slice, Standing } from './types.ts';

/** Set when the coordinator does not take our token. */
export const refused = signal<boolean>(false);

export class RequestError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, { ...init, headers: { ...init.headers, ...(token.value ? { Authorization: `Bearer ${token.value}` } : {}) } });
  if (response.status === 401 || (response.status === 403 && (init.method ?? 'GET') === 'GET')) refused.value = true;
  if (!response.ok) {
    const text = await response.text();
    let detail = text;
    try {
      const problem = JSON.parse(text) as { detail?: string; title?: string };
      detail = problem.detail ?? problem.title ?? text;
    } catch {
      // Not a problem document: its text is all there is.
    }
    throw new RequestError(response.status, detail || `The coordinator answered ${response.status}.`);
  }
  refused.value = false;
  return response;
}

export interface Overview {
  readonly version: string;
  readonly instance: string;
  readonly role: 'viewer' | 'operator';
  readonly canCreate: boolean;
  readonly runs: readonly Card[];
}

export async function overview(): Promise<Overview> {
  return (await request('v1/dashboard')).json() as Promise<Overview>;
}

export interface Feed {
  readonly instance: string;
  readonly canControl: boolean;
  readonly header: FeedHeader;
  readonly standing: Standing;
}

const run = (id: string) => `v1/runs/${encodeURIComponent(id)}`;

export async function feed(id: string): Promise<Feed> {
  return (await request(`${run(id)}/feed`)).json() as Promise<Feed>;
}

export async function privacy(id: string): Promise<RunPrivacy> {
  return (await request(`${run(id)}/privacy`)).json() as Promise<RunPrivacy>;
}

/** Null before the first version, and for runs that ask nothing. */
export async function analysis(id: string): Promise<Analysis | null> {
  return ((await (await request(run(id))).json()) as { readonly analysis?: Analysis | null }).analysis ?? null;
}

export async function secureSums(id: string): Promise<SecureSums> {
  return (await request(`${run(id)}/secure-sums`)).json() as Promise<SecureSums>;
}

export async function history<T>(id: string, stream: string, after: number, last?: number): Promise<Slice<T>> {
  return (await request(`${run(id)}/${stream}?after=${after}${last === undefined ? '' : `&last=${last}`}`)).json() as Promise<Slice<T>>;
}

export async function document_<T>(path: string): Promise<T> {
  return (await request(path)).json() as Promise<T>;
}

export async function act(id: string, verb: 'pause' | 'resume' | 'stop'): Promise<void> {
  await request(`${run(id)}:${verb}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ reason: 'from the dashboard' }) });
}

/** Starts a run from an experiment file's text; returns its id. */
export async function create(configuration: string): Promise<string> {
  const response = await request('v1/runs', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ configuration, set: [] }) });
  return /\/v1\/runs\/([^/]+)$/.exec(response.headers.get('Location') ?? '')?.[1] ?? '';
}

import { signal } from '@preact/signals';

/** Where the viewer is: everything that can be seen has an address, so that a link shows it again. */
export interface Route {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

const tokenKey = 'federated-token';

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { path: path.split('/').filter((part) => part.length > 0).map(decodeURIComponent), query: new URLSearchParams(query) };
}

function write(route: Route): string {
  const query = route.query.toString();
  return `#/${route.path.map(encodeURIComponent).join('/')}${query ? `?${query}` : ''}`;
}

export const route = signal<Route>(parse(location.hash));

/** The secret of this tab: it comes with the link, and leaves the address at once. */
export const token = signal<string>(sessionStorage.getItem(tokenKey) ?? '');

function take(): void {
  const next = parse(location.hash);
  const given = next.query.get('token');
  if (given !== null) {
    keepToken(given);
    next.query.delete('token');
    history.replaceState(null, '', write(next));
  }
  route.value = next;
}

export function keepToken(value: string): void {
  sessionStorage.setItem(tokenKey, value);
  token.value = value;
}

export function start(): void {
  addEventListener('hashchange', take);
  take();
}

export function href(path: readonly string[], query: Record<string, string> = {}): string {
  return write({ path, query: new URLSearchParams(query) });
}

/** Changes the view state of the page that is open; null takes a key away. */
export function setQuery(changes: Record<string, string | null>): void {
  const query = new URLSearchParams(route.value.query);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) query.delete(key);
    else query.set(key, value);
  }
  const next = { path: route.value.path, query };
  history.replaceState(null, '', write(next));
  route.value = next;
}

export function go(path: readonly string[], query: Record<string, string> = {}): void {
  location.hash = href(path, query);
}

import { HttpTransportType, HubConnectionBuilder, HubConnectionState, LogLevel, type ISubscription } from '@microsoft/signalr';
import { signal } from '@preact/signals';
import { overview } from './api.ts';
import { token } from './route.ts';
import type { Frame } from './types.ts';

export interface LinkState {
  readonly isUp: boolean;
  /** When what is shown was last known to be current (ms). */
  readonly asOf: number;
  readonly attempt: number;
}

/** Whether news comes in, and since when it does not. */
export const link = signal<LinkState>({ isUp: false, asOf: 0, attempt: 0 });

interface Watch {
  readonly run: string;
  readonly topics: readonly string[];
  readonly onFrame: (frame: Frame) => void;
  readonly onUp: () => void;
  subscription: ISubscription<Frame> | null;
  retry: ReturnType<typeof setTimeout> | null;
}

const watches = new Set<Watch>();
const longestWait = 15_000;

const connection = new HubConnectionBuilder()
  .withUrl('hubs/runs', { accessTokenFactory: () => token.value, transport: HttpTransportType.WebSockets | HttpTransportType.ServerSentEvents | HttpTransportType.LongPolling })
  .withAutomaticReconnect({ nextRetryDelayInMilliseconds: (context) => (down(context.previousRetryCount + 1), pause(context.previousRetryCount)) })
  .configureLogging(LogLevel.None)
  .build();
connection.serverTimeoutInMilliseconds = 12_000;
connection.keepAliveIntervalInMilliseconds = 5_000;
connection.onreconnecting(() => down(0));
connection.onreconnected(up);
connection.onclose(() => {
  down(0);
  if (watches.size > 0) void connect();
});

let connecting = false;

/** The first connection is ours to repeat; later ones the library repeats. Neither ever gives up. */
async function connect(): Promise<void> {
  if (connecting || connection.state !== HubConnectionState.Disconnected) return;
  connecting = true;
  for (let attempt = 0; ; attempt++) {
    try {
      await connection.start();
      break;
    } catch {
      down(attempt + 1);
      await overview().catch(() => {}); // Says whether it is our token that is not taken.
      await new Promise((resolve) => setTimeout(resolve, pause(attempt)));
    }
  }
  connecting = false;
  up();
}

function pause(attempt: number): number {
  return Math.min(longestWait, 500 * 2 ** Math.min(attempt, 10)) * (0.7 + 0.6 * Math.random());
}

function down(attempt: number): void {
  const { isUp, asOf } = link.value;
  link.value = { isUp: false, asOf: isUp ? Date.now() : asOf, attempt };
}

function up(): void {
  link.value = { isUp: true, asOf: Date.now(), attempt: 0 };
  for (const watch of watches) open(watch);
}

function open(watch: Watch): void {
  watch.subscription?.dispose();
  if (watch.retry !== null) clearTimeout(watch.retry);
  watch.retry = null;
  let first = true;
  watch.subscription = connection.stream<Frame>('Watch', watch.run, watch.topics).subscribe({
    next: (frame) => {
      watch.onFrame(frame);
      if (first) {
        first = false;
        watch.onUp();
      }
    },
    error: () => {
      // The link broke (it will be opened again), or there is no such run yet.
      if (connection.state === HubConnectionState.Connected && watches.has(watch)) watch.retry = setTimeout(() => open(watch), 700);
    },
    complete: () => {},
  });
}

/**
 * Watches a run until the returned function is called.
 * @param onUp Called after the first frame of every connection: the time to read what was missed.
 */
export function watchRun(run: string, topics: readonly string[], onFrame: (frame: Frame) => void, onUp: () => void): () => void {
  const watch: Watch = { run, topics, onFrame, onUp, subscription: null, retry: null };
  watches.add(watch);
  if (connection.state === HubConnectionState.Connected) open(watch);
  else void connect();
  return () => {
    watches.delete(watch);
    watch.subscription?.dispose();
    if (watch.retry !== null) clearTimeout(watch.retry);
  };
}

/** For tests: what the page holds open. */
export const openWatches = () => watches.size;

const kept = 600;
const times: number[] = [];

/** How long drawing took, for the performance test and for people who suspect the page: `federated.frames()` in the console. */
export function drawn(milliseconds: number): void {
  times.push(milliseconds);
  if (times.length > kept) times.splice(0, times.length - kept);
}

declare global {
  interface Window {
    federated?: { frames: () => { count: number; p50: number; p95: number; worst: number } };
  }
}

window.federated = {
  frames: () => {
    const sorted = [...times].sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { count: sorted.length, p50: at(0.5), p95: at(0.95), worst: sorted.at(-1) ?? 0 };
  },
};

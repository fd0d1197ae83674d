// What viewers cost the process that trains: node benchmarks/dashboard/viewers.mjs PATH_TO_fed.dll [viewers] [seconds] [EXPERIMENT.yaml]
// A simulation without training (some 2,000 updates a second, so that every frame has news) runs twice as long as asked: first unseen, then
// watched; with an experiment of one's own, that one, which has to last as long. The viewers run on the same cores. Told are the processor seconds per second of the fed process in both, the frames that viewers got, and updates per second.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [dll, viewers = '1000', seconds = '15', experiment] = process.argv.slice(2);
const WebSocket = createRequire(new URL('../../dashboard/package.json', import.meta.url))('ws');
const folder = mkdtempSync(join(tmpdir(), 'fed-viewers-'));
const file = join(folder, 'run.yaml');
writeFileSync(file, `name: viewers
training: none
strategy: { scheduler: { kind: buffered, concurrency: 1300, aggregationGoal: 100 } }
run: { clientTimeout: 240, evaluateEvery: 0, stop: { seconds: 100000 } }
clients: { count: 10000, responsiveness: { kind: lognormal, median: 20, sigma: 1.2, unit: task, per: client } }
`);
const token = 'token-of-the-viewers-benchmark';
const child = spawn('dotnet', [dll, 'run', experiment ?? file, '--dashboard', ...(experiment ? [] : ['--pace', '60']), '--no-updates', '--quiet', '--out', join(folder, 'results')], { env: { ...process.env, FED_DASHBOARD_TOKEN: token }, stdio: ['ignore', 'ignore', 'pipe'] });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let text = '';
child.stderr.on('data', (data) => (text += data));
while (!text.includes('To look only')) await sleep(100);
const link = new URL(/To look only: (\S+)/.exec(text)[1]);
const viewer = link.hash.split('token=')[1];

const processor = () => {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const accepted = async () => (await (await fetch(`${link.origin}/v1/runs/run/feed`, { headers: { Authorization: `Bearer ${viewer}` } })).json()).standing.accepted;
async function measure(name) {
  const [cpu, updates, began] = [processor(), await accepted(), performance.now()];
  frames = bytes = 0;
  await sleep(Number(seconds) * 1000);
  const took = (performance.now() - began) / 1000;
  const result = { cores: (processor() - cpu) / took, updates: ((await accepted()) - updates) / took, frames: frames / took / Math.max(1, open), kilobytes: bytes / took / 1000 };
  console.log(`${name}: ${result.cores.toFixed(2)} cores, ${result.updates.toFixed(0)} updates/s, ${result.frames.toFixed(1)} frames/s per viewer, ${result.kilobytes.toFixed(0)} KB/s`);
  return result;
}

let [open, frames, bytes] = [0, 0, 0];
await sleep(3000);
const unseen = await measure('unseen');
for (let i = 0; i < Number(viewers); i++) {
  const socket = new WebSocket(`ws://${link.host}/hubs/runs?access_token=${viewer}`, { perMessageDeflate: false });
  socket.on('error', () => {});
  socket.on('open', () => {
    open++;
    socket.send('{"protocol":"json","version":1}\x1e');
    socket.send('{"type":4,"invocationId":"1","target":"Watch","arguments":["run",["curves"]]}\x1e');
  });
  socket.on('message', (data) => {
    if (data.length < 60) return; // Pings and the handshake.
    frames++;
    bytes += data.length;
  });
  if (i % 50 === 49) await sleep(50);
}
await sleep(3000);
const watched = await measure(`${open} viewers`);
const share = ((watched.cores - unseen.cores) / 2) * 100;
console.log(`Viewers cost ${(watched.cores - unseen.cores).toFixed(2)} cores, ${share.toFixed(1)} % of two; the run slowed from ${unseen.updates.toFixed(0)} to ${watched.updates.toFixed(0)} updates/s.`);
child.kill('SIGKILL');
process.exit(0);

// Pictures of every page for docs/dashboard.md: node test/browser/pictures.mjs PATH_TO_fed.dll OUT_DIR [filter]
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { palette } from './palette.mjs';

const [dll, out, filter = ''] = process.argv.slice(2);
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path && existsSync(path));
const token = 'token-of-the-pictures';
const folder = mkdtempSync(join(tmpdir(), 'fed-pictures-'));
mkdirSync(out, { recursive: true });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const children = [];

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function fed(args, until = 'To look only', environment = {}) {
  const child = spawn('dotnet', [dll, ...args], { env: { ...process.env, FED_DASHBOARD_TOKEN: token, ...environment }, stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  let text = '';
  child.stderr.on('data', (data) => (text += data));
  for (let i = 0; i < 600 && !text.includes(until); i++) await sleep(100);
  await sleep(200);
  return { child, link: /Dashboard: (\S+)/.exec(text)?.[1] ?? '', text };
}

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const desktop = { viewport: { width: 1440, height: 900 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1, isMobile: true, hasTouch: true };

async function shoot(name, link, path, { colorScheme = 'light', size = desktop, wait = 1200, act, full = false } = {}) {
  if (!name.includes(filter)) return;
  const context = await browser.newContext({ ...size, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(link.replace(/#[^?]*/, `#${path}`).replace('?token', path.includes('?') ? '&token' : '?token'));
  await sleep(wait);
  await act?.(page);
  writeFileSync(join(out, `${name}.png`), palette(await page.screenshot({ fullPage: full })));
  await context.close();
  console.log(name);
}

/** A page on desktop and phone, in light and dark. */
async function all(name, link, path, options = {}) {
  for (const [size, suffix] of [[desktop, ''], [phone, '-phone']]) {
    for (const colorScheme of ['light', 'dark']) await shoot(`${name}${suffix}-${colorScheme}`, link, path, { ...options, size, colorScheme });
  }
}

const many = join(folder, 'many.yaml');
writeFileSync(many, `name: a hundred thousand clients
training: none
strategy: { scheduler: { kind: buffered, concurrency: 300, aggregationGoal: 50 } }
run: { clientTimeout: 240, evaluateEvery: 0, stop: { seconds: 100000 } }
clients: { count: 100000, connectivity: { kind: lognormal, dropout: 0.05 }, responsiveness: { kind: lognormal, median: 20, sigma: 1, unit: task, per: client } }
`);
const single = join(folder, 'single.yaml');
writeFileSync(single, `name: one client, and a name that is much longer than any heading has room for, as people give them
data: { source: { kind: drawn-digits, writers: 1, trainPerWriter: 100, testPerWriter: 30, size: 12 } }
model: { kind: softmax }
training: { kind: local, epochs: 1 }
strategy: { scheduler: { kind: immediate, concurrency: 1 }, aggregator: { kind: mean, normalisation: none } }
run: { stop: { versions: 400 } }
clients: { responsiveness: { kind: lognormal, median: 0.5, sigma: 0.4, per: task } }
`);

const secret = join(folder, 'private.yaml');
writeFileSync(secret, `name: digits, privately
data: { source: { kind: drawn-digits, writers: 200, trainPerWriter: 40, testPerWriter: 10, size: 12 } }
model: { kind: softmax }
training: { kind: local, steps: 10, batchSize: 16, optimizer: { kind: sgd, learningRate: 0.5 } }
strategy: { scheduler: { kind: buffered, concurrency: 60, aggregationGoal: 40 }, exampleWeight: equal, stalenessWeight: constant }
privacy: { kind: central, epsilon: 6, maxParticipations: 12, mechanism: { kind: dp-fedavg, clipNorm: 1 } }
run: { evaluateEvery: 1, stop: { versions: 200 } }
clients: { responsiveness: { kind: lognormal, median: 10, sigma: 0.7, per: client, unit: task } }
`);

try {
  if ('privacy'.includes(filter) || filter.startsWith('privacy')) {
    const hidden = await fed(['run', secret, '--dashboard', String(await freePort()), '--pace', '30', '--quiet', '--out', join(folder, 'private')]);
    await sleep(12_000);
    await all('privacy', hidden.link, '/runs/run/privacy', { wait: 2500 });
    await shoot('privacy-whole', hidden.link, '/runs/run/privacy', { wait: 2500, full: true });
    await shoot('privacy-run', hidden.link, '/runs/run?x=epsilon', { wait: 2500 });
    hidden.child.kill('SIGKILL');
    if (filter.startsWith('privacy')) process.exit(0);
  }

  const demo = await fed(['demo', '--dashboard', String(await freePort()), '--pace', '12', '--out', join(folder, 'demo')]);
  await sleep(25_000);
  for (const [name, path] of [['run', '/runs/run'], ['timeline', '/runs/run/timeline'], ['clients', '/runs/run/clients'], ['client', '/runs/run/clients/3'], ['aggregation', '/runs/run/aggregation'], ['events', '/runs/run/events'], ['system', '/system']]) await all(name, demo.link, path);
  const big = await fed(['run', many, '--dashboard', String(await freePort()), '--pace', '60', '--no-updates', '--quiet', '--out', join(folder, 'many')]);
  await sleep(15_000);
  await shoot('clients-100000', big.link, '/runs/run/clients', { wait: 3000 });
  await shoot('timeline-100000', big.link, '/runs/run/timeline', { wait: 3000 });
  big.child.kill('SIGKILL');
  const one = await fed(['run', single, '--dashboard', String(await freePort()), '--pace', '2', '--quiet', '--out', join(folder, 'one')]);
  await sleep(8000);
  await shoot('timeline-one-client', one.link, '/runs/run/timeline', { wait: 2000 });
  await shoot('run-one-client', one.link, '/runs/run', { wait: 2000 });
  await shoot('clients-one-client', one.link, '/runs/run/clients', { wait: 2000 });
  one.child.kill('SIGKILL');

  // A folder of results, for Runs and Compare.
  for (const [name, scheduler] of [['FedAvg', '{ kind: synchronous, cohort: 8 }'], ['FedBuff', '{ kind: buffered, concurrency: 10, aggregationGoal: 5 }'], ['FedCompass', '{ kind: compass, minSteps: 10, maxSteps: 60 }']]) {
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, `name: ${name}
data: { source: { kind: drawn-digits, writers: 12, trainPerWriter: 100, testPerWriter: 30, size: 14, heterogeneity: 0.7 } }
model: { kind: mlp, hidden: [32] }
training: { kind: local, epochs: 1, batchSize: 16, optimizer: { kind: sgd, learningRate: 0.1 } }
strategy: { scheduler: ${scheduler}${name === 'FedCompass' ? ', aggregator: { kind: mean, normalisation: none }' : ''} }
run: { stop: { seconds: 1200 } }
clients: { responsiveness: { kind: lognormal, median: 0.5, sigma: 0.3, per: task, speedSpread: 0.8 } }
`);
    await new Promise((resolve) => spawn('dotnet', [dll, 'run', file, '--quiet', '--out', join(folder, 'results', name)], { stdio: 'ignore' }).once('exit', resolve));
  }
  const view = await fed(['view', join(folder, 'results'), '--port', String(await freePort())]);
  await all('runs', view.link, '/runs');
  const ids = await (await fetch(new URL('/v1/dashboard', view.link), { headers: { Authorization: `Bearer ${/token=([^&]+)/.exec(view.link)[1]}` } })).json();
  await all('compare', view.link, `/compare?runs=${ids.runs.map((run) => run.id).join(',')}`);

  // A coordinator without runs, and with one that waits for its clients.
  const port = await freePort();
  const home = { FED_HOME: join(folder, 'home') };
  const server = await fed(['serve', '--data', join(folder, 'coordinator'), '--listen', `http://127.0.0.1:${port}`], 'Dashboard:', home);
  await all('new-run', server.link, '/runs', { wait: 2500 });
  await shoot('new-run-full', server.link, '/runs', { wait: 2500, full: true });
  await shoot('new-run-refused', server.link, '/runs', { wait: 2500, act: async (page) => {
    await page.getByLabel('Min steps').first().fill('90');
    await page.getByRole('button', { name: 'Start the run' }).click();
    await sleep(1500);
  } });
  await shoot('served-waiting', server.link, '/runs', { wait: 2500, act: async (page) => {
    await page.getByRole('button', { name: 'Start the run' }).click();
    await sleep(5000);
  } });
} finally {
  await browser.close();
  for (const child of children) child.kill('SIGKILL');
}

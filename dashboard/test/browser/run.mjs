// Browser tests of the dashboard in real Chromium against a real `fed`: node test/browser/run.mjs PATH_TO_fed.dll [filter]
// Exit code 0: passed; 1: failed; 77: skipped, with the reason.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const [dll, filter = ''] = process.argv.slice(2);
const skip = (reason) => {
  console.log(`SKIPPED: ${reason}`);
  process.exit(77);
};
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => path && existsSync(path));
if (!executablePath) skip('there is no Chromium here; install it, or name it in $CHROMIUM.');
if (!dll || !existsSync(dll)) skip('name the built fed.dll as first argument.');
let chromium;
try {
  ({ chromium } = await import('playwright-core'));
} catch {
  skip('playwright-core is not restored; run npm ci in dashboard/.');
}
const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const token = 'token-of-the-browser-tests';
const folder = mkdtempSync(join(tmpdir(), 'fed-dashboard-'));
const thousand = join(folder, 'thousand.yaml');
writeFileSync(thousand, `name: a thousand clients
training: none
strategy:
  scheduler: { kind: buffered, concurrency: 200, aggregationGoal: 5 }
run: { clientTimeout: 240, evaluateEvery: 0, stop: { versions: 10000 } }
clients:
  count: 1000
  connectivity: { kind: lognormal, dropout: 0.05 }
  responsiveness: { kind: lognormal, median: 20, sigma: 1, unit: task, per: client }
`);
const slow = ['demo', '--pace', '8'];
const secret = join(folder, 'private.yaml');
writeFileSync(secret, `name: privately
data: { source: { kind: drawn-digits, writers: 60, trainPerWriter: 20, testPerWriter: 5, size: 12 } }
model: { kind: softmax }
training: { kind: local, steps: 4, batchSize: 8, optimizer: { kind: sgd, learningRate: 0.5 } }
strategy: { scheduler: { kind: buffered, concurrency: 30, aggregationGoal: 15 }, exampleWeight: equal, stalenessWeight: constant }
privacy: { kind: central, epsilon: 6, maxParticipations: 8, mechanism: { kind: dp-fedavg, clipNorm: 1 } }
run: { evaluateEvery: 1, stop: { versions: 200 } }
clients: { responsiveness: { kind: lognormal, median: 10, sigma: 0.5, per: client, unit: task } }
`);

/** Megabytes by which the page may grow during the soak, by the slope of its samples: what forcing a collection leaves uncertain. */
const mostGrowth = 0.5;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let runs = 0;
const children = new Set();
async function start(port, args) {
  const child = spawn('dotnet', [dll, ...args, '--dashboard', String(port), '--out', join(folder, `run-${++runs}`)], { env: { ...process.env, FED_DASHBOARD_TOKEN: token }, stdio: ['ignore', 'ignore', 'pipe'] });
  children.add(child);
  let text = '';
  child.stderr.on('data', (data) => (text += data));
  for (let i = 0; i < 300 && !text.includes('To look only'); i++) await sleep(100);
  if (!text.includes('To look only')) throw new Error(`fed did not start: ${text}`);
  return { child, operator: /Dashboard: (\S+)/.exec(text)[1], viewer: /To look only: (\S+)/.exec(text)[1] };
}
/** Any verb of `fed`, with what it says on its standard error in `text`. */
function launch(args) {
  const child = spawn('dotnet', [dll, ...args], { env: { ...process.env, FED_HOME: join(folder, 'home') }, stdio: ['ignore', 'ignore', 'pipe'] });
  children.add(child);
  child.text = '';
  child.stderr.on('data', (data) => (child.text += data));
  return child;
}
async function serve(name) {
  const port = await freePort();
  const server = launch(['serve', '--data', join(folder, name), '--listen', `http://127.0.0.1:${port}`]);
  for (let i = 0; i < 600 && !server.text.includes('Dashboard: '); i++) await sleep(100);
  if (!server.text.includes('Dashboard: ')) throw new Error(`fed serve did not start: ${server.text}`);
  return { server, port, operator: /Dashboard: (\S+)/.exec(server.text)[1] };
}
const kill = (child) => new Promise((resolve) => {
  children.delete(child);
  child.once('exit', resolve);
  child.kill('SIGKILL');
});
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const assert = (condition, message) => {
  if (!condition) throw new Error(message);
};

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--enable-precise-memory-info'] });
/** A page that fails the test on any error of the console: scripts, Content-Security-Policy, missing files. */
async function open(link, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && !page.expectsOutage && page.problems.push(message.text()));
  page.on('request', (request) => new URL(request.url()).hostname !== '127.0.0.1' && !request.url().startsWith('blob:') && !request.url().startsWith('data:') && page.problems.push(`a request to ${request.url()}`));
  await page.goto(link);
  return page;
}
const go = (page, path) => page.evaluate((hash) => { location.hash = hash; }, path);
const sees = (page, text, timeout = 15_000) => page.getByText(text).first().waitFor({ timeout });
/** No serious finding of axe-core, which the caller has put into the page. */
async function accessible(page, where) {
  const found = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ['violations'] })).violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`));
  assert(found.length === 0, `${where}: ${found.join('; ')}`);
}
async function narrow(page, where) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert(wide <= 1, `${where} is ${wide} px too wide`);
}
const clean = (page) => assert(page.problems.length === 0, page.problems.join('; '));

const pages = {
  Runs: ['/runs', 'A run trains one shared model'],
  Run: ['/runs/run', 'How this works.'],
  Timeline: ['/runs/run/timeline', 'Who does what, when'],
  Clients: ['/runs/run/clients', 'Heard as much as intended?'],
  Client: ['/runs/run/clients/2', 'What it did, when'],
  Aggregation: ['/runs/run/aggregation', 'Staleness of accepted updates'],
  Privacy: ['/runs/run/privacy', 'Who sees what'],
  Events: ['/runs/run/events', 'The run began'],
  System: ['/system', 'Frames to viewers'],
  Compare: ['/compare?runs=run', 'Side by side'],
};

const tests = {
  async 'every page shows live data without an error'({ operator }) {
    const page = await open(operator);
    await sees(page, 'running');
    for (const [path, text] of Object.values(pages)) {
      await go(page, path);
      await sees(page, text);
    }
    await go(page, '/runs/run');
    const version = () => page.locator('.figure', { hasText: 'Version' }).locator('dd').first().innerText();
    const before = await version();
    for (let i = 0; i < 100 && (await version()) === before; i++) await sleep(200);
    assert((await version()) !== before, 'the version does not grow while the run goes on');
    clean(page);
    await page.context().close();
  },

  async 'the token leaves the address'({ operator }) {
    const page = await open(operator);
    await sees(page, 'running');
    assert(!page.url().includes('token'), page.url());
    await page.context().close();
  },

  async 'a stranger is asked to sign in'({ operator }) {
    const page = await open(operator.split('?')[0]);
    page.problems = [];
    await sees(page, 'Sign in');
    await page.getByLabel('Link or token').fill(operator);
    await page.keyboard.press('Enter');
    await sees(page, 'How this works.');
    await page.context().close();
  },

  async 'a viewer cannot act, an operator can'({ operator, viewer }) {
    const looking = await open(viewer);
    await sees(looking, 'How this works.');
    assert((await looking.getByRole('button', { name: 'Pause' }).count()) === 0, 'a viewer is offered to pause');
    const status = await looking.evaluate(async () => (await fetch('v1/runs/run:stop', { method: 'POST', headers: { Authorization: `Bearer ${sessionStorage.getItem('federated-token')}` } })).status);
    assert(status === 403, `a viewer's stop was answered ${status}`);
    const acting = await open(operator);
    await acting.getByRole('button', { name: 'Pause' }).click();
    await sees(acting, 'paused');
    await sees(looking, 'paused');
    await acting.getByRole('button', { name: 'Resume' }).click();
    await sees(looking, 'running');
    await Promise.all([looking.context().close(), acting.context().close()]);
  },

  async 'the keyboard alone leads from the skip link to one client'({ operator }) {
    const page = await open(operator);
    await sees(page, 'How this works.');
    await page.evaluate(() => document.body.focus());
    await page.keyboard.press('Tab');
    assert((await page.evaluate(() => document.activeElement.textContent)) === 'Skip to the content', 'the first stop is the skip link');
    const tabTo = async (accept) => {
      for (let i = 0; i < 80; i++) {
        await page.keyboard.press('Tab');
        if (await page.evaluate(accept)) return;
      }
      throw new Error(`Tab never reached ${accept}`);
    };
    await tabTo(() => document.activeElement.textContent === 'Clients');
    await page.keyboard.press('Enter');
    await sees(page, 'All clients by state');
    await page.locator('canvas.cells').waitFor();
    await tabTo(() => document.activeElement.matches('canvas.cells'));
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await sees(page, 'What it did, when');
    assert(page.url().includes('/clients/1'), page.url());
    clean(page);
    await page.context().close();
  },

  async 'axe finds nothing serious, in light and in dark'({ operator }) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(operator, { colorScheme, bypassCSP: true });
      await sees(page, 'How this works.');
      await page.evaluate(axe);
      for (const [name, [path, text]] of Object.entries(pages)) {
        await go(page, path);
        await sees(page, text);
        await sleep(300);
        await accessible(page, `${name}, ${colorScheme}`);
      }
      await page.context().close();
    }
  },

  async 'a phone shows every page without sideways scrolling'({ operator }) {
    const page = await open(operator, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    for (const [name, [path, text]] of Object.entries(pages)) {
      await go(page, path);
      await sees(page, text);
      await sleep(200);
      await narrow(page, name);
    }
    clean(page);
    await page.context().close();
  },

  async 'the address holds the view'({ operator }) {
    const page = await open(operator);
    await sees(page, 'How this works.');
    await page.getByRole('button', { name: 'Bytes', exact: true }).click();
    await page.getByRole('checkbox', { name: 'logarithmic loss' }).check();
    const url = page.url();
    assert(url.includes('x=bytes') && url.includes('loss=log'), url);
    await page.reload();
    await sees(page, 'bytes sent, both ways');
    assert(await page.getByRole('checkbox', { name: 'logarithmic loss' }).isChecked(), 'the box is not ticked after a reload');
    await page.context().close();
  },

  async 'a chart exports SVG, PNG and CSV'({ operator }) {
    const page = await open(operator);
    await sees(page, 'How this works.');
    await sleep(3000);
    for (const [format, begins] of [['SVG', '<svg'], ['PNG', '\x89PNG'], ['CSV', 'model version,accuracy']]) {
      await page.locator('summary[aria-label="Export Accuracy"]').click();
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: format, exact: true }).first().click()]);
      assert(readFileSync(await download.path(), 'latin1').startsWith(begins), `${format} does not begin with ${begins}`);
    }
    clean(page);
    await page.context().close();
  },

  async 'the strip of the whole run moves the window, by keyboard and by pointer'({ operator }) {
    const page = await open(operator.replace('/runs/run', '/runs/run/timeline'));
    const strip = page.getByRole('slider', { name: 'The part of the run that is shown' });
    await strip.waitFor();
    await strip.focus();
    // A run that has only begun is all in the window, which then goes on following it.
    const address = async (accept, act) => {
      for (let i = 0; i < 60 && !accept(page.url()); i++) {
        await act();
        await sleep(500);
      }
      assert(accept(page.url()), page.url());
    };
    await address((url) => /[?&]at=0(&|$)/.test(url), () => page.keyboard.press('Home'));
    assert((await strip.getAttribute('aria-valuetext')).startsWith('0 s to'), await strip.getAttribute('aria-valuetext'));
    const box = await strip.boundingBox();
    await address((url) => /[?&]at=[1-9]/.test(url), () => page.mouse.click(box.x + box.width * 0.7, box.y + box.height / 2));
    clean(page);
    await page.context().close();
  },

  async 'the policy forbids whatever is not from here, and no page needs it'({ operator }) {
    const answer = await fetch(operator.split('#')[0]);
    const policy = answer.headers.get('Content-Security-Policy') ?? '';
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]) assert(policy.includes(rule), `${rule} is not in: ${policy}`);
    assert(!/unsafe|https?:|\*/.test(policy), policy);
    assert(!/<script(?![^>]*\bsrc=)|<style|\son\w+=/i.test(await answer.text()), 'the page has script or style of its own');
    const page = await open(operator);
    await sees(page, 'running');
    const blocked = await page.evaluate(() => new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective), { once: true });
      const script = document.createElement('script');
      script.textContent = 'globalThis.wasRun = true';
      document.head.append(script);
      setTimeout(() => resolve(globalThis.wasRun ? 'it ran' : 'nothing'), 2000);
    }));
    assert(blocked.startsWith('script-src'), `an inline script: ${blocked}`);
    await page.context().close();
  },

  async 'the first load is under 100 KB'({ operator }) {
    const base = operator.split('#')[0];
    const html = await (await fetch(base)).text();
    const files = [...html.matchAll(/(?:src|href)="(\.\/[^"]+)"/g)].map((m) => m[1]);
    let size = gzipSync(html).length;
    for (const file of files) size += gzipSync(Buffer.from(await (await fetch(new URL(file, base))).arrayBuffer()), { level: 9 }).length;
    console.log(`    ${files.length + 1} files, ${(size / 1000).toFixed(1)} KB gzip`);
    assert(size < 100_000, `${size} bytes`);
  },
};

const alone = {
  async 'a coordinator: a run from fields, what is wrong beside its field, clients, groups and lengths'() {
    const { server, port, operator } = await serve('coordinator');
    const page = await open(operator);
    await page.getByLabel('Min steps').waitFor({ timeout: 15_000 });
    for (const colorScheme of ['light', 'dark']) {
      const looked = await open(operator, { colorScheme, bypassCSP: true, viewport: { width: 390, height: 844 } });
      await looked.getByLabel('Min steps').waitFor();
      await looked.evaluate(() => document.querySelectorAll('.new-run details').forEach((part) => { part.open = true; }));
      await narrow(looked, 'the form');
      await looked.evaluate(axe);
      await accessible(looked, `the form, ${colorScheme}`);
      await looked.context().close();
    }
    await page.getByLabel('Name', { exact: true }).fill('from-fields');
    await page.getByLabel('Min steps').fill('90');
    page.expectsOutage = true; // A refusal is an answer of 4xx, which the console tells of.
    await page.getByRole('button', { name: 'Start the run' }).click();
    await sees(page, 'minSteps 90 is above maxSteps 60');
    assert((await page.locator('[aria-invalid=true]').count()) === 1, 'the field is not marked');
    await page.getByLabel('Min steps').fill('5');
    await page.getByRole('button', { name: 'Start the run' }).click();
    await sees(page, 'clients bring their data to it');
    await sees(page, 'Waiting for');
    page.expectsOutage = false;
    const clients = launch(['client', '--server', `http://127.0.0.1:${port}`, '--run', 'from-fields', '--count', '12', '--quiet']);
    await page.getByText('clients bring their data to it').waitFor({ state: 'hidden', timeout: 60_000 });
    await go(page, '/runs/from-fields/timeline');
    await sees(page, 'Who does what, when');
    const read = (stream) => page.evaluate(async (path) => (await (await fetch(path, { headers: { Authorization: `Bearer ${sessionStorage.getItem('federated-token')}` } })).json()), `v1/runs/from-fields/${stream}`);
    for (let i = 0; i < 60 && !(await read('groups')).version.some((v) => v > 0); i++) await sleep(500);
    assert((await read('groups')).version.some((v) => v > 0), 'no group of FedCompass was told');
    assert((await read('updates')).norm.some((n) => n > 0), 'no length of an update was told');
    await sees(page, 'merge: a new version of the model');
    await sees(page, '12 clients');
    await go(page, '/system');
    await sees(page, 'This coordinator is one process by itself');
    clean(page);
    await Promise.all([kill(server), kill(clients)]);
    await page.context().close();
  },

  async 'a question shows its reports, what it cost and the estimate so far'() {
    const { server, port, operator } = await serve('asking');
    const url = `http://127.0.0.1:${port}`;
    const ages = join(folder, 'ages.yaml');
    writeFileSync(ages, `name: ages
analysis: { kind: histogram, question: age, edges: [0, 20, 40, 60], epsilon: 20, oracle: grr, defences: false }
strategy: { scheduler: { kind: buffered, concurrency: 2, aggregationGoal: 2 } }
run: { stop: { clientUpdates: 4 } }
`);
    const created = launch(['runs', 'create', ages, '--id', 'ages', '--url', url]);
    await new Promise((resolve) => created.once('exit', resolve));
    children.delete(created);
    const page = await open(operator);
    await go(page, '/runs/ages');
    await sees(page, 'A question to clients');
    await sees(page, 'the first estimate comes with the first version');
    const clients = [30, 30, 30, 50].map((age, i) => {
      const own = join(folder, `person-${i}`);
      mkdirSync(own);
      writeFileSync(join(own, 'person.csv'), `age\n${age}\n`);
      return launch(['client', '--server', url, '--run', 'ages', '--data', own, '--state', join(folder, `state-${i}`), '--quiet']);
    });
    const figure = (label) => page.locator('.figure', { hasText: label }).locator('dd').first().innerText();
    for (let i = 0; i < 600 && (await figure('Reports in')) !== '4'; i++) await sleep(200);
    assert((await figure('Reports in')) === '4', `${await figure('Reports in')} reports: ${clients.map((c) => c.text).join('; ')}`);
    const row = page.getByRole('region', { name: 'Estimates' }).locator('tr', { hasText: '75.0 %' });
    await row.waitFor({ timeout: 15_000 }); // Three of four, as good as exact at this ε.
    assert((await figure('Privacy spent')) === 'ε 20' && (await figure('Versions')) === '2', `spent ${await figure('Privacy spent')}, ${await figure('Versions')} versions`);
    await sees(page, 'Shares of age');
    clean(page);
    await page.context().close();
    for (const colorScheme of ['light', 'dark']) {
      const looked = await open(operator, { colorScheme, bypassCSP: true, viewport: { width: 390, height: 844 } });
      await go(looked, '/runs/ages');
      await sees(looked, 'Shares of age');
      await looked.evaluate(axe);
      await accessible(looked, `a question, ${colorScheme}`);
      await narrow(looked, 'a question');
      await looked.context().close();
    }
    await Promise.all([server, ...clients].filter((c) => c.exitCode === null).map(kill));
  },

  async 'a private run shows what is spent, its bound and its statement'() {
    const { child, operator } = await start(await freePort(), ['run', secret, '--pace', '40']);
    const page = await open(operator);
    await go(page, '/runs/run/privacy');
    await sees(page, 'Clients nearest their cap');
    const spent = () => page.locator('.figure', { hasText: 'Spent' }).locator('dd').first().innerText();
    for (let i = 0; i < 150 && !/^ε (5\.\d+|6)$/.test(await spent()); i++) await sleep(200);
    assert(/^ε (5\.\d+|6)$/.test(await spent()), `spent: ${await spent()}`);
    assert((await page.locator('.figure', { hasText: 'At most' }).locator('dd').first().innerText()) === 'ε 6', 'the bound is not 6');
    await page.getByText('The statement as one paragraph').click();
    await sees(page, 'The run costs each client at most ε = 6 at δ = 1e-6');
    await sees(page, 'it protects nobody');
    const points = await page.locator('figure', { hasText: 'Accuracy against ε' }).getByRole('button', { name: 'Table' });
    await points.click();
    assert((await page.locator('figure', { hasText: 'Accuracy against ε' }).locator('tbody tr').count()) > 3, 'no points of accuracy against ε');
    await go(page, '/runs/run?x=epsilon');
    await page.getByRole('button', { name: 'ε', exact: true }).waitFor();
    assert((await page.getByRole('button', { name: 'ε', exact: true }).getAttribute('aria-pressed')) === 'true', 'the Run page is not drawn against ε');
    await go(page, '/compare?runs=run&x=epsilon');
    await sees(page, 'Accuracy of runs');
    assert((await page.getByRole('button', { name: 'ε', exact: true }).getAttribute('aria-pressed')) === 'true', 'Compare is not drawn against ε');
    clean(page);
    await page.context().close();
    await kill(child);
  },

  async 'after the server is killed the page says since when it is stale, and goes on by itself'() {
    const port = await freePort();
    const first = await start(port, slow);
    const page = await open(first.operator);
    page.expectsOutage = true;
    await sees(page, 'How this works.');
    await sees(page, 'live');
    await kill(first.child);
    await sees(page, 'Connection lost', 25_000);
    const second = await start(port, slow);
    await page.getByText('Connection lost').waitFor({ state: 'hidden', timeout: 40_000 });
    await sees(page, 'running');
    await kill(second.child);
    await page.context().close();
  },

  async 'a thousand clients at ten frames a second are drawn within 50 ms, and memory does not grow'() {
    const soak = Number(process.env.SOAK_SECONDS ?? 24);
    const warm = Math.max(8, Math.min(75, soak / 4));
    // The run lasts some 6,600 virtual seconds: it is to be at its 10,000th version when the soak ends.
    const { child, operator } = await start(await freePort(), ['run', thousand, '--pace', String(Math.ceil(6600 / (soak + warm + 10))), '--no-updates']);
    const page = await open(operator.replace('/runs/run', '/runs/run/timeline'));
    await sees(page, 'Who does what, when');
    const devtools = await page.context().newCDPSession(page);
    // What scripts hold (objects, the pages' own, and typed arrays) after everything that nobody needs is collected.
    const held = async () => {
      let least = Infinity; // Between frames rather than amid one, and after code that is not run any more has been let go.
      for (let i = 0; i < 5; i++) {
        await devtools.send('HeapProfiler.collectGarbage');
        const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await devtools.send('Runtime.getHeapUsage');
        least = Math.min(least, (usedSize + embedderHeapUsedSize + backingStorageSize) / 1e6);
      }
      return least;
    };
    await sleep(warm * 1000);
    const began = Date.now();
    const samples = [[0, await held()]];
    for (let k = 1; k <= 12; k++) {
      await sleep(Math.max(0, began + (soak * 1000 * k) / 12 - Date.now()));
      samples.push([(Date.now() - began) / 60_000, await held()]);
    }
    const frames = await page.evaluate(() => globalThis.federated.frames());
    const [x, y] = [0, 1].map((i) => samples.reduce((sum, sample) => sum + sample[i], 0) / samples.length);
    const slope = samples.reduce((sum, [t, mb]) => sum + (t - x) * (mb - y), 0) / samples.reduce((sum, [t]) => sum + (t - x) ** 2, 0);
    const growth = slope * samples.at(-1)[0];
    console.log(`    ${frames.count} frames: median ${frames.p50.toFixed(1)} ms, 95th percentile ${frames.p95.toFixed(1)} ms, worst ${frames.worst.toFixed(1)} ms`);
    console.log(`    memory after ${warm.toFixed(0)} s of warm-up: ${samples.map(([, mb]) => mb.toFixed(2)).join(' ')} MB; ${(growth * 1000).toFixed(0)} KB in ${samples.at(-1)[0].toFixed(1)} min by its slope`);
    const version = await page.evaluate(() => document.querySelector('.page-head .faint').textContent);
    console.log(`    ${version}`);
    assert(frames.count > 60, `only ${frames.count} frames`);
    assert(frames.p95 < 50, `95th percentile ${frames.p95} ms`);
    assert(growth < mostGrowth, `what the page holds grew by ${growth.toFixed(2)} MB`);
    clean(page);
    await kill(child);
    await page.context().close();
  },
};

let failed = 0;
async function run(name, test, argument) {
  if (!name.includes(filter)) return;
  const began = Date.now();
  try {
    await test(argument);
    console.log(`passed  ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n        ${String(error.message ?? error).split('\n').slice(0, 6).join('\n        ')}`);
  }
}
try {
  const names = Object.keys(tests).filter((name) => name.includes(filter));
  if (names.length > 0) {
    const server = await start(await freePort(), slow);
    for (const name of names) await run(name, tests[name], server);
    await kill(server.child);
  }
  for (const [name, test] of Object.entries(alone)) await run(name, test);
} finally {
  await browser.close();
  for (const child of children) child.kill('SIGKILL');
}
console.log(failed === 0 ? 'All browser tests passed.' : `${failed} browser tests failed.`);
process.exit(failed === 0 ? 0 : 1);

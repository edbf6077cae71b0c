// The edit matrix for modules as uvu tests: every row goes live in a program that runs in Node and in a page of a browser at once, as
// patches of one session; both must answer alike, and what they counted before must still be there.
import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { attach } from '../../agent/web/index.js';
import { type Browser, type Page, chromium } from '../../conformance/setup/chromium.js';
import { patchedItems } from '../../src/host/events.js';
import { type PageEvent, type PageHost, startPageHost } from '../../src/host/web/page-host.js';
import { onceIn } from '../matrix/edits.js';
import type { Check, Row } from '../matrix/row.js';
import { type Outcome, judge } from '../matrix/verdicts.js';
import { agentScript } from './agent-script.js';
import { type DeskBuild, type DeskModule, type DeskOutcome, deskModule } from './desk-module.js';
import { MODULE_ROWS, WORKSHOP } from './desk-rows.js';
import { servePages } from './page-server.js';

/** What the module imports. */
const HOST = 'host: { weather: (day) => 20 + day }';

/** Asks through the module's paper. Pages get its text. */
function ask(exports: WebAssembly.Exports, question: string): string {
  const { memory, paper, ask: answer } = exports as unknown as DeskExports;
  const text = new TextEncoder().encode(question);
  new Uint8Array(memory.buffer, paper(), text.length).set(text);
  const length = answer(text.length);
  return new TextDecoder().decode(new Uint8Array(memory.buffer, paper(), length).slice());
}

const HTML = (options: string): string => `<!doctype html><title>desk</title>
<script src="/agent.js"></script>
<script>ipbpAgent.install(${options})</script>
<script type="module">
  const { instance } = await WebAssembly.instantiateStreaming(fetch('/desk.wasm'), { ${HOST} });
  instance.exports.open();
  globalThis.stackPointer = () => instance.exports.__stack_pointer.value;
  globalThis.desk = (question) => (${ask.toString()})(instance.exports, question);
</script>`;

interface DeskExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  paper(): number;
  ask(length: number): number;
}

/** One program in Node and in a page. */
interface Running {
  readonly module: DeskModule;
  readonly host: PageHost;
  readonly events: readonly PageEvent[];
  readonly page: Page;
  /** What both answer. */
  ask(question: string): Promise<readonly [node: string, page: string]>;
  stackPointers(): Promise<readonly [node: number, page: number]>;
  close(): Promise<void>;
}

async function start(build: DeskBuild): Promise<Running> {
  const module = deskModule(build);
  const token = randomBytes(32);
  const events: PageEvent[] = [];
  let origin = '';
  const host = await startPageHost({
    token: new Uint8Array(token),
    origin: (given) => given === null || given === origin,
    onEvent: (event) => events.push(event),
  });
  const options = { url: host.url, token: token.toString('hex') };
  const pages = await servePages({
    ...{ '/index.html': HTML(JSON.stringify(options)), '/agent.js': agentScript() },
    '/desk.wasm': module.prepared.bytes,
  });
  origin = pages.origin;
  const compiled = new WebAssembly.Module(new Uint8Array(module.prepared.bytes));
  const imports = { host: { weather: (day: number) => 20 + day } };
  const open = (url: string): WebSocket => new WebSocket(url);
  const attached = attach(compiled, new WebAssembly.Instance(compiled, imports), imports, {
    ...{ ...options, name: 'node', open },
  });
  if (attached === null) throw new Error('the module is no base');
  await attached.ready;
  const { exports } = attached.instance;
  (exports.open as () => void)();
  const browser: Browser = await chromium();
  const page = await browser.open(`${pages.origin}/`);
  await page.evaluate(
    'new Promise((done) => { const look = () => globalThis.desk ? done() : setTimeout(look, 10); look(); })',
  );
  return {
    ...{ module, host, events, page },
    async ask(question) {
      return [ask(exports, question), String(await page.evaluate(`desk(${JSON.stringify(question)})`))];
    },
    async stackPointers() {
      const { value } = exports.__stack_pointer as WebAssembly.Global<'i32'>;
      return [value, Number(await page.evaluate('stackPointer()'))];
    },
    async close() {
      attached.detach();
      browser.close();
      pages.close();
      await host.close();
      module.remove();
    },
  };
}

async function wrongAnswers(running: Running, checks: readonly Check[], prefix: string): Promise<string[]> {
  const problems: string[] = [];
  for (const { ask: path, answer } of checks) {
    const fits = (got: string): boolean => (typeof answer === 'string' ? got === answer : answer.test(got));
    const answers = await running.ask(path.replace('/ask/', ''));
    if (!answers.every(fits)) problems.push(`${prefix}${path}: ${JSON.stringify(answers)}, expected ${String(answer)}`);
  }
  return problems;
}

function asEvent(outcome: DeskOutcome): Outcome {
  const at = 0;
  switch (outcome.kind) {
    case 'patch': {
      const { patch } = outcome.patch;
      const ms = { scan: 0, diff: 0, link: 0, apply: 0, total: 0 };
      const items = patchedItems(outcome.items);
      return {
        event: 'patched',
        at,
        patch,
        ...items,
        bytes: outcome.bytes.length,
        ms,
        sinceSaveMs: null,
        warnings: [],
      };
    }
    case 'unchanged':
      return { event: 'unchanged', at, reason: outcome.reason };
    case 'refused':
      return { event: 'refused', at, items: outcome.items, restarting: false };
    case 'compile-error':
      return { event: 'compile-error', at, rendered: outcome.rendered };
  }
}

/** What is wrong with a row. */
async function play(running: Running, row: Row, unoptimised: boolean): Promise<readonly string[]> {
  const { module, host } = running;
  const problems = await wrongAnswers(running, row.before ?? [], 'before: ');
  const counted = (await running.ask('count')).map(countsOf);
  const { action } = row;
  if (action.kind === 'command') {
    const [command, times] = action.args;
    for (let left = Number(times); left > 0; left--) {
      module[command]();
      const results = await host[command]();
      problems.push(...results.flatMap(({ error }) => (error === null ? [] : [`${command}: ${error.message}`])));
    }
  } else {
    const outcome = module.edit(action);
    problems.push(...judge(row, [asEvent(outcome)], unoptimised));
    if (outcome.kind === 'patch') {
      const results = await host.add(outcome.patch, outcome.bytes);
      problems.push(...results.flatMap(({ error }) => (error === null ? [] : [`${error.code}: ${error.message}`])));
      if (results.length !== 2) problems.push(`${results.length} instances answered`);
    }
  }
  problems.push(...(await wrongAnswers(running, row.after, '')));
  const now = (await running.ask('count')).map(countsOf);
  const kept = now.every((counts, at) => counts.every((count, counter) => count === (counted[at]?.[counter] ?? 0) + 1));
  return kept ? problems : [...problems, `counters went from ${JSON.stringify(counted)} to ${JSON.stringify(now)}`];
}

/** What is there after some time. */
async function until<T>(look: () => T | null): Promise<T> {
  for (let left = 500; left > 0; left--) {
    const found = look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come');
}

/** The five counters in the answer to `count`. */
function countsOf(text: string): number[] {
  return [...text.matchAll(/=(\d+)/g)].map(([, digits]) => Number(digits));
}

/** Declares and runs the tests of one build: every row depends on those before it. */
export function testEdits(name: string, build: DeskBuild, rows: readonly Row[] = MODULE_ROWS): void {
  const test = suite(name);
  let running: Running | undefined;
  let addresses: readonly string[] = [];
  test.before(async () => {
    running = await start(build);
    addresses = await running.ask('addresses');
  });
  for (const row of rows) {
    test(`${row.id}: ${row.name}`, async () => {
      assert.ok(running, 'the program runs');
      assert.equal(await play(running, row, build.profile === 'dev'), []);
    });
  }
  test('statics are where they were, no page was loaded anew, nothing trapped', async () => {
    assert.ok(running, 'the program runs');
    assert.equal(await running.ask('addresses'), addresses);
    assert.equal([running.page.loads(), running.page.console], [1, []]);
    const bad = running.events.filter(({ event }) => event === 'trapped' || event === 'rejected');
    assert.equal(bad, []);
  });
  test('a panic in a patch is a trap that names patch and function; the program goes on, and takes the repair', async () => {
    assert.ok(running, 'the program runs');
    const { module, host, events } = running;
    const edited = (...pair: readonly [string, string]): DeskOutcome =>
      module.edit({ kind: 'edit', edits: [onceIn(WORKSHOP, pair)] });
    const before = [await running.stackPointers(), await running.ask('greeting')];
    const panics = edited('format!("{minutes} minutes")', 'panic!("{minutes} minutes late")');
    assert.ok(panics.kind === 'patch', JSON.stringify(panics));
    await host.add(panics.patch, panics.bytes);
    await running.ask('late').then(
      () => assert.unreachable('Node traps'),
      (error: unknown) => assert.match(String(error), /unreachable/),
    );
    await running.page.evaluate('desk("late")').then(
      () => assert.unreachable('the page traps, too'),
      (error: unknown) => assert.match(String(error), /unreachable/),
    );
    const trapped = await until(() => {
      const found = events.flatMap((event) => (event.event === 'trapped' ? [event] : []));
      return found.length === 2 ? found : null;
    });
    assert.equal(trapped.map(({ page }) => page.kind).sort(), ['node', 'page']);
    for (const { trap } of trapped) {
      assert.is(trap.patch, panics.patch.patch);
      assert.match(trap.function, build.profile === 'dev' ? /^order_desk::workshop::late$/ : /^order_desk::/);
      assert.match(trap.stack, /workshop/);
    }
    assert.equal([await running.stackPointers(), await running.ask('greeting')], before);
    const repaired = edited('panic!("{minutes} minutes late")', 'format!("{minutes} late")');
    assert.ok(repaired.kind === 'patch', JSON.stringify(repaired));
    await host.add(repaired.patch, repaired.bytes);
    assert.equal(await running.ask('late'), ['7 late', '7 late']);
    assert.is(running.page.loads(), 1);
  });
  test.after(() => running?.close());
  test.run();
}

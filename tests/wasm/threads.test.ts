// Threads: the order desk built with atomics, five instances over one memory, each in a thread of its own, in Node and then
// in a browser. Every edit reaches all of them; data of patches is there once; what is a thread's own stays its own.
import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { attach } from '../../agent/web/index.js';
import { chromium } from '../../conformance/setup/chromium.js';
import { type PageHost, startPageHost } from '../../src/host/web/page-host.js';
import { RECEIPTS, onceIn, regions } from '../matrix/edits.js';
import type { Edit } from '../matrix/row.js';
import { agentScript } from './agent-script.js';
import { type DeskModule, type DeskOutcome, deskModule } from './desk-module.js';
import { WORKSHOP } from './desk-rows.js';
import { servePages } from './page-server.js';

const WORKERS = 4;
const STACK = 256 * 1024;

/** As the module asks for it: what patches have in memory lies behind. */
const memoryOf = ({ prepared: { facts } }: DeskModule): WebAssembly.MemoryDescriptor => {
  return { initial: facts.arena.start / 65536, maximum: facts.sharedPages ?? 0, shared: true };
};

/** In every thread: an instance over the memory, with a stack and data of its own where `own` says where. */
const THREAD = `async (instantiate, memory, own) => {
  const imports = { env: { memory }, host: { weather: (day) => 20 + day } };
  const exports = (await instantiate(imports)).exports;
  if (own) {
    exports.__stack_pointer.value = own.stack;
    exports.__wasm_init_tls(own.data);
  } else exports.open_desk();
  const bytes = (length) => new Uint8Array(memory.buffer, exports.paper(), length);
  return {
    room() {
      const stack = exports.room(${STACK}) + ${STACK};
      return { stack, data: exports.room(exports.__tls_size.value) };
    },
    ask(question) {
      const text = new TextEncoder().encode(question);
      bytes(text.length).set(text);
      return new TextDecoder().decode(bytes(exports.ask(text.length)).slice());
    },
  };
}`;

const WORKER = `
let thread, words;
async function told({ memory, own, question, wait }) {
  if (memory) {
    words = new Int32Array(memory.buffer);
    thread = await (${THREAD})(instantiate, memory, own);
    return 'up';
  }
  if (wait) return Atomics.wait(words, wait / 4, 0);
  return thread.ask(question);
}`;

const NODE_WORKER = (options: string): string => `${agentScript()}
const { parentPort, workerData } = require('node:worker_threads');
const { WebSocket } = require('ws');
const instantiate = async (imports) => {
  const open = (url) => new WebSocket(url);
  const plain = new WebAssembly.Instance(workerData.module, imports);
  const attached = ipbpAgent.attach(workerData.module, plain, imports, { ...${options}, name: workerData.name, open });
  await attached.ready;
  return attached.instance;
};
${WORKER}
parentPort.on('message', async (data) => parentPort.postMessage(await told(data)));`;

const PAGE_WORKER = (options: string): string => `importScripts('/agent.js');
ipbpAgent.install(${options});
const instantiate = async (imports) => (await WebAssembly.instantiateStreaming(fetch('/desk.wasm'), imports)).instance;
${WORKER}
onmessage = async ({ data }) => postMessage(await told(data));`;

const HTML = (options: string, memory: string): string => `<!doctype html><title>threads</title>
<script src="/agent.js"></script>
<script>ipbpAgent.install(${options})</script>
<script type="module">
  const instantiate = async (imports) => (await WebAssembly.instantiateStreaming(fetch('/desk.wasm'), imports)).instance;
  const memory = new WebAssembly.Memory(${memory});
  const first = await (${THREAD})(instantiate, memory, null);
  const workers = [];
  const tell = (worker, data) => new Promise((resolve) => {
    worker.addEventListener('message', (event) => resolve(event.data), { once: true });
    worker.postMessage(data);
  });
  globalThis.ask = (at, question) => at === 0 ? first.ask(question) : tell(workers[at - 1], { question });
  globalThis.add = async () => {
    workers.push(new Worker('/worker.js', { name: 'worker ' + (workers.length + 1) }));
    return tell(workers.at(-1), { memory, own: first.room() });
  };
  globalThis.block = (at, address) => void tell(workers[at - 1], { wait: address });
  globalThis.wake = (address) => Atomics.notify(new Int32Array(memory.buffer), address / 4);
</script>`;

/** The program in its threads; the first is the one that the others are started by. */
interface Threads {
  add(): Promise<void>;
  ask(thread: number, question: string): Promise<string>;
  /** Lets a worker wait where nothing but \`wake\` ends it. */
  block(thread: number, address: number): Promise<void>;
  wake(address: number): Promise<void>;
  close(): void;
}

interface Thread {
  ask(question: string): string;
  room(): object;
}

/** For the agent. */
interface Options {
  readonly url: string;
  readonly token: string;
}

async function inNode(desk: DeskModule, options: Options): Promise<Threads> {
  const module = new WebAssembly.Module(new Uint8Array(desk.prepared.bytes));
  const memory = new WebAssembly.Memory(memoryOf(desk));
  const closing: (() => unknown)[] = [];
  const instantiate = async (imports: WebAssembly.Imports): Promise<WebAssembly.Instance> => {
    const plain = new WebAssembly.Instance(module, imports);
    const open = (url: string): WebSocket => new WebSocket(url);
    const attached = attach(module, plain, imports, { ...options, name: 'first', open });
    if (attached === null) throw new Error('the module is no base');
    closing.push(() => attached.detach());
    await attached.ready;
    return attached.instance;
  };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the same text runs in the workers
  const make = new Function(`return ${THREAD}`) as () => (...given: readonly unknown[]) => Promise<Thread>;
  const first = await make()(instantiate, memory, null);
  const workers: Worker[] = [];
  const tell = (worker: Worker | undefined, data: object): Promise<string> =>
    new Promise((resolve, reject) => {
      worker?.once('message', resolve);
      worker?.once('error', reject);
      worker?.postMessage(data);
    });
  return {
    async add() {
      const workerData = { module, name: `worker ${workers.length + 1}` };
      const worker = new Worker(NODE_WORKER(JSON.stringify(options)), { eval: true, workerData });
      workers.push(worker);
      closing.push(() => worker.terminate());
      await tell(worker, { memory, own: first.room() });
    },
    ask: async (thread, question) => (thread === 0 ? first.ask(question) : tell(workers[thread - 1], { question })),
    async block(thread, address) {
      void tell(workers[thread - 1], { wait: address });
      await new Promise((resolve) => setTimeout(resolve, 100));
    },
    wake: (address) => Promise.resolve(void Atomics.notify(new Int32Array(memory.buffer), address / 4)),
    close: () => closing.forEach((close) => close()),
  };
}

async function inBrowser(desk: DeskModule, options: Options, allow: (origin: string) => void): Promise<Threads> {
  const text = JSON.stringify(options);
  const pages = await servePages({
    ...{ '/index.html': HTML(text, JSON.stringify(memoryOf(desk))), '/worker.js': PAGE_WORKER(text) },
    ...{ '/agent.js': agentScript(), '/desk.wasm': desk.prepared.bytes },
  });
  allow(pages.origin);
  const browser = await chromium();
  const page = await browser.open(`${pages.origin}/`);
  const look = 'const look = () => globalThis.wake ? done() : setTimeout(look, 10); look();';
  await page.evaluate(`new Promise((done) => { ${look} })`);
  return {
    add: async () => void (await page.evaluate('add()')),
    ask: async (thread, question) => String(await page.evaluate(`ask(${thread}, ${JSON.stringify(question)})`)),
    block: async (thread, address) => {
      await page.evaluate(`block(${thread}, ${address})`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    },
    wake: async (address) => void (await page.evaluate(`wake(${address})`)),
    close() {
      browser.close();
      pages.close();
    },
  };
}

const STAMPS = `
static STAMPS: AtomicU64 = AtomicU64::new(30);
static BOOK: std::sync::Mutex<Vec<u64>> = std::sync::Mutex::new(Vec::new());

pub fn loyalty() -> String {
    let stamps = STAMPS.fetch_add(1, Relaxed) + 1;
    let mut book = BOOK.lock().unwrap();
    book.push(stamps);
    format!("stamps {stamps} book {}", book.len())
}`;

const OWN = `
thread_local! {
    static HELD: std::cell::Cell<u64> = const { std::cell::Cell::new(5) };
}

pub fn loyalty() -> String {
    HELD.with(|held| held.set(held.get() + 1));
    format!("held {}", HELD.with(|held| held.get()))
}`;

/** All that is to be shown, wherever the threads are. */
async function play(module: DeskModule, host: PageHost, threads: Threads): Promise<void> {
  const all = (question: string): Promise<string[]> =>
    Array.from({ length: WORKERS + 1 }, (_, at) => at).reduce<Promise<string[]>>(
      // One after the other: the paper is one.
      async (before, at) => [...(await before), await threads.ask(at, question)],
      Promise.resolve([]),
    );
  const edit = (...edits: readonly Edit[]): DeskOutcome => module.edit({ kind: 'edit', edits });
  const add = async (...edits: readonly Edit[]): Promise<readonly (string | null)[]> => {
    const outcome = edit(...edits);
    if (outcome.kind !== 'patch') throw new Error(JSON.stringify(outcome));
    const results = await host.add(outcome.patch, outcome.bytes);
    return results.map(({ error, page }) => (error === null ? null : `${page.name}: ${error.code}`));
  };
  const everywhere = (value: string): string[] => Array.from({ length: WORKERS + 1 }, () => value);
  const taken = everywhere('').map(() => null);
  for (let left = WORKERS; left > 0; left--) await threads.add();

  assert.equal(new Set(host.pages.map(({ group }) => group)).size, 1, 'they share one memory');
  assert.is(host.pages.length, WORKERS + 1);
  assert.equal(await all('greeting'), everywhere('good morning'));
  assert.equal(await all('offers'), everywhere('flat=950 share of 10=900'));
  await threads.ask(2, 'hand');
  assert.equal(await all('hand'), ['51', '51', '52', '51', '51'], 'each has its own');

  const hand = onceIn(WORKSHOP, ['hand.get() + 1', 'hand.get() + 10']);
  assert.equal(await add(onceIn(RECEIPTS, ['"good morning"', '"good evening"']), hand), taken);
  assert.equal(await all('greeting'), everywhere('good evening'));
  assert.equal(await all('hand'), ['61', '61', '62', '61', '61'], 'thread-locals keep their values');

  const loyalty = { loyalty: STAMPS };
  const stamps = regions(RECEIPTS, loyalty);
  assert.ok(stamps.kind === 'edit');
  assert.equal(await add(...stamps.edits), taken);
  assert.equal(
    await all('loyalty'),
    [1, 2, 3, 4, 5].map((n) => `stamps ${30 + n} book ${n}`),
    'a new static is one',
  );

  const own = regions(RECEIPTS, { loyalty: OWN });
  assert.ok(own.kind === 'edit');
  const refused = edit(...own.edits);
  assert.is(refused.kind, 'refused');
  assert.match(refused.kind === 'refused' ? JSON.stringify(refused.items) : '', /IPBP2005.*no room.*HELD/);
  edit(...stamps.edits);
  assert.is(await threads.ask(1, 'loyalty'), 'stamps 36 book 6');

  // A worker that waits, at a word that no patch has yet, is named each time, and is as far as the others when it is awake.
  const address = host.pages[0]!.arena.at;
  await threads.block(3, address);
  const late = everywhere('')
    .map((_, at) => (at === 3 ? 'worker 3: IPBP4025' : null))
    .filter((one) => one !== null);
  for (const [from, to] of [
    ['"good evening"', '"one"'],
    ['"one"', '"two"'],
    ['"two"', '"three"'],
  ] as const) {
    const results = await add(onceIn(RECEIPTS, [from, to]));
    assert.equal(
      results.filter((one) => one !== null),
      late,
    );
  }
  await threads.wake(address);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(await all('greeting'), everywhere('three'));

  // Who comes later has it all, and what the others made of the data.
  await threads.add();
  assert.is(await threads.ask(WORKERS + 1, 'greeting'), 'three');
  assert.is(await threads.ask(WORKERS + 1, 'loyalty'), 'stamps 37 book 7');
  assert.is(await threads.ask(WORKERS + 1, 'hand'), '60');
  await host.undo();
  module.undo();
  assert.is(await threads.ask(WORKERS + 1, 'greeting'), 'two');
  assert.equal(await all('greeting'), everywhere('two'));
}

for (const where of ['Node', 'Chromium'] as const) {
  test(`${WORKERS} workers in ${where}`, async () => {
    const module = deskModule({ target: 'wasm32-threads', profile: 'dev' });
    const token = randomBytes(32);
    let origin = '';
    const host = await startPageHost({
      token: new Uint8Array(token),
      origin: (given) => given === null || given === origin,
    });
    const options = { url: host.url, token: token.toString('hex') };
    const threads = await (where === 'Node'
      ? inNode(module, options)
      : inBrowser(module, options, (allowed) => (origin = allowed)));
    try {
      await play(module, host, threads);
    } finally {
      threads.close();
      await host.close();
      module.remove();
    }
  });
}

test.run();

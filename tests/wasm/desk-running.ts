// The order desk's module as it runs: in Node, and in a page of a browser, with agents that one host brings patches to.
import { randomBytes } from 'node:crypto';
import { WASI } from 'node:wasi';
import { WebSocket } from 'ws';
import { attach } from '../../agent/web/index.js';
import { type Page, chromium } from '../../conformance/setup/chromium.js';
import { type PageEvent, type PageHost, startPageHost } from '../../src/host/web/page-host.js';
import { agentScript } from './agent-script.js';
import { type DeskBuild, type DeskModule, deskModule } from './desk-module.js';
import { servePages } from './page-server.js';

interface DeskExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly __stack_pointer: { readonly value: number };
  open_desk(): void;
  paper(): number;
  ask(length: number): number;
}

/** Asks through the module's paper. Pages get its text. */
function ask({ memory, paper, ask: answer }: DeskExports, question: string): string {
  const text = new TextEncoder().encode(question);
  new Uint8Array(memory.buffer, paper(), text.length).set(text);
  const length = answer(text.length);
  return new TextDecoder().decode(new Uint8Array(memory.buffer, paper(), length).slice());
}

const HTML = (options: string): string => `<!doctype html><title>desk</title>
<script src="/agent.js"></script>
<script>ipbpAgent.install(${options})</script>
<script type="module">
  const imports = { host: { weather: (day) => 20 + day } };
  const { instance } = await WebAssembly.instantiateStreaming(fetch('/desk.wasm'), imports);
  instance.exports.open_desk();
  globalThis.stackPointer = () => instance.exports.__stack_pointer.value;
  globalThis.desk = (question) => (${ask.toString()})(instance.exports, question);
</script>`;

/** One instance of the program. */
interface Instance {
  ask(question: string): Promise<string>;
  stackPointer(): Promise<number>;
  close(): void;
}

/** The program in all its instances. */
export interface RunningDesk {
  readonly module: DeskModule;
  readonly host: PageHost;
  readonly events: readonly PageEvent[];
  /** Null where it runs in Node only. */
  readonly page: Page | null;
  readonly instances: readonly Instance[];
  /** What each answers. */
  ask(question: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** For the agent. */
interface Options {
  readonly url: string;
  readonly token: string;
}

async function inNode({ prepared }: DeskModule, { target }: DeskBuild, options: Options): Promise<Instance> {
  const wasi = target === 'wasm32-wasip1' ? new WASI({ version: 'preview1' }) : null;
  const compiled = new WebAssembly.Module(new Uint8Array(prepared.bytes));
  const imports = { ...(wasi?.getImportObject() ?? {}), host: { weather: (day: number) => 20 + day } };
  const open = (url: string): WebSocket => new WebSocket(url);
  const plain = new WebAssembly.Instance(compiled, imports);
  const attached = attach(compiled, plain, imports, { ...options, name: 'node', open });
  if (attached === null) throw new Error('the module is no base');
  wasi?.initialize(attached.instance);
  await attached.ready;
  const exports = attached.instance.exports as unknown as DeskExports;
  exports.open_desk();
  return {
    ask: (question) => new Promise((resolve) => resolve(ask(exports, question))),
    stackPointer: () => Promise.resolve(exports.__stack_pointer.value),
    close: () => attached.detach(),
  };
}

async function inPage(url: string): Promise<Instance & { readonly page: Page }> {
  const browser = await chromium();
  const page = await browser.open(url);
  const look = 'const look = () => globalThis.desk ? done() : setTimeout(look, 10); look();';
  await page.evaluate(`new Promise((done) => { ${look} })`);
  return {
    page,
    ask: async (question) => String(await page.evaluate(`desk(${JSON.stringify(question)})`)),
    stackPointer: async () => Number(await page.evaluate('stackPointer()')),
    close: () => browser.close(),
  };
}

/** Builds and starts: in Node, and where the module needs nothing of a system, in a page. */
export async function startDesk(build: DeskBuild): Promise<RunningDesk> {
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
  const node = await inNode(module, build, options);
  const page = build.target === 'wasm32-wasip1' ? null : await inPage(`${pages.origin}/`);
  const instances = page === null ? [node] : [node, page];
  return {
    ...{ module, host, events, page: page?.page ?? null, instances },
    ask: (question) => Promise.all(instances.map((each) => each.ask(question))),
    async close() {
      for (const each of instances) each.close();
      pages.close();
      await host.close();
      module.remove();
    },
  };
}

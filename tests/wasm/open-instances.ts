// A prepared module, running in a process of Node and in a browser's page, and the host of both. They are asked the same;
// connections can be cut.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from '../../conformance/setup/chromium.js';
import type { PreparedModule } from '../../src/host/web/base-facts.js';
import { type PageEvent, type PageHost, startPageHost } from '../../src/host/web/page-host.js';
import { scratch } from '../format-inputs.js';
import { agentScript } from './agent-script.js';
import { cutLine } from './cut-line.js';
import type { MemoryUse, Question } from './instance/main.js';
import { servePages } from './page-server.js';

const CHILD = fileURLToPath(new URL('instance/main.ts', import.meta.url));

/** Of the two instances, Node's first. */
export type Both<T> = readonly [T, T];

/** Two instances. */
export interface OpenInstances {
  readonly host: PageHost;
  readonly page: Page;
  readonly events: readonly PageEvent[];
  /** What an exported function of one number answers in each. */
  call(name: string, argument: number): Promise<Both<number>>;
  /** Numbers of the patches that came, in their order. */
  patched(): Promise<Both<readonly number[]>>;
  /** Cuts all connections at once; resolves when both instances are connected again and have everything. */
  cut(): Promise<void>;
  memory(): Promise<Both<MemoryUse>>;
  close(): Promise<void>;
}

const HTML = (options: string): string => `<!doctype html><title>page</title>
<script src="/agent.js"></script>
<script>
  globalThis.patched = [];
  const told = ({ event, patch }) => { if (event === 'patched') patched.push(patch); };
  ipbpAgent.install({ ...${options}, told });
</script>
<script type="module">
  const { instance } = await WebAssembly.instantiateStreaming(fetch('/page.wasm'));
  globalThis.program = instance.exports;
  globalThis.size = (kind, of) => Object.values(program).filter((one) => one instanceof kind).map(of)[0];
</script>`;

interface InNode {
  ask<T>(question: Question): Promise<T>;
  end(): void;
}

async function openInNode(module: Uint8Array, url: string, token: string): Promise<InNode> {
  const file = join(scratch(), `${token.slice(0, 8)}.wasm`);
  writeFileSync(file, module);
  const child = fork(CHILD, [file, url, token], { execArgv: ['--import', 'tsx', '--expose-gc'] });
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([status]) => Promise.reject(new Error(`the instance in Node ended with ${status}`))),
  ]);
  return {
    async ask<T>(question: Question) {
      child.send(question);
      return ((await once(child, 'message')) as [T])[0];
    },
    end: () => child.kill(),
  };
}

/** Opens both and waits until they are connected. */
export async function openInstances(prepared: PreparedModule): Promise<OpenInstances> {
  const token = randomBytes(32);
  let origin = '';
  const events: PageEvent[] = [];
  const host = await startPageHost({
    token: new Uint8Array(token),
    origin: (given) => given === null || given === origin,
    onEvent: (event) => events.push(event),
  });
  const line = await cutLine(host.url);
  const digits = token.toString('hex');
  const options = JSON.stringify({ url: line.url, token: digits });
  const pages = await servePages({
    ...{ '/index.html': HTML(options), '/agent.js': agentScript(), '/page.wasm': prepared.bytes },
  });
  origin = pages.origin;
  const happened = (wanted: PageEvent['event']): number => events.filter(({ event }) => event === wanted).length;
  /** Both, as often as they were connected. */
  const whole = async (cuts: number): Promise<void> => {
    while (happened('ready') < 2 * (cuts + 1)) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const node = await openInNode(prepared.bytes, line.url, digits);
  const browser = await chromium();
  const page = await browser.open(`${pages.origin}/`);
  await page.evaluate(
    'new Promise((up) => { const look = () => globalThis.size ? up() : setTimeout(look, 10); look(); })',
  );
  await whole(0);
  let cuts = 0;
  return {
    ...{ host, page, events },
    async call(name, argument) {
      const inNode = await node.ask<number>({ ask: 'call', name, argument });
      return [inNode, (await page.evaluate(`program.${name}(${argument})`)) as number];
    },
    async patched() {
      return [await node.ask<number[]>({ ask: 'patched' }), (await page.evaluate('patched')) as number[]];
    },
    cut() {
      line.cut();
      return whole(++cuts);
    },
    async memory() {
      const heap = await page.heapUsed();
      const size = (kind: string, of: string): Promise<unknown> =>
        page.evaluate(`size(WebAssembly.${kind}, (one) => one.${of})`);
      const inPage = {
        ...{ resident: browser.renderersResident(), heap },
        memory: (await size('Memory', 'buffer.byteLength')) as number,
        table: (await size('Table', 'length')) as number,
      };
      return [await node.ask<MemoryUse>({ ask: 'memory' }), inPage];
    },
    async close() {
      node.end();
      browser.close();
      pages.close();
      line.close();
      await host.close();
    },
  };
}

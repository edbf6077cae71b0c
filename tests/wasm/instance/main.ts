// An instance in a process of its own, patched by a host; asked over the channel that Node has between processes. Its memory
// is that of the instance and its agent, not of whoever makes the patches.
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import { attach } from '../../../agent/web/index.js';

/** What is asked, and what comes back. */
export type Question =
  | { readonly ask: 'call'; readonly name: string; readonly argument: number }
  | { readonly ask: 'memory' }
  | { readonly ask: 'patched' };

/** In bytes, after everything that nobody needs is gone. */
export interface MemoryUse {
  /** Of the process, or of the browser's processes that show pages. */
  readonly resident: number;
  /** Of the engine's heap for objects of JavaScript. */
  readonly heap: number;
  /** The instance's own memory. */
  readonly memory: number;
  /** Elements. */
  readonly table: number;
}

const [file = '', url = '', token = ''] = process.argv.slice(2);
const compiled = new WebAssembly.Module(new Uint8Array(readFileSync(file)));
const patched: number[] = [];
const attached = attach(
  compiled,
  new WebAssembly.Instance(compiled),
  {},
  {
    ...{ url, token, name: 'node', open: (to) => new WebSocket(to) },
    told: ({ event, patch }) => {
      if (event === 'patched' && patch !== undefined) patched.push(patch);
    },
  },
);
if (attached === null) throw new Error(`${file} did not go through the engine`);
const { exports } = attached.instance;

async function memory(): Promise<MemoryUse> {
  for (let round = 0; round < 3; round++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { rss, heapUsed } = process.memoryUsage();
  const tables = Object.values(exports).flatMap((one) => (one instanceof WebAssembly.Table ? one.length : []));
  const own = Object.values(exports).flatMap((one) => (one instanceof WebAssembly.Memory ? one.buffer.byteLength : []));
  return { resident: rss, heap: heapUsed, memory: own[0] ?? 0, table: tables[0] ?? 0 };
}

process.on('message', (question: Question) => {
  switch (question.ask) {
    case 'call':
      return process.send?.((exports[question.name] as (argument: number) => number)(question.argument));
    case 'patched':
      return process.send?.(patched);
    case 'memory':
      return void memory().then((use) => process.send?.(use));
  }
});
await attached.ready;
process.send?.('ready');

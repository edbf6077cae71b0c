// Chromium without a window, driven over its DevTools protocol: opens a page, evaluates in it, says what it reported.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { ensureDebianTools } from './debian-tools.js';

/** A page that is open. */
export interface Page {
  /** The value of an expression, awaited if it is a promise; it must be plain data. Throws what the page threw. */
  evaluate(expression: string): Promise<unknown>;
  /** What its console and its uncaught errors said so far, a line each. */
  readonly console: readonly string[];
  /** How many times a document was loaded. */
  loads(): number;
  /** Bytes of JavaScript's heap that are in use when what nobody needs is gone. */
  heapUsed(): Promise<number>;
  /** Turns the debugger on: the scripts and modules of which it is told, to which later ones are added. */
  debugged(): Promise<readonly DebuggedScript[]>;
  close(): Promise<void>;
}

/** What the debugger is told of a script. */
export interface DebuggedScript {
  readonly language: string;
  /** The URL of its source map; empty without one. */
  readonly sourceMap: string;
}

/** A browser. */
export interface Browser {
  /** Opens a page and waits until it is loaded. */
  open(url: string): Promise<Page>;
  /** Bytes of memory that the processes which show pages have, together. */
  renderersResident(): number;
  close(): void;
}

const ARGUMENTS = [
  '--headless=new',
  '--remote-debugging-port=0',
  // Tests run as root, where it has no sandbox, and in containers with little shared memory.
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
];
const START_LIMIT = 60_000;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, never>>;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** The address that the browser says on stderr when it listens. */
function listeningAt(browser: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (): void => reject(new Error(`chromium did not start: ${said.slice(-2000)}`));
    const limit = setTimeout(fail, START_LIMIT);
    browser.once('exit', fail);
    browser.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      const address = /DevTools listening on ws:\/\/([^/]+)\//.exec(said)?.[1];
      if (address === undefined) return;
      clearTimeout(limit);
      resolve(address);
    });
  });
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
}

async function openPage(address: string, url: string): Promise<Page> {
  const target = await fetch(`http://${address}/json/new?about:blank`, { method: 'PUT' });
  const { webSocketDebuggerUrl } = (await target.json()) as { readonly webSocketDebuggerUrl: string };
  const socket = new WebSocket(webSocketDebuggerUrl, { perMessageDeflate: false });
  await opened(socket);
  const waiting = new Map<number, (message: Message) => void>();
  const console: string[] = [];
  const scripts: DebuggedScript[] = [];
  let loads = 0;
  let loaded: () => void = () => undefined;
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as Message;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else if (message.method === 'Page.loadEventFired') {
      loads++;
      loaded();
    } else if (message.method === 'Runtime.consoleAPICalled') {
      const { args } = message.params as unknown as {
        args: readonly { value?: string | number | boolean; description?: string }[];
      };
      console.push(args.map((each) => String(each.value ?? each.description)).join(' '));
    } else if (message.method === 'Debugger.scriptParsed') {
      const { scriptLanguage, sourceMapURL = '' } = message.params as {
        scriptLanguage?: string;
        sourceMapURL?: string;
      };
      scripts.push({ language: scriptLanguage ?? '', sourceMap: sourceMapURL });
    } else if (message.method === 'Runtime.exceptionThrown') {
      const { exceptionDetails } = message.params as unknown as { exceptionDetails: ExceptionDetails };
      console.push(textOf(exceptionDetails));
    }
  });
  let last = 0;
  const call = (method: string, params: object = {}): Promise<unknown> => {
    const id = ++last;
    return new Promise((resolve, reject) => {
      waiting.set(id, ({ error, result }) => {
        waiting.delete(id);
        if (error === undefined) resolve(result);
        else reject(new Error(`${method}: ${error.message}`));
      });
      socket.send(JSON.stringify({ id, method, params }));
    });
  };
  await call('Page.enable');
  await call('Runtime.enable');
  const ready = new Promise<void>((resolve) => (loaded = resolve));
  const { errorText } = (await call('Page.navigate', { url })) as { readonly errorText?: string };
  if (errorText !== undefined) throw new Error(`${url} could not be opened: ${errorText}`);
  await ready;
  return {
    console,
    loads: () => loads,
    async evaluate(expression) {
      const settings = { expression, awaitPromise: true, returnByValue: true };
      const said = (await call('Runtime.evaluate', settings)) as Evaluated;
      if (said.exceptionDetails !== undefined) throw new Error(textOf(said.exceptionDetails));
      return said.result.value;
    },
    async heapUsed() {
      // Once is not enough: what one collection finds unreachable may hold something that the next does.
      for (let round = 0; round < 3; round++) await call('HeapProfiler.collectGarbage');
      return ((await call('Runtime.getHeapUsage')) as { readonly usedSize: number }).usedSize;
    },
    async debugged() {
      await call('Debugger.enable');
      return scripts;
    },
    async close() {
      await call('Page.close');
      socket.close();
    },
  };
}

interface ExceptionDetails {
  readonly text: string;
  readonly exception?: { readonly description?: string; readonly value?: unknown };
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: ExceptionDetails;
}

function textOf({ text, exception }: ExceptionDetails): string {
  return exception?.description ?? `${text} ${String(exception?.value)}`;
}

/** Of the processes of a group that show pages; proc(5). */
function renderersResident(group: number): number {
  const sizes = readdirSync('/proc').map((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ');
      if (Number(words[2]) !== group || !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer'))
        return 0;
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
    } catch {
      // No process, or one that has just ended.
      return 0;
    }
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Starts the browser, which is installed where it is missing and that is allowed. */
export async function chromium(): Promise<Browser> {
  ensureDebianTools({ chromium: 'chromium' });
  const profile = mkdtempSync(join(tmpdir(), 'ipbp-chromium-'));
  const started = spawn('chromium', [...ARGUMENTS, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // It starts others, which end with it when all are ended as a group.
    detached: true,
  });
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    if (started.exitCode === null && started.pid !== undefined) process.kill(-started.pid, 'SIGKILL');
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', close);
  try {
    const address = await listeningAt(started);
    return {
      open: (url) => openPage(address, url),
      renderersResident: () => renderersResident(started.pid ?? 0),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

// A WASI program in Node, patched while it runs: its thread is in the program from the start to the end, so patches are
// taken at its calls of the system, where its own code stands still. Old bodies that are on the stack run on to their end.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { WASI } from 'node:wasi';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { IpbpError } from '../../src/codes/error.js';
import { readBase } from '../web/base.js';
import { PatchedInstance } from '../web/patched-instance.js';
import type { Answer, ConnectionData, Request } from './requests.js';

/** How long the program's start waits for patches that there are, in ms. */
const START_LIMIT = 3000;

/** What shells and WebAssembly's runtimes make of a trap: the status of an abort. */
const TRAPPED = 134;

/** Of `ipbp run`: where the host is, and what proves that it is this one. */
interface Host {
  readonly url: string;
  readonly token: string;
}

/** Where requests come from, between the program's own steps. */
interface Requests {
  /** Does what has been asked for. */
  take(): void;
  /** Until the host has said that there is nothing more, or has not answered in time. */
  untilStart(): void;
}

/** Runs a module to its end; its exit status. */
export async function runProgram(file: string, args: readonly string[], connection: URL): Promise<number> {
  const host = hostOf(process.env);
  const { WASI } = await withoutWarning(() => import('node:wasi'));
  const wasi = new WASI({
    version: 'preview1',
    args: [basename(file), ...args],
    env: process.env,
    preopens: { '.': '.' },
    returnOnExit: true,
  });
  const module = new WebAssembly.Module(readFileSync(file));
  let requests: Requests | null = null;
  const imports = withTurns(wasi, () => requests?.take());
  const instance = new WebAssembly.Instance(module, imports);
  const base = readBase(module);
  if (base !== null && host !== null) {
    const patched = new PatchedInstance(base, instance.exports, imports);
    requests = listen(patched, { ...host, name: basename(file) }, connection);
    requests.untilStart();
  }
  try {
    return wasi.start(instance);
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    process.stderr.write(`${error.stack ?? error.message}\n`);
    return TRAPPED;
  }
}

/** Taken out of the environment: the program and its children are none of the host's. */
function hostOf(env: NodeJS.ProcessEnv): Host | null {
  const { IPBP_CONNECT: url, IPBP_TOKEN: token } = env;
  delete env['IPBP_CONNECT'];
  delete env['IPBP_TOKEN'];
  return url === undefined || token === undefined ? null : { url, token };
}

/** Node warns of its WASI at every start; the person has not chosen it. */
async function withoutWarning<T>(load: () => Promise<T>): Promise<T> {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return await load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** The system's functions, before each of which `turn` is called. */
function withTurns(wasi: WASI, turn: () => void): WebAssembly.Imports {
  const wrap = (call: (...args: unknown[]) => unknown) => {
    return (...args: unknown[]): unknown => {
      turn();
      return call(...args);
    };
  };
  return Object.fromEntries(
    Object.entries(wasi.getImportObject() as Record<string, Record<string, () => unknown>>).map(([name, functions]) => {
      const wrapped = Object.entries(functions).map(([field, call]) => [field, wrap(call)] as const);
      return [name, Object.fromEntries(wrapped)];
    }),
  );
}

function listen(patched: PatchedInstance, host: Omit<ConnectionData, 'state' | 'sent'>, connection: URL): Requests {
  const sent = new Int32Array(new SharedArrayBuffer(4));
  const { port1: own, port2: its } = new MessageChannel();
  const data: ConnectionData & { readonly port: MessagePort } = { ...host, state: patched.state(), sent, port: its };
  const worker = new Worker(connection, { workerData: data, transferList: [its] });
  // The program's end is the end of all.
  worker.unref();
  own.unref();
  let seen = 0;
  let started = false;
  const take = (): void => {
    const now = Atomics.load(sent, 0);
    if (now === seen) return;
    seen = now;
    for (;;) {
      const received = receiveMessageOnPort(own) as { readonly message: Request } | undefined;
      if (received === undefined) return;
      if (received.message.ask === 'start') started = true;
      else own.postMessage(answer(patched, received.message));
    }
  };
  return {
    take,
    untilStart() {
      for (const end = performance.now() + START_LIMIT; !started && performance.now() < end;) {
        Atomics.wait(sent, 0, seen, 50);
        take();
      }
    },
  };
}

function answer(patched: PatchedInstance, request: Exclude<Request, { readonly ask: 'start' }>): Answer {
  try {
    switch (request.ask) {
      case 'apply':
        patched.applyNow(request.patch, request.bytes);
        break;
      case 'undo':
        patched.undo(request.patch);
        break;
      case 'redo':
        patched.redo(request.patch);
        break;
      case 'reserve':
        return { state: patched.state(), range: patched.reserve(request.wanted), error: null };
    }
    return { state: patched.state(), range: null, error: null };
  } catch (thrown) {
    const error =
      thrown instanceof IpbpError
        ? { code: thrown.code, message: thrown.message.slice(`${thrown.code}: `.length) }
        : { code: 'IPBP4023', message: String(thrown) };
    return { state: patched.state(), range: null, error };
  }
}

// `ipbp run --json` as a user would start it, and its events one after the other.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PatchedEvent, ReadyEvent, SessionEvent } from '../src/host/events.js';
import { ROOT } from './record.js';

/** How long any single step may take, in ms; a first build of the server is the longest. */
const STEP_LIMIT = 900_000;

/** One edit. */
export interface Patched {
  /** The first one of it. */
  readonly patch: PatchedEvent;
  /** By ipbp, ms, to rustc's exit. */
  readonly rustc: number;
  /** From the save to rustc's exit. Where that was before the patch, everything after it is ipbp's own. */
  readonly exitSinceSave: number;
}

/** A program under `ipbp run`. A class because it is a connection: it has a process, and events in order. */
export class RunningSession {
  readonly #child: ChildProcess;
  readonly #waiting: SessionEvent[] = [];
  #wake: () => void = () => undefined;
  #ended = false;
  #messages = '';
  readonly #line: string | null;
  /** `performance.now()` when the program printed its first line; null before, or where that line is not known. */
  firstLineAt: number | null = null;

  /** @param firstLine what the program prints first */
  constructor(folder: string, environment: Readonly<Record<string, string>>, firstLine: string | null = null) {
    this.#line = firstLine;
    const main = join(ROOT, 'dist', 'cli', 'main.js');
    const child = spawn(process.execPath, [main, 'run', '--json', '--on-refusal', 'continue'], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stderr.on('data', (chunk: Buffer) => {
      this.#messages = (this.#messages + chunk.toString('utf8')).slice(-20_000);
      // With --json the program's stdout is ours of errors.
      if (this.#line !== null && this.#messages.split('\n').includes(this.#line))
        this.firstLineAt ??= performance.now();
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#waiting.push(JSON.parse(line) as SessionEvent);
      this.#wake();
    });
    child.on('exit', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** The next event. Throws when the session ends or says nothing for too long. */
  async #next(): Promise<SessionEvent> {
    const limit = Date.now() + STEP_LIMIT;
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      if (this.#ended) throw new Error(`ipbp run ended:\n${this.#messages}`);
      if (Date.now() > limit) throw new Error(`ipbp run is silent:\n${this.#messages}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 1000).unref();
      });
    }
  }

  async ready(): Promise<ReadyEvent> {
    for (;;) {
      const event = await this.#next();
      if (event.event === 'ready') return event;
    }
  }

  /** Waits until an edit is live and rustc has ended. Throws on everything that is no patch. */
  async patched(): Promise<Patched> {
    let first: PatchedEvent | null = null;
    let rustc = 0;
    for (;;) {
      const event = await this.#next();
      switch (event.event) {
        case 'compiled':
          rustc = event.ms;
          break;
        case 'patched':
          if (event.confirmed !== false)
            return { patch: event, rustc, exitSinceSave: (event.sinceSaveMs ?? Number.NaN) - event.ms.total };
          first ??= event;
          break;
        case 'confirmed':
          if (first === null) throw new Error('a patch was confirmed that was not told');
          return { patch: first, rustc: event.ms, exitSinceSave: event.sinceSaveMs ?? Number.NaN };
        case 'refused':
        case 'compile-error':
        case 'unchanged':
        case 'undone':
        case 'exit':
        case 'restarted':
          throw new Error(`the edit was not patched: ${JSON.stringify(event)}\n${this.#messages}`);
        case 'ready':
        case 'change':
        case 'note':
        case 'page':
          break;
      }
    }
  }

  /** Ends program and session. */
  async end(pid: number): Promise<void> {
    if (this.#ended) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    process.kill(pid, 'SIGTERM');
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(limit);
  }
}

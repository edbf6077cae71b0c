// One `ipbp run --json` process as the matrix sees it: its events in order, waiting for them, commands to its control
// socket, its end. Knows nothing of edits and of what they should do.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ReadyEvent, type SessionEvent } from '../../src/host/events.js';
import { ROOT } from './program.js';

/** How `ipbp` is started. */
const CLI = [process.execPath, join(ROOT, 'dist', 'cli', 'main.js')] as const;

/** How long a first build with all dependencies may take. */
const READY_LIMIT_MS = 900_000;

/** How much of what the program and ipbp print is kept for a failure's report, in characters. */
const OUTPUT_LIMIT = 20_000;

/** How a session is started. */
export interface SessionSetup {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly cargoArguments: readonly string[];
}

/** What a command that ran to its end left. */
export interface CommandResult {
  readonly status: number | null;
  readonly output: string;
}

/** A port of this machine that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** A running `ipbp run`. Made by {@link startSession}. */
export class Session {
  readonly events: SessionEvent[] = [];
  /** The last part of stderr: the program's own output and ipbp's. */
  output = '';
  private readonly waiting = new Set<() => void>();
  private ended: string | undefined;

  constructor(
    private readonly child: ChildProcess,
    readonly directory: string,
    /** Where the program answers HTTP. */
    readonly origin: string,
  ) {
    if (child.stdout === null || child.stderr === null) throw new Error('the session has no pipes');
    createInterface({ input: child.stdout }).on('line', (line) => {
      // A line that is no JSON breaks the contract; it is kept as what makes the session fail.
      try {
        this.events.push(JSON.parse(line) as SessionEvent);
      } catch {
        this.ended ??= `stdout of run --json held a line that is no JSON: ${line.slice(0, 200)}`;
      }
      this.wake();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.output = (this.output + chunk.toString('utf8')).slice(-OUTPUT_LIMIT);
    });
    child.on('close', (code, signal) => {
      this.ended ??= `ipbp run ended with ${code ?? signal ?? 'nothing'}`;
      this.wake();
    });
    child.on('error', (error) => {
      this.ended ??= `ipbp run could not be started: ${error.message}`;
      this.wake();
    });
  }

  /** Why nothing more can come, or undefined while the session lives. */
  get end(): string | undefined {
    return this.ended;
  }

  private wake(): void {
    for (const wake of [...this.waiting]) wake();
  }

  /**
   * The first event at or after index `from` for which `wanted` holds. Throws when the session ends or `limit`
   * milliseconds pass before.
   */
  async waitFor<E extends SessionEvent>(
    wanted: (event: SessionEvent) => event is E,
    from: number,
    limit: number,
  ): Promise<E> {
    const deadline = performance.now() + limit;
    for (;;) {
      const found = this.events.slice(from).find(wanted);
      if (found !== undefined) return found;
      if (this.ended !== undefined) throw new Error(`${this.ended}\n${this.output}`);
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(`nothing after ${limit} ms; since then: ${JSON.stringify(this.events.slice(from))}`);
      await new Promise<void>((done) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.waiting.delete(wake);
          done();
        };
        const timer = setTimeout(wake, left);
        this.waiting.add(wake);
      });
    }
  }

  /** Runs `ipbp` with these arguments against this session. */
  async command(args: readonly string[], sessionId: string): Promise<CommandResult> {
    return runToEnd([...CLI, ...args, '--session', sessionId], this.directory);
  }

  /** Asks the program; the body of the answer. Throws when the status is not 200. */
  async ask(path: string): Promise<string> {
    const response = await fetch(`${this.origin}${path}`, { signal: AbortSignal.timeout(20_000) });
    const body = await response.text();
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${body.slice(0, 200)}`);
    return body;
  }

  /** Ends program and session. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) return;
    const closed = new Promise<void>((done) => this.child.once('close', () => done()));
    const kill = (signal: NodeJS.Signals): void => {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, signal);
    };
    kill('SIGTERM');
    const timer = setTimeout(() => kill('SIGKILL'), 3000);
    await closed;
    clearTimeout(timer);
  }
}

/** Runs a program to its end, its output taken together. */
export function runToEnd(command: readonly string[], cwd: string): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8');
      });
    }
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, output }));
  });
}

/** Starts `ipbp run --json` in a process group of its own and waits until the program can be patched and answers. */
export async function startSession(setup: SessionSetup): Promise<{ session: Session; ready: ReadyEvent }> {
  const address = `127.0.0.1:${await freePort()}`;
  const [node, main] = CLI;
  const args = [main, 'run', '--json', '--on-refusal', 'continue', ...setup.cargoArguments];
  const child = spawn(node, args, {
    cwd: setup.directory,
    env: { ...process.env, ...setup.environment, LISTEN: address, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const session = new Session(child, setup.directory, `http://${address}`);
  try {
    const ready = await session.waitFor((event) => event.event === 'ready', 0, READY_LIMIT_MS);
    for (let tries = 1; ; tries++) {
      try {
        await session.ask('/health');
        return { session, ready };
      } catch (error) {
        if (tries === 100 || session.end !== undefined) throw error;
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  } catch (error) {
    await session.stop();
    throw error;
  }
}

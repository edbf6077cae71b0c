// One `ipbp run --json` process as the matrix sees it: its events in order, waiting for them, commands to its control
// socket, its end. Knows nothing of edits and of what they should do.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type NoteEvent, type ReadyEvent, type SessionEvent } from '../../src/host/events.js';
import { type Program, ROOT } from './program.js';
import { Screen } from './screen.js';
import { type Ask, TERMINAL, askHttp, askTerminal } from './talk.js';

/** How `ipbp` is started. */
const CLI = [process.execPath, join(ROOT, 'dist', 'cli', 'main.js')] as const;

/** How long a first build with all dependencies may take. */
const READY_LIMIT_MS = 900_000;

/** How much of what the program and ipbp print is kept for a failure's report, in characters. */
const OUTPUT_LIMIT = 20_000;

/** How long a program that was patched may think about an ordinary question. */
const ANSWER_LIMIT_MS = 20_000;

/** How long a program may need from its start to its first answer. */
const ALIVE_LIMIT_MS = 30_000;

/** How a session is started. */
export interface SessionSetup {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** For `ipbp run` and cargo. */
  readonly runArguments: readonly string[];
  readonly onRefusal: 'continue' | 'restart';
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
  /** The last part of what the program and ipbp printed. */
  output = '';
  /** All that was printed, in characters. */
  printed = 0;
  private readonly waiting = new Set<() => void>();
  /** It has ended, and all that had its pipes. */
  private closed = false;
  private ended: string | undefined;
  private readonly program: Ask;

  /**
   * @param asked how the program is asked: its HTTP origin, or a way of its own
   * @param lines the JSON lines
   * @param printed what the program and ipbp print besides
   */
  constructor(
    private readonly child: ChildProcess,
    readonly directory: string,
    asked: string | Ask,
    lines: Readable | null = child.stdout,
    printed: Readable | null = child.stderr,
  ) {
    if (lines === null || printed === null) throw new Error('the session has no pipes');
    this.program = typeof asked === 'string' ? askHttp(asked) : asked;
    createInterface({ input: lines }).on('line', (line) => {
      // A line that is no JSON breaks the contract; it is kept as what makes the session fail.
      try {
        this.events.push(JSON.parse(line) as SessionEvent);
      } catch {
        this.ended ??= `stdout of run --json held a line that is no JSON: ${line.slice(0, 200)}`;
      }
      this.wake();
    });
    printed.setEncoding('utf8').on('data', (chunk: string) => {
      this.output = (this.output + chunk).slice(-OUTPUT_LIMIT);
      this.printed += chunk.length;
    });
    child.on('close', (code, signal) => {
      this.closed = true;
      this.ended ??= `ipbp run ended with ${code ?? signal ?? 'nothing'}`;
      this.wake();
    });
    child.on('error', (error) => {
      this.ended ??= `ipbp run could not be started: ${error.message}`;
      this.wake();
    });
  }

  /** What was printed since {@link printed} was `mark`, as far as it is kept. */
  outputSince(mark: number): string {
    return this.output.slice(Math.max(0, this.output.length - (this.printed - mark)));
  }

  /** Of `ipbp run` itself, not of the program. */
  get processId(): number | undefined {
    return this.child.pid;
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

  /** Asks the program. Throws when it gives no good answer in time. */
  async ask(question: string, limitMs = ANSWER_LIMIT_MS): Promise<string> {
    return this.program(question, limitMs);
  }

  /** The newest program that can be patched. */
  get ready(): ReadyEvent | undefined {
    return this.events.findLast((event) => event.event === 'ready');
  }

  /** Ends program and session; of a session that was killed the program, which holds its pipes. */
  async stop(): Promise<void> {
    if (this.closed || this.child.pid === undefined) return;
    const closed = new Promise<void>((done) => this.child.once('close', () => done()));
    const kill = (signal: NodeJS.Signals): void => {
      try {
        if (this.child.pid !== undefined) process.kill(-this.child.pid, signal);
      } catch {
        // All of its group have ended.
      }
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
export async function startSession(
  program: Program,
  setup: SessionSetup,
): Promise<{ session: Session; ready: ReadyEvent }> {
  const port = await freePort();
  const rest = [...program.cargoArguments, ...setup.runArguments, '--', ...program.programArguments(port)];
  const command = [...CLI, 'run', '--json', '--on-refusal', setup.onRefusal, ...rest];
  const environment = { ...process.env, ...setup.environment, LISTEN: `127.0.0.1:${port}`, NO_COLOR: '1' };
  const start = program.talks === 'http' ? startHttp : startInTerminal;
  const session = start(command, setup.directory, environment);
  try {
    const first = await session.waitFor((event) => event.event === 'ready' || isUnpatched(event), 0, READY_LIMIT_MS);
    if (first.event === 'note') throw new Error(first.message);
    const ready = first;
    await waitAlive(session, program.alive);
    return { session, ready };
  } catch (error) {
    await session.stop();
    throw error;
  }
}

/** True when ipbp says that the program runs without it. */
function isUnpatched(event: SessionEvent): event is NoteEvent {
  return event.event === 'note' && event.message.startsWith('the program runs unpatched');
}

/** Asks until the program answers. */
export async function waitAlive(session: Session, question: string): Promise<void> {
  const deadline = performance.now() + ALIVE_LIMIT_MS;
  for (;;) {
    try {
      await session.ask(question);
      return;
    } catch (error) {
      if (performance.now() > deadline || session.end !== undefined) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

function startHttp(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Session {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  return new Session(child, cwd, `http://${env.LISTEN ?? ''}`);
}

/** `script` (util-linux) makes the terminal; the JSON lines take a way of their own, since stdout is the screen. */
function startInTerminal(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Session {
  const { rows, columns } = TERMINAL;
  const words = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const line = `stty rows ${rows} cols ${columns}; exec ${words} >&3`;
  const child = spawn('script', ['-qfec', line, '/dev/null'], {
    cwd,
    env: { ...env, TERM: 'xterm-256color', COLORTERM: '' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const lines = child.stdio[3];
  if (!(lines instanceof Readable)) throw new Error('no pipe for the JSON lines');
  const screen = new Screen(rows, columns);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => screen.write(chunk));
  child.stdin.on('error', () => {}); // Keys typed to a program that has just ended.
  return new Session(child, cwd, askTerminal(screen, child.stdin), lines, child.stdout);
}

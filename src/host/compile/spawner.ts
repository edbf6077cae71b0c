// Starts rustc for replays through a shell that was started early. Node's own spawn takes 1.4 ms in a small process
// and 50 ms once it holds a gigabyte (it forks, and a program's symbols are big): the shell stays small.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { shellQuote } from '../cargo/scripts.js';

/** One command. `env` is set over the environment that the spawner was started with; `unset` is taken out of it. */
export interface Job {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
  /** Taken one after the other and held until the program and all it started have ended. */
  readonly locks: readonly FileLock[];
  /**
   * Shell to be run under the locks, before the program and after it (whatever ended it, with `$status`; `$unlocked` is
   * set when a lock was not to be had). It is run to the end also when the session is killed, or ends.
   */
  readonly around?: { readonly before: string; readonly after: string };
}

/** A flock(2) on a file, through flock(1) of util-linux; where that is missing, no lock. */
export interface FileLock {
  readonly file: string;
  readonly shared: boolean;
  /** False: go on without it where another holds it. */
  readonly wait: boolean;
}

export interface JobResult {
  readonly status: number;
  /** stdout and stderr as one text each. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningJob {
  /** At its end. Rejects with IPBP5010 when the shell is gone. */
  readonly ended: Promise<JobResult>;
  /** What it has written to stderr until now; empty after its end. */
  messages(): string;
}

export interface Spawner {
  /** Starts a command. Jobs may overlap. */
  start(job: Job): RunningJob;
  /** Ends the shell, and with it what it runs. Resolves when that has ended. */
  stop(): Promise<void>;
}

/** What a job does after its program was ended may take this long. */
const LAST_WORDS_MS = 1000;

/** Reads "<number> <job file>" lines, runs each in the background, answers "<number> <status>". */
const LOOP = `while read -r number job; do
  ( trap : TERM; sh "$job" </dev/null >"$job.out" 2>"$job.err"; echo "$number $?" ) &
done
wait`;

/** Starts the shell. Job files (mode 0600: they hold captured environments) go to `directory`. */
export function startSpawner(directory: string): Spawner {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Its own process group, so that a Ctrl-C meant for the program does not end it, and all of it can be ended.
  const shell = spawn('sh', ['-c', LOOP], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  const waiting = new Map<number, (status: number | null) => void>();
  let next = 0;
  let gone = false;
  listenForAnswers(shell, waiting);
  const end = (): void => {
    gone = true;
    for (const answer of waiting.values()) answer(null);
    waiting.clear();
  };
  shell.on('error', end);
  let isClosed = false;
  shell.on('close', () => {
    isClosed = true;
    end();
  });
  shell.stdin?.on('error', end);
  // An idle spawner does not keep Node alive, a job does.
  shell.unref();
  keepAlive(shell.stdin, false);
  keepAlive(shell.stdout, false);
  return {
    start(job) {
      const number = next++;
      const path = join(directory, `job-${number}`);
      const run = async (): Promise<JobResult> => {
        if (gone) throw new IpbpError('IPBP5010', 'the shell that starts rustc has ended');
        writeFileSync(path, jobScript(job), { mode: 0o600 });
        const status = await new Promise<number | null>((resolve) => {
          waiting.set(number, resolve);
          keepAlive(shell.stdout, true);
          shell.stdin?.write(`${number} ${path}\n`);
        });
        if (waiting.size === 0) keepAlive(shell.stdout, false);
        if (status === null) throw new IpbpError('IPBP5010', 'the shell that starts rustc has ended');
        const result = { status, stdout: readText(`${path}.out`), stderr: readText(`${path}.err`) };
        for (const suffix of ['', '.out', '.err']) rmSync(path + suffix, { force: true });
        return result;
      };
      return { ended: run(), messages: () => readText(`${path}.err`) };
    },
    async stop() {
      gone = true;
      if (shell.pid === undefined || isClosed) return;
      await new Promise<void>((resolve) => {
        // Keeps Node alive, as shell and pipe do not.
        const limit = setTimeout(resolve, LAST_WORDS_MS);
        shell.once('close', () => {
          clearTimeout(limit);
          resolve();
        });
        endGroup(shell);
      });
    },
  };
}

function endGroup(shell: ChildProcess): void {
  try {
    if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGTERM');
  } catch {
    shell.kill();
  }
}

function listenForAnswers(shell: ChildProcess, waiting: Map<number, (status: number | null) => void>): void {
  let text = '';
  shell.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const [number, status] = text.slice(0, end).split(' ').map(Number);
      text = text.slice(end + 1);
      if (number === undefined || status === undefined) continue;
      waiting.get(number)?.(status);
      waiting.delete(number);
    }
  });
}

function keepAlive(pipe: unknown, keep: boolean): void {
  if (pipe instanceof Socket) {
    if (keep) pipe.ref();
    else pipe.unref();
  }
}

/** `env` rather than `export`: a variable's name need not be one that a shell accepts. */
function jobScript(job: Job): string {
  const words = [
    'env',
    ...job.unset.flatMap((name) => ['-u', shellQuote(name)]),
    ...Object.entries(job.env).map(([name, value]) => shellQuote(`${name}=${value}`)),
    shellQuote(job.program),
    ...job.args.map(shellQuote),
  ];
  const start = [...job.locks.map(lockLine), `cd ${shellQuote(job.cwd)} || exit 127`];
  const command = words.join(' ');
  if (job.around === undefined) return [...start, `exec ${command}`, ''].join('\n');
  const { before, after } = job.around;
  return ['unlocked=', ...start, 'trap : TERM INT HUP', before, command, 'status=$?', after, 'exit $status', ''].join(
    '\n',
  );
}

/** A lock's descriptor is inherited by all that the job starts: the system lets go of it when the last one ends. */
function lockLine({ file, shared, wait }: FileLock, index: number): string {
  const descriptor = 9 - index;
  const options = `${shared ? '-s ' : ''}${wait ? '' : '-n '}`;
  // A failed redirection of `exec` would end the script: try whether the file can be opened first.
  const path = shellQuote(file);
  const canLock = `command -v flock >/dev/null && (: >>${path}) 2>/dev/null`;
  const take = `exec ${descriptor}>>${path}; flock ${options}${descriptor} || unlocked=1`;
  return `if ${canLock}; then ${take}; else unlocked=1; fi`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

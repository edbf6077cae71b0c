// Starts the tests' program (program/main.rs) with the agent in it, and talks to both. Owns the temporary directory, the
// processes and the machine code that the tests patch in.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import { agentLibrary } from '../../src/host/agent/agent-build.js';
import { listenForAgent, type AgentConnection } from '../../src/host/agent/agent-connection.js';
import { IpbpError } from '../../src/codes/error.js';
import type { AgentOp } from '../../src/patch/wire/frames.js';

export const DIRECTORY = mkdtempSync(join(tmpdir(), 'ipbp-agent-'));
process.on('exit', () => {
  rmSync(DIRECTORY, { recursive: true, force: true });
});
const SOURCE = fileURLToPath(new URL('program/main.rs', import.meta.url));
const PAGE = 4096;
const running = new Set<ChildProcess>();
let sockets = 0;

/** A test after which no program is left, whatever happened. */
export function liveTest(name: string, body: () => Promise<void>): void {
  test(name, async () => {
    try {
      await body();
    } catch (error) {
      // uvu takes `details` of an error for text of its own and swallows an IpbpError, whose are an object.
      throw error instanceof IpbpError ? new Error(error.stack) : error;
    } finally {
      for (const child of running) child.kill('SIGKILL');
    }
  });
}

/** Compiles the program, once per set of arguments. */
export function compile(name: string, ...args: readonly string[]): string {
  const executable = join(DIRECTORY, name);
  execFileSync('rustc', ['--edition', '2021', '-O', SOURCE, '-o', executable, ...args]);
  return executable;
}

/** The running program: one line in, one line out. */
export interface Running {
  readonly pid: number;
  say(line: string): Promise<string>;
  /** Exit status or signal. */
  readonly ended: Promise<number | string>;
  end(): Promise<number | string>;
  kill(): void;
}

/** @param errors where its own messages go: a program that is meant to fail need not be heard */
export function start(
  executable: string,
  environment: Readonly<Record<string, string>>,
  errors: 'inherit' | 'ignore' = 'inherit',
  args: readonly string[] = [],
): Running {
  const child = spawn(executable, args, {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['pipe', 'pipe', errors],
  });
  running.add(child);
  const waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => {
      running.delete(child);
      for (const { reject } of waiting.splice(0)) reject(new Error(`the program ended with ${code ?? signal}`));
      resolve(code ?? signal ?? 'unknown');
    });
  });
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(line));
  return {
    pid: child.pid ?? 0,
    say: (line) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${line}\n`);
      }),
    ended,
    end: () => {
      child.stdin.end();
      return ended;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Functions of the program, as offsets from its base. */
export interface Functions {
  readonly plain: number;
  readonly hot: number;
  readonly quiet: number;
  readonly short: number;
}

export interface Session {
  readonly program: Running;
  readonly agent: AgentConnection;
  readonly functions: Functions;
  readonly rejected: readonly IpbpError[];
  /** Ends the program and checks that it ended well. */
  finish(): Promise<void>;
}

async function library(): Promise<string> {
  return agentLibrary('x86_64-unknown-linux-gnu');
}

export function newSocketPath(): string {
  sockets += 1;
  return join(DIRECTORY, `${sockets}.sock`);
}

/** What a program needs in its environment for the agent to come into it. */
export async function preloaded(socketPath: string, token: Uint8Array): Promise<Record<string, string>> {
  return {
    LD_PRELOAD: await library(),
    IPBP_CONNECT: `unix:${socketPath}`,
    IPBP_TOKEN: Buffer.from(token).toString('hex'),
  };
}

/** Starts the program and waits for its agent. */
export async function startSession(executable: string, environment: Record<string, string> = {}): Promise<Session> {
  const [socketPath, token, rejected] = [newSocketPath(), randomBytes(32), [] as IpbpError[]];
  const listener = await listenForAgent({ socketPath, token, onRejected: (error) => rejected.push(error) });
  const program = start(executable, { ...(await preloaded(socketPath, token)), ...environment });
  const died = program.ended.then((status) => {
    throw new Error(`the program ended with ${status} before its agent connected`);
  });
  const agent = await Promise.race([listener.accept(), died]);
  died.catch(() => undefined);
  listener.close();
  return { program, agent, functions: await functionsOf(program, agent), rejected, finish };

  async function finish(): Promise<void> {
    const status = await program.end();
    if (status !== 0) throw new Error(`the program ended with ${status}`);
  }
}

async function functionsOf(program: Running, agent: AgentConnection): Promise<Functions> {
  const base = agent.program.modules[0]?.base ?? 0;
  const [plain, hot, quiet, short] = (await program.say('addresses'))
    .split(' ')
    .map((text) => parseInt(text, 16) - base);
  return { plain: plain ?? 0, hot: hot ?? 0, quiet: quiet ?? 0, short: short ?? 0 };
}

/** The first five bytes of `plain` and `hot`: push rbp; mov rbp, rsp; and the first of mov eax, imm32. */
export const ENTRY = Uint8Array.of(0x55, 0x48, 0x89, 0xe5, 0xb8);

/** mov eax, value; ret */
export function returning(value: number): Uint8Array {
  return Uint8Array.of(0xb8, value, 0, 0, 0, 0xc3);
}

/** jmp rel32 */
export function jump(from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(5);
  bytes[0] = 0xe9;
  new DataView(bytes.buffer).setInt32(1, to - from - 5, true);
  return bytes;
}

/** The operations that put code into page `index` of the reservation, counted from its end. */
export function code(agent: AgentConnection, index: number, bytes: Uint8Array): { at: number; ops: AgentOp[] } {
  const { at: start, size } = agent.program.reservation;
  const at = start + size - (index + 1) * PAGE;
  return {
    at,
    ops: [
      { op: 'map', at, length: PAGE },
      { op: 'write', at, bytes },
      { op: 'protect', at, length: PAGE, protection: 'rx' },
    ],
  };
}

/** A cell over a function's entry. */
export function cell(at: number, oldBytes: Uint8Array, newBytes: Uint8Array): AgentOp {
  return { op: 'cell', module: 0, at, oldBytes, newBytes, guardFrom: 1, guardTo: oldBytes.length };
}

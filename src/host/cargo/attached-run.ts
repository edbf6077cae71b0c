// A program that plain `cargo run` starts in a project with `ipbp init`: its runner (init-scripts.ts) waits at a gate
// of its own for our word. The counterpart of cargo-run.ts for a process that is not our child: how it ended is not
// known here.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import type { AttachedProgram, ProgramExit } from '../events.js';
import { say, settingLines, type CargoRun } from './cargo-run.js';

/** How long a program waits for us: building the agent may take longer, and then it starts without. */
const GATE_LIMIT_MS = 15_000;
/** Without /proc each look is a process. */
const POLL_MS = process.platform === 'linux' ? 100 : 1000;

/** Takes the word at the gate over. `exited` resolves with no status, at the program's end or when it was let go alone. */
export function attachedRun({ pid, program, gate }: AttachedProgram): CargoRun {
  const start = startTime(pid);
  const fifo = join(gate, 'gate');
  let ended = false;
  let settle: (exit: ProgramExit) => void = () => undefined;
  const exited = new Promise<ProgramExit>((fulfil) => (settle = fulfil));
  const end = (): void => {
    clearInterval(poll);
    clearTimeout(limit);
    settle({ code: null, signal: null });
  };
  const poll = setInterval(() => {
    if (start !== null && startTime(pid) === start) return;
    ended = true;
    end();
  }, POLL_MS);
  /** The program starts without us, and nobody is told of its end any more. */
  const letGo = async (): Promise<void> => {
    await say(fifo, 'unpatched', exited);
    end();
  };
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    void letGo();
  }, GATE_LIMIT_MS);
  return {
    hasEnded: () => ended,
    exited,
    started: Promise.resolve({ pid, cwd: process.cwd(), program }),
    kill(signal) {
      try {
        if (startTime(pid) === start) process.kill(pid, signal);
      } catch {
        // It has ended by itself.
      }
    },
    async go(env) {
      if (late)
        throw new IpbpError('IPBP5038', `ipbp was not ready within ${GATE_LIMIT_MS / 1000} s`, { where: program });
      clearTimeout(limit);
      writeFileSync(join(gate, 'program-env'), `${settingLines(env).join('\n')}\n`, { mode: 0o600 });
      await say(fifo, 'go', exited);
    },
    turnAway: letGo,
  };
}

/** When a process started, in the system's ticks (proc(5), stat field 22); null when it is gone or a zombie. */
function startTime(pid: number): string | null {
  if (process.platform !== 'linux') return startAsListed(pid);
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** The same where there is no /proc: as ps(1) writes it, to the second. */
function startAsListed(pid: number): string | null {
  try {
    const args = ['-o', 'state=,lstart=', '-p', String(pid)];
    const text = execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const [state = '', ...start] = text.trim().split(/\s+/);
    return state === '' || state.startsWith('Z') ? null : start.join(' ');
  } catch {
    return null;
  }
}

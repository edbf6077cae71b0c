// Whether the running program reads the terminal itself: then ipbp must not ask there. A guess from what the system
// shows of the process, on the side of "it reads".
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** read, readv, pread64 by machine; a thread that sits in one of them with descriptor 0 waits for input. */
const READ_CALLS: Readonly<Record<string, readonly string[]>> = { x64: ['0', '19'], arm64: ['63', '65'] };

/** True where standard input is a terminal that the program waits on or has switched to raw mode, or none can tell. */
export function readsTerminal(pid: number): boolean {
  if (process.platform !== 'linux') return true;
  let terminal: string;
  try {
    terminal = readlinkSync(`/proc/${pid}/fd/0`);
  } catch {
    return false;
  }
  if (!/^\/dev\/(tty|pts\/|console)/.test(terminal)) return false;
  return threadReads(pid) || isRaw(terminal);
}

function threadReads(pid: number): boolean {
  const reads = READ_CALLS[process.arch] ?? [];
  try {
    return readdirSync(`/proc/${pid}/task`).some((task) => {
      const [call, descriptor] = readFileSync(`/proc/${pid}/task/${task}/syscall`, 'utf8').split(' ');
      return call !== undefined && reads.includes(call) && descriptor === '0x0';
    });
  } catch {
    return true; // Not allowed to look: do not ask.
  }
}

/** Node cannot ask for a terminal's modes; `stty` can. */
function isRaw(terminal: string): boolean {
  try {
    return execFileSync('stty', ['-F', terminal, '-a'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).includes('-icanon');
  } catch {
    return true;
  }
}

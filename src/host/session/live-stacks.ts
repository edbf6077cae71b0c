// The stacks of a program's threads that are blocked in the kernel, read from outside through /proc: proc_pid_syscall(5)
// says where a stack ends, proc_pid_mem(5) what is on it. Nothing is stopped or changed. Threads that run are left out.
import { closeSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import type { ThreadStack } from '../../patch/program/live-frames.js';

/** Most threads that are looked at, and most bytes of one stack. */
const MOST_THREADS = 256;
const MOST_BYTES = 512 * 1024;

/** One look at a process. */
export interface StackLook {
  readonly stacks: readonly ThreadStack[];
  /** Threads that run, of which nothing is known. */
  readonly running: readonly number[];
  /** Memory of the process; null where there is none. */
  read(address: number, size: number): Uint8Array | null;
  close(): void;
}

/** Null where the process cannot be looked into: it has ended, or the system forbids it. */
export function lookAtStacks(pid: number): StackLook | null {
  let memory: number;
  try {
    memory = openSync(`/proc/${pid}/mem`, 'r');
  } catch {
    return null;
  }
  const read = (address: number, size: number): Uint8Array | null => {
    const bytes = new Uint8Array(size);
    try {
      return readSync(memory, bytes, 0, size, address) === size ? bytes : null;
    } catch {
      return null;
    }
  };
  const close = (): void => closeSync(memory);
  try {
    const ends = mappingEnds(pid);
    const threads = readdirSync(`/proc/${pid}/task`).slice(0, MOST_THREADS);
    const stacks: ThreadStack[] = [];
    const running: number[] = [];
    for (const thread of threads) {
      const stackPointer = blockedAt(pid, thread);
      if (stackPointer === 'running') running.push(Number(thread));
      if (typeof stackPointer !== 'number') continue;
      const end = ends.find((candidate) => candidate > stackPointer);
      const bytes = end === undefined ? null : read(stackPointer, Math.min(end - stackPointer, MOST_BYTES));
      if (bytes !== null) stacks.push({ thread: Number(thread), stackPointer, bytes });
    }
    return { stacks, running, read, close };
  } catch {
    close();
    return null;
  }
}

/** Ends of what is mapped, rising. */
function mappingEnds(pid: number): readonly number[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n');
  return lines
    .map((line) => parseInt(line.slice(line.indexOf('-') + 1), 16))
    .filter((end) => Number.isSafeInteger(end));
}

/** The stack pointer of a thread that sleeps in a system call; null when it has ended. */
function blockedAt(pid: number, thread: string): number | 'running' | null {
  try {
    const words = readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'latin1').trim().split(' ');
    if (words[0] === 'running') return 'running';
    const stackPointer = Number(words.at(-2));
    return words.length > 2 && Number.isSafeInteger(stackPointer) && stackPointer > 0 ? stackPointer : null;
  } catch {
    return null;
  }
}

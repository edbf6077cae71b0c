// One case: the changed bytes are read, and what comes of it is judged: a value or an IpbpError that says where, in
// bounded time, with memory in proportion to the input. Slow or large ones are tried again before they count, since
// other work on the machine and the collector's whims show in a single measurement.
import { setFlagsFromString, getHeapStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { IpbpError } from '../../src/codes/error.js';
import { mutate, type Change, type Seed } from './mutations.js';
import type { Target } from './targets.js';

/** What a case may cost. */
export const BOUNDS = {
  /** Milliseconds, and for each KiB of input. */
  time: 400,
  timePerKib: 4,
  /** Bytes of memory that what is read may hold, and times the size of the input. */
  kept: 2 * 1024 * 1024,
  keptTimes: 32,
  /** The same for all that is allocated at once, garbage included. */
  allocated: 24 * 1024 * 1024,
  allocatedTimes: 64,
} as const;

/** What cases of a target have come to. */
export interface Tally {
  cases: number;
  accepted: number;
  /** By code. */
  refused: Record<string, number>;
  /** Of a single case. */
  slowestMs: number;
  largestInput: number;
  /** Bytes allocated beyond the input's size, garbage included, of a single case. */
  mostAllocated: number;
  /** How many were measured again for memory or time. */
  measuredAgain: number;
}

/** A tally of nothing. */
export function noTally(): Tally {
  return { cases: 0, accepted: 0, refused: {}, slowestMs: 0, largestInput: 0, mostAllocated: 0, measuredAgain: 0 };
}

/** The tallies together. */
export function addTally(a: Tally, b: Tally): Tally {
  const refused = { ...a.refused };
  for (const [code, count] of Object.entries(b.refused)) refused[code] = (refused[code] ?? 0) + count;
  return {
    cases: a.cases + b.cases,
    accepted: a.accepted + b.accepted,
    refused,
    slowestMs: Math.max(a.slowestMs, b.slowestMs),
    largestInput: Math.max(a.largestInput, b.largestInput),
    mostAllocated: Math.max(a.mostAllocated, b.mostAllocated),
    measuredAgain: a.measuredAgain + b.measuredAgain,
  };
}

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Twice: buffers that the first pass finds dead count until the next. */
function collect(): void {
  gc();
  gc();
}

/** Bytes in use, those of array buffers too. */
function inUse(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/** The bytes that a case reads. */
export function bytesOf(target: Target, seed: Seed, list: readonly Change[]): Uint8Array {
  const bytes = mutate(seed, list);
  return target.finish?.(bytes) ?? bytes;
}

/** Refusals are common and their stacks of no interest: making those takes most of the time of a short case. */
function withoutStacks<T>(run: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** Runs a case; throws an Error that says what is wrong with it. */
export function attempt(target: Target, seed: Seed, list: readonly Change[], tally: Tally): void {
  const bytes = bytesOf(target, seed, list);
  const before = inUse();
  const start = performance.now();
  const code = withoutStacks(() => outcome(target, bytes, seed));
  const ms = performance.now() - start;
  const allocated = inUse() - before;
  tally.cases += 1;
  if (code === null) tally.accepted += 1;
  else tally.refused[code] = (tally.refused[code] ?? 0) + 1;
  tally.largestInput = Math.max(tally.largestInput, bytes.length);
  tally.mostAllocated = Math.max(tally.mostAllocated, allocated);
  const kib = bytes.length / 1024;
  const slow = ms > BOUNDS.time + BOUNDS.timePerKib * kib;
  const large = allocated > BOUNDS.kept + BOUNDS.keptTimes * bytes.length;
  if (!slow) tally.slowestMs = Math.max(tally.slowestMs, ms);
  if (slow || large) measureAgain(target, bytes, seed, tally);
}

/** The code of the refusal, null where there is none; anything else is thrown on. */
function outcome(target: Target, bytes: Uint8Array, seed: Seed): string | null {
  try {
    target.read(bytes, seed);
    return null;
  } catch (error) {
    if (!(error instanceof IpbpError)) throw error;
    if (!target.codes.test(error.code)) throw new Error(`refused with ${error.message}`, { cause: error });
    if (target.where !== null && !target.where.test(error.facts.where ?? '')) {
      throw new Error(`does not say where: ${error.message}`, { cause: error });
    }
    return error.code;
  }
}

/** What is measured is referred to from here: a variable that is not used again keeps nothing alive. */
const held: { result: unknown } = { result: null };

function measureAgain(target: Target, bytes: Uint8Array, seed: Seed, tally: Tally): void {
  tally.measuredAgain += 1;
  collect();
  const [before, start] = [inUse(), process.cpuUsage()];
  try {
    held.result = target.read(bytes, seed);
  } catch (error) {
    if (!(error instanceof IpbpError)) throw error;
  }
  const { user, system } = process.cpuUsage(start);
  const allocated = inUse() - before;
  collect();
  const kept = inUse() - before;
  held.result = null;
  const ms = (user + system) / 1000;
  tally.slowestMs = Math.max(tally.slowestMs, ms);
  const size = bytes.length;
  if (ms > BOUNDS.time + (BOUNDS.timePerKib * size) / 1024)
    throw new Error(`took ${Math.round(ms)} ms for ${size} bytes`);
  if (kept > BOUNDS.kept + BOUNDS.keptTimes * size) throw new Error(`holds ${kept} bytes for ${size}`);
  if (allocated > BOUNDS.allocated + BOUNDS.allocatedTimes * size)
    throw new Error(`took ${allocated} bytes for ${size}`);
}

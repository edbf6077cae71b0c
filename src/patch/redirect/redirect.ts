// Plans how a function is sent to its new body: which bytes are written over its entry, and where a second jump goes
// when the long one does not fit. Knows no machine: EntryJumps says what its jumps look like and what the bytes mean.
// When no thread may stand where, and the writing itself, are the agent's.
import { hex, IpbpError } from '../../codes/error.js';
import type { EntryFacts, EntryJumps } from '../../reloc/machine.js';
import type { Cell } from '../image/image.js';
import { isFree, withTaken, type Gap, type PaddingMap } from './padding.js';

/** A cell whose module is the caller's to name. `oneWord`: all of it lies in one aligned 8-byte word. */
export interface PlannedCell extends Omit<Cell, 'module'> {
  readonly oneWord: boolean;
}

export interface RedirectRequest {
  /** Address of the function's first byte. */
  readonly entry: number;
  /** The whole function as it is in memory, not yet redirected. */
  readonly body: Uint8Array;
  /** Address of the new body, or of what leads there where the jumps go through a word: see islands.ts. */
  readonly target: number;
  readonly jumps: EntryJumps;
  readonly padding: PaddingMap;
  /** Bytes of the base program, null where it has none: for the function's jump tables. */
  read(address: number, size: number): Uint8Array | null;
}

/** `cells` in the order in which they have to be written; `padding` is the map with them taken. */
export type RedirectPlan =
  | {
      readonly kind: 'cells';
      readonly form: 'long' | 'short';
      readonly cells: readonly PlannedCell[];
      readonly padding: PaddingMap;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/** Of a function that is redirected already. */
type RetargetPlan =
  | RedirectPlan
  /** Only this word has to lead elsewhere. */
  | { readonly kind: 'word'; readonly at: number };

function cell(at: number, oldBytes: Uint8Array, newBytes: Uint8Array, guardFrom: number): PlannedCell {
  const oneWord = Math.floor(at / 8) === Math.floor((at + newBytes.length - 1) / 8);
  return { at, oldBytes, newBytes, guardFrom, guardTo: newBytes.length, oneWord };
}

/** What in the body leads to an offset behind the entry and before `size`, in words; null when nothing does. */
function entered(facts: EntryFacts, size: number): string | null {
  const target = facts.branchTargets.find((offset) => offset > 0 && offset < size);
  if (target !== undefined) return `a branch may lead to its byte ${target}`;
  const resume = facts.returnOffsets.find((offset) => offset > 0 && offset < size);
  return resume === undefined ? null : `a call in it returns to its byte ${resume}`;
}

/** A gap as padding: none of it is code, nor data. */
function isPaddingGap(gap: Gap, jumps: EntryJumps): boolean {
  return gap.bytes.length > 0 && jumps.isPadding(gap.bytes);
}

/** The first `size` bytes from the entry, those behind a short function included if they are free padding. */
function entryBytes({ entry, body, jumps, padding }: RedirectRequest, size: number): Uint8Array | null {
  if (body.length >= size) return body.slice(0, size);
  const end = entry + body.length;
  const gap = padding.gaps.gapAfter(end);
  const missing = size - body.length;
  if (gap === null || gap.start !== end || gap.bytes.length < missing || !isPaddingGap(gap, jumps)) return null;
  if (!isFree(padding, end, end + missing)) return null;
  const bytes = new Uint8Array(size);
  bytes.set(body);
  bytes.set(gap.bytes.subarray(0, missing), body.length);
  return bytes;
}

/** Gaps around the function that the short jump reaches, at least with their first or last byte. */
function* gapsInReach({ entry, jumps, padding }: RedirectRequest): Generator<Gap> {
  const from = entry + jumps.shortSize;
  for (let gap = padding.gaps.gapAfter(entry); gap !== null && gap.start <= from + jumps.shortReach.max;) {
    yield gap;
    gap = padding.gaps.gapAfter(gap.start + 1);
  }
  for (let gap = padding.gaps.gapBefore(entry); gap !== null; gap = padding.gaps.gapBefore(gap.start)) {
    if (gap.start + gap.bytes.length <= from + jumps.shortReach.min) return;
    yield gap;
  }
}

/**
 * Free room for a long jump in reach of a short one at the entry. Room inside one aligned word comes first (it can be
 * rewritten at once when the function is redirected again), then what is nearest.
 */
function findRoom(request: RedirectRequest): { readonly at: number; readonly bytes: Uint8Array } | null {
  const { entry, jumps, padding } = request;
  let best: { at: number; bytes: Uint8Array; cost: number } | null = null;
  for (const gap of gapsInReach(request)) {
    if (!isPaddingGap(gap, jumps)) continue;
    for (let offset = 0; offset + jumps.longSize <= gap.bytes.length; offset += 1) {
      const at = gap.start + offset;
      const distance = at - (entry + jumps.shortSize);
      if (distance < jumps.shortReach.min || distance > jumps.shortReach.max) continue;
      if (!isFree(padding, at, at + jumps.longSize)) continue;
      const bytes = gap.bytes.slice(offset, offset + jumps.longSize);
      const { oneWord } = cell(at, bytes, bytes, 0);
      const cost = Math.abs(distance) + (oneWord ? 0 : jumps.shortReach.max - jumps.shortReach.min);
      if (best === null || cost < best.cost) best = { at, bytes, cost };
    }
  }
  return best;
}

/** Runs the planning of jumps; one that does not reach is a refusal. */
function unlessOutOfRange<T>(plan: () => T): T | Extract<RedirectPlan, { kind: 'refused' }> {
  try {
    return plan();
  } catch (error) {
    if (error instanceof IpbpError && error.code === 'IPBP2002') return { kind: 'refused', reason: error.summary };
    throw error;
  }
}

/**
 * Plans the redirect of a function that is not redirected yet.
 *
 * A jump of n bytes is allowed when nothing in the body branches or returns to bytes 1 to n - 1: a thread that stands
 * there just now is the agent's business (the cell's guard), one that sleeps in a callee or comes back by a
 * branch is not. A branch to byte 0 forbids every redirect: it would take a half-done computation for a call. The long jump
 * is tried first, then a short one to a long one in padding, whose cell comes first.
 */
export function planRedirect(request: RedirectRequest): RedirectPlan {
  const { entry, body, target, jumps, padding } = request;
  const facts = jumps.decode(body, request);
  if (body.length === 0) return { kind: 'refused', reason: 'its size is not known' };
  if (!facts.complete) {
    const known = facts.lengths.reduce((sum, length) => sum + length, 0);
    return { kind: 'refused', reason: `the instruction at its byte ${known} is not known` };
  }
  if (facts.branchTargets.includes(0)) {
    return { kind: 'refused', reason: 'a loop in it may lead back to its first byte' };
  }
  return unlessOutOfRange((): RedirectPlan => {
    const longObstacle = entered(facts, jumps.longSize);
    const longBytes = longObstacle === null ? entryBytes(request, jumps.longSize) : null;
    if (longBytes !== null) {
      const cells = [cell(entry, longBytes, jumps.long(entry, target), 1)];
      return { kind: 'cells', form: 'long', cells, padding: withTaken(padding, cells) };
    }
    const obstacle = longObstacle ?? `it has ${body.length} bytes and no padding behind it`;
    if (jumps.shortSize === 0) return { kind: 'refused', reason: obstacle };
    const shortObstacle = entered(facts, jumps.shortSize);
    if (shortObstacle !== null) return { kind: 'refused', reason: shortObstacle };
    const shortBytes = entryBytes(request, jumps.shortSize);
    if (shortBytes === null) return { kind: 'refused', reason: obstacle };
    const behind = { at: entry, newBytes: shortBytes };
    const room = findRoom({ ...request, padding: withTaken(padding, [behind]) });
    if (room === null) {
      return { kind: 'refused', reason: `${obstacle}, and no free padding is in reach of a short jump` };
    }
    const cells = [
      // Guarded from its first byte on: when it is taken back, a thread may be between the two jumps.
      cell(room.at, room.bytes, jumps.long(room.at, target), 0),
      cell(entry, shortBytes, jumps.short(entry, room.at), 1),
    ];
    return { kind: 'cells', form: 'short', cells, padding: withTaken(padding, cells) };
  });
}

/** Whether two byte strings are equal. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/**
 * Plans to send a function elsewhere that earlier cells redirect already: only its long jump is rewritten, over the entry
 * or in padding. `live` are the cells of the entry's module that are written now, oldest first. Null when none
 * of them redirects this entry: then it is planRedirect's.
 */
export function planRetarget(
  request: Pick<RedirectRequest, 'entry' | 'target' | 'jumps' | 'padding' | 'read'> & {
    readonly live: readonly Omit<Cell, 'module'>[];
  },
): RetargetPlan | null {
  const { entry, target, jumps, padding, live, read } = request;
  const over = live.findLast(({ at }) => at === entry);
  if (over === undefined) return null;
  if (over.newBytes.length === jumps.longSize) return unlessOutOfRange(() => rewrite(over, 'long'));
  const room = live.findLast(({ at, newBytes }) => {
    const distance = at - (entry + jumps.shortSize);
    if (newBytes.length !== jumps.longSize || distance < jumps.shortReach.min || distance > jumps.shortReach.max)
      return false;
    return same(jumps.short(entry, at), over.newBytes);
  });
  if (room === undefined) return { kind: 'refused', reason: `what redirects ${hex(entry)} now is not known` };
  return unlessOutOfRange(() => rewrite(room, 'short'));

  function rewrite(jump: Omit<Cell, 'module'>, form: 'long' | 'short'): RetargetPlan {
    const word = jumps.wordOf(jump.newBytes, jump.at, read);
    if (word !== null) return { kind: 'word', at: word };
    const cells = [cell(jump.at, jump.newBytes, jumps.long(jump.at, target), 1)];
    return { kind: 'cells', form, cells, padding };
  }
}

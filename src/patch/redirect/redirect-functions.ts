// Redirects every copy of every changed function of one patch: finds the copies and their bodies, keeps track of the
// padding that is used, and collects what has to be refused. How one entry is redirected is redirect.ts's.
import { hex } from '../../codes/error.js';
import type { LinkedImage } from '../../link/linked-image.js';
import type { BaseProgram } from '../program/base-program.js';
import type { RefusedItem } from '../engine.js';
import type { Cell, Rebase, Redirection, SlotCell } from '../image/image.js';
import { gapsBetween, paddingOf, type GapSource, type PaddingMap } from './padding.js';
import { ownersOf } from '../program/owners.js';
import {
  entryWordOf,
  findItems,
  isInLibrary,
  liveBytes,
  liveCells,
  slotTarget,
  stubOf,
  wordTarget,
  type LiveItem,
  type Program,
} from '../program/program.js';
import { placeIn, type Island } from './islands.js';
import { planRedirect, planRetarget } from './redirect.js';
import type { ChangedFunction } from '../roots.js';

export interface Redirects extends Redirection {
  /** Functions whose old body never ends: threads that are inside do not come to the new one. Demangled. */
  readonly endless: readonly string[];
  /** The words of the island that new jumps go through. */
  readonly words: readonly Rebase[];
  readonly refused: readonly RefusedItem[];
  /** Functions at whose entry no jump may stand, by mangled name: refused unless all that call them can be linked anew. */
  readonly noJump: ReadonlyMap<string, RefusedItem>;
}

const baseGaps = new WeakMap<BaseProgram, GapSource>();

/** The padding of the base is looked for once per program, and only when a redirect needs some. */
function gapsOfBase(base: BaseProgram): GapSource {
  const made = (): GapSource => {
    const known = baseGaps.get(base) ?? gapsBetween(base.functionsByAddress(), (at, size) => base.read(at, size));
    baseGaps.set(base, known);
    return known;
  };
  return { gapBefore: (at) => made().gapBefore(at), gapAfter: (at) => made().gapAfter(at) };
}

/** The padding between functions of earlier patches. */
function gapsOfImages(program: Program): GapSource {
  const functions = program.mapped.flatMap(({ image }) => image.symbols.filter(({ kind }) => kind === 'function'));
  return gapsBetween(functions, (at, size) => liveBytes(program, at, size));
}

/** Up to the next function when the symbol has no size. */
function bodyOf(program: Program, item: LiveItem): Uint8Array | null {
  if (item.size > 0) return liveBytes(program, item.address, item.size);
  const next = program.base.functionsByAddress().find((other) => other.address > item.address);
  return next === undefined ? null : liveBytes(program, item.address, next.address - item.address);
}

/** The body as it was linked, without the jump of an earlier patch; null for functions that a patch brought. */
function originalBody({ base }: Program, { address, size }: Pick<LiveItem, 'address' | 'size'>): Uint8Array | null {
  return address >= base.start && size > 0 ? base.read(address, size) : null;
}

/** How many jumps through words {@link redirectFunctions} may need. */
export function mostJumps(program: Program, functions: readonly ChangedFunction[]): number {
  const { base } = program;
  const copies = functions.flatMap(({ name }) => findItems(program, name));
  return copies.filter((copy) => copy.kind === 'function' && base.slotOf(copy) === null).length;
}

/**
 * Plans the cells of a patch: `image` holds the new bodies. Nothing is written when anything is refused.
 * @param jumping where code stays as it is loaded, why: then only slots are changed. `island`: for an image that may lie
 *   anywhere; null for one that jumps reach.
 */
export function redirectFunctions(
  program: Program,
  functions: readonly ChangedFunction[],
  image: LinkedImage,
  jumping: { readonly island: Island | null } | { readonly not: string },
): Redirects {
  const { base } = program;
  const { machine } = base;
  const island = 'not' in jumping ? null : jumping.island;
  const jumps = island === null ? machine.entry : machine.entryThroughWord;
  const words: Rebase[] = [];
  const live = liveCells(program).filter((cell) => cell.module === 0);
  let basePadding: PaddingMap = paddingOf(gapsOfBase(base), live);
  let imagePadding: PaddingMap = paddingOf(gapsOfImages(program), live);
  const cells: Cell[] = [];
  const slots: SlotCell[] = [];
  const refused: RefusedItem[] = [];
  const noJump = new Map<string, RefusedItem>();
  const endless = new Set<string>();
  const done = new Set<number>();
  const read = (at: number, size: number): Uint8Array | null => liveBytes(program, at, size);
  for (const item of functions) {
    const target = image.addressOf(item.body.atom) + item.body.symbol.offset;
    for (const copy of findItems(program, item.name)) {
      if (copy.kind !== 'function' || done.has(copy.address)) continue;
      done.add(copy.address);
      const refusal = (code: RefusedItem['code'], message: string): RefusedItem => ({
        code,
        name: item.demangled,
        message,
        because: [`its entry is at ${hex(copy.address)}`],
      });
      // A body that goes on serving others stays as it is: this function has a place of its own in the image.
      if (ownersOf(program, copy.address).some((name) => item.apartFrom.includes(name))) continue;
      if (item.retyped) continue;
      const slot = base.slotOf(copy);
      if (slot !== null) {
        const { at, body } = slot;
        const code = originalBody(program, body);
        if (code !== null && jumps.decode(code).endless) endless.add(item.demangled);
        slots.push({ module: 0, at, oldTarget: slotTarget(program, at) ?? body.address, newTarget: target });
        continue;
      }
      const stub = stubOf(program, copy.address);
      if (stub !== null) {
        slots.push({ module: 0, at: stub, oldTarget: wordTarget(program, stub) ?? copy.address, newTarget: target });
        continue;
      }
      if ('not' in jumping && base.slots === 0) {
        const stays = refusal('IPBP3016', 'the program was built without slots, and its code is not to be changed');
        refused.push({ ...stays, because: [...stays.because, jumping.not] });
        continue;
      }
      if ('not' in jumping) {
        if (item.noJump === null) noJump.set(item.name, refusal('IPBP3016', 'no slot leads to it'));
        continue;
      }
      const inBase = copy.address >= base.start;
      const padding = inBase ? basePadding : imagePadding;
      const body = bodyOf(program, copy);
      if (body === null) {
        refused.push(refusal('IPBP3002', 'its bytes are not in the executable'));
        continue;
      }
      const entry = copy.address;
      if (jumps.decode(originalBody(program, copy) ?? body).endless) endless.add(item.demangled);
      if (item.noJump !== null) continue;
      const inLibrary = isInLibrary(program, entry);
      const [leads, beside] = island === null ? [target, null] : placeIn(island, words.length, machine);
      const word = inLibrary ? entryWordOf(program, entry) : beside;
      if (island !== null && (word === null || (inLibrary && machine.wordJump !== null))) {
        noJump.set(item.name, refusal('IPBP3001', 'an earlier patch brought it without a word to jump through'));
        continue;
      }
      const to = inLibrary ? (word ?? target) : leads;
      const plan =
        planRetarget({ entry, target: to, jumps, padding, live, read }) ??
        planRedirect({ entry, body, target: to, jumps, padding, read });
      if (plan.kind === 'refused') {
        noJump.set(item.name, refusal('IPBP3001', plan.reason));
        continue;
      }
      const changed = plan.kind === 'word' ? plan.at : inLibrary ? word : null;
      if (changed !== null) {
        slots.push({ module: 0, at: changed, oldTarget: wordTarget(program, changed) ?? entry, newTarget: target });
      } else if (word !== null) words.push({ at: word, module: 0, value: target });
      if (plan.kind === 'word') continue;
      if (inBase) basePadding = plan.padding;
      else imagePadding = plan.padding;
      for (const { at, oldBytes, newBytes, guardFrom, guardTo } of plan.cells) {
        cells.push({ module: 0, at, oldBytes, newBytes, guardFrom, guardTo });
      }
    }
  }
  return { cells, slots, words, refused, noJump, endless: [...endless] };
}

// What relocated places of arm64 code and data hold. Apple's <mach-o/arm64/reloc.h>; instructions by the Arm Architecture
// Reference Manual (DDI 0487).
import type { Judge, Meaning, Place } from './judge.js';
import { judgeDifference, judgePointer, tell } from './judge.js';

const [UNSIGNED, BRANCH26, PAGE21, PAGEOFF12, GOT_PAGE21, GOT_PAGEOFF12, TO_GOT, TLVP_PAGE21, TLVP_PAGEOFF12] = [
  0, 2, 3, 4, 5, 6, 7, 8, 9,
];
const ADDEND = 10;
const PAGE = 0x1000;
const pageOf = (address: number): number => Math.floor(address / PAGE) * PAGE;

function adrp(word: number, at: number): number | null {
  if ((word & 0x9f000000) >>> 0 !== 0x90000000) return null;
  const pages = (((word >> 5) & 0x7ffff) << 2) | ((word >>> 29) & 3);
  return pageOf(at) + ((pages << 11) >> 11) * PAGE;
}

/** The bits below a page that an instruction adds or loads from; null for other instructions. */
function low12(word: number): number | null {
  const immediate = (word >>> 10) & 0xfff;
  if ((word & 0x7fc00000) >>> 0 === 0x11000000) return immediate; // add
  if ((word & 0x3b000000) >>> 0 !== 0x39000000) return null; // load or store, unsigned offset
  const vector = (word & 0x04800000) >>> 0 === 0x04800000;
  const scale = vector && word >>> 30 === 0 ? 4 : word >>> 30;
  return immediate * 2 ** scale;
}

function branchTarget(word: number, at: number): number | null {
  return (word & 0x7c000000) >>> 0 === 0x14000000 ? at + (((word & 0x3ffffff) << 6) >> 6) * 4 : null;
}

/** The slot of `adrp; ldr; br` at an address. */
function slotOfStub(judge: Judge): (at: number) => number | null {
  const { view, sections } = judge.file;
  return (at) => {
    const code = sections.find(({ address, size }) => at >= address && at + 12 <= address + size);
    if (code === undefined) return null;
    const from = code.offset + at - code.address;
    const page = adrp(view.getUint32(from, true), at);
    const load = view.getUint32(from + 4, true);
    if (page === null || (load & 0xffc00000) >>> 0 !== 0xf9400000) return null;
    return (view.getUint32(from + 8, true) & 0xfffffc1f) >>> 0 === 0xd61f0000
      ? page + ((load >>> 10) & 0xfff) * 8
      : null;
  };
}

/** Where `adrp; add; br` at an address leads: how branches reach far. */
function farTarget(judge: Judge, at: number): number | null {
  const { view, sections } = judge.file;
  const code = sections.find(({ address, size }) => at >= address && at + 12 <= address + size);
  if (code === undefined) return null;
  const from = code.offset + at - code.address;
  const page = adrp(view.getUint32(from, true), at);
  const add = view.getUint32(from + 4, true);
  const goes = (view.getUint32(from + 8, true) & 0xfffffc1f) >>> 0 === 0xd61f0000;
  return page !== null && goes && (add & 0xffc00000) >>> 0 === 0x91000000 ? page + ((add >>> 10) & 0xfff) : null;
}

/** Any address that the meaning has, for what is less than an address. */
function candidates(judge: Judge, meaning: Meaning): number[] {
  if (meaning.kind === 'address') return [meaning.address];
  if (meaning.kind === 'import') return [];
  const wanted = Buffer.from(meaning.bytes);
  const whole = Buffer.from(judge.file.bytes);
  return judge.file.sections.flatMap(({ type, offset, size, address }) => {
    if (![2, 3, 4, 0xe].includes(type) && type !== 0) return [];
    const found: number[] = [];
    for (let at = whole.indexOf(wanted, offset); at >= 0 && at < offset + size; at = whole.indexOf(wanted, at + 1)) {
      found.push(address + at - offset);
    }
    return found;
  });
}

/** Empty when the place is right, null when it cannot be told, else what is wrong. */
export function judgeArm64(judge: Judge, place: Place): string | null {
  const { object, relocation, pair, at, from, to } = place;
  const { view } = judge.file;
  if (pair !== null && pair.type !== ADDEND) return judgeDifference(judge, place);
  if (relocation.type === UNSIGNED) return relocation.length === 3 ? judgePointer(judge, place) : null;
  const addend = pair === null ? 0 : (pair.symbol << 8) >> 8;
  const meaning = relocation.external ? judge.meaningOf(object, relocation.symbol, addend) : null;
  if (meaning === null) return null;
  const word = view.getUint32(to, true);
  const wrong = (what: string): string => `${what} (0x${word.toString(16)}), not ${tell(meaning)}`;
  switch (relocation.type) {
    case BRANCH26: {
      const target = branchTarget(word, at);
      if (target === null) return wrong('no branch');
      if (judge.leadsTo(target, meaning, slotOfStub(judge))) return '';
      const far = farTarget(judge, target);
      return far !== null && judge.leadsTo(far, meaning, slotOfStub(judge))
        ? ''
        : wrong(`a branch to 0x${target.toString(16)}`);
    }
    case PAGE21: {
      const page = adrp(word, at);
      if (page === null) return wrong('no adrp');
      return candidates(judge, meaning).some((one) => pageOf(one) === page) ? '' : wrong(`page 0x${page.toString(16)}`);
    }
    case PAGEOFF12: {
      const low = low12(word);
      if (low === null) return wrong('no low bits');
      return candidates(judge, meaning).some((one) => one % PAGE === low) ? '' : wrong(`bits 0x${low.toString(16)}`);
    }
    case GOT_PAGE21:
    case TLVP_PAGE21: {
      const page = adrp(word, at);
      if (page === null) return wrong('no adrp');
      const either = [...candidates(judge, meaning), ...judge.slotsOf(meaning)];
      return either.some((one) => pageOf(one) === page) ? '' : wrong(`page 0x${page.toString(16)}`);
    }
    case GOT_PAGEOFF12:
    case TLVP_PAGEOFF12: {
      const low = low12(word);
      const isAdd = (word & 0xffc00000) >>> 0 === 0x91000000;
      if (low === null) return wrong('no low bits');
      const those = isAdd ? candidates(judge, meaning) : judge.slotsOf(meaning);
      return those.some((one) => one % PAGE === low)
        ? ''
        : wrong(`${isAdd ? 'add' : 'load'} of bits 0x${low.toString(16)}`);
    }
    case TO_GOT: {
      const slot = relocation.pcRelative ? at + (word | 0) : Number(view.getBigInt64(to, true));
      return judge.isIn(slot, meaning) ? '' : wrong(`the word at 0x${slot.toString(16)}`);
    }
    default:
      return `relocation type ${relocation.type} at 0x${from.toString(16)} of ${object.path}`;
  }
}

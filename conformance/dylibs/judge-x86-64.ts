// What relocated places of x86-64 code and data hold. Apple's <mach-o/x86_64/reloc.h>; instructions by the Intel SDM.
import { judgeDifference, judgePointer, tell, type Judge, type Place } from './judge.js';

const [UNSIGNED, SIGNED, BRANCH, GOT_LOAD, GOT, SIGNED_1, SIGNED_2, SIGNED_4, TLV] = [0, 1, 2, 3, 4, 6, 7, 8, 9];
const BEHIND: ReadonlyMap<number | undefined, number> = new Map([
  [SIGNED_1, 1],
  [SIGNED_2, 2],
  [SIGNED_4, 4],
]);

/** The slot that `jmp *slot(%rip)` at an address jumps through. */
function slotOfStub(judge: Judge): (at: number) => number | null {
  const { view, sections } = judge.file;
  return (at) => {
    const stubs = sections.find(({ type, address, size }) => type === 8 && at >= address && at < address + size);
    if (stubs === undefined) return null;
    const from = stubs.offset + at - stubs.address;
    return view.getUint16(from) === 0xff25 ? at + 6 + view.getInt32(from + 2, true) : null;
  };
}

/** Empty when the place is right, null when it cannot be told, else what is wrong. */
export function judgeX8664(judge: Judge, place: Place): string | null {
  const { object, section, relocation, pair, at, from, to } = place;
  const { view } = judge.file;
  if (pair !== null) return judgeDifference(judge, place);
  if (relocation.type === UNSIGNED) return relocation.length === 3 ? judgePointer(judge, place) : null;
  if (relocation.length !== 2) return null;
  const behind = BEHIND.get(relocation.type) ?? 0;
  const inObject = object.view.getInt32(from, true);
  // What is added to the address of a word is no part of what it holds.
  const ofWord = [GOT, GOT_LOAD, TLV].includes(relocation.type);
  const meaning = relocation.external
    ? judge.meaningOf(object, relocation.symbol, ofWord ? 0 : inObject + behind)
    : judge.meaningAt(object, section.address + relocation.address + 4 + behind + inObject);
  if (meaning === null) return null;
  const found = at + 4 + behind + view.getInt32(to, true) - (ofWord ? inObject : 0);
  const hex = `0x${found.toString(16)}`;
  switch (relocation.type) {
    case SIGNED:
    case SIGNED_1:
    case SIGNED_2:
    case SIGNED_4:
      return judge.isAt(found, meaning) ? '' : `${hex}, not ${tell(meaning)}`;
    case BRANCH:
      return judge.leadsTo(found, meaning, slotOfStub(judge)) ? '' : `a branch to ${hex}, not ${tell(meaning)}`;
    case GOT:
      return judge.isIn(found, meaning)
        ? ''
        : `the word at ${hex} gets ${tell(judge.slots.get(found))}, not ${tell(meaning)}`;
    case GOT_LOAD:
    case TLV: {
      const opcode = view.getUint8(to - 2);
      if (opcode === 0x8d) return judge.isAt(found, meaning) ? '' : `lea of ${hex}, not ${tell(meaning)}`;
      if (opcode !== 0x8b && opcode !== object.view.getUint8(from - 2)) return `opcode 0x${opcode.toString(16)}`;
      return judge.isIn(found, meaning)
        ? ''
        : `a load of ${hex} (${tell(judge.slots.get(found))}), not of ${tell(meaning)}`;
    }
    default:
      return `relocation type ${relocation.type}`;
  }
}

// What a relocated place of arm64 leads to (ELF for the Arm 64-bit Architecture, 5.7). Instructions hold halves of
// addresses: a half is held against what the symbol's address, or one of its slots, would have there.
import { type Meant } from './definitions.js';
import { adrImmediate, bitsOf, pageOf, signedBitsOf } from './machine-facts.js';
import { judgeFixed, judgeThreadOffset, judgeWord, signedAt, type Found, type Place } from './place.js';
import { wrong, type Outcome, type Resolver } from './resolver.js';

const NOP = 0xd503201f;

function wordAt(resolver: Resolver, at: number): number {
  return resolver.view.elf.view.getUint32(at, true);
}

/** A load's word; where GNU ld has put a branch to a copy of it (erratum 843419 of the Cortex-A53), the copy. */
function loadAt(resolver: Resolver, { at, address }: Place): number {
  const word = wordAt(resolver, at);
  if (bitsOf(word, 26, 6) !== 0x05) return word;
  return resolver.view.uint32(address + signedBitsOf(word, 0, 26) * 4);
}

/** The page that an ADRP says, or an ADR that took its place for the same erratum. */
function pageAt(resolver: Resolver, { at, address }: Place): number {
  const word = wordAt(resolver, at);
  return isAdr(word) ? address + adrImmediate(word) : pageOf(address) + adrImmediate(word) * 4096;
}

function isAdr(word: number): boolean {
  return bitsOf(word, 24, 5) === 0x10 && bitsOf(word, 31, 1) === 0;
}

/** The low 12 bits that an ADD or a load or store says, scaled as the instruction does. */
function lowBits(word: number): number {
  const immediate = bitsOf(word, 10, 12);
  if (bitsOf(word, 23, 8) === 0x22) return immediate;
  const vector = bitsOf(word, 26, 1) === 1 && bitsOf(word, 23, 1) === 1;
  return immediate * (vector ? 16 : 2 ** bitsOf(word, 30, 2));
}

/** The whole address that the halves of one symbol and addend say within a section, for what has no address of its own. */
function joined(resolver: Resolver, place: Place): number | null {
  const { relocations, relocation, address, at } = place;
  let page: number | null = null;
  let low: number | null = null;
  for (const one of relocations) {
    if (one.symbol !== relocation.symbol || one.addend !== relocation.addend) continue;
    const distance = one.offset - relocation.offset;
    const there = { ...place, at: at + distance, address: address + distance };
    const word = wordAt(resolver, there.at);
    const isPage = one.type === 275 || one.type === 276;
    if (isAdr(word) && !isPage) return there.address + adrImmediate(word);
    if (isPage) page = pageAt(resolver, there);
    else if (LOW_TYPES.has(one.type)) low = lowBits(loadAt(resolver, there));
  }
  return page === null || low === null ? null : page + low;
}

const LOW_TYPES = new Set([277, 278, 284, 285, 286, 299]);

function judgeHalf(resolver: Resolver, place: Place, half: 'page' | 'low'): Outcome {
  const { meant, relocation, address, at } = place;
  if (meant.kind === 'merged') {
    const whole = joined(resolver, place);
    return whole === null
      ? wrong('half an address', meant)
      : resolver.isAddress(meant, whole - relocation.addend, relocation.addend);
  }
  const wanted = meant.address + relocation.addend;
  const word = half === 'page' ? wordAt(resolver, at) : loadAt(resolver, place);
  if (isAdr(word)) {
    const target = address + adrImmediate(word);
    return target === wanted || (half === 'page' && target === pageOf(wanted)) ? 'local' : wrong(target, meant);
  }
  // The pair was made one ADR, which is the second of the two.
  if (half === 'page' && word === NOP) return isAdr(wordAt(resolver, at + 4)) ? 'local' : wrong('nop', meant);
  const found = half === 'page' ? pageAt(resolver, place) : lowBits(word);
  return found === (half === 'page' ? pageOf(wanted) : wanted - pageOf(wanted)) ? 'local' : wrong(found, meant);
}

/** Half of a slot's address: any of the symbol's slots may be the one. */
function judgeSlotHalf(
  resolver: Resolver,
  place: Place,
  slots: readonly number[],
  half: 'page' | 'low',
): number | null {
  const found = half === 'page' ? pageAt(resolver, place) : lowBits(loadAt(resolver, place));
  return slots.find((slot) => (half === 'page' ? pageOf(slot) : slot - pageOf(slot)) === found) ?? null;
}

function judgeGotHalf(resolver: Resolver, place: Place, half: 'page' | 'low'): Outcome {
  const { meant, address, relocation } = place;
  const loads = half === 'page' || bitsOf(loadAt(resolver, place), 22, 10) === 0x3e5;
  const slot = loads ? judgeSlotHalf(resolver, place, resolver.addressSlots(meant), half) : null;
  const through =
    slot === null ? wrong(`no slot at ${address}`, meant) : resolver.isWord(meant, slot, relocation.addend);
  if (!through.startsWith('wrong')) return through;
  // A page may be that of a word and of the symbol itself: what is loaded or added behind it says which is meant.
  const direct = judgeHalf(resolver, place, half);
  return direct.startsWith('wrong') ? through : direct;
}

function judgeThreadHalf(
  resolver: Resolver,
  place: Place,
  kind: 'module' | 'thread-offset' | 'descriptor',
  half: 'page' | 'low',
): Outcome {
  const slot = judgeSlotHalf(resolver, place, resolver.threadSlots(place.meant, kind), half);
  return slot === null ? wrong(`no ${kind}`, place.meant) : resolver.isThreadSlot(place.meant, slot, kind);
}

/** A descriptor's sequence; GNU ld makes it a load of the offset where another place has that already. */
function judgeDescriptorHalf(resolver: Resolver, place: Place, half: 'page' | 'low'): Found {
  if (place.relocation.type === 564 && wordAt(resolver, place.at) === NOP) return 'marker';
  const found = judgeThreadHalf(resolver, place, 'descriptor', half);
  return found.startsWith('wrong') ? judgeThreadHalf(resolver, place, 'thread-offset', half) : found;
}

function judgeBranch(
  resolver: Resolver,
  { meant, relocation, address, at }: Place,
  low: number,
  count: number,
): Outcome {
  const word = wordAt(resolver, at);
  // A call of an undefined weak function is no call (5.7.9): a nop, or a branch to the next instruction.
  const offset = word === NOP ? 4 : signedBitsOf(word, low, count) * 4;
  if (meant.kind === 'nothing' && offset === 4) return 'zero';
  return resolver.isCode(meant, address + offset - relocation.addend);
}

function judgeDistance(
  resolver: Resolver,
  { meant, relocation, address, at, loaded }: Place,
  bytes: 2 | 4 | 8,
): Outcome {
  const found = signedAt(resolver, at, bytes) + address - relocation.addend;
  if (!loaded) return resolver.isOffset(meant, found, relocation.addend);
  const straight = resolver.isAddress(meant, found, relocation.addend);
  return straight.startsWith('wrong') ? resolver.isCode(meant, found) : straight;
}

function judgePart(found: number, wanted: number, meant: Meant): Outcome {
  return found === wanted ? 'local' : wrong(found, meant);
}

/** Judges a place of arm64. */
export function judgeArm64(resolver: Resolver, place: Place): Found {
  const { relocation, meant, address, at } = place;
  const { type, addend } = relocation;
  const word = (): number => wordAt(resolver, at);
  const threadOffset = (): number => resolver.threadOffset(meant) + addend;
  switch (type) {
    case 0: // NONE
    case 569: // TLSDESC_CALL
      return 'marker';
    case 257: // ABS64
      return judgeWord(resolver, place);
    case 258: // ABS32
      return judgeFixed(resolver, place, 4);
    case 259: // ABS16
      return judgeFixed(resolver, place, 2);
    case 260: // PREL64
      return judgeDistance(resolver, place, 8);
    case 261: // PREL32
    case 314: // PLT32
      return judgeDistance(resolver, place, 4);
    case 262: // PREL16
      return judgeDistance(resolver, place, 2);
    case 273: // LD_PREL_LO19
      return resolver.isAddress(meant, address + signedBitsOf(word(), 5, 19) * 4 - addend, addend);
    case 274: // ADR_PREL_LO21
      return resolver.isAddress(meant, address + adrImmediate(word()) - addend, addend);
    case 275: // ADR_PREL_PG_HI21
    case 276: // ADR_PREL_PG_HI21_NC
      return judgeHalf(resolver, place, 'page');
    case 277: // ADD_ABS_LO12_NC
    case 278: // LDST8_ABS_LO12_NC
    case 284: // LDST16_ABS_LO12_NC
    case 285: // LDST32_ABS_LO12_NC
    case 286: // LDST64_ABS_LO12_NC
    case 299: // LDST128_ABS_LO12_NC
      return judgeHalf(resolver, place, 'low');
    case 279: // TSTBR14
      return judgeBranch(resolver, place, 5, 14);
    case 280: // CONDBR19
      return judgeBranch(resolver, place, 5, 19);
    case 282: // JUMP26
    case 283: // CALL26
      return judgeBranch(resolver, place, 0, 26);
    case 309: // GOT_LD_PREL19
      return resolver.isWord(meant, address + signedBitsOf(word(), 5, 19) * 4, addend);
    case 311: // ADR_GOT_PAGE
      return judgeGotHalf(resolver, place, 'page');
    case 312: // LD64_GOT_LO12_NC
      return judgeGotHalf(resolver, place, 'low');
    case 315: // GOTPCREL32
      return resolver.isWord(meant, address + signedAt(resolver, at, 4) - addend, 0);
    case 513: // TLSGD_ADR_PAGE21
      return judgeThreadHalf(resolver, place, 'module', 'page');
    case 514: // TLSGD_ADD_LO12_NC
      return judgeThreadHalf(resolver, place, 'module', 'low');
    case 518: // TLSLD_ADR_PAGE21
    case 519: {
      const half = type === 518 ? 'page' : 'low';
      const slot = judgeSlotHalf(resolver, place, resolver.moduleSlots(meant), half);
      return slot === null ? wrong('no module', meant) : 'local';
    }
    case 528: // TLSLD_ADD_DTPREL_HI12
      return judgePart(bitsOf(word(), 10, 12), Math.floor(threadOffset() / 4096), meant);
    case 529: // TLSLD_ADD_DTPREL_LO12
    case 530: // TLSLD_ADD_DTPREL_LO12_NC
      return judgePart(bitsOf(word(), 10, 12), threadOffset() % 4096, meant);
    case 541: // TLSIE_ADR_GOTTPREL_PAGE21
      return judgeThreadHalf(resolver, place, 'thread-offset', 'page');
    case 542: // TLSIE_LD64_GOTTPREL_LO12_NC
      return judgeThreadHalf(resolver, place, 'thread-offset', 'low');
    case 562: // TLSDESC_ADR_PAGE21
      return judgeDescriptorHalf(resolver, place, 'page');
    case 563: // TLSDESC_LD64_LO12
    case 564: // TLSDESC_ADD_LO12
      return judgeDescriptorHalf(resolver, place, 'low');
    case 1028: // TLS_DTPMOD64 and TLS_DTPREL64, which debug information uses
    case 1029:
      return judgeThreadOffset(resolver, place, 8);
    default:
      throw new Error(`${place.object.key}: relocation type ${type} of arm64`);
  }
}

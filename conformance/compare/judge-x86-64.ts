// What a relocated place of x86-64 leads to (x86-64 psABI 1.0, 4.4 and 4.11; B.2 for the rewrites of GOT loads).
import { judgeFixed, judgeThreadOffset, judgeWord, signedAt, type Found, type Place } from './place.js';
import { wrong, type Outcome, type Resolver } from './resolver.js';

/** A distance from the place to code or data, or to a stub. */
function judgeDistance(resolver: Resolver, place: Place, bytes: 1 | 2 | 4 | 8): Outcome {
  const { meant, relocation, address, at, loaded } = place;
  const found = signedAt(resolver, at, bytes) + address - relocation.addend;
  if (!loaded) return resolver.isOffset(meant, found, relocation.addend);
  const straight = resolver.isAddress(meant, found, relocation.addend);
  return straight.startsWith('wrong') ? resolver.isCode(meant, found) : straight;
}

const CALL_THROUGH = 0x15;
const JUMP_THROUGH = 0x25;

/** The forms of mov, of arithmetic and of test that take a constant. */
const WITH_CONSTANT = new Set([0xc7, 0x81, 0xf7]);

/** A load, call or jump through the GOT: as it was, or made direct. */
function judgeGotLoad(resolver: Resolver, place: Place): Outcome {
  const { object, section, meant, relocation, address, at } = place;
  const out = resolver.view.elf.bytes;
  const before = object.elf.sections[section]!.offset + relocation.offset;
  const [oldFirst, oldSecond] = [object.elf.bytes[before - 2], object.elf.bytes[before - 1]];
  const [first, second] = [out[at - 2], out[at - 1]];
  const target = signedAt(resolver, at, 4) + address - relocation.addend;
  if (first === oldFirst && second === oldSecond) return resolver.isWord(meant, target, 0);
  if (oldFirst === 0x8b && first === 0x8d && second === oldSecond) return resolver.isAddress(meant, target, 0);
  // Of what nobody has, the 0 itself is taken.
  if (meant.kind === 'nothing' && WITH_CONSTANT.has(first!)) {
    return signedAt(resolver, at, 4) === 0 ? 'zero' : wrong(signedAt(resolver, at, 4), meant);
  }
  // As long as before: an address size that means nothing there, or a nop of mold's.
  if (oldFirst === 0xff && oldSecond === CALL_THROUGH && (first === 0x67 || first === 0x90) && second === 0xe8) {
    return resolver.isCode(meant, target);
  }
  // One byte shorter: the distance starts a byte earlier, a nop follows.
  const shorter = oldFirst === 0xff && (oldSecond === JUMP_THROUGH ? first === 0xe9 : first === 0xe8);
  if (shorter) return resolver.isCode(meant, address + 3 + signedAt(resolver, at - 1, 4));
  return wrong(`bytes ${first?.toString(16)} ${second?.toString(16)} before the place`, meant);
}

/** `mov %fs:0,%rax; add x@gottpoff(%rip),%rax`, which linkers put in the place of general-dynamic's sequence. */
function judgeGeneralDynamic(resolver: Resolver, { meant, relocation, address, at }: Place): Outcome {
  const out = resolver.view.elf.bytes;
  if (out[at - 4] === 0x64 && out[at + 5] === 0x48 && out[at + 6] === 0x03) {
    return resolver.isThreadSlot(meant, address + 12 + signedAt(resolver, at + 8, 4), 'thread-offset');
  }
  const target = signedAt(resolver, at, 4) + address - relocation.addend;
  return resolver.isThreadSlot(meant, target, 'module');
}

function judgeDescriptor(resolver: Resolver, { meant, relocation, address, at }: Place): Outcome {
  const target = signedAt(resolver, at, 4) + address - relocation.addend;
  const loads = resolver.view.elf.bytes[at - 2] === 0x8b;
  return resolver.isThreadSlot(meant, target, loads ? 'thread-offset' : 'descriptor');
}

/** True for the call that belongs to a general-dynamic access which became another. */
function isReplacedCall(resolver: Resolver, { relocations, number, meant, relocation, at }: Place): boolean {
  const earlier = relocations[number - 1];
  if (meant.name !== '__tls_get_addr' || earlier?.type !== 19) return false;
  const start = at - (relocation.offset - earlier.offset);
  return resolver.view.elf.bytes[start - 4] === 0x64;
}

/** Judges a place of x86-64. */
export function judgeX86(resolver: Resolver, place: Place): Found {
  const { relocation, meant, address, at } = place;
  const target = (bytes: 4 | 8): number => signedAt(resolver, at, bytes) + address - relocation.addend;
  const got = resolver.gotBase;
  switch (relocation.type) {
    case 0: // NONE
    case 35: // TLSDESC_CALL
      return 'marker';
    case 1: // 64
      return judgeWord(resolver, place);
    case 2: // PC32
    case 4: // PLT32
      return isReplacedCall(resolver, place) ? 'marker' : judgeDistance(resolver, place, 4);
    case 9: // GOTPCREL
    case 41: // GOTPCRELX
    case 42: // REX_GOTPCRELX
    case 43: // CODE_4_GOTPCRELX
      return isReplacedCall(resolver, place) ? 'marker' : judgeGotLoad(resolver, place);
    case 10: // 32
    case 11: // 32S
      return judgeFixed(resolver, place, 4);
    case 12: // 16
      return judgeFixed(resolver, place, 2);
    case 13: // PC16
      return judgeDistance(resolver, place, 2);
    case 14: // 8
      return judgeFixed(resolver, place, 1);
    case 15: // PC8
      return judgeDistance(resolver, place, 1);
    case 17: // DTPOFF64
      return judgeThreadOffset(resolver, place, 8);
    case 18: // TPOFF64
      return resolver.isThreadSlot(meant, address, 'thread-offset');
    case 19: // TLSGD
      return judgeGeneralDynamic(resolver, place);
    case 20: // TLSLD
      return resolver.isModuleSlot(meant, target(4));
    case 21: // DTPOFF32
      return judgeThreadOffset(resolver, place, 4);
    case 22: // GOTTPOFF
    case 44: // CODE_4_GOTTPOFF
      return resolver.isThreadSlot(meant, target(4), 'thread-offset');
    case 24: // PC64
      return judgeDistance(resolver, place, 8);
    case 25: // GOTOFF64
      return resolver.isAddress(meant, signedAt(resolver, at, 8) + got - relocation.addend, relocation.addend);
    case 26: // GOTPC32
      return target(4) === got ? 'local' : wrong(target(4), meant);
    case 27: // GOT64
      return resolver.isWord(meant, signedAt(resolver, at, 8) + got - relocation.addend, 0);
    case 28: // GOTPCREL64
      return resolver.isWord(meant, target(8), 0);
    case 29: // GOTPC64
      return target(8) === got ? 'local' : wrong(target(8), meant);
    case 31: // PLTOFF64
      return resolver.isCode(meant, signedAt(resolver, at, 8) + got - relocation.addend);
    case 32: // SIZE32
    case 33: {
      const size = signedAt(resolver, at, relocation.type === 32 ? 4 : 8) - relocation.addend;
      return size === meant.size ? 'local' : wrong(size, meant);
    }
    case 34: // GOTPC32_TLSDESC
    case 45: // CODE_4_GOTPC32_TLSDESC
      return judgeDescriptor(resolver, place);
    default:
      throw new Error(`${place.object.key}: relocation type ${relocation.type} of x86-64`);
  }
}

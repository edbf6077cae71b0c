// The length of one x86_64 instruction in 64-bit mode and where it can go: no operands, no mnemonics.
// Which bytes follow which opcode is in opcode-map.ts; what a whole function's branches mean is in entry.ts.
// Where processors differ (an operand-size prefix on a near branch: Intel ignores it, AMD cuts the address to
// 16 bits) and where an encoding is not known (REX2 and the rest of APX) nothing is decoded.
import { evexOperands, ONE_BYTE, TWO_BYTE, vexOperands, xopOperands } from './opcode-map.js';

/**
 * `branch` always jumps to `target`, `conditional` may (xbegin's abort included). `system-call` enters the kernel, where
 * a thread can sleep and come back behind it. `trap` is int3, int1, ud0, ud1, ud2 or hlt. `return` covers ret and iret.
 */
export type InstructionKind =
  'plain' | 'branch' | 'conditional' | 'call' | 'indirect-jump' | 'indirect-call' | 'return' | 'system-call' | 'trap';

export interface Instruction {
  /** 1 to 15. */
  readonly length: number;
  readonly kind: InstructionKind;
  /** Of a direct branch or call: an offset in the same bytes, also when it lies outside them. */
  readonly target?: number;
}

/** SDM volume 2, 2.3.11: a longer instruction raises #GP. */
const LONGEST = 15;

/** The instruction's bytes before its opcode. */
interface Prefixes {
  readonly operandSize: boolean;
  readonly addressSize: boolean;
  /** F2 or F3, the last that stands there; 0 for none. */
  readonly repeat: number;
  readonly lock: boolean;
  /** REX immediately before the opcode; 0 for none. An earlier one has no effect. */
  readonly rex: number;
  /** Offset of the opcode. */
  readonly next: number;
}

function readPrefixes(bytes: Uint8Array, offset: number, end: number): Prefixes {
  let operandSize = false;
  let addressSize = false;
  let repeat = 0;
  let lock = false;
  let rex = 0;
  let at = offset;
  for (; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    const what = ONE_BYTE[byte];
    if (what === 'r') {
      rex = byte;
      continue;
    }
    if (what !== 'p') break;
    rex = 0;
    if (byte === 0x66) operandSize = true;
    else if (byte === 0x67) addressSize = true;
    else if (byte === 0xf0) lock = true;
    else if (byte === 0xf2 || byte === 0xf3) repeat = byte;
  }
  return { operandSize, addressSize, repeat, lock, rex, next: at };
}

/** Bytes of ModRM, SIB and displacement from `at`; more than there are when they are cut off. SDM volume 2, 2.1.5. */
function addressingLength(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return LONGEST;
  const modrm = bytes[at] ?? 0;
  const mod = modrm >> 6;
  const rm = modrm & 7;
  if (mod === 3) return 1;
  if (rm === 4) {
    if (at + 1 >= end) return LONGEST;
    const noBase = mod === 0 && ((bytes[at + 1] ?? 0) & 7) === 5;
    return 2 + (mod === 1 ? 1 : mod === 2 || noBase ? 4 : 0);
  }
  if (mod === 0) return rm === 5 ? 5 : 1; // rm 5 without mod: relative to the next instruction
  return mod === 1 ? 2 : 5;
}

function signed(bytes: Uint8Array, at: number, size: 1 | 2 | 4): number {
  let value = 0;
  for (let index = size - 1; index >= 0; index -= 1) value = value * 256 + (bytes[at + index] ?? 0);
  const limit = 2 ** (8 * size - 1);
  return value >= limit ? value - 2 * limit : value;
}

/** VEX, EVEX or XOP: the prefix holds the map; all allow only segment and address-size prefixes before them. */
function decodeVector(bytes: Uint8Array, offset: number, prefixes: Prefixes, end: number): Instruction | null {
  const { next } = prefixes;
  if (prefixes.operandSize || prefixes.repeat !== 0 || prefixes.lock || prefixes.rex !== 0) return null;
  const lead = bytes[next] ?? 0;
  const size = lead === 0xc5 ? 2 : lead === 0x62 ? 4 : 3;
  const opcodeAt = next + size;
  if (opcodeAt >= end) return null;
  const first = bytes[next + 1] ?? 0;
  const opcode = bytes[opcodeAt] ?? 0;
  let operands: string;
  if (lead === 0xc5) operands = vexOperands(1, opcode);
  else if (lead === 0xc4) operands = vexOperands(first & 0x1f, opcode);
  else if (lead === 0x8f) operands = xopOperands(first & 0x1f);
  // Fixed bits of EVEX; APX gives them a meaning that is not decoded here.
  else if ((first & 8) !== 0 || ((bytes[next + 2] ?? 0) & 4) === 0) return null;
  else operands = evexOperands(first & 7, opcode);
  if (operands === 'x') return null;
  let at = opcodeAt + 1;
  if (operands !== '.') at += addressingLength(bytes, at, end);
  if (operands === 'B') at += 1;
  else if (operands === 'D') at += 4;
  return at > end ? null : { length: at - offset, kind: 'plain' };
}

function kindOfOneByte(opcode: number, modrm: number): InstructionKind {
  switch (opcode) {
    case 0xc2:
    case 0xc3:
    case 0xca:
    case 0xcb:
    case 0xcf:
      return 'return';
    case 0xcc:
    case 0xf1:
    case 0xf4:
      return 'trap';
    case 0xcd:
      return 'system-call';
    case 0xe8:
      return 'call';
    case 0xe9:
    case 0xeb:
      return 'branch';
    case 0xff: {
      const member = (modrm >> 3) & 7;
      if (member === 2 || member === 3) return 'indirect-call';
      return member === 4 || member === 5 ? 'indirect-jump' : 'plain';
    }
    default:
      return (opcode >= 0x70 && opcode <= 0x7f) || (opcode >= 0xe0 && opcode <= 0xe3) ? 'conditional' : 'plain';
  }
}

function kindOfTwoByte(opcode: number): InstructionKind {
  switch (opcode) {
    case 0x05:
    case 0x34:
      return 'system-call';
    case 0x07:
    case 0x35:
      return 'return';
    case 0x0b:
    case 0xb9:
    case 0xff:
      return 'trap';
    default:
      return opcode >= 0x80 && opcode <= 0x8f ? 'conditional' : 'plain';
  }
}

/**
 * The instruction at `offset`, or null when the bytes there are none, are cut off, or are not known for sure.
 * Reads nothing outside `bytes` and never throws.
 */
export function decodeInstruction(bytes: Uint8Array, offset: number): Instruction | null {
  if (offset < 0 || offset >= bytes.length) return null;
  const end = Math.min(bytes.length, offset + LONGEST);
  const prefixes = readPrefixes(bytes, offset, end);
  const { operandSize, addressSize, repeat, rex } = prefixes;
  const wide = rex >= 0x48;
  let at = prefixes.next;
  if (at >= end) return null;
  let opcode = bytes[at] ?? 0;
  at += 1;
  let operands = ONE_BYTE[opcode];
  let map: 1 | 2 | 3 = 1;
  if (opcode === 0x0f) {
    if (at >= end) return null;
    map = 2;
    opcode = bytes[at] ?? 0;
    at += 1;
    operands = TWO_BYTE[opcode];
    if (opcode === 0x38 || opcode === 0x3a) {
      if (at >= end) return null;
      map = 3;
      at += 1;
      operands = opcode === 0x38 ? 'm' : 'B';
    }
  } else if (opcode === 0x8f) {
    // XOP where its map number is 8 or more; below that the byte is the ModRM of pop r/m.
    if (at < end && ((bytes[at] ?? 0) & 0x18) !== 0) return decodeVector(bytes, offset, prefixes, end);
    operands = 'm';
  } else if (operands === '!') {
    return decodeVector(bytes, offset, prefixes, end);
  }

  const modrm = at < end ? (bytes[at] ?? 0) : 0;
  const operandBytes = operandSize && !wide ? 2 : 4;
  let immediate = 0;
  let relative: 0 | 1 | 2 | 4 = 0;
  switch (operands) {
    case '.':
      break;
    case 'm':
      at += addressingLength(bytes, at, end);
      // extrq and insertq (SSE4a) with two immediates share vmread's opcode.
      if (map === 2 && opcode === 0x78 && (operandSize || repeat === 0xf2)) immediate = 2;
      break;
    case 'c':
      at += 1;
      break;
    case 'B':
      at += addressingLength(bytes, at, end);
      immediate = 1;
      break;
    case 'Z':
      at += addressingLength(bytes, at, end);
      if (opcode === 0xc7 && modrm === 0xf8) relative = operandBytes;
      else immediate = operandBytes;
      break;
    case 'g':
    case 'G':
      at += addressingLength(bytes, at, end);
      if (((modrm >> 3) & 7) < 2) immediate = operands === 'g' ? 1 : operandBytes;
      break;
    case 'b':
      immediate = 1;
      break;
    case 'w':
      immediate = 2;
      break;
    case 'z':
      immediate = operandBytes;
      break;
    case 'v':
      immediate = wide ? 8 : operandBytes;
      break;
    case 'o':
      immediate = addressSize ? 4 : 8;
      break;
    case 'e':
      immediate = 3;
      break;
    case 'j':
    case 'J':
      if (operandSize && !wide) return null;
      relative = operands === 'j' ? 1 : 4;
      break;
    default:
      return null;
  }
  const field = at;
  at += immediate + relative;
  if (at > end) return null;
  const length = at - offset;
  if (relative === 0) {
    const kind = map === 1 ? kindOfOneByte(opcode, modrm) : map === 2 ? kindOfTwoByte(opcode) : 'plain';
    return { length, kind };
  }
  const kind = map === 1 ? (opcode === 0xc7 ? 'conditional' : kindOfOneByte(opcode, modrm)) : 'conditional';
  return { length, kind, target: at + signed(bytes, field, relative) };
}

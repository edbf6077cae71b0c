// Compares one linked object with JITLink's, byte by byte, and gives every relocation its class.
import { asksForThreadLocal, EXPRESSIONS } from '../../src/reloc/fixup.js';
import type { JitlinkOutput } from './run-jitlink.js';
import type { Applied, OurPiece } from './ours.js';

/** Why a relocation's bytes need not be equal. Each is counted; nothing else may differ. */
export const REASONS = {
  'absolute call':
    'JITLink 19 turns a call through a slot into a direct one, whose field is a distance, and writes the address into it (x86_64.cpp, optimizeGOTAndStubAccesses, Pointer32); ours is checked to be the distance to that address',
  'no dynamic thread-locals': 'a patch rewrites these sequences before fixups: its thread-locals lie at known offsets',
  'not in a patch': 'a patch refuses the relocation (IPBP2004): 32-bit addresses, or places relative to a GOT',
  'target dropped': 'the target is in a section that JITLink dropped or never links',
} as const;

export type Reason = keyof typeof REASONS;

/** What was found in one object. */
export interface Comparison {
  sections: number;
  bytes: number;
  /** Relocations whose bytes are equal, by name. */
  readonly equal: Map<string, number>;
  /** Relocations that are allowed to differ: reason and name. */
  readonly allowed: Map<string, number>;
  /** What is wrong. */
  readonly failures: string[];
}

/** Bytes in front of a field that belong to its instruction's opcode and may be rewritten with it. */
const OPCODE = 3;

function same(a: Uint8Array, b: Uint8Array, from: number, to: number, bAt = 0): boolean {
  for (let i = from; i < to; i++) if (a[i] !== b[bAt + i]) return false;
  return true;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Counts one more of a name. */
export function count(map: Map<string, number>, name: string, times = 1): void {
  map.set(name, (map.get(name) ?? 0) + times);
}

/** A distance to a symbol, its slot or its stub: every patch has those. */
function isPlainDistance({ expression }: Applied['row']): boolean {
  const { term, base } = EXPRESSIONS[expression];
  return base === 'P' && ['S', 'G', 'L'].includes(term);
}

/** Why the relocation may differ; null when it may not. */
function reasonFor({ row, refused }: Applied): Reason | null {
  if (refused === null) return null;
  if (asksForThreadLocal(row.expression)) return 'no dynamic thread-locals';
  if (refused.includes('did not keep') || refused.includes('nothing places')) return 'target dropped';
  return refused.startsWith('IPBP2004') && !isPlainDistance(row) ? 'not in a patch' : null;
}

/** Where the 32-bit field of a direct call or jump stands that was made of the one around `offset`; null when none was. */
function directField(bytes: Uint8Array, offset: number): number | null {
  if (bytes[offset - 2] === 0x67 && bytes[offset - 1] === 0xe8) return offset; // addr32 call
  return bytes[offset - 2] === 0xe9 && bytes[offset + 3] === 0x90 ? offset - 1 : null; // jmp; nop
}

/** True when both made the same direct call, ours with the distance to the address that JITLink wrote. */
function isAbsoluteCall({ offset, address }: Applied, piece: OurPiece, theirs: Uint8Array): boolean {
  const field = directField(piece.bytes, offset);
  if (field === null || directField(theirs, piece.at + offset) !== piece.at + field) return false;
  const word = (bytes: Uint8Array, at: number): number =>
    new DataView(bytes.buffer, bytes.byteOffset).getInt32(at, true);
  return word(piece.bytes, field) + address + (field - offset) + 4 === word(theirs, piece.at + field);
}

/** Compares all pieces of one object. With `lenient`, relocations may differ for one of the reasons. */
export function compare(pieces: readonly OurPiece[], output: JitlinkOutput, lenient: boolean): Comparison {
  const result: Comparison = { sections: 0, bytes: 0, equal: new Map(), allowed: new Map(), failures: [] };
  const seen = new Set<string>();
  for (const piece of pieces) {
    const key = `${piece.section}+${piece.at}`;
    if (seen.has(key)) continue;
    seen.add(key);
    result.sections++;
    result.bytes += piece.bytes.length;
    comparePiece(piece, output.sections.get(piece.section)!.bytes, lenient, result);
  }
  return result;
}

function comparePiece(piece: OurPiece, theirs: Uint8Array, lenient: boolean, result: Comparison): void {
  const settled = new Uint8Array(piece.bytes.length);
  for (const applied of piece.applied) {
    const { row, offset, refused, target } = applied;
    const end = offset + row.field.size;
    const name = row.name;
    // Of an instruction that was rewritten, the opcode has to be equal too.
    let start = row.relaxable ? Math.max(offset - OPCODE, 0) : offset;
    // Bytes of the field before, which was judged already, are not part of it.
    while (settled[start] === 1 && start < offset) start++;
    settled.fill(1, start, end);
    if (refused === null && same(piece.bytes, theirs, start, end, piece.at)) {
      count(result.equal, name);
      continue;
    }
    const reason = isAbsoluteCall(applied, piece, theirs) ? 'absolute call' : lenient ? reasonFor(applied) : null;
    if (reason !== null) {
      count(result.allowed, `${reason}: ${name}`);
      continue;
    }
    const field = (bytes: Uint8Array, at: number): string => text(bytes.subarray(at + offset, at + end));
    result.failures.push(
      `${piece.name}+0x${offset.toString(16)} ${name} against ${target}: ours ${refused ?? field(piece.bytes, 0)}, JITLink's ${field(theirs, piece.at)}`,
    );
  }
  for (let i = 0; i < settled.length; i++) {
    if (settled[i] === 1 || piece.bytes[i] === theirs[piece.at + i]) continue;
    result.failures.push(`${piece.name}+0x${i.toString(16)} has no relocation and differs`);
    break;
  }
}

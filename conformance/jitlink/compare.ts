// Compares one linked object with JITLink's, byte by byte, and gives every relocation its class.
import type { JitlinkOutput } from './run-jitlink.js';
import type { Applied, OurPiece } from './ours.js';

/** Why a relocation's bytes need not be equal. Each is counted; nothing else may differ. */
export const REASONS = {
  relaxed:
    'JITLink reads the instruction and drops the slot where the target is near (psABI B.2); a patch keeps its slot, as a later patch may move what it holds',
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

/** Why the relocation may differ; null when it may not. */
function reasonFor(applied: Applied, piece: OurPiece, theirs: Uint8Array): Reason | null {
  const { edge, refused, offset } = applied;
  if (refused !== null) {
    if (edge.row.expression.startsWith('tls')) return 'no dynamic thread-locals';
    if (refused.includes('did not keep') || refused.includes('nothing places')) return 'target dropped';
    if (refused.startsWith('IPBP2004')) return 'not in a patch';
    return null;
  }
  const opcode = Math.max(offset - OPCODE, 0);
  return edge.row.relaxable && !same(piece.before, theirs, opcode, offset, piece.at) ? 'relaxed' : null;
}

/** Compares all pieces of one object. */
export function compare(pieces: readonly OurPiece[], output: JitlinkOutput): Comparison {
  const result: Comparison = { sections: 0, bytes: 0, equal: new Map(), allowed: new Map(), failures: [] };
  const seen = new Set<string>();
  for (const piece of pieces) {
    const key = `${piece.section}+${piece.at}`;
    if (seen.has(key)) continue;
    seen.add(key);
    result.sections++;
    result.bytes += piece.bytes.length;
    comparePiece(piece, output.sections.get(piece.section)!.bytes, result);
  }
  return result;
}

function comparePiece(piece: OurPiece, theirs: Uint8Array, result: Comparison): void {
  const settled = new Uint8Array(piece.bytes.length);
  for (const applied of piece.applied) {
    const { edge, offset, refused } = applied;
    const end = offset + edge.row.field.size;
    const name = edge.row.name;
    const reason = reasonFor(applied, piece, theirs);
    if (reason !== null) {
      count(result.allowed, `${reason}: ${name}`);
      settled.fill(1, reason === 'relaxed' ? Math.max(offset - OPCODE, 0) : offset, end);
      continue;
    }
    settled.fill(1, offset, end);
    if (refused === null && same(piece.bytes, theirs, offset, end, piece.at)) {
      count(result.equal, name);
      continue;
    }
    const target = edge.target.spelling ?? edge.target.atom?.sectionName ?? '?';
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

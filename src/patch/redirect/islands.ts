// What jumps over entries lead to where the image may lie anywhere: pages near the program that hold a word for each jump
// and, on machines whose jumps do not go through a word themselves, code that does. Later redirects change the word only.
import { alignUp } from '../../bytes/align.js';
import { hex, IpbpError } from '../../codes/error.js';
import type { Machine } from '../../reloc/machine.js';
import type { ImageSegment, Rebase } from '../image/image.js';
import type { Program } from '../program/program.js';
import type { KeptRange, ProgramInfo } from '../wire/frames.js';

/** Addresses for the jumps of one patch: code, if any, then words. */
export interface Island {
  readonly code: number;
  readonly words: number;
  readonly end: number;
}

/** Behind all that patches have there, whether they are live or not: nothing is mapped twice. */
function firstFree(program: Program, { at, size }: KeptRange): number {
  const segments = program.mapped.flatMap(({ image }) => image.segments);
  const ends = segments.filter(({ address }) => address >= at && address < at + size);
  return ends.reduce((end, segment) => Math.max(end, segment.address + segment.size), at);
}

/**
 * Room for this many jumps.
 * @param beside what the process keeps for them; null where that is just below `top`, in front of the patches
 * @throws IpbpError IPBP2005 when there is no room left
 */
export function islandFor(program: Program, count: number, beside: KeptRange | null, top: number): Island {
  const { pointerSize, pageSize, wordJump } = program.base.machine;
  const codeSize = alignUp(count * (wordJump?.size ?? 0), pageSize);
  const size = codeSize + alignUp(count * pointerSize, pageSize);
  const code = beside === null ? top - size : firstFree(program, beside);
  const end = code + size;
  if (beside !== null && end > beside.at + beside.size) {
    throw new IpbpError('IPBP2005', 'the memory reserved for jumps to patches is used up', {
      expected: `pages that end at ${hex(beside.at + beside.size)} at most`,
      actual: hex(end),
    });
  }
  return { code, words: code + codeSize, end };
}

/** Where the jump with this number is to lead, and the word that it goes through. */
export function placeIn(island: Island, number: number, { pointerSize, wordJump }: Machine): [number, number] {
  const word = island.words + number * pointerSize;
  return [wordJump === null ? word : island.code + number * wordJump.size, word];
}

/** The island's pages, for words that are the first ones in it; none where there is no word. */
export function islandSegments(island: Island, words: readonly Rebase[], machine: Machine): readonly ImageSegment[] {
  if (words.length === 0) return [];
  const wordPages = { address: island.words, size: island.end - island.words, bytes: new Uint8Array(0) };
  const segments: ImageSegment[] = [{ ...wordPages, protection: 'r' }];
  const { wordJump } = machine;
  if (wordJump === null) return segments;
  const bytes = new Uint8Array(island.words - island.code).fill(machine.codeFill);
  words.forEach((_, number) => {
    const [at, word] = placeIn(island, number, machine);
    bytes.set(wordJump.encode(at, word), at - island.code);
  });
  return [{ address: island.code, size: bytes.length, bytes, protection: 'rx' }, ...segments];
}

/**
 * Why jumps over entries are of no use in this process; null where they are of some. One to what may lie anywhere leads
 * through a page near the program.
 */
export function whyCodeStays({ abilities, beside }: Pick<ProgramInfo, 'abilities' | 'beside'>): string | null {
  if (!abilities.code) return 'the process tried it at its start, and its system did not let it';
  return abilities.pages || beside.size > 0 ? null : 'near the program no page could be had for jumps to lead through';
}

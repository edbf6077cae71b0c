// Pass: rows of a compact unwind table for what was placed. The table itself, and what its encodings mean, are the
// emitter's.
import type { BoundCompactFrame, BoundEdge, BoundFrame, LinkedAtom } from './close.js';
import type { UnwindEntry } from './linked-image.js';
import type { Layout } from './place.js';
import type { Slots } from './slots.js';
import type { UnwindTable } from './unwind.js';

/** Empty where no code has such a row: then frame records alone say how to unwind. */
export function unwindEntries(
  atoms: readonly LinkedAtom[],
  { recordAt }: UnwindTable,
  layout: Layout,
  slots: Slots,
  pointerSize: number,
): readonly UnwindEntry[] {
  if (!atoms.some(({ compactFrames }) => compactFrames.length > 0)) return [];
  const addressOf = ({ edge, binding }: BoundEdge): number | null =>
    binding.kind === 'atom' ? layout.addressOf(binding.atom) + binding.offset + edge.addend : null;
  const wordOf = ({ personality }: BoundCompactFrame): number | null => {
    const slot = personality === null ? null : slots.slotOf(personality);
    return slot === null ? null : layout.slotsAt + slot * pointerSize;
  };
  const entries = atoms.flatMap(({ atom, frames, compactFrames }): UnwindEntry[] => {
    const at = layout.addressOf(atom);
    const records = new Map<number, BoundFrame>();
    for (const frame of frames) records.set(startOf(atom, frame), frame);
    const placeOf = (frame: BoundFrame | undefined): number | null =>
      frame === undefined ? null : layout.unwindAt + (recordAt.get(frame) ?? 0);
    const rows = compactFrames.map((compact): UnwindEntry => {
      const { offset, length, encoding } = compact.frame;
      const lsda = compact.lsda === null ? null : addressOf(compact.lsda);
      const frameRecord = placeOf(records.get(offset));
      records.delete(offset);
      return { start: at + offset, length, encoding, personalityWord: wordOf(compact), lsda, frameRecord };
    });
    const rest = [...records].map(([offset, frame]): UnwindEntry => {
      const { length } = frame.frame;
      const nothing = { encoding: 0, personalityWord: null, lsda: null };
      return { start: at + offset, length, ...nothing, frameRecord: placeOf(frame) };
    });
    return [...rows, ...rest];
  });
  return entries.sort((a, b) => a.start - b.start);
}

/** Where in its atom the code begins that a record describes. */
function startOf(atom: LinkedAtom['atom'], { edges }: BoundFrame): number {
  const begin = edges.find(({ edge }) => edge.target.atom === atom)?.edge;
  return begin === undefined ? 0 : begin.target.offset + begin.addend;
}

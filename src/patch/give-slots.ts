// What the base program's link is given instead of the compiler's objects: the same with slots for their functions
// (link/entry-slots.ts). Objects and archives as bytes; which files of a link they are is the host's.
import { openArchive } from '../formats/archive.js';
import { writeArchive } from '../formats/archive-write.js';
import type { ObjectFile } from '../formats/object-file.js';
import { readObjectFile } from '../formats/read-object.js';
import { rewriteObject } from '../formats/rewrite-object.js';
import { slotEdits } from '../link/entry-slots.js';
import { LONE_SLOT_NAME, SLOT_NAME } from '../link/names.js';
import type { EntryJumps } from '../reloc/machine.js';
import { machineFor } from '../reloc/machines.js';

/** Which functions get a slot: all, or those whose entry may have no room for a jump. */
export type SlotChoice = 'all' | 'where-needed';

/** The object with slots, or null when no function in it gets one. Throws IPBP1xxx, IPBP2020. */
export function objectWithSlots(bytes: Uint8Array, name: string, choice: SlotChoice): Uint8Array | null {
  return rewritten(readObjectFile(bytes, name), choice);
}

/** The archive with slots in its objects, or null as above. Other members stay as they are. Throws IPBP1xxx, IPBP2020. */
export function archiveWithSlots(bytes: Uint8Array, name: string, choice: SlotChoice): Uint8Array | null {
  const archive = openArchive(bytes, name);
  const symbols: string[][] = archive.members.map(() => []);
  for (const [symbol, members] of archive.symbolIndex()) for (const member of members) symbols[member]?.push(symbol);
  const members = archive.members.map((member) => {
    const object = archive.member(member.index);
    const now = object?.kind === 'relocatable' ? rewritten(object, choice) : null;
    const name = member.name;
    return {
      name,
      changed: now !== null,
      bytes: now ?? archive.memberBytes(member.index),
      symbols: symbols[member.index] ?? [],
    };
  });
  return members.some(({ changed }) => changed) ? writeArchive(members, name, archive.form) : null;
}

function rewritten(file: ObjectFile, choice: SlotChoice): Uint8Array | null {
  const machine = machineFor(file.format, file.machine, file.name);
  const edits =
    choice === 'all'
      ? slotEdits(file, machine, SLOT_NAME, () => true)
      : slotEdits(file, machine, LONE_SLOT_NAME, (body) => !takesJump(body(), machine.entry));
  return edits === null ? null : rewriteObject(file, edits);
}

/**
 * Whether a long jump over the function's first bytes is safe for certain, whatever the linker puts behind it. Of those
 * that say no some would be redirected all the same (by padding, by a short jump): an object does not show what will be
 * around a function.
 */
function takesJump(body: Uint8Array, jumps: EntryJumps): boolean {
  if (body.length < jumps.longSize) return false;
  const { complete, branchTargets, returnOffsets } = jumps.decode(body);
  const inside = (offset: number): boolean => offset < jumps.longSize;
  return complete && !branchTargets.some(inside) && !returnOffsets.some((offset) => offset > 0 && inside(offset));
}

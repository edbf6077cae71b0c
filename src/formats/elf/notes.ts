// Notes (gABI "Note Section"): the build id among them. Properties and ABI tags are only listed.
import type { ByteReader } from '../../bytes/reader.js';
import * as elf from './constants.js';

/** One note; `description` is a view into the file. */
export interface Note {
  readonly owner: string;
  readonly type: number;
  readonly description: Uint8Array;
}

/** All notes of a section or segment; `align` is its alignment: entries are padded to 8 bytes when it is 8, else to 4. */
export function readNotes(reader: ByteReader, align: number): Note[] {
  const padding = align === 8 ? 8 : 4;
  const notes: Note[] = [];
  reader.seek(0);
  while (reader.remaining >= 12) {
    const ownerSize = reader.u32();
    const descriptionSize = reader.u32();
    const type = reader.u32();
    const owner = reader.text(ownerSize).replace(/\0+$/, '');
    // Padding counts from the start of the note segment; the last one's may be cut off.
    reader.skip(Math.min(reader.remaining, gap(reader.position, padding)));
    const description = reader.take(descriptionSize);
    reader.skip(Math.min(reader.remaining, gap(reader.position, padding)));
    notes.push({ owner, type, description });
  }
  return notes;
}

function gap(position: number, padding: number): number {
  return (padding - (position % padding)) % padding;
}

/** The bytes of NT_GNU_BUILD_ID, or null. */
export function buildIdOf(notes: readonly Note[]): Uint8Array | null {
  return notes.find((note) => note.owner === 'GNU' && note.type === elf.NT_GNU_BUILD_ID)?.description ?? null;
}

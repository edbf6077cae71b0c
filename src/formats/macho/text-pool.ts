// Names behind one another, each ended by a NUL, the same one once: string tables of linked files and of fixups.
import { ByteWriter } from '../../bytes/writer.js';

/** Names that are collected. */
export interface TextPool {
  /** Where the name begins. */
  add(text: string): number;
  /** The bytes so far. */
  finish(): Uint8Array<ArrayBuffer>;
}

/** Begins with `lead` and a NUL, so that an offset of 0 means no name. */
export function createTextPool(lead = ''): TextPool {
  const w = new ByteWriter(1024).cstring(lead);
  const offsets = new Map<string, number>([['', lead.length]]);
  return {
    add(text) {
      const known = offsets.get(text);
      if (known !== undefined) return known;
      const at = w.length;
      offsets.set(text, at);
      w.cstring(text);
      return at;
    },
    finish: () => w.finish(),
  };
}

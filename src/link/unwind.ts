// Pass: the image's unwind table. Frame records are copied one by one from the objects, shared records are written
// once, and the whole ends with a zero word: one block that the unwinder takes by a single registration.
import type { BoundEdge, BoundFrame, LinkedAtom } from './close.js';

/** A field of the table that fixups still have to fill: `edge.offset` counts from the record at `record`. */
export interface UnwindFixup {
  readonly record: number;
  readonly bound: BoundEdge;
}

export interface UnwindTable {
  /** Empty when nothing needs unwinding. */
  readonly bytes: Uint8Array;
  readonly fixups: readonly UnwindFixup[];
  /** Where in the table a frame's record begins. */
  readonly recordAt: ReadonlyMap<BoundFrame, number>;
}

function sameShared(a: BoundFrame, b: BoundFrame): boolean {
  const x = a.frame.common.bytes;
  const y = b.frame.common.bytes;
  if (x.length !== y.length || a.common.length !== b.common.length) return false;
  if (!x.every((byte, i) => byte === y[i])) return false;
  return a.common.every((bound, i) => {
    const other = b.common[i] as BoundEdge;
    if (bound.edge.offset !== other.edge.offset || bound.edge.row !== other.edge.row) return false;
    if (bound.edge.addend !== other.edge.addend) return false;
    const p = bound.binding;
    const q = other.binding;
    if (p.kind === 'place' && q.kind === 'place') return p.module === q.module && p.address === q.address;
    if (p.kind === 'atom' && q.kind === 'atom') return p.atom === q.atom && p.offset === q.offset;
    return false;
  });
}

/** Builds the table for all code atoms, in their order. Source: LSB Core, 10.6.1 "The .eh_frame section". */
export function buildUnwindTable(atoms: readonly LinkedAtom[]): UnwindTable {
  const frames = atoms.flatMap((linked) => linked.frames);
  const recordAt = new Map<BoundFrame, number>();
  if (frames.length === 0) return { bytes: new Uint8Array(0), fixups: [], recordAt };
  const pieces: { readonly at: number; readonly bytes: Uint8Array; readonly shared: number | null }[] = [];
  const fixups: UnwindFixup[] = [];
  const shared: { readonly frame: BoundFrame; readonly at: number }[] = [];
  let end = 0;
  const append = (bytes: Uint8Array, edges: readonly BoundEdge[], sharedAt: number | null): number => {
    const at = end;
    pieces.push({ at, bytes, shared: sharedAt });
    for (const bound of edges) fixups.push({ record: at, bound });
    end += bytes.length;
    return at;
  };
  for (const frame of frames) {
    let common = shared.find((candidate) => sameShared(candidate.frame, frame));
    if (common === undefined) {
      common = { frame, at: append(frame.frame.common.bytes, frame.common, null) };
      shared.push(common);
    }
    recordAt.set(frame, append(frame.frame.bytes, frame.edges, common.at));
  }
  const bytes = new Uint8Array(end + 4);
  const view = new DataView(bytes.buffer);
  for (const piece of pieces) {
    bytes.set(piece.bytes, piece.at);
    // The pointer to the shared record counts backwards from itself (4 bytes behind the record's start).
    if (piece.shared !== null) view.setUint32(piece.at + 4, piece.at + 4 - piece.shared, true);
  }
  return { bytes, fixups, recordAt };
}

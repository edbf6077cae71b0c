// Pass: descriptors of thread-locals are the loader's to fill, but for the offset; code sequences that ask the loader for a thread-local's address become plain offsets from the thread pointer,
// as every thread-local that a patch can reach lies at a fixed offset. What the sequences look like is the machine's.
import { IpbpError, hex } from '../codes/error.js';
import { asksForThreadLocal, EXPRESSIONS } from '../reloc/fixup.js';
import type { Atom, Edge } from './graph.js';

/** An atom's content after the rewrite: its own copy of the bytes when anything changed. */
export interface Rewritten {
  readonly bytes: Uint8Array;
  readonly edges: readonly Edge[];
}

/** Rewrites all dynamic TLS sequences of one atom. A descriptor keeps the edge that says which thread-local is meant. */
export function rewriteThreadLocals(atom: Atom): Rewritten {
  if (atom.kind === 'tls-descriptors') {
    return { bytes: atom.bytes, edges: atom.edges.filter(({ row }) => EXPRESSIONS[row.expression].term === 'DTP') };
  }
  const dynamic = (edge: Edge): boolean => asksForThreadLocal(edge.row.expression);
  if (!atom.edges.some(dynamic)) return { bytes: atom.bytes, edges: atom.edges };
  const bytes = atom.bytes.slice();
  const edges: Edge[] = [];
  for (let i = 0; i < atom.edges.length; i++) {
    const edge = atom.edges[i] as Edge;
    if (!dynamic(edge)) {
      edges.push(edge);
      continue;
    }
    const rewrite = atom.object.machine.rewrite(edge.row, 'local-exec', atom.bytes, edge.offset);
    if (rewrite === null) {
      throw new IpbpError('IPBP2004', `${edge.row.name} does not stand in a code sequence that can be rewritten`, {
        where: `${atom.object.name}: ${atom.name}+${hex(edge.offset)}`,
      });
    }
    bytes.set(rewrite.bytes, edge.offset + rewrite.from);
    for (const { at, row, addend } of rewrite.fields) {
      edges.push({ offset: edge.offset + at, row, target: edge.target, addend: edge.addend + addend });
    }
    i += rewrite.swallow;
  }
  return { bytes, edges };
}

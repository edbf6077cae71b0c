// Whether objects are those that the running program was made of: a patch that starts from others would mix two builds.
// Compares the code of each function with what the linker made of it; data is not looked at.
import { demangle } from '../../formats/symbols/demangle.js';
import type { Edge, LinkObject } from '../../link/graph.js';
import { EXPRESSIONS } from '../../reloc/fixup.js';
import type { RefusedItem } from '../engine.js';
import { edgesIn, openSide, rangeOf, type AtomRef } from '../diff/items.js';
import type { Program } from './program.js';
import type { ProgramItem } from './symbol-index.js';

/** What a linker may rewrite around a field of a GOT slot or a thread-local: opcodes before it, a call behind it. */
const REWRITTEN_AROUND = 4;

/** How many functions a refusal names. */
const MOST_NAMED = 3;

function isRewritten({ row }: Edge): boolean {
  if (row.relaxable) return true;
  switch (EXPRESSIONS[row.expression].term) {
    case 'none':
    case 'S':
    case 'P':
    case 'signed':
    case 'L':
    case 'GOT':
    case 'Z':
    case 'TP':
    case 'DTP':
    case 'offset':
    case 'function':
    case 'type':
    case 'global':
    case 'table':
    case 'tag':
      return false;
    case 'G':
    case 'GTP':
    case 'GGD':
    case 'GLD':
    case 'GDESC':
      return true;
  }
}

/** True when the program's function is this one, linked: equal bytes outside of what relocations fill. */
function isLinked(program: Program, body: AtomRef, item: ProgramItem): boolean {
  const range = rangeOf(body);
  const length = range.end - range.start;
  // Where sizes reach to what begins next, the program's is its own.
  if (body.atom.padded ? item.size < length : body.symbol.size !== item.size) return false;
  const size = item.size > 0 && !body.atom.padded ? item.size : length;
  const linked = program.base.read(item.address, size);
  if (linked === null) return false;
  const filled = new Uint8Array(size);
  for (const edge of edgesIn(range)) {
    const around = isRewritten(edge) ? REWRITTEN_AROUND : 0;
    const at = edge.offset - range.start;
    filled.fill(1, Math.max(at - around, 0), Math.max(at + edge.row.field.size + around, 0));
  }
  const { bytes } = body.atom;
  for (let at = 0; at < size; at++) {
    if (filled[at] === 0 && linked[at] !== bytes[range.start + at]) return false;
  }
  return true;
}

/**
 * Why these objects are not those of the program, as a refusal (IPBP3002); empty when they are. Functions that the
 * linker left out, and those that live patches replaced, prove nothing.
 */
export function refuseOtherBuild(program: Program, objects: readonly LinkObject[]): RefusedItem[] {
  // Of code that lies in no memory the base keeps no bytes by address.
  if (program.base.tabled !== undefined) return [];
  const patched = new Set(program.live.flatMap(({ image }) => image.items.map(({ mangled }) => mangled)));
  const other: string[] = [];
  let functions = 0;
  let found = 0;
  for (const [name, copies] of openSide(objects).items) {
    const bodies = copies.filter(({ atom }) => atom.kind === 'code');
    if (bodies.length === 0 || patched.has(name)) continue;
    functions += 1;
    const items = (program.base.items.get(name) ?? [])
      .filter(({ kind }) => kind === 'function')
      .map((item) => program.base.slotOf(item)?.body ?? item);
    if (items.length === 0) continue;
    found += 1;
    if (!bodies.some((body) => items.some((item) => isLinked(program, body, item)))) other.push(demangle(name));
  }
  if (other.length === 0 && (found > 0 || functions === 0)) return [];
  const named = other.slice(0, MOST_NAMED).map((name) => `${name} has other code there`);
  const more = other.length - named.length;
  return [
    {
      code: 'IPBP3002',
      name: program.base.file.name,
      message: 'the program was built from other objects than those the patch would start from',
      because: [
        ...(found === 0 ? ['it holds none of their functions'] : named),
        ...(more > 0 ? [`and ${more} more`] : []),
      ],
    },
  ];
}

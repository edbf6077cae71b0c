// The source lines of functions that are linked, for debuggers: read from their objects, each once.
import { IpbpError } from '../codes/error.js';
import { readLines, type LineRow } from '../formats/dwarf/line-program.js';
import type { Atom, LinkObject } from './graph.js';

/** The rows of a function; offsets are those of its bytes. */
type LinesOf = (atom: Atom) => readonly LineRow[];

/** Where an object's lines cannot be read its functions have none: no patch fails for that. */
export function openLines(): LinesOf {
  const known = new Map<LinkObject, ReturnType<typeof readLines>>();
  return ({ object, section }) => {
    let lines = known.get(object);
    if (lines === undefined) known.set(object, (lines = linesIn(object)));
    return lines.get(section) ?? [];
  };
}

function linesIn({ file }: LinkObject): ReturnType<typeof readLines> {
  try {
    return readLines(file);
  } catch (error) {
    if (error instanceof IpbpError && error.code.startsWith('IPBP1')) return new Map();
    throw error;
  }
}

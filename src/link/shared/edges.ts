// Symbols that stand for the edges of the sections of a name (`__start_X`). They are looked for among the symbols, of which
// few are such, not by the names of all sections.
import { encodeText } from '../../bytes/text.js';
import type { Link } from './link-state.js';

/** One such symbol. */
export interface EdgeSymbol {
  readonly symbol: number;
  readonly section: string;
  readonly edge: 'start' | 'end';
  /** The numbers of the loaded sections of that name. */
  readonly members: readonly number[];
}

/** Those that some input or option names. */
export function findEdges(link: Link): EdgeSymbol[] {
  const { names } = link.symbols;
  const { begin, edgeOf } = link.target.symbols.edges;
  const { outputName } = link.target.sections;
  const prefix = encodeText(begin);
  const edges: EdgeSymbol[] = [];
  const byName = new Map<string, number[]>();
  for (let symbol = 0; symbol < names.count; symbol++) {
    if (!names.startsWith(symbol, prefix)) continue;
    const found = edgeOf(names.text(symbol));
    if (found === null) continue;
    const { section, edge } = found;
    const members = byName.get(section) ?? [];
    byName.set(section, members);
    edges.push({ symbol, section, edge, members });
  }
  // In most links there is none, and no section is asked for its name.
  if (edges.length === 0) return edges;
  link.sections.section.forEach((section, number) => {
    if (!section.alloc) return;
    (byName.get(section.name) ?? byName.get(outputName(section)))?.push(number);
  });
  return edges;
}

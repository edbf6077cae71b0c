// Symbols that stand for the edges of the sections of a name (`__start_X`), or of a region. They are looked for among the
// symbols, of which few are such, not by the names of all sections.
import { encodeText } from '../../bytes/text.js';
import type { Link } from './link-state.js';
import type { Edge } from './target.js';

/** One such symbol. */
export interface EdgeSymbol {
  readonly symbol: number;
  readonly place: Edge;
  /** The numbers of the loaded sections of that name; none of a region. */
  readonly members: readonly number[];
}

/** Those that some input or option names. */
export function findEdges(link: Link): EdgeSymbol[] {
  const { names } = link.symbols;
  const { begins, edgeOf } = link.target.symbols.edges;
  const { outputName } = link.target.sections;
  const prefixes = begins.map((text) => encodeText(text));
  const edges: EdgeSymbol[] = [];
  const byName = new Map<string, number[]>();
  for (let symbol = 0; symbol < names.count; symbol++) {
    if (!prefixes.some((prefix) => names.startsWith(symbol, prefix))) continue;
    const place = edgeOf(names.text(symbol));
    if (place === null) continue;
    let members: number[] = [];
    if (place.kind === 'section') {
      members = byName.get(place.name) ?? members;
      byName.set(place.name, members);
    }
    edges.push({ symbol, place, members });
  }
  // In most links there is none, and no section is asked for its name.
  if (byName.size === 0) return edges;
  link.sections.section.forEach((section, number) => {
    if (!section.alloc) return;
    (byName.get(section.name) ?? byName.get(outputName(section)))?.push(number);
  });
  return edges;
}

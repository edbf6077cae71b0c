// Symbols that stand for the edges of the sections of a name: `__start_X` and `__stop_X`, of sections whose name is one of
// C. They are looked for among the symbols, of which few are such, not by the names of all sections.
import { encodeText } from '../../bytes/text.js';
import type { Link } from './link-state.js';

/** One such symbol. */
export interface EdgeSymbol {
  readonly symbol: number;
  readonly section: string;
  readonly edge: 'start' | 'end';
}

const PREFIX = encodeText('__st');
const NAME = /^__(start|stop)_([A-Za-z_][A-Za-z0-9_]*)$/;

/** Those that some input names. */
export function edgeSymbols(link: Link): EdgeSymbol[] {
  const { names } = link.symbols;
  const edges: EdgeSymbol[] = [];
  for (let symbol = 0; symbol < names.count; symbol++) {
    if (!names.startsWith(symbol, PREFIX)) continue;
    const [, which, section] = NAME.exec(names.text(symbol)) ?? [];
    if (section !== undefined) edges.push({ symbol, section, edge: which === 'start' ? 'start' : 'end' });
  }
  return edges;
}

/** The numbers of the loaded sections that have one of the names. */
export function sectionsNamed(link: Link, names: ReadonlySet<string>): Map<string, number[]> {
  const found = new Map<string, number[]>();
  if (names.size === 0) return found;
  link.sections.section.forEach((section, number) => {
    if (!section.alloc || !names.has(section.name)) return;
    const numbers = found.get(section.name);
    if (numbers === undefined) found.set(section.name, [number]);
    else numbers.push(number);
  });
  return found;
}

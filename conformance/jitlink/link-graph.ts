// Reads what `llvm-jitlink -show-graphs` prints: where blocks and symbols were placed, and what JITLink made of every
// relocation. The text is no stable interface: it is that of LLVM 19 (llvm/lib/ExecutionEngine/JITLink/JITLink.cpp).

/** One edge: JITLink's relocation. `target` is an address where it could be told, else null. */
export interface GraphEdge {
  readonly kind: string;
  readonly target: number | null;
}

/** A piece of a section with its own address. */
export interface GraphBlock {
  readonly section: string;
  readonly address: number;
  readonly size: number;
  readonly zeroFill: boolean;
}

/** A linked graph. */
export interface LinkGraph {
  /** By rising address within each section. */
  readonly blocks: readonly GraphBlock[];
  /** Address of every symbol that has a name. */
  readonly symbols: ReadonlyMap<string, number>;
  /** By the address of the fixup. KEEP-alive edges, which have no fixup, are left out. */
  readonly edges: ReadonlyMap<number, GraphEdge>;
}

const SECTION = /^section (.*):$/;
const BLOCK = /^ {2}block (0x[0-9a-f]+) size = (0x[0-9a-f]+), .*?(, zero-fill)?$/;
const SYMBOL = /^ {2,6}(0x[0-9a-f]+)(?: \(block|: ).*(?:live|dead) {2}[X-] {3}(.*?)(?: \(weakly referenced\))?$/;
const EDGE = /^ {6}(0x[0-9a-f]+) \(block \+ 0x[0-9a-f]+\), addend = [+-]0x[0-9a-f]+, kind = ([^,]+), target = (.*)$/;
const PLACE = /^addressable@(0x[0-9a-f]+)\+(0x[0-9a-f]+)$/;

/** Reads the graph of one object. */
export function readLinkGraph(text: string): LinkGraph {
  const blocks: GraphBlock[] = [];
  const symbols = new Map<string, number>();
  const found: { readonly at: number; readonly kind: string; readonly target: string }[] = [];
  let section = '';
  for (const line of text.split('\n')) {
    const edge = EDGE.exec(line);
    if (edge !== null) {
      if (edge[2] !== 'Keep-Alive') found.push({ at: Number(edge[1]), kind: edge[2]!, target: edge[3]! });
      continue;
    }
    const symbol = SYMBOL.exec(line);
    if (symbol !== null) {
      symbols.set(symbol[2]!, Number(symbol[1]));
      continue;
    }
    const block = BLOCK.exec(line);
    if (block !== null) {
      const [, address, size, zeroFill] = block;
      blocks.push({ section, address: Number(address), size: Number(size), zeroFill: zeroFill !== undefined });
      continue;
    }
    section = SECTION.exec(line)?.[1] ?? section;
  }
  const addressOf = (target: string): number | null => {
    const place = PLACE.exec(target);
    return place === null ? (symbols.get(target) ?? null) : Number(place[1]) + Number(place[2]);
  };
  return {
    blocks,
    symbols,
    edges: new Map(found.map(({ at, kind, target }) => [at, { kind, target: addressOf(target) }])),
  };
}

// Random links as data: objects of sections, symbols and references, some in an archive, some in COMDAT groups. Only
// links that every linker takes are made; what is drawn is what may differ between them.
import fc from 'fast-check';

/** What a symbol is: where it is defined and who may see it. */
export interface GraphSymbol {
  readonly kind: 'function' | 'data' | 'thread-local';
  readonly visibility: 'default' | 'hidden';
  /** The object that has the strong definition; -1: nobody has. */
  readonly object: number;
  /** Objects that have a weak definition too. */
  readonly weak: readonly number[];
  /** Defined as common storage (data only). */
  readonly common: boolean;
}

/** How a place refers to a symbol. */
export type Way = 'call' | 'slot' | 'direct' | 'word' | 'distance' | 'thread';

/** One reference, from a section of an object. */
export interface GraphReference {
  readonly object: number;
  /** The symbol in whose section the place is. */
  readonly from: number;
  readonly to: number;
  readonly way: Way;
  readonly addend: number;
}

/** A group of code that several objects have. */
export interface GraphGroup {
  readonly objects: readonly number[];
  /** A symbol that the group's code refers to. */
  readonly to: number;
}

/** A whole link. */
export interface Graph {
  readonly objects: number;
  /** Objects from this number on are members of an archive. */
  readonly archivedFrom: number;
  readonly symbols: readonly GraphSymbol[];
  readonly references: readonly GraphReference[];
  readonly groups: readonly GraphGroup[];
  /** Texts that objects keep in sections whose pieces are shared. */
  readonly texts: readonly { readonly object: number; readonly text: string }[];
  readonly dropUnused: boolean;
  readonly atOnce: boolean;
}

const MOST_OBJECTS = 4;
const MOST_SYMBOLS = 10;

const symbolArbitrary: fc.Arbitrary<GraphSymbol> = fc.record({
  kind: fc.constantFrom('function', 'function', 'data', 'data', 'thread-local'),
  visibility: fc.constantFrom('default', 'default', 'hidden'),
  object: fc.integer({ min: -1, max: MOST_OBJECTS - 1 }),
  weak: fc.uniqueArray(fc.integer({ min: 0, max: MOST_OBJECTS - 1 }), { maxLength: 2 }),
  common: fc.boolean(),
});

const referenceArbitrary: fc.Arbitrary<GraphReference> = fc.record({
  object: fc.integer({ min: 0, max: MOST_OBJECTS - 1 }),
  from: fc.integer({ min: 0, max: MOST_SYMBOLS - 1 }),
  to: fc.integer({ min: 0, max: MOST_SYMBOLS - 1 }),
  way: fc.constantFrom('call', 'slot', 'direct', 'word', 'distance', 'thread'),
  addend: fc.constantFrom(0, 0, 0, 1, 8, -8, 4096, 65536),
});

/** True where an object defines a symbol, strongly or weakly. */
export function defines({ object, weak }: GraphSymbol, number: number): boolean {
  return object === number || weak.includes(number);
}

/** Takes out what no linker would take, or what the standard leaves open. */
function lawful(graph: Graph): Graph {
  const inLink = (number: number): boolean => number < graph.objects;
  const symbols = graph.symbols.map((symbol): GraphSymbol => {
    const object = inLink(symbol.object) ? symbol.object : -1;
    // Whether a weak definition in an archive is fetched, and which of two is, depends on the linker.
    const weak = symbol.weak.filter((one) => one < graph.archivedFrom && inLink(one) && one !== object);
    const common =
      symbol.common && symbol.kind === 'data' && object >= 0 && object < graph.archivedFrom && weak.length === 0;
    const archived = object >= graph.archivedFrom;
    const definitions = archived ? [] : weak;
    // A hidden symbol must be somewhere in the link for sure.
    const sure = (object >= 0 && !archived) || definitions.length > 0;
    return { ...symbol, object, weak: definitions, common, visibility: sure ? symbol.visibility : 'default' };
  });
  const references = graph.references.flatMap((reference): GraphReference[] => {
    const { object, from, to, way } = reference;
    const [source, target] = [symbols[from], symbols[to]];
    if (!inLink(object) || source === undefined || target === undefined || !defines(source, object)) return [];
    if (source.common || source.kind === 'thread-local') return [];
    const inCode = source.kind === 'function';
    if ((target.kind === 'thread-local') !== (way === 'thread')) return [];
    if (way === 'thread') return inCode ? [{ ...reference, addend: 0 }] : [];
    if (way === 'word') return inCode ? [] : [reference];
    const near = target.visibility === 'hidden';
    if (way === 'distance') return near && !inCode ? [reference] : [];
    if (!inCode || (way === 'direct' && !near)) return [];
    if (way === 'call') return target.kind === 'function' ? [{ ...reference, addend: 0 }] : [];
    return [way === 'slot' ? { ...reference, addend: 0 } : reference];
  });
  const groups = graph.groups
    .map(({ objects, to }) => ({ objects: objects.filter((one) => one < graph.archivedFrom && inLink(one)), to }))
    .filter(({ objects, to }) => objects.length > 0 && symbols[to]?.kind === 'function');
  const texts = graph.texts.filter(({ object }) => inLink(object));
  return { ...graph, symbols, references, groups, texts };
}

/** Links that every linker takes. */
export const graphArbitrary: fc.Arbitrary<Graph> = fc
  .record({
    objects: fc.integer({ min: 1, max: MOST_OBJECTS }),
    archivedFrom: fc.integer({ min: 1, max: MOST_OBJECTS }),
    symbols: fc.array(symbolArbitrary, { minLength: 2, maxLength: MOST_SYMBOLS }),
    references: fc.array(referenceArbitrary, { minLength: 60, maxLength: 160 }),
    groups: fc.array(
      fc.record({
        objects: fc.uniqueArray(fc.integer({ min: 0, max: MOST_OBJECTS - 1 }), { minLength: 1 }),
        to: fc.integer({ min: 0, max: MOST_SYMBOLS - 1 }),
      }),
      { maxLength: 3 },
    ),
    texts: fc.array(
      fc.record({
        object: fc.integer({ min: 0, max: MOST_OBJECTS - 1 }),
        text: fc.constantFrom('a', 'ba', 'cba', '', 'word'),
      }),
      { maxLength: 6 },
    ),
    dropUnused: fc.boolean(),
    atOnce: fc.boolean(),
  })
  .map(lawful);

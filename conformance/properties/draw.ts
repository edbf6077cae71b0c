// Draws random links. Only what every linker takes is made, and nothing that the standard leaves open: what is drawn is
// what may be done wrongly, not what may be done in several ways.
import fc from 'fast-check';
import {
  definers,
  defines,
  isSure,
  type Graph,
  type GraphGroup,
  type GraphReference,
  type GraphSymbol,
  type Home,
  type Way,
} from './graph.js';

const MOST_OBJECTS = 5;
const MOST_SYMBOLS = 12;

const EVERYONE = Array.from({ length: MOST_OBJECTS }, (_, number) => number);

const object = fc.nat({ max: MOST_OBJECTS - 1 });
const objects = fc.uniqueArray(object, { maxLength: 3 });
const symbol = fc.nat({ max: MOST_SYMBOLS - 1 });

const symbolArbitrary: fc.Arbitrary<GraphSymbol> = fc.record({
  kind: fc.constantFrom('function', 'function', 'function', 'data', 'data', 'zero', 'thread-local', 'thread-zero'),
  visibility: fc.constantFrom('default', 'default', 'default', 'protected', 'hidden', 'hidden', 'internal'),
  saidEverywhere: fc.boolean(),
  strong: fc.integer({ min: -1, max: MOST_OBJECTS - 1 }),
  weak: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, objects),
  common: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, objects),
  weakly: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, objects, fc.constant(EVERYONE)),
  apart: fc.boolean(),
});

/** A reference before it is known what there is: numbers are taken modulo what is possible. */
interface Wish {
  readonly from: number;
  readonly way: Way;
  readonly to: number;
  readonly addend: number;
}

const wishArbitrary: fc.Arbitrary<Wish> = fc.record({
  from: fc.nat(),
  way: fc.constantFrom(
    ...(['call', 'slot', 'direct', 'word', 'word', 'distance'] as const),
    ...(['initial-exec', 'general-dynamic', 'local-dynamic', 'descriptor'] as const),
  ),
  to: fc.nat(),
  addend: fc.constantFrom(0, 0, 0, 1, 8, -8, 4096, 65536),
});

/** Takes out of a symbol what no linker would take, or what the standard leaves open. */
function lawfulSymbol(graph: Graph, drawn: GraphSymbol): GraphSymbol {
  const inLink = (one: number): boolean => one >= 0 && one < graph.homes.length;
  const sure = (one: number): boolean => isSure(graph, one);
  const strong = inLink(drawn.strong) ? drawn.strong : -1;
  const archived = strong >= 0 && !sure(strong);
  // Which of two members that define it is fetched depends on the linker; and whether one is, for common storage.
  const common =
    drawn.kind === 'zero' && !archived ? drawn.common.filter((one) => inLink(one) && sure(one) && one !== strong) : [];
  const weak = drawn.weak.filter(
    (one, index, all) =>
      inLink(one) &&
      one !== strong &&
      common.length === 0 &&
      (sure(one) || (!archived && all.findIndex((other) => inLink(other) && !sure(other)) === index)),
  );
  const kind = common.length > 0 ? 'zero' : drawn.kind;
  const settled = { ...drawn, kind, strong, weak, common };
  const all = definers(settled);
  if (all.length === 0 && isNear(drawn) && drawn.saidEverywhere && !THREAD_KINDS.has(kind)) {
    // Nobody has it, and no other module may: its address is 0 wherever it is asked for.
    return { ...settled, weakly: graph.homes.map((_, index) => index) };
  }
  const weakly = drawn.weakly.filter((one) => inLink(one) && !all.includes(one));
  // What others cannot see must be in the link for sure.
  const visibility = all.some(sure) ? drawn.visibility : 'default';
  return { ...settled, weakly, visibility };
}

/** True for what no other module can take the place of, whatever the options are. */
function isNear({ visibility }: GraphSymbol): boolean {
  return visibility === 'hidden' || visibility === 'internal';
}

/** True for what is 0 in every link. */
function isNowhere(symbol: GraphSymbol): boolean {
  return isNear(symbol) && definers(symbol).length === 0;
}

const THREAD_KINDS = new Set(['thread-local', 'thread-zero']);
const THREAD_WAYS = new Set<Way>(['initial-exec', 'general-dynamic', 'local-dynamic', 'descriptor']);
/** Ways that only lead to the symbol itself. */
const EXACT = new Set<Way>([...THREAD_WAYS, 'call', 'slot']);

/** May a place in code (else in data) refer to the symbol in this way? */
function isLawful(way: Way, target: GraphSymbol, inCode: boolean): boolean {
  // What the distance to nothing is, each machine says otherwise.
  if (isNowhere(target) && way !== 'word' && way !== 'slot') return false;
  const thread = THREAD_KINDS.has(target.kind);
  if (THREAD_WAYS.has(way)) return thread && inCode && (way !== 'local-dynamic' || isNear(target));
  if (thread) return false;
  switch (way) {
    case 'call':
      return inCode && target.kind === 'function';
    case 'slot':
      return inCode;
    case 'direct':
      return inCode && isNear(target);
    case 'word':
      return !inCode;
    case 'distance':
      return !inCode && isNear(target);
    default:
      throw new Error(`${way} is none of data`);
  }
}

/** The references that wishes come to. */
function granted({ symbols }: Graph, wishes: readonly Wish[]): GraphReference[] {
  const places = symbols.flatMap((one, from) =>
    one.kind === 'function' || one.kind === 'data' ? definers(one).map((home) => ({ from, object: home })) : [],
  );
  return wishes.flatMap(({ from, way, to, addend }): GraphReference[] => {
    const place = places[from % Math.max(1, places.length)];
    if (place === undefined) return [];
    const inCode = symbols[place.from]!.kind === 'function';
    const targets = symbols.flatMap((one, index) => (isLawful(way, one, inCode) ? [index] : []));
    const target = targets[to % Math.max(1, targets.length)];
    if (target === undefined) return [];
    return [{ ...place, to: target, way, addend: EXACT.has(way) ? 0 : addend }];
  });
}

function lawful({ wishes, ...drawn }: Graph & { readonly wishes: readonly Wish[] }): Graph {
  const homes = drawn.homes.map((home, index): Home => (index === 0 ? 'loose' : home));
  const start = { ...drawn, homes };
  const symbols = drawn.symbols.map((one) => lawfulSymbol(start, one));
  const graph = { ...start, symbols };
  const inLink = (one: number): boolean => one < homes.length;
  const isFunction = (one: number): boolean => symbols[one]?.kind === 'function' && !isNowhere(symbols[one]);
  const isDefined = (one: number): boolean => one < symbols.length && definers(symbols[one]!).length > 0;
  const isArchived = (one: number): boolean => homes[one] !== 'loose';
  // Whether a name that an archive has too is hidden with it, linkers decide differently.
  const parted = symbols.every((one) => new Set(definers(one).map(isArchived)).size < 2);
  return {
    ...graph,
    archivesHidden: graph.archivesHidden && parted,
    references: granted(graph, wishes),
    groups: drawn.groups
      .map((group): GraphGroup => ({ ...group, objects: group.objects.filter(inLink) }))
      .filter((group) => group.objects.length > 0 && isFunction(group.to)),
    pieces: drawn.pieces.filter((one) => inLink(one.object)),
    starts: drawn.starts.filter((one) => inLink(one.object) && isFunction(one.to)),
    debug: drawn.debug.filter(inLink),
    asked: drawn.asked.filter(isDefined),
    // Names that a version script has and no object are an error for lld.
    shown:
      drawn.shown?.filter((one) => isDefined(one) && definers(symbols[one]!).some((home) => isSure(graph, home))) ??
      null,
  };
}

/** Links that every linker takes. */
export const graphArbitrary: fc.Arbitrary<Graph> = fc
  .record({
    homes: fc.array(fc.constantFrom<Home>('loose', 'loose', 'first archive', 'second archive'), {
      minLength: 1,
      maxLength: MOST_OBJECTS,
      size: 'max',
    }),
    whole: fc.boolean(),
    thin: fc.boolean(),
    symbols: fc.array(symbolArbitrary, { minLength: 2, maxLength: MOST_SYMBOLS, size: 'max' }),
    references: fc.constant([]),
    wishes: fc.array(wishArbitrary, { minLength: 20, maxLength: 160, size: 'max' }),
    groups: fc.array(
      fc.record({ objects: fc.uniqueArray(object, { minLength: 1 }), to: symbol, hidden: fc.boolean() }),
      { maxLength: 3 },
    ),
    pieces: fc.array(
      fc.record({
        object,
        form: fc.constantFrom('text', 'text', 'wide-text', 'constant'),
        text: fc.constantFrom('a', 'ba', 'cba', '', 'word'),
        offset: fc.constantFrom(0, 0, 0, 1),
      }),
      { maxLength: 8 },
    ),
    starts: fc.array(
      fc.record({
        object,
        array: fc.constantFrom('init', 'init', 'fini'),
        priority: fc.constantFrom(null, null, 101, 102, 65000),
        to: symbol,
      }),
      { maxLength: 6, size: 'max' },
    ),
    debug: objects,
    asked: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.uniqueArray(symbol, { maxLength: 2 })),
    shown: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.uniqueArray(symbol)),
    symbolic: fc.constantFrom('none', 'none', 'none', 'all', 'functions'),
    dropUnused: fc.boolean(),
    atOnce: fc.boolean(),
    packed: fc.boolean(),
    archivesHidden: fc.constantFrom(false, false, true),
  })
  .map(lawful);

/** True where nothing depends on which object comes first: at most one definition of each name is taken from those. */
export function isUnordered({ symbols }: Graph): boolean {
  return symbols.every((one) => (one.strong >= 0 ? 1 : 0) + one.weak.length <= 1 && one.common.length <= 1);
}

/** True where an object must say of a symbol who may see it. */
export function saysVisibility(one: GraphSymbol, index: number): boolean {
  return one.visibility !== 'default' && (one.saidEverywhere || defines(one, index));
}

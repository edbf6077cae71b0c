// Random links as data: objects of sections, symbols and references, some in archives, some in COMDAT groups. What may be
// in one is said here; draw.ts draws them, and takes out what no linker would take.

/** What a symbol names. `zero` and `thread-zero` have no bytes in the file. */
export type SymbolKind = 'function' | 'data' | 'zero' | 'thread-local' | 'thread-zero';

/** Who may see a symbol, and who may replace it. */
export type Visibility = 'default' | 'protected' | 'hidden' | 'internal';

/** A global symbol. */
export interface GraphSymbol {
  readonly kind: SymbolKind;
  readonly visibility: Visibility;
  /** False: only objects that define it say so, others refer to it as if it were open. */
  readonly saidEverywhere: boolean;
  /** The object that has the strong definition; -1: nobody has. */
  readonly strong: number;
  /** Objects that have a weak definition. */
  readonly weak: readonly number[];
  /** Objects that have common storage of that name. */
  readonly common: readonly number[];
  /** Objects whose references to it may lead nowhere. */
  readonly weakly: readonly number[];
  /** True: in a section of its own, which may be dropped alone. */
  readonly apart: boolean;
}

/** How a place refers to a symbol: from code, from data, or by one of the models of thread-locals. */
export type Way =
  | 'call'
  | 'slot'
  | 'direct'
  | 'word'
  | 'distance'
  | 'initial-exec'
  | 'general-dynamic'
  | 'local-dynamic'
  | 'descriptor';

/** One reference, from a symbol's definition in an object. */
export interface GraphReference {
  readonly object: number;
  readonly from: number;
  readonly to: number;
  readonly way: Way;
  readonly addend: number;
}

/** Code and data of one name that several objects have, of which one copy is kept. */
export interface GraphGroup {
  readonly objects: readonly number[];
  /** A function that the group's code calls. */
  readonly to: number;
  readonly hidden: boolean;
}

/** A piece that objects keep in sections whose pieces are shared: a text (in letters of one or two bytes), or a constant. */
export interface GraphPiece {
  readonly object: number;
  readonly form: 'text' | 'wide-text' | 'constant';
  readonly text: string;
  /** What refers to it means the place so many bytes behind its start. */
  readonly offset: number;
}

/** A function that runs when the library is opened or closed. */
export interface GraphStart {
  readonly object: number;
  readonly array: 'init' | 'fini';
  /** null: behind all that have one. */
  readonly priority: number | null;
  readonly to: number;
}

/** Where an object is: by itself, or a member of one of two archives. */
export type Home = 'loose' | 'first archive' | 'second archive';

/** A whole link. */
export interface Graph {
  /** By object; the first is loose. */
  readonly homes: readonly Home[];
  /** All members of the first archive are taken, whether something refers to them or not. */
  readonly whole: boolean;
  /** The second archive names its members and does not hold them. */
  readonly thin: boolean;
  readonly symbols: readonly GraphSymbol[];
  readonly references: readonly GraphReference[];
  readonly groups: readonly GraphGroup[];
  readonly pieces: readonly GraphPiece[];
  readonly starts: readonly GraphStart[];
  /** Objects with debug information of what they define. */
  readonly debug: readonly number[];
  /** Symbols that the command line asks for. */
  readonly asked: readonly number[];
  /** Symbols that others see; null: all that are visible. */
  readonly shown: readonly number[] | null;
  readonly symbolic: 'none' | 'all' | 'functions';
  readonly dropUnused: boolean;
  readonly atOnce: boolean;
  readonly packed: boolean;
  /** What archives define is seen by nobody else. */
  readonly archivesHidden: boolean;
}

/** True for an object that is in the link whatever refers to it. */
export function isSure({ homes, whole }: Graph, object: number): boolean {
  const home = homes[object];
  return home === 'loose' || (whole && home === 'first archive');
}

/** Objects that define a symbol, strongly, weakly or as common storage. */
export function definers({ strong, weak, common }: GraphSymbol): number[] {
  return [...(strong < 0 ? [] : [strong]), ...weak, ...common];
}

/** True where an object defines a symbol. */
export function defines(symbol: GraphSymbol, object: number): boolean {
  return definers(symbol).includes(object);
}

/** True where an object names a symbol: it defines it, or something of it refers to it. */
export function mentions({ symbols, references, groups, starts }: Graph, object: number, symbol: number): boolean {
  return (
    defines(symbols[symbol]!, object) ||
    references.some((one) => one.object === object && one.to === symbol) ||
    groups.some((one) => one.objects.includes(object) && one.to === symbol) ||
    starts.some((one) => one.object === object && one.to === symbol)
  );
}

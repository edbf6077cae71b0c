// What links of one format do otherwise than those of another, as a table that the passes ask: names, the order of
// sections, which symbols there are without being defined. The tables stand beside the emitters.
import type { Format, Section } from '../../formats/object-file.js';
import type { OutputSection, Region } from './output-section.js';

/** What has a section's name. */
export type Named = Pick<Section, 'name' | 'nameBegins'>;

/** How sections are called and joined. */
export interface SectionRules {
  /** The output section that an input section goes to. */
  outputName(section: Named): string;
  /** Where constructors or destructors stand among those of their output section: lower numbers first. */
  priorityOf(name: string): number;
  /**
   * The array that a section of constructors or destructors of a file becomes part of, its words in the other order; null
   * when it is no table of that kind.
   */
  arrayOf(section: Section, file: string): string | null;
  /** Is it kept although nothing refers to it, by its name? */
  isRoot(section: Named): boolean;
  /** Is the code of that output section executed whole, so that nothing may stand between its parts? */
  isUndivided(name: string): boolean;
  /** The names of what the link makes. `common` holds common blocks. */
  readonly made: {
    readonly slots: string;
    readonly stubSlots: string;
    readonly stubs: string;
    readonly veneers: string;
    readonly unwind: string;
    readonly common: string;
  };
}

/** Where sections go. */
export interface LayoutRules {
  /** Parts of the image that have a protection of their own, in the order of their addresses; behind them come others. */
  readonly regions: readonly Region[];
  regionOf(output: OutputSection): Region;
  /** The order of output sections within a region; those of one rank stand in the order of the inputs. */
  rank(output: OutputSection): number;
  /** The first section of what an option gives an address. */
  readonly textName: string;
  /** Nothing follows in this region's last page of memory. */
  fillsPages(region: Region, relro: boolean): boolean;
  /** Regions start at whole pages in the file, too. */
  readonly wholePages: boolean;
  /** The zero-filled part of the thread-local template has addresses of its own. */
  readonly templateTakesRoom: boolean;
}

/** Where the sections of a name start or end, or a region of the image. */
export interface Edge {
  readonly kind: 'section' | 'region';
  readonly name: string;
  readonly edge: 'start' | 'end';
}

/** Symbols that stand for an edge. */
export interface EdgeRule {
  /** How their names begin. */
  readonly begins: readonly string[];
  /** What a name stands for, or null. */
  edgeOf(name: string): Edge | null;
  /** Sections of a name of which there are none have edges, too: both are one place. */
  readonly ofNothing: boolean;
}

/** A place that is known after all is placed. */
export type MadePlace =
  | { readonly kind: 'image-start' }
  | { readonly kind: 'code-end' }
  | { readonly kind: 'data-end' }
  /** The start of what is zero-filled, by the name of its section. */
  | { readonly kind: 'zero-start'; readonly section: string }
  | { readonly kind: 'image-end' }
  | { readonly kind: 'table' }
  /** The start of the thread-local template. */
  | { readonly kind: 'template' }
  | Edge
  /** The start of the image's own data: every module's differs. */
  | { readonly kind: 'handle' }
  | { readonly kind: 'symbol'; readonly base: number; readonly offset: number };

/** The table. */
/** Which definitions there are, and what becomes of those that are not taken. */
export interface SymbolRules {
  /** Symbols that the link defines for who refers to them. */
  readonly made: Readonly<Record<string, MadePlace>>;
  readonly edges: EdgeRule;
  /** Of weak definitions of one name one is kept with all that it consists of, and of the others nothing. */
  readonly coalesces: boolean;
  /** What an archive and a library both have is taken from the one that comes first. */
  readonly firstInputWins: boolean;
  /** A symbol is as visible as its definition is, of several weak ones as the most visible; else as the least visible of all. */
  readonly definitionShows: boolean;
  /** What is only referred to weakly may be defined by nobody. */
  readonly mayBeAbsent: boolean;
  /** A distance of a definition that another module's may take the place of is that of the own one. */
  readonly ownWhenDirect: boolean;
}

export interface LinkTarget {
  /** Of the objects that are linked. */
  readonly format: Format;
  readonly sections: SectionRules;
  readonly layout: LayoutRules;
  readonly symbols: SymbolRules;
  /** Words before the slots where the machine's table of slots is the one that expressions name. */
  readonly reservedSlots: number;
  /** What is not loaded (debug information) becomes part of the file. */
  readonly keepsUnloaded: boolean;
}

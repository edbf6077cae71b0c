// The tables of a Mach-O library for the passes of its link: names and order of sections, segment by segment, and the
// symbols that the link makes. Apple's <mach-o/loader.h> for what sections there are; the order is that of its linkers.
import { fileName } from '../formats/macho/names.js';
import type { SectionKind } from '../formats/object-file.js';
import type { OutputSection } from './shared/output-section.js';
import type { LinkTarget, Named } from './shared/target.js';

/** What is called otherwise in what is linked: constants that hold addresses are written once, by the loader. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['__DATA,__const', '__DATA_CONST,__const'],
  ['__DATA,__mod_init_func', '__DATA_CONST,__mod_init_func'],
  ['__DATA,__mod_term_func', '__DATA_CONST,__mod_term_func'],
  ['__DATA,__cfstring', '__DATA_CONST,__cfstring'],
  ['__TEXT,__StaticInit', '__TEXT,__text'],
  ['__TEXT,__textcoal_nt', '__TEXT,__text'],
  ['__TEXT,__const_coal', '__TEXT,__const'],
  ['__DATA,__datacoal_nt', '__DATA,__data'],
]);

const outputName = ({ name }: Named): string => RENAMED.get(name) ?? name;

const LINKEDIT = '__LINKEDIT';
/** Segments in the order of their addresses; a program's own come behind them. */
const SEGMENTS = ['__TEXT', '__DATA_CONST', '__DATA'];

/** The segment of a section's name. */
export function segmentOf(name: string): string {
  const comma = name.indexOf(',');
  return comma < 0 ? name : name.slice(0, comma);
}

/** By name, else by kind, else in the middle. What is zero-filled is last in its segment. */
const NAME_RANKS: ReadonlyMap<string, number> = new Map([
  ['__TEXT,__text', 0],
  ['__TEXT,__stubs', 2],
  ['__TEXT,__unwind_info', 80],
  ['__TEXT,__eh_frame', 90],
  ['__DATA_CONST,__got', 0],
  ['__DATA,__common', 120],
  ['__DATA,__bss', 130],
]);
const KIND_RANKS: Readonly<Partial<Record<SectionKind, number>>> = {
  code: 1,
  init: 5,
  fini: 6,
  'tls-descriptors': 60,
  // The template is one block, of which the second half is zero-filled.
  'tls-data': 70,
  'tls-zero': 100,
  zero: 110,
};
const MIDDLE = 50;

function rank({ name, kind }: OutputSection): number {
  return NAME_RANKS.get(name) ?? KIND_RANKS[kind] ?? MIDDLE;
}

const EDGE_NAME = /^s(?:ection|egment)\$(start|end)\$([^$]+)(?:\$(.+))?$/;

/** The table. Model names begin with the byte 1 where the file's do not begin with an underscore (formats/macho/names.ts). */
export const DYLIB_TARGET: LinkTarget = {
  format: 'macho',
  sections: {
    outputName,
    // In the order of the inputs.
    priorityOf: () => 0,
    arrayOf: () => null,
    isRoot: () => false,
    isUndivided: () => false,
    made: {
      slots: '__DATA_CONST,__got',
      stubSlots: '__DATA_CONST,__got',
      stubs: '__TEXT,__stubs',
      veneers: '__TEXT,__text',
      unwind: '__TEXT,__eh_frame',
      common: '__DATA,__common',
    },
  },
  layout: {
    regions: SEGMENTS,
    regionOf: ({ name }) => segmentOf(name),
    rank,
    textName: '__TEXT,__text',
    fillsPages: () => true,
    wholePages: true,
    templateTakesRoom: true,
  },
  symbols: {
    made: {
      __dso_handle: { kind: 'image-start' },
      _mh_dylib_header: { kind: 'image-start' },
    },
    edges: {
      begins: ['\x01section$', '\x01segment$'],
      edgeOf(name) {
        const spelled = fileName(name);
        const [, side, segment, section] = EDGE_NAME.exec(spelled) ?? [];
        if (segment === undefined || spelled.startsWith('section') !== (section !== undefined)) return null;
        const edge = side === 'start' ? 'start' : 'end';
        // What the loader reads is made when all else has its place.
        if (section === undefined) return segment === LINKEDIT ? null : { kind: 'region', name: segment, edge };
        const full = `${segment},${section}`;
        return { kind: 'section', name: RENAMED.get(full) ?? full, edge };
      },
      ofNothing: true,
    },
    coalesces: true,
    firstInputWins: true,
    definitionShows: true,
    mayBeAbsent: false,
    ownWhenDirect: true,
  },
  reservedSlots: 0,
  keepsUnloaded: false,
};

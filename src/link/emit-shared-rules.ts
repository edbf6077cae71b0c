// The tables of an ELF shared object for the passes of its link: names and order of output sections as ld's scripts and
// lld have them, and the symbols that the link makes.
import type { SectionKind } from '../formats/object-file.js';
import { familyOf, isOfFamily } from './shared/output-names.js';
import type { OutputSection, Region } from './shared/output-section.js';
import type { EdgeRule, LayoutRules, MadePlace, Named, SectionRules, SymbolRules } from './shared/target.js';

/** Longer names before those that they begin with; what there is most of first. */
const FAMILIES = [
  '.text',
  '.data.rel.ro',
  '.data',
  '.rodata',
  '.bss.rel.ro',
  '.bss',
  '.init_array',
  '.fini_array',
  '.ctors',
  '.dtors',
  '.tbss',
  '.gcc_except_table',
  '.tdata',
  '.lrodata',
  '.ldata',
  '.lbss',
  '.ltext',
].map(familyOf);

/** `.text.f` → `.text`, `.init_array.101` → `.init_array`, `COMMON` → `.bss`; other names stay. */
function outputName(section: Named): string {
  for (const family of FAMILIES) if (isOfFamily(section, family)) return family.family;
  const { name } = section;
  if (name === 'COMMON') return '.bss';
  return name.startsWith('.gnu.linkonce.') ? linkOnce(name) : name;
}

/** What old compilers wrote before there were groups. */
function linkOnce(name: string): string {
  const short = /^\.gnu\.linkonce\.(d\.rel\.ro|[a-z]+)\./.exec(name)?.[1];
  switch (short) {
    case 't':
      return '.text';
    case 'r':
      return '.rodata';
    case 'd':
      return '.data';
    case 'd.rel.ro':
      return '.data.rel.ro';
    case 'b':
      return '.bss';
    case 'td':
      return '.tdata';
    case 'tb':
      return '.tbss';
    default:
      return name;
  }
}

/**
 * Where constructors stand among those of their family: the number in `.init_array.101`, and 65,536 for those without.
 * Old tables (`.ctors`) are run from their end, so their numbers count backwards.
 */
function priorityOf(name: string): number {
  const number = /^\.(init_array|fini_array|ctors|dtors)\.(\d+)$/.exec(name);
  if (number === null) return 65_536;
  const value = Number(number[2]);
  return number[1]?.endsWith('tors') === true ? 65_535 - value : value;
}

/** Old startup files bring the edges of the old tables, and run these: their parts stay what they are. */
const STARTUP_FILES = /crt(?:begin|end).?\.o$/;

/** What the C runtime joins from many objects, by the names that linker scripts keep. */
const ROOT_NAMES = ['.init', '.fini', '.jcr', '.ctors', '.dtors', '.preinit_array'].map(familyOf);

export const SHARED_SECTIONS: SectionRules = {
  outputName,
  priorityOf,
  /**
   * Tables as compilers wrote them before there were arrays (.ctors, .dtors). Today's startup files run arrays only, and
   * those the other way round: so its words go there backwards. As GNU ld's own script has it; lld and mold leave such
   * tables where nothing runs them.
   */
  arrayOf({ kind, name }, file) {
    const first = kind === 'init';
    if (!name.startsWith(first ? '.ctors' : '.dtors') || STARTUP_FILES.test(file)) return null;
    return first ? '.init_array' : '.fini_array';
  },
  isRoot: (section) => ROOT_NAMES.some((family) => isOfFamily(section, family)),
  isUndivided: (name) => name === '.init' || name === '.fini',
  made: {
    slots: '.got',
    stubSlots: '.got.plt',
    stubs: '.plt',
    veneers: '.text.veneers',
    unwind: '.eh_frame',
    common: 'COMMON',
  },
};

const REGIONS = ['readonly', 'code', 'relro', 'data', 'large'];

/** Sections that are made read-only once the loader is done with them, by name. */
const RELRO_NAMES = new Set(['.dynamic', '.got', '.jcr', '.preinit_array', '.bss.rel.ro', '.data.rel.ro']);
const RELRO_KINDS: ReadonlySet<SectionKind> = new Set<SectionKind>(['init', 'fini', 'relro', 'tls-data', 'tls-zero']);

/** Within a region: sections of these names come first, in this order; others behind them in the order of the inputs. */
const FIRST = [
  '.note.gnu.build-id',
  '.note.gnu.property',
  '.note.ABI-tag',
  '.gnu.hash',
  '.hash',
  '.dynsym',
  '.dynstr',
  '.gnu.version',
  '.gnu.version_r',
  '.rela.dyn',
  '.relr.dyn',
  '.rela.plt',
  '.init',
  '.plt',
  '.plt.got',
  '.text',
  '.fini',
  '.tdata',
  '.tbss',
  '.preinit_array',
  '.init_array',
  '.fini_array',
  '.ctors',
  '.dtors',
];
/** And these last. */
const LAST = [
  '.eh_frame_hdr',
  '.eh_frame',
  '.gcc_except_table',
  '.data.rel.ro',
  '.dynamic',
  '.got',
  '.got.plt',
  '.data',
];

function regionOf(output: OutputSection): Region {
  // What need not be near code lies behind all the rest; constants of that kind before it (rank).
  if (output.name === '.ldata' || output.name === '.lbss') return 'large';
  if (output.executable) return output.writable ? 'data' : 'code';
  if (!output.writable && !output.kind.startsWith('tls')) return 'readonly';
  return RELRO_KINDS.has(output.kind) || RELRO_NAMES.has(output.name) ? 'relro' : 'data';
}

function rank(output: OutputSection): number {
  if (output.name === '.lrodata') return -1;
  if (output.name === '.ltext') return 900;
  // Notes stand together, so that one segment holds them.
  if (output.kind === 'note' && !FIRST.includes(output.name)) return FIRST.indexOf('.note.ABI-tag') + 0.5;
  if (output.zero && output.kind !== 'tls-zero') return output.name === '.bss' ? 900 : 800;
  // The template is one block: whatever the names are.
  if (output.kind === 'tls-data') return FIRST.indexOf('.tdata');
  if (output.kind === 'tls-zero') return FIRST.indexOf('.tbss');
  const first = FIRST.indexOf(output.name);
  if (first >= 0) return first;
  const last = LAST.indexOf(output.name);
  return last >= 0 ? 200 + last : 100;
}

export const SHARED_LAYOUT: LayoutRules = {
  regions: REGIONS,
  regionOf,
  rank,
  textName: '.text',
  // Only whole pages can be made read-only.
  fillsPages: (region, relro) => region === 'relro' && relro,
  // Address and offset agree in what is below a page: that costs no bytes.
  wholePages: false,
  templateTakesRoom: false,
};

const MADE: Readonly<Record<string, MadePlace>> = {
  __ehdr_start: { kind: 'image-start' },
  __executable_start: { kind: 'image-start' },
  _etext: { kind: 'code-end' },
  etext: { kind: 'code-end' },
  __etext: { kind: 'code-end' },
  _edata: { kind: 'data-end' },
  edata: { kind: 'data-end' },
  __bss_start: { kind: 'zero-start', section: '.bss' },
  _end: { kind: 'image-end' },
  end: { kind: 'image-end' },
  _GLOBAL_OFFSET_TABLE_: { kind: 'table' },
  _TLS_MODULE_BASE_: { kind: 'template' },
  _DYNAMIC: { kind: 'section', name: '.dynamic', edge: 'start' },
  __dso_handle: { kind: 'handle' },
  __GNU_EH_FRAME_HDR: { kind: 'section', name: '.eh_frame_hdr', edge: 'start' },
  __EH_FRAME_BEGIN__: { kind: 'section', name: '.eh_frame', edge: 'start' },
  __preinit_array_start: { kind: 'section', name: '.preinit_array', edge: 'start' },
  __preinit_array_end: { kind: 'section', name: '.preinit_array', edge: 'end' },
  __init_array_start: { kind: 'section', name: '.init_array', edge: 'start' },
  __init_array_end: { kind: 'section', name: '.init_array', edge: 'end' },
  __fini_array_start: { kind: 'section', name: '.fini_array', edge: 'start' },
  __fini_array_end: { kind: 'section', name: '.fini_array', edge: 'end' },
};

const EDGE_NAME = /^__(start|stop)_([A-Za-z_][A-Za-z0-9_]*)$/;

/** `__start_X` and `__stop_X`, of sections whose name is one of C. */
const EDGES: EdgeRule = {
  begins: ['__st'],
  edgeOf(name) {
    const [, which, section] = EDGE_NAME.exec(name) ?? [];
    return section === undefined ? null : { kind: 'section', name: section, edge: which === 'start' ? 'start' : 'end' };
  },
  ofNothing: false,
};

export const SHARED_SYMBOLS: SymbolRules = {
  made: MADE,
  edges: EDGES,
  // That is what groups are for.
  coalesces: false,
  firstInputWins: false,
  definitionShows: false,
  mayBeAbsent: true,
  ownWhenDirect: false,
};

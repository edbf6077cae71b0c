// Pass: takes objects in and decides which definition every global name has. Members of archives are taken in when
// something refers to what they define, wherever on the command line that stands: an archive's symbols are known from its
// place on, as lld has it; the first archive that has a name wins. gABI "Symbol Table", "Section Groups", and for archives
// and shared libraries what ld, lld and mold agree on.
import type { Archive } from '../../formats/archive.js';
import {
  BINDING_LOCAL,
  BINDING_WEAK,
  KIND_FUNCTION,
  KIND_IFUNC,
  SECTION_ABSOLUTE,
  SECTION_COMMON,
  SECTION_UNDEFINED,
  VISIBILITY_DEFAULT,
  type SymbolColumns,
} from '../../formats/columns.js';
import type { ObjectFile, Section } from '../../formats/object-file.js';
import { IpbpError } from '../../codes/error.js';
import { machineFor } from '../../reloc/machines.js';
import { isReadable } from './content.js';
import { define, defineCommon, mark } from './definitions.js';
import type { Library, Link, TakenFile } from './link-state.js';
import type { LinkInput } from './options.js';
import {
  addSection,
  reserveSections,
  SECTION_CONSUMED,
  SECTION_DEAD,
  SECTION_DUPLICATE,
  SECTION_KEPT,
} from './sections.js';
import * as symbols from './symbols.js';
import { symbolAt, symbolNamed } from './symbols.js';

/** What only this pass needs. */
interface Resolving {
  readonly link: Link;
  readonly archives: { readonly archive: Archive; readonly hidden: boolean; readonly taken: Set<number> }[];
  /**
   * Objects whose symbols are being looked at, the last one now. A member is taken in as soon as something refers to it,
   * before the rest of the object that does: so the order of members, on which constructors and copies depend, is lld's.
   */
  readonly open: OpenFile[];
  /** Signature → number of the file whose group of that name is kept. */
  readonly groups: Map<string, number>;
  /** Names that undefined references stand for other names: --wrap. */
  readonly wrapped: Map<number, number>;
  readonly sonames: Set<string>;
}

/** An object of which the symbols from `row` on are still to be looked at. */
interface OpenFile {
  readonly taken: TakenFile;
  row: number;
}

/** Takes in all inputs. Errors of single inputs are thrown, those of symbols collected. */
export function resolveInputs(link: Link, inputs: readonly LinkInput[]): void {
  const state: Resolving = {
    link,
    archives: [],
    open: [],
    groups: new Map(),
    wrapped: new Map(),
    sonames: new Set(),
  };
  for (const name of link.options.wrap) {
    const plain = symbolNamed(link.symbols, name);
    state.wrapped.set(plain, symbolNamed(link.symbols, `__wrap_${name}`));
    state.wrapped.set(symbolNamed(link.symbols, `__real_${name}`), plain);
  }
  const { keep, entry, defined } = link.options;
  const bases = defined.flatMap(({ base }) => (base === null ? [] : [base]));
  for (const name of [...keep, ...(entry === null ? [] : [entry]), ...bases]) {
    // An entry that nobody defines is no error: it is only asked for.
    refer(state, symbolNamed(link.symbols, name), false, -1);
  }
  for (const input of inputs) {
    switch (input.kind) {
      case 'object':
        takeObject(state, input.file, false);
        break;
      case 'archive':
        openArchiveInput(state, input);
        break;
      case 'shared':
        takeLibrary(state, input);
        break;
    }
  }
}

/** Looks at the symbols of all open objects; what they refer to is opened on the way, and looked at first. */
function drain(state: Resolving): void {
  for (let last = state.open.at(-1); last !== undefined; last = state.open.at(-1)) {
    if (last.row >= last.taken.columns.count) state.open.pop();
    else referToUndefined(state, last);
  }
}

/** Opens a member of an archive, if it is not part of the link yet. */
function takeMember(state: Resolving, archive: number, member: number): void {
  const source = state.archives[archive];
  if (source === undefined || source.taken.has(member)) return;
  source.taken.add(member);
  const file = source.archive.member(member);
  if (file !== null) openObject(state, file, source.hidden);
}

function openArchiveInput(state: Resolving, input: LinkInput & { kind: 'archive' }): void {
  const { archive, hidden } = input;
  if (input.whole) {
    for (const { index } of archive.members) {
      const file = archive.member(index);
      if (file !== null) takeObject(state, file, hidden);
    }
    return;
  }
  const number = state.archives.length;
  state.archives.push({ archive, hidden, taken: new Set() });
  const table = state.link.symbols;
  archive.eachSymbol((bytes, start, end, member) => {
    offerLazy(state, symbolAt(table, bytes, start, end), number, member);
  });
}

function offerLazy(state: Resolving, symbol: number, archive: number, member: number): void {
  const table = state.link.symbols;
  const current = table.state[symbol] as number;
  if (current > symbols.STATE_UNDEFINED) return;
  if (symbols.hasFlag(table, symbol, symbols.REFERRED)) {
    takeMember(state, archive, member);
    drain(state);
    return;
  }
  table.state[symbol] = symbols.STATE_LAZY;
  table.file[symbol] = archive;
  table.row[symbol] = member;
}

function takeObject(state: Resolving, file: ObjectFile, hidden: boolean): void {
  openObject(state, file, hidden);
  drain(state);
}

/**
 * Takes in sections and definitions; what the object refers to is left for later. A member that is fetched for it then
 * finds the object's definitions, wherever in the table they stand.
 */
function openObject(state: Resolving, file: ObjectFile, hidden: boolean): void {
  const { link } = state;
  checkObject(link, file);
  const columns = file.symbolColumns();
  const number = link.files.length;
  const base = takeSections(state, file, number);
  const globals = new Int32Array(columns.count).fill(-1);
  const taken: TakenFile = {
    number,
    file,
    bytes: file.bytes,
    columns,
    globals,
    base,
    localBase: link.localCount,
    hidden,
    relocations: null,
  };
  link.files.push(taken);
  link.localCount += columns.count;
  state.open.push({ taken, row: columns.firstGlobal });
  const { section, binding } = columns;
  for (let row = columns.firstGlobal; row < columns.count; row++) {
    const at = section[row] as number;
    if (binding[row] === BINDING_LOCAL || at === SECTION_UNDEFINED || isGone(link, base, at)) continue;
    const symbol = internName(link, columns, row);
    globals[row] = symbol;
    narrow(link, symbol, columns.visibility[row] as number);
    if (at === SECTION_COMMON) defineCommon(link, symbol, taken, row);
    else define(link, symbol, taken, row, at === SECTION_ABSOLUTE ? symbols.ABSOLUTE : base + at);
  }
}

/** Is the section a copy of a group of which another is kept? */
function isGone(link: Link, base: number, section: number): boolean {
  return section >= 0 && link.sections.fate[base + section] === SECTION_DUPLICATE;
}

function internName(link: Link, { names }: SymbolColumns, row: number): number {
  const start = names.offset[row] as number;
  return symbolAt(link.symbols, names.bytes, start, start + (names.length[row] as number));
}

/** Notes what an object refers to, up to where a member is opened for it. */
function referToUndefined(state: Resolving, open: OpenFile): void {
  const { link } = state;
  const { columns, globals, number } = open.taken;
  const table = link.symbols;
  while (open.row < columns.count) {
    const row = open.row++;
    if (columns.binding[row] === BINDING_LOCAL || (globals[row] as number) >= 0) continue;
    let symbol = internName(link, columns, row);
    // What a dropped copy defines is no reference of the object's own making.
    if (state.wrapped.size > 0 && columns.section[row] === SECTION_UNDEFINED) {
      symbol = state.wrapped.get(symbol) ?? symbol;
    }
    globals[row] = symbol;
    narrow(link, symbol, columns.visibility[row] as number);
    refer(state, symbol, columns.binding[row] === BINDING_WEAK, number);
    if (table.kind[symbol] === 0) table.kind[symbol] = columns.kind[row] as number;
    if (state.open.at(-1) !== open) return;
  }
}

function checkObject(link: Link, file: ObjectFile): void {
  if (file.kind !== 'relocatable') {
    throw new IpbpError('IPBP1002', 'an executable cannot be part of a shared object', {
      expected: 'objects, archives and shared libraries',
      actual: file.kind,
      where: file.name,
    });
  }
  if (machineFor(file.format, file.machine, file.name) !== link.machine) {
    throw new IpbpError('IPBP1003', 'inputs are of different machines', { actual: file.machine, where: file.name });
  }
}

/** Numbers the sections and decides about groups: the first of a name is kept, of the others nothing. */
function takeSections(state: Resolving, file: ObjectFile, number: number): number {
  const { sections, options, target } = state.link;
  const base = sections.section.length;
  let unreadable: Section | null = null;
  reserveSections(sections, base + file.sections.length);
  for (const section of file.sections) {
    let fate = SECTION_KEPT;
    if (section.consumed) fate = SECTION_CONSUMED;
    else if (section.kind === 'debug' && options.strip !== 'none') fate = SECTION_DEAD;
    else if (!section.alloc && !target.keepsUnloaded) fate = SECTION_DEAD;
    else if (!isReadable(section, options)) {
      unreadable = section;
      fate = SECTION_DEAD;
    }
    if (section.group !== null) {
      const first = state.groups.get(section.group);
      if (first === undefined) state.groups.set(section.group, number);
      else if (first !== number && fate !== SECTION_CONSUMED) fate = SECTION_DUPLICATE;
    }
    addSection(sections, section, number, fate);
  }
  if (unreadable !== null) {
    const warning = new IpbpError('IPBP2036', 'sections are packed in a way that cannot be unpacked here: left out', {
      actual: unreadable.packing?.method ?? 'a method that is not known',
      where: `${file.name}: ${unreadable.name}`,
    });
    state.link.warnings.push(warning.message);
  }
  return base;
}

function narrow(link: Link, symbol: number, visibility: number): void {
  if (link.target.symbols.definitionShows) return;
  if (visibility > (link.symbols.visibility[symbol] as number)) link.symbols.visibility[symbol] = visibility;
}

/** An object (or −1: the command line) refers to the name. */
function refer(state: Resolving, symbol: number, weakly: boolean, file: number): void {
  const table = state.link.symbols;
  symbols.setFlag(table, symbol, weakly ? symbols.REFERRED_WEAKLY : symbols.REFERRED);
  if ((table.referrer[symbol] as number) < 0) table.referrer[symbol] = file;
  const current = table.state[symbol] as number;
  if (current === symbols.STATE_UNKNOWN) table.state[symbol] = symbols.STATE_UNDEFINED;
  else if (current === symbols.STATE_LAZY && !weakly) {
    takeMember(state, table.file[symbol] as number, table.row[symbol] as number);
  }
}

function takeLibrary(state: Resolving, input: LinkInput & { kind: 'shared' }): void {
  const { link } = state;
  const { file } = input;
  if (machineFor(file.format, file.machine, file.name) !== link.machine || file.linked === null) {
    throw new IpbpError('IPBP1003', 'this library is not for the machine of the link', {
      actual: file.machine,
      where: file.name,
    });
  }
  const name = file.linked.soname ?? input.neededAs;
  if (state.sonames.has(name)) return;
  state.sonames.add(name);
  const library: Library = {
    number: link.libraries.length,
    file,
    name,
    asNeeded: input.asNeeded,
    how: input.how ?? 'needed',
    versions: input.versions ?? { currentVersion: 0, compatibilityVersion: 0 },
    used: !input.asNeeded,
  };
  link.libraries.push(library);
  const { linked } = file;
  const columns = linked.dynamicColumns();
  const { names } = columns;
  const table = link.symbols;
  for (let row = 1; row < columns.count; row++) {
    const length = names.length[row] as number;
    if (columns.binding[row] === BINDING_LOCAL || length === 0) continue;
    const start = names.offset[row] as number;
    const symbol = symbolAt(table, names.bytes, start, start + length);
    const weak = columns.binding[row] === BINDING_WEAK;
    if (columns.section[row] === SECTION_UNDEFINED) {
      symbols.setFlag(table, symbol, symbols.WANTED_BY_LIBRARY);
      if (table.state[symbol] === symbols.STATE_LAZY && !weak) {
        takeMember(state, table.file[symbol] as number, table.row[symbol] as number);
        drain(state);
      }
      continue;
    }
    const current = table.state[symbol] as number;
    const taken = link.target.symbols.firstInputWins ? symbols.STATE_UNDEFINED : symbols.STATE_LAZY;
    if (current > taken || table.visibility[symbol] !== VISIBILITY_DEFAULT) continue;
    // Of a version that is not the default one only old programs know.
    if (linked.versionOf(row)?.hidden === true) continue;
    table.state[symbol] = symbols.STATE_SHARED;
    table.file[symbol] = library.number;
    table.row[symbol] = row;
    // How the library chooses its function is not the concern of who calls it.
    const kind = columns.kind[row] as number;
    table.kind[symbol] = kind === KIND_IFUNC ? KIND_FUNCTION : kind;
    table.size[symbol] = columns.size[row] as number;
    mark(table, symbol, symbols.WEAK, weak);
  }
}

// Pass: reads the relocations of all that is kept and notes what they need; says what cannot be part of a shared object.
// What is decided here the fixups decide alike: by the same rows and bindings.
import { KIND_IFUNC, KIND_TLS } from '../../formats/columns.js';
import type { RelocationColumns } from '../../formats/columns.js';
import { IpbpError } from '../../codes/error.js';
import { TO_ADDRESS, TO_CHOSEN, TO_CONSTANT, TO_DYNAMIC, TO_NOTHING } from './bindings.js';
import { placeIn, report, type Link, type TakenFile } from './link-state.js';
import { isPackable, isPacked } from './loader-work.js';
import * as rows from './lowered-rows.js';
import type { LoweredRows } from './lowered-rows.js';
import * as needed from './needs.js';
import type { Needs } from './needs.js';
import { relocationsOf } from './references.js';
import { hasTrait, SECTION_DUPLICATE, SECTION_KEPT, TRAIT_ALLOC } from './sections.js';
import * as symbols from './symbols.js';
import type { UnwindSection } from './unwind.js';

/** What the scan and the fixups share. */
export interface Scanning {
  readonly link: Link;
  readonly lowered: LoweredRows;
  readonly bound: Uint8Array;
  readonly needs: Needs;
  /** Undefined symbols → the first places that refer to them. */
  readonly undefined: Map<number, string[]>;
}

/** What is scanned: relocations [first, end) of a section of an object. */
interface Range {
  readonly file: TakenFile;
  readonly section: number;
  /** Of the section: asked for where an instruction is looked at. */
  readonly bytes: () => Uint8Array;
  readonly relocations: RelocationColumns;
  readonly first: number;
  readonly end: number;
  readonly writable: boolean;
  /** See `isPackable`. */
  readonly packable: boolean;
}

/** Scans everything that is loaded. Errors are collected in the link. */
export function scanRelocations(scanning: Scanning, unwind: UnwindSection | null): void {
  const { link } = scanning;
  const { sections } = link;
  const count = sections.section.length;
  for (let number = 0; number < count; number++) {
    if (sections.fate[number] !== SECTION_KEPT || !hasTrait(sections, number, TRAIT_ALLOC)) continue;
    const section = sections.section[number];
    const file = link.files[sections.file[number] as number];
    if (section === undefined || file === undefined) continue;
    const { rows: relocations, first, end } = relocationsOf(link, file, section.index);
    if (first === end) continue;
    let content: Uint8Array | null = null;
    const bytes = (): Uint8Array => (content ??= file.file.sectionBytes(section.index));
    const { writable } = section;
    const packable = isPackable(link, number);
    scanRange(scanning, { file, section: number, bytes, relocations, first, end, writable, packable });
  }
  for (const { input, record } of unwind?.records ?? []) {
    const from = unwind?.inputs[input];
    const file = link.files[sections.file[from?.section ?? -1] ?? -1];
    if (from === undefined || file === undefined) continue;
    const { relocations, records, section } = from;
    const bytes = (): Uint8Array => from.bytes;
    const first = records.firstRelocation[record] as number;
    const end = records.firstRelocation[record + 1] as number;
    scanRange(scanning, { file, section, bytes, relocations, first, end, writable: false, packable: false });
  }
}

function scanRange(scanning: Scanning, range: Range): void {
  const { link, lowered, bound, needs } = scanning;
  const { file, relocations } = range;
  const { globals, columns } = file;
  /** Known once something asks for it. */
  let pairs: boolean | null = null;
  for (let index = range.first; index < range.end; index++) {
    const type = relocations.type[index] as number;
    const row = relocations.symbol[index] as number;
    const term = type < lowered.size ? (lowered.term[type] as number) : rows.UNKNOWN_TYPE;
    if (term === rows.TERM_NONE) continue;
    const global = globals[row] as number;
    let binding: number;
    let symbol: number;
    if (global >= 0) {
      symbols.setFlag(link.symbols, global, symbols.USED);
      symbol = global;
      binding = bound[global] as number;
      if (binding === TO_NOTHING) {
        noteUndefined(scanning, range.section, relocations.offset[index] as number, global);
        continue;
      }
    } else {
      symbol = needs.firstLocal + file.localBase + row;
      const at = columns.section[row] as number;
      binding = at < 0 ? TO_CONSTANT : columns.kind[row] === KIND_IFUNC ? TO_CHOSEN : TO_ADDRESS;
      if (isLost(link, file.base, at)) {
        if (link.sections.section[range.section]?.kind !== 'unwind') reportDropped(scanning, range, index, at);
        continue;
      }
    }
    if (binding === TO_CHOSEN) {
      reportChosen(scanning, range, index);
      continue;
    }
    switch (term) {
      case rows.TERM_SYMBOL:
      case rows.TERM_PLACE:
        scanSymbol(scanning, range, index, type, binding, global);
        break;
      case rows.TERM_STUB:
        if (binding === TO_DYNAMIC) needed.needStub(needs, symbol);
        if (lowered.base[type] === rows.BASE_TABLE) needs.table = true;
        break;
      case rows.TERM_SLOT:
        if (lowered.base[type] !== rows.BASE_PLACE) needs.table ||= lowered.base[type] !== rows.BASE_PLACE_PAGE;
        if (lowered.relaxable[type] === 1 && lowered.partner[type] !== 0) {
          pairs ??= rows.standInPairs(lowered, relocations, range.first, range.end);
          if (pairs && becomesDirect(scanning, range.bytes, relocations, index, binding)) {
            index++;
            break;
          }
        } else if (becomesDirect(scanning, range.bytes, relocations, index, binding)) break;
        needed.needAddressSlot(needs, symbol);
        break;
      case rows.TERM_TABLE:
        needs.table = true;
        break;
      case rows.TERM_THREAD_SLOT:
        needs.staticThread = true;
        needed.needThreadSlot(needs, needed.SLOT_THREAD, symbol);
        break;
      case rows.TERM_GENERAL:
        needed.needThreadSlot(needs, needed.SLOT_GENERAL, symbol);
        break;
      case rows.TERM_LOCAL:
        needed.needThreadSlot(needs, needed.SLOT_LOCAL, -1);
        break;
      case rows.TERM_DESCRIPTOR:
        needed.needThreadSlot(needs, needed.SLOT_DESCRIPTOR, symbol);
        break;
      case rows.TERM_THREAD:
        reportStatic(scanning, range, index, 'takes thread-locals at fixed offsets from the thread pointer');
        break;
      case rows.UNKNOWN_TYPE:
        reportUnknown(scanning, range, index);
        break;
      default: // sizes, offsets in the template, calls of descriptors
    }
    if (isThreadTerm(term)) checkThreadLocal(scanning, range, index, row, global);
  }
}

/** A copy that was left out, and nothing stands for what a place in it means. */
function isLost({ sections, copies }: Link, base: number, section: number): boolean {
  return section >= 0 && sections.fate[base + section] === SECTION_DUPLICATE && !copies.has(base + section);
}

/** Is the load of a slot turned into a use of the symbol's own address? */
function becomesDirect(
  scanning: Scanning,
  bytes: () => Uint8Array,
  relocations: RelocationColumns,
  index: number,
  binding: number,
): boolean {
  const { lowered, link } = scanning;
  const type = relocations.type[index] as number;
  if (binding !== TO_ADDRESS || lowered.relaxable[type] !== 1) return false;
  if (relocations.addend[index] !== link.machine.shared.slotAddend) return false;
  const offset = relocations.offset[index] as number;
  const row = lowered.row[type];
  return row !== undefined && link.machine.rewrite(row, 'direct', bytes(), offset) !== null;
}

/** A symbol's own address: constant, relative to the place, or for the loader to fill in. */
function scanSymbol(
  scanning: Scanning,
  range: Range,
  index: number,
  type: number,
  binding: number,
  global: number,
): void {
  const { link, lowered, needs } = scanning;
  const base = lowered.base[type];
  if (base !== rows.BASE_NOTHING) {
    if (base === rows.BASE_TABLE) needs.table = true;
    if (base === rows.BASE_OTHER) scanOther(scanning, range, index);
    if (isForeign(link, binding, global)) {
      reportStatic(scanning, range, index, 'takes a symbol for its own that may be another');
    } else if (
      binding === TO_CONSTANT &&
      isAbsolute(link, range.file, range.relocations.symbol[index] as number, global)
    ) {
      reportStatic(scanning, range, index, 'takes the distance of an absolute symbol');
    }
    return;
  }
  if (binding === TO_CONSTANT) return;
  if (lowered.withinPage[type] === 1) {
    if (isForeign(link, binding, global)) {
      reportStatic(scanning, range, index, 'takes a symbol for its own that may be another');
    }
    return;
  }
  const marked = lowered.writer[type] === rows.WRITE_MARKED;
  const isWord = lowered.writer[type] === rows.WRITE_64 || (marked && binding !== TO_DYNAMIC);
  if (lowered.width[type] !== link.machine.pointerSize || !isWord) {
    reportStatic(scanning, range, index, 'has no room for an address that is known when loading');
    return;
  }
  if (!range.writable) {
    if (!link.options.textRelocations) {
      reportStatic(scanning, range, index, 'stands in a read-only section');
      return;
    }
    needs.textRelocations = true;
  }
  if (binding === TO_DYNAMIC) needs.dynamic++;
  else if (!marked && isPacked(range.packable, range.relocations.offset[index] as number)) {
    needs.packedSection.push(range.section);
    needs.packedOffset.push(range.relocations.offset[index] as number);
  } else needs.relative++;
}

/** The symbol that is taken off. */
function scanOther(scanning: Scanning, range: Range, index: number): void {
  const { link, bound } = scanning;
  const { file, relocations } = range;
  const row = relocations.minus?.[index] ?? 0;
  const global = file.globals[row] as number;
  if (global >= 0) {
    symbols.setFlag(link.symbols, global, symbols.USED);
    if (bound[global] === TO_NOTHING)
      noteUndefined(scanning, range.section, relocations.offset[index] as number, global);
    else if (isForeign(link, bound[global] as number, global)) {
      reportStatic(scanning, range, index, 'takes a symbol for its own that may be another');
    }
  } else if (isLost(link, file.base, file.columns.section[row] as number)) {
    reportDropped(scanning, range, index, file.columns.section[row] as number);
  }
}

/** Is the address not this module's to say? */
function isForeign({ symbols: table, target }: Link, binding: number, global: number): boolean {
  if (binding !== TO_DYNAMIC) return false;
  return !target.symbols.ownWhenDirect || (table.state[global] as number) < symbols.STATE_COMMON;
}

function reportChosen(scanning: Scanning, range: Range, index: number): void {
  report(
    scanning.link,
    new IpbpError('IPBP2035', 'a function that is chosen when loading is used in its own module', {
      expected: 'an exported one, which other modules could replace',
      actual: nameOf(scanning, range, index),
      where: placeOf(scanning, range, index),
    }),
  );
}

function isAbsolute(link: Link, file: TakenFile, row: number, global: number): boolean {
  if (global >= 0) return link.symbols.section[global] === symbols.ABSOLUTE;
  return row !== 0 && file.columns.section[row] === -2;
}

function isThreadTerm(term: number): boolean {
  return term >= rows.TERM_THREAD && term <= rows.TERM_DESCRIPTOR && term !== rows.TERM_LOCAL;
}

/** Code for thread-locals that refers to something else is broken; undefined symbols may say no kind. */
function checkThreadLocal(scanning: Scanning, range: Range, index: number, row: number, global: number): void {
  const { link } = scanning;
  let fine: boolean;
  if (global < 0) {
    const at = range.file.columns.section[row] as number;
    const kind = at < 0 ? undefined : link.sections.section[range.file.base + at]?.kind;
    fine = kind === 'tls-data' || kind === 'tls-zero';
  } else {
    fine = link.symbols.kind[global] === KIND_TLS || (link.symbols.state[global] as number) < symbols.STATE_SHARED;
  }
  if (!fine) {
    report(
      link,
      new IpbpError('IPBP2004', `${rowName(scanning, range, index)} refers to what is no thread-local`, {
        actual: nameOf(scanning, range, index),
        where: placeOf(scanning, range, index),
      }),
    );
  }
}

function rowName(scanning: Scanning, range: Range, index: number): string {
  const type = range.relocations.type[index] as number;
  return scanning.lowered.row[type]?.name ?? `relocation ${type}`;
}

function nameOf(scanning: Scanning, range: Range, index: number): string {
  const row = range.relocations.symbol[index] as number;
  const name = range.file.columns.nameOf(row);
  const at = range.file.columns.section[row] as number;
  return name === '' && at >= 0 ? (scanning.link.sections.section[range.file.base + at]?.name ?? '') : name;
}

function placeOf(scanning: Scanning, range: Range, index: number): string {
  return placeIn(scanning.link, range.section, range.relocations.offset[index] as number);
}

function reportStatic(scanning: Scanning, range: Range, index: number, why: string): void {
  report(
    scanning.link,
    new IpbpError('IPBP2032', `${rowName(scanning, range, index)} cannot be part of a shared object: it ${why}`, {
      expected: 'code compiled with -fPIC',
      actual: `symbol ${nameOf(scanning, range, index)}`,
      where: placeOf(scanning, range, index),
    }),
  );
}

function reportUnknown(scanning: Scanning, range: Range, index: number): void {
  report(
    scanning.link,
    new IpbpError('IPBP2001', `relocation type ${range.relocations.type[index]} is not known`, {
      actual: `symbol ${nameOf(scanning, range, index)}`,
      where: placeOf(scanning, range, index),
    }),
  );
}

function reportDropped(scanning: Scanning, range: Range, index: number, section: number): void {
  const name = scanning.link.sections.section[range.file.base + section];
  report(
    scanning.link,
    new IpbpError('IPBP2033', `a local symbol of a dropped group is referred to`, {
      expected: `a reference by name into group ${name?.group ?? '?'}`,
      actual: `${name?.name ?? '?'} of a group that another object has too`,
      where: placeOf(scanning, range, index),
    }),
  );
}

/** Places that are said of one undefined symbol. */
const MOST_PLACES = 3;

/** Notes a place in a section that refers to a symbol which nothing defines. */
export function noteUndefined(scanning: Scanning, section: number, offset: number, symbol: number): void {
  const places = scanning.undefined.get(symbol);
  if (places === undefined) scanning.undefined.set(symbol, [placeIn(scanning.link, section, offset)]);
  else if (places.length < MOST_PLACES) places.push(placeIn(scanning.link, section, offset));
}

/** Says which symbols nothing defines, once all that refers to them was scanned. */
export function reportUndefined(scanning: Scanning): void {
  const { link } = scanning;
  for (const [symbol, places] of scanning.undefined) {
    report(
      link,
      new IpbpError('IPBP2031', `symbol ${link.symbols.names.text(symbol)} is not defined`, {
        where: places.join(', '),
      }),
    );
  }
}

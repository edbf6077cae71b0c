// The link of a shared object, pass by pass. Inputs are only read; the result is new bytes. Errors are collected by every
// pass, and the link stops behind a pass that had some.
import { IpbpError } from '../codes/error.js';
import type { ObjectFile } from '../formats/object-file.js';
import { machineFor } from '../reloc/machines.js';
import { bindSymbols } from './shared/bindings.js';
import { dropCopies } from './shared/coalesce.js';
import type { Emitter } from './shared/emitter.js';
import { openLink, type Link } from './shared/link-state.js';
import { dropUnreached } from './shared/live.js';
import { lowerRows } from './shared/lowered-rows.js';
import { makeSymbols, placeCommons } from './shared/made-symbols.js';
import { linkMap, linkSymbols, type MapEntry, type MapSymbol } from './shared/map.js';
import { mergeSections } from './shared/merge.js';
import { createNeeds } from './shared/needs.js';
import type { LinkInput, SharedOptions } from './shared/options.js';
import { resolveInputs } from './shared/resolve.js';
import { reportUndefined, scanRelocations, type Scanning } from './shared/scan.js';
import { decideScopes } from './shared/scopes.js';
import { hasFlag, REFERRED, STATE_SHARED, USED } from './shared/symbols.js';
import { collectUnwind, layOutUnwind } from './shared/unwind.js';

/** What a link gives: the file, or errors. Both maps are in the order of addresses. */
export interface SharedResult {
  /** Null when there are errors. */
  readonly bytes: Uint8Array | null;
  readonly map: readonly MapEntry[];
  readonly symbols: readonly MapSymbol[];
  /** What messages call the objects of the link, by their numbers. */
  readonly objects: readonly string[];
  /** How many sections of inputs are kept, and how many are dropped. */
  readonly counts: { readonly kept: number; readonly dropped: number };
  /** Sections that nothing reached, as `FILE:(SECTION)`. */
  readonly dropped: readonly string[];
  readonly warnings: readonly string[];
  readonly errors: readonly IpbpError[];
}

/**
 * Links objects, members of archives and shared libraries to what the emitter writes.
 * @throws IpbpError for an input that is broken or of another machine; what is wrong with the link is in `errors`
 */
export function linkShared(inputs: readonly LinkInput[], options: SharedOptions, emitter: Emitter): SharedResult {
  const first = firstObject(inputs);
  checkFormat(first, emitter);
  const link = openLink(machineFor(first.format, first.machine, first.name), options, emitter.target);
  const failed = (): SharedResult => ({
    bytes: null,
    map: [],
    symbols: [],
    objects: [],
    counts: { kept: 0, dropped: 0 },
    dropped: [],
    warnings: link.warnings,
    errors: link.errors,
  });

  // Which definition every name has, and which objects are part of the link.
  resolveInputs(link, inputs);
  dropCopies(link);
  const { made, edges } = makeSymbols(link);
  if (link.errors.length > 0) return failed();
  decideScopes(link);

  // What is kept of them, and in which shape.
  const emission = emitter.open(link);
  const unwindRecords = collectUnwind(link);
  const dropped = dropUnreached(link, { unwind: unwindRecords, companions: emission.companions }, edges);
  placeCommons(link);
  const merged = mergeSections(link);
  const unwind = layOutUnwind(link, unwindRecords, emission.isDescribed);

  // What references come to, and what has to be made for them.
  const bound = bindSymbols(link);
  const needs = createNeeds(link);
  const scanning: Scanning = { link, lowered: lowerRows(link.machine), bound, needs, undefined: new Map() };
  scanRelocations(scanning, unwind);
  emission.scan(scanning);
  reportUndefined(scanning);
  markLibraries(link);
  if (link.errors.length > 0) return failed();

  // The tables, every address, every value.
  const { bytes, outputs, values } = emission.emit({ scanning, made, merged, unwind, machine: first.machine });
  if (link.errors.length > 0) return failed();
  let map: readonly MapEntry[] | null = null;
  let placed: readonly MapSymbol[] | null = null;
  let labels: readonly string[] | null = null;
  return {
    bytes,
    // Most links print none of them.
    get map() {
      return (map ??= linkMap(link, outputs));
    },
    get symbols() {
      return (placed ??= linkSymbols(link, values));
    },
    objects: link.files.map(({ file }) => file.name),
    counts: { kept: outputs.reduce((sum, { members }) => sum + members.length, 0), dropped: dropped.length },
    get dropped() {
      return (labels ??= dropped.map((number) => sectionLabel(link, number)));
    },
    warnings: link.warnings,
    errors: [],
  };
}

/** What all inputs have in common. */
type FileFacts = Pick<ObjectFile, 'format' | 'machine' | 'name'>;

function firstObject(inputs: readonly LinkInput[]): FileFacts {
  for (const input of inputs) {
    if (input.kind !== 'archive') return input.file;
    for (const { index } of input.archive.members) {
      const file = input.archive.member(index);
      if (file !== null) return file;
    }
  }
  throw new IpbpError('IPBP2034', 'there is nothing to link', { expected: 'an object, an archive or a library' });
}

/** What is made of it later is of this format; that all inputs are, the pass that takes them in checks. */
function checkFormat({ format, name }: FileFacts, { target }: Emitter): void {
  if (format === target.format) return;
  throw new IpbpError('IPBP1003', 'an input is of another format than what is made of it', {
    expected: target.format,
    actual: format,
    where: name,
  });
}

function sectionLabel(link: Link, number: number): string {
  const file = link.files[link.sections.file[number] as number];
  return `${file?.file.name ?? ''}:(${link.sections.section[number]?.name ?? ''})`;
}

/** A library is needed when something refers, not only weakly, to what it defines. */
function markLibraries(link: Link): void {
  const { symbols, libraries, options } = link;
  for (let symbol = 0; symbol < symbols.names.count; symbol++) {
    if (symbols.state[symbol] !== STATE_SHARED) continue;
    const referred = hasFlag(symbols, symbol, REFERRED) && (!options.gc || hasFlag(symbols, symbol, USED));
    const library = libraries[symbols.file[symbol] as number];
    if (referred && library !== undefined) library.used = true;
  }
}

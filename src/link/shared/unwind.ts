// Pass: the unwind records of all objects, by the code they describe. Records live and die with their code; equal CIEs
// become one. The records go into one made section, in the order of the inputs, each CIE before its first FDE.
import { alignUp } from '../../bytes/align.js';
import { splitEhFrame } from '../../formats/dwarf/eh-frame.js';
import { splitUnwindRecords, type UnwindRecords } from '../../formats/dwarf/eh-frame-records.js';
import type { RelocationColumns } from '../../formats/columns.js';
import type { Link } from './link-state.js';
import { relocationsOf } from './references.js';
import { addMadeSection, hasTrait, SECTION_ABSORBED, SECTION_KEPT, TRAIT_UNWIND } from './sections.js';

/** One input section of unwind records. */
export interface UnwindInput {
  readonly section: number;
  readonly bytes: Uint8Array;
  readonly relocations: RelocationColumns;
  readonly records: UnwindRecords;
}

/** All FDEs, as columns with `fdeInput.length` rows. */
export interface Unwind {
  readonly inputs: UnwindInput[];
  readonly fdeInput: number[];
  /** Row in the input's records. */
  readonly fdeRecord: number[];
  /** Number of the section whose code it describes. */
  readonly fdeCode: number[];
  /** The next FDE of the same section, −1 at the end; the first is in `firstOf`, by number of the section. */
  readonly fdeNext: number[];
  readonly firstOf: Int32Array;
}

/** Splits all unwind sections. What describes no code of the link is left out here. */
export function collectUnwind(link: Link): Unwind {
  const { sections } = link;
  const count = sections.section.length;
  const firstOf = new Int32Array(count).fill(-1);
  const unwind: Unwind = { inputs: [], fdeInput: [], fdeRecord: [], fdeCode: [], fdeNext: [], firstOf };
  for (let number = 0; number < count; number++) {
    if (!hasTrait(sections, number, TRAIT_UNWIND) || sections.fate[number] !== SECTION_KEPT) continue;
    sections.fate[number] = SECTION_ABSORBED;
    addInput(link, unwind, number);
  }
  return unwind;
}

function addInput(link: Link, unwind: Unwind, number: number): void {
  const { sections } = link;
  const file = link.files[sections.file[number] as number];
  const section = sections.section[number];
  if (file === undefined || section === undefined || section.fileSize === 0) return;
  const bytes = file.file.sectionBytes(section.index);
  const { rows: relocations, first, end } = relocationsOf(link, file, section.index);
  const offsets = relocations.offset.subarray(first, end);
  const records = splitUnwindRecords(bytes, offsets, first, `${file.file.name}: ${section.name}`);
  const input = unwind.inputs.length;
  unwind.inputs.push({ section: number, bytes, relocations, records });
  for (let record = 0; record < records.count; record++) {
    if (records.cie[record] === -1) continue;
    const code = codeOf(link, unwind.inputs[input] as UnwindInput, record)?.section ?? -1;
    if (code < 0) continue;
    const fde = unwind.fdeInput.length;
    unwind.fdeInput.push(input);
    unwind.fdeRecord.push(record);
    unwind.fdeCode.push(code);
    unwind.fdeNext.push(unwind.firstOf[code] as number);
    unwind.firstOf[code] = fde;
  }
}

/** The first relocation of an FDE that is of its content: the distance to its CIE may have one, which is made anew. */
export function firstOfContent({ records, relocations }: UnwindInput, record: number): number {
  const content = (records.offset[record] as number) + 8;
  const end = records.firstRelocation[record + 1] as number;
  let row = records.firstRelocation[record] as number;
  while (row < end && (relocations.offset[row] as number) < content) row++;
  return row;
}

/** The code that an FDE describes: number of its section, and where in it. Null for what is no part of the link. */
export function codeOf(link: Link, input: UnwindInput, record: number): { section: number; offset: number } | null {
  const { records, relocations, section } = input;
  const file = link.files[link.sections.file[section] as number];
  const first = firstOfContent(input, record);
  if (file === undefined || first >= (records.firstRelocation[record + 1] as number)) return null;
  const row = relocations.symbol[first] as number;
  const at = file.columns.section[row] as number;
  if (at < 0) return null;
  const code = file.base + at;
  const global = file.globals[row] as number;
  // Of a name that another object's definition won, the code is there but not what the name means.
  if (global >= 0 && link.symbols.section[global] !== code) return null;
  return { section: code, offset: (file.columns.value[row] as number) + (relocations.addend[first] as number) };
}

/** A record that is part of the result. */
export interface KeptRecord {
  readonly input: number;
  readonly record: number;
  /** In the made section. */
  readonly offset: number;
  /** With what it was filled up by. */
  readonly size: number;
  /** Of its CIE in the made section; −1 for a CIE. */
  readonly cieOffset: number;
  /** How the FDE stores addresses (DWARF's pointer encodings). */
  readonly encoding: number;
}

/** The made section: its number, its records by rising offset. */
export interface UnwindSection {
  readonly section: number;
  readonly records: readonly KeptRecord[];
  readonly fdeCount: number;
  readonly inputs: readonly UnwindInput[];
}

/** Records start at multiples of this. */
const RECORD_ALIGN = 4;

/** Lays out what is kept and not described otherwise. Null when there is none. */
export function layOutUnwind(
  link: Link,
  unwind: Unwind,
  isDescribed: (section: number, offset: number) => boolean,
): UnwindSection | null {
  const records: KeptRecord[] = [];
  const known = new Map<string, number>();
  let end = 0;
  let fdeCount = 0;
  // By input and record of a CIE: its place, and the encoding of its FDEs.
  const places: Map<number, { offset: number; encoding: number }>[] = unwind.inputs.map(
    () => new Map<number, { offset: number; encoding: number }>(),
  );
  const put = (input: number, record: number, cieOffset: number, encoding: number): number => {
    const offset = end;
    const bytes = unwind.inputs[input]?.records.size[record] ?? 0;
    const size = alignUp(bytes, RECORD_ALIGN);
    records.push({ input, record, offset, size, cieOffset, encoding });
    end += size;
    return offset;
  };
  const placeOf = (input: number, cie: number): { offset: number; encoding: number } => {
    const before = places[input]?.get(cie);
    if (before !== undefined) return before;
    const { key, encoding } = describeCie(link, unwind.inputs[input] as UnwindInput, cie);
    let offset = known.get(key);
    if (offset === undefined) known.set(key, (offset = put(input, cie, -1, encoding)));
    const place = { offset, encoding };
    places[input]?.set(cie, place);
    return place;
  };
  for (let fde = 0; fde < unwind.fdeInput.length; fde++) {
    if (link.sections.fate[unwind.fdeCode[fde] as number] !== SECTION_KEPT) continue;
    const input = unwind.fdeInput[fde] as number;
    const record = unwind.fdeRecord[fde] as number;
    const code = codeOf(link, unwind.inputs[input] as UnwindInput, record);
    if (code !== null && isDescribed(code.section, code.offset)) continue;
    const cie = placeOf(input, unwind.inputs[input]?.records.cie[record] as number);
    put(input, record, cie.offset, cie.encoding);
    fdeCount++;
  }
  if (records.length === 0) return null;
  // Four zero bytes end the table for who walks it.
  const section = addMadeSection(link.sections, {
    name: link.target.sections.made.unwind,
    kind: 'unwind',
    align: 8,
    size: end + 4,
  });
  return { section, records, fdeCount, inputs: unwind.inputs };
}

/** What makes two CIEs one: their bytes, and what their relocations refer to. */
function describeCie(link: Link, input: UnwindInput, cie: number): { key: string; encoding: number } {
  const { records, relocations } = input;
  const start = records.offset[cie] as number;
  const bytes = input.bytes.subarray(start, start + (records.size[cie] as number));
  const file = link.files[link.sections.file[input.section] as number];
  let key = '';
  for (const byte of bytes) key += String.fromCharCode(byte);
  const end = records.firstRelocation[cie + 1] as number;
  for (let row = records.firstRelocation[cie] as number; row < end; row++) {
    const symbol = relocations.symbol[row] as number;
    const global = file?.globals[symbol] ?? -1;
    const what = global >= 0 ? `g${global}` : `l${(file?.localBase ?? 0) + symbol}`;
    key += `|${(relocations.offset[row] as number) - start} ${relocations.type[row]} ${what} ${relocations.addend[row]}`;
  }
  const [described] = splitEhFrame(bytes, [], file?.file.name ?? '').cies;
  return { key, encoding: described?.fdeEncoding ?? 0 };
}

/** Sections that an FDE refers to besides its code: the personality routine's pointer and the LSDA. */
export function forEachUnwindReference(
  link: Link,
  unwind: Unwind,
  fde: number,
  visit: (file: number, row: number) => void,
): void {
  const input = unwind.inputs[unwind.fdeInput[fde] as number];
  if (input === undefined) return;
  const { records, relocations } = input;
  const file = link.sections.file[input.section] as number;
  const record = unwind.fdeRecord[fde] as number;
  const cie = records.cie[record] as number;
  for (let row = firstOfContent(input, record) + 1; row < (records.firstRelocation[record + 1] as number); row++) {
    visit(file, relocations.symbol[row] as number);
  }
  for (let row = records.firstRelocation[cie] as number; row < (records.firstRelocation[cie + 1] as number); row++) {
    visit(file, relocations.symbol[row] as number);
  }
}

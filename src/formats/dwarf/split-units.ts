// Units that compilers split (DWARF 5 §7.3.2, and what gcc and LLVM do of it in DWARF 4): a skeleton stays in the object,
// with the table of addresses; the entries go to sections whose names end in `.dwo`, in the object or in a file beside
// it. Which unit is one half of such a pair, and which number tells that they belong together. Entries are not read here.
import type { ByteReader } from '../../bytes/reader.js';
import type { Abbreviation } from './abbrev.js';
import { readAbbreviations } from './abbrev.js';
import * as dw from './constants.js';
import { skipForm } from './forms.js';
import { readUnitHeader, type UnitHeader } from './unit-header.js';

/** What a half of a split unit says of itself. */
export interface SplitUnit {
  /** The same in both halves: 16 hexadecimal digits. */
  readonly id: string;
  /** Where the unit's addresses begin in `.debug_addr`; only the skeleton may say it. */
  readonly addressBase: number | null;
}

const ID = 0;
const ADDRESS_BASE = 1;
const ATTRIBUTES: ReadonlyMap<number, number> = new Map([
  [dw.DW_AT_GNU_dwo_id, ID],
  [dw.DW_AT_GNU_addr_base, ADDRESS_BASE],
  [dw.DW_AT_addr_base, ADDRESS_BASE],
]);

/**
 * For each unit of a section whether it is a half, in their order; null for a whole one. Units of types alone are left
 * out: they are never split.
 * @throws IpbpError as {@link readUnitHeader}, and IPBP1001 and IPBP1002 where a first entry is broken
 */
export function splitUnits(info: ByteReader, abbreviations: ByteReader): readonly (SplitUnit | null)[] {
  const tables = new Map<number, ReadonlyMap<number, Abbreviation>>();
  let tableBytes = 0;
  const tableAt = (offset: number): ReadonlyMap<number, Abbreviation> => {
    const known = tables.get(offset);
    if (known !== undefined) return known;
    const table = readAbbreviations(abbreviations.seek(offset), ATTRIBUTES);
    tables.set(offset, table);
    // As in the walk over entries: tables that overlap would cost the square of the section.
    tableBytes += abbreviations.position - offset;
    if (tableBytes > abbreviations.length) abbreviations.malformed('abbreviation tables overlap', {}, offset);
    return table;
  };
  const units: (SplitUnit | null)[] = [];
  for (let start = 0; start < info.length;) {
    const unit = readUnitHeader(info, start);
    start = unit.end;
    if (unit.kind === dw.DW_UT_type || unit.kind === dw.DW_UT_split_type) continue;
    // DWARF 5 says it in the header.
    if (unit.version === 5 && unit.splitId === null) units.push(null);
    else units.push(unit.entries === unit.end ? null : readHalf(info, unit, tableAt(unit.abbreviations)));
  }
  return units;
}

function readHalf(info: ByteReader, unit: UnitHeader, table: ReadonlyMap<number, Abbreviation>): SplitUnit | null {
  const abbreviation = table.get(info.seek(unit.entries).uleb());
  let id = unit.splitId;
  let addressBase: number | null = null;
  for (const { slot, form } of abbreviation?.attributes ?? []) {
    const at = info.position;
    if (slot === ID && form === dw.DW_FORM_data8) id ??= at;
    if (slot === ADDRESS_BASE && form === dw.DW_FORM_sec_offset) addressBase = info.u32();
    else skipForm(info, form, unit);
  }
  return id === null ? null : { id: hexOf(info.seek(id).take(8)), addressBase };
}

/** Numbers stand with their lowest byte first. */
function hexOf(bytes: Uint8Array): string {
  return [...bytes]
    .reverse()
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

// How the code of a linked library is unwound, against what its objects say of it: every function of which an object has a
// row in __compact_unwind or a record in __eh_frame must be covered, by the same encoding or by that record.
// Apple's <mach-o/compact_unwind_encoding.h>.
import type { Judge } from './judge.js';
import type { LinkedFile, UnwindRow } from './linked-file.js';
import type { RawMacho, RawRelocation, RawSection } from './object-file.js';
import type { PlacedObject } from './placed-objects.js';

/** What was found. */
export interface UnwindJudgement {
  functions: number;
  /** Of those, by a frame record. */
  byRecord: number;
  readonly wrong: string[];
}

const ROW = 32;
const DWARF = { arm64: 0x0300_0000, x86_64: 0x0400_0000 } as const;
const MODE = 0x0f00_0000;
/** What the linker says in an encoding: which personality, and that there is a table. */
const LINKERS = 0x7000_0000;

/** A row that covers an address. */
function rowAt(rows: readonly UnwindRow[], address: number): UnwindRow | undefined {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]!.start <= address) low = middle + 1;
    else high = middle;
  }
  return rows[low - 1];
}

/** Judges all functions that objects have rows for. */
export function judgeUnwind(judge: Judge, placed: readonly PlacedObject[]): UnwindJudgement {
  const { file } = judge;
  const result: UnwindJudgement = { functions: 0, byRecord: 0, wrong: [] };
  const rows = [...file.unwind].sort((a, b) => a.start - b.start);
  for (const { object } of placed) {
    const table = object.sections.find(({ name }) => name === '__LD,__compact_unwind');
    if (table === undefined) continue;
    for (let at = 0; at < table.size; at += ROW) {
      const start = addressOf(judge, object, table, at);
      if (start === null) continue;
      const found = rowAt(rows, start);
      const encoding = object.view.getUint32(table.offset + at + 12, true);
      const row = { judge, object, table, at, start, encoding };
      // lld writes a row for each name of a place; which one an unwinder finds is its own affair.
      const same = rows.filter((one) => one.start === found?.start);
      const said = same.some((one) => judgeRow(row, one) === '') ? '' : judgeRow(row, found);
      result.functions++;
      if ((encoding & MODE) === DWARF[file.machine]) result.byRecord++;
      if (said !== '') result.wrong.push(`${object.path}: row 0x${at.toString(16)}: ${said}`);
    }
  }
  return result;
}

interface JudgedRow {
  readonly judge: Judge;
  readonly object: RawMacho;
  readonly table: RawSection;
  readonly at: number;
  readonly start: number;
  readonly encoding: number;
}

function judgeRow(row: JudgedRow, found: UnwindRow | undefined): string {
  const { judge, start, encoding } = row;
  const { file } = judge;
  const where = `the function at 0x${start.toString(16)}`;
  if (found === undefined) return `${where} is not covered`;
  if ((encoding & MODE) === DWARF[file.machine]) return recordFault(file, found, start, where);
  const [wanted, is] = [encoding & ~LINKERS, found.encoding & ~LINKERS];
  if (wanted !== is) return `${where} has 0x${is.toString(16)}, not 0x${wanted.toString(16)}`;
  const personality = meaning(row, 16);
  const index = (found.encoding >>> 28) & 3;
  if ((personality !== undefined) !== index > 0) return `${where} has personality ${index}`;
  if (
    personality !== undefined &&
    personality !== null &&
    !judge.isIn(file.personalities[index - 1] ?? -1, personality)
  ) {
    return `${where} has another personality`;
  }
  const lsda = meaning(row, 24);
  const table = file.lsdas.get(start);
  if (lsda === undefined) return '';
  if (found.start !== start || table === undefined) return `${where} has no language-specific table`;
  return lsda === null || judge.isAt(table, lsda) ? '' : `${where} has another language-specific table`;
}

/** Undefined for a field that says nothing, null for what cannot be told. */
function meaning({ judge, object, table, at }: JudgedRow, field: number): ReturnType<Judge['meaningAt']> | undefined {
  const relocation = fieldOf(table, at + field);
  if (relocation === undefined) return undefined;
  const content = Number(object.view.getBigInt64(table.offset + at + field, true));
  return relocation.external ? judge.meaningOf(object, relocation.symbol, content) : judge.meaningAt(object, content);
}

function recordFault(file: LinkedFile, found: UnwindRow, start: number, where: string): string {
  if ((found.encoding & MODE) !== DWARF[file.machine]) return `${where} is not by its record`;
  const frame = file.frames.get(found.encoding & 0xffffff);
  if (frame === undefined) return `${where} has no record at 0x${(found.encoding & 0xffffff).toString(16)}`;
  return frame.start === start ? '' : `the record of ${where} is of 0x${frame.start.toString(16)}`;
}

function fieldOf({ relocations }: RawSection, at: number): RawRelocation | undefined {
  return relocations.find(({ address }) => address === at);
}

/** Where the code of a row is; null for what is not there, or another object's copy. */
function addressOf(judge: Judge, object: RawMacho, table: RawSection, at: number): number | null {
  const relocation = fieldOf(table, at);
  if (relocation === undefined) return null;
  const content = Number(object.view.getBigInt64(table.offset + at, true));
  if (!relocation.external) {
    const section = object.sections[relocation.symbol - 1];
    return section === undefined ? null : judge.placeOf(object, section, content);
  }
  const symbol = object.symbols[relocation.symbol];
  const section = object.sections[(symbol?.section ?? 0) - 1];
  return symbol === undefined || section === undefined ? null : judge.placeOf(object, section, symbol.value + content);
}

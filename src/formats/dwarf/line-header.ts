// The head of a line program in `.debug_line` (DWARF 4 and 5 §6.2.4): how its opcodes are to be read, and the source files
// that it counts. What opcodes do is in line-program.ts.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import { IpbpError } from '../../codes/error.js';
import * as dw from './constants.js';
import type { LineSections } from './debug-sections.js';
import { skipForm } from './forms.js';

/** One program; offsets in the section. */
export interface LineHeader {
  readonly start: number;
  readonly end: number;
  readonly minimumInstruction: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** How many arguments each standard opcode has; that of opcode 1 is at 1. */
  readonly argumentCounts: readonly number[];
  /** By their numbers in the program, with their folders; null for numbers that mean none. */
  readonly files: readonly (string | null)[];
  /** Of the first opcode. */
  readonly opcodes: number;
}

/** Counts the characters of names: few bytes could mean the same long one again and again. */
type CountText = (text: string) => string;

/** For all programs of one object. */
export function countText({ program, strings, lineStrings }: LineSections): CountText {
  let left = LIMITS.nameReuse * (program.length + strings.length + lineStrings.length);
  return (text) => {
    left -= text.length;
    if (left < 0) program.malformed('names of source files overlap too much');
    return text;
  };
}

/**
 * Reads the header that stands at `start`. 32-bit DWARF.
 * @throws IpbpError IPBP1001 and IPBP1002 when it is broken, IPBP1003 for 64-bit DWARF and versions other than 4 and 5
 */
export function readLineHeader(sections: LineSections, start: number, counted: CountText): LineHeader {
  const { program: reader } = sections;
  const length = reader.seek(start).u32();
  if (length >= 0xffff_fff0) throw unsupported(reader, '64-bit DWARF', start);
  reader.need(length);
  const end = reader.position + length;
  const version = reader.u16();
  if (version !== 4 && version !== 5) throw unsupported(reader, `DWARF ${version}`, start);
  // Sizes of addresses, which say theirs themselves, and of segment selectors.
  if (version === 5) reader.skip(2);
  const headerLength = reader.u32();
  const opcodes = reader.position + headerLength;
  const minimumInstruction = reader.u8();
  // Operations of an instruction, of which VLIW machines have several, and whether rows begin as statements.
  reader.skip(2);
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  if (lineRange === 0) reader.malformed('a line program has no range of lines', {}, start);
  const opcodeBase = reader.u8();
  const argumentCounts = [0];
  for (let opcode = 1; opcode < opcodeBase; opcode++) argumentCounts.push(reader.u8());
  const files = version === 5 ? readFiles(sections, counted) : readOldFiles(reader, counted);
  if (reader.position > opcodes || opcodes > end) {
    reader.malformed('a line program is shorter than its header', {}, start);
  }
  return { start, end, minimumInstruction, lineBase, lineRange, opcodeBase, argumentCounts, files, opcodes };
}

/** DWARF 4: both from 1 on. Folder 0 is the compiler's, which stands elsewhere. */
function readOldFiles(reader: ByteReader, counted: CountText): (string | null)[] {
  const folders = [''];
  for (let name = reader.cstring(); name !== ''; name = reader.cstring()) folders.push(name);
  const files: (string | null)[] = [null];
  for (let name = reader.cstring(); name !== ''; name = reader.cstring()) {
    const folder = reader.uleb();
    // Time and size.
    reader.uleb();
    reader.uleb();
    files.push(counted(joined(folders[folder] ?? '', name)));
  }
  return files;
}

/** DWARF 5: both from 0 on. Folder 0 is the compiler's, from which others may count. */
function readFiles(sections: LineSections, counted: CountText): string[] {
  const folders = readEntries(sections, counted);
  const own = folders[0]?.name ?? '';
  const whole = folders.map(({ name }) => counted(joined(own, name)));
  return readEntries(sections, counted).map(({ name, folder }) => counted(joined(whole[folder] ?? '', name)));
}

/** The entries of a table that says itself what they consist of (§6.2.4.1). */
function readEntries(sections: LineSections, counted: CountText): { readonly name: string; readonly folder: number }[] {
  const { program: reader } = sections;
  const parts = Array.from({ length: reader.u8() }, () => ({ content: reader.uleb(), form: reader.uleb() }));
  const count = reader.uleb();
  // Before room for so many is made: a name takes a byte, or the offset of it.
  reader.need(count);
  return Array.from({ length: count }, () => {
    let name = '';
    let folder = 0;
    for (const { content, form } of parts) {
      if (content === dw.DW_LNCT_path) name = counted(readName(sections, form));
      else if (content === dw.DW_LNCT_directory_index) folder = readFolder(reader, form);
      else skipForm(reader, form, { version: 5, addressSize: 4, unitStart: 0 });
    }
    return { name, folder };
  });
}

function readName({ program: reader, strings, lineStrings }: LineSections, form: number): string {
  switch (form) {
    case dw.DW_FORM_string:
      return reader.cstring();
    case dw.DW_FORM_line_strp:
      return lineStrings.seek(reader.u32()).cstring();
    case dw.DW_FORM_strp:
      return strings.seek(reader.u32()).cstring();
    default:
      return reader.malformed('the name of a source file has an unknown form', { actual: `${form}` });
  }
}

function readFolder(reader: ByteReader, form: number): number {
  switch (form) {
    case dw.DW_FORM_data1:
      return reader.u8();
    case dw.DW_FORM_data2:
      return reader.u16();
    case dw.DW_FORM_udata:
      return reader.uleb();
    default:
      return reader.malformed('the folder of a source file has an unknown form', { actual: `${form}` });
  }
}

/** Systems differ in what whole paths begin with. */
function joined(folder: string, name: string): string {
  if (folder === '' || /^(?:[\\/]|[A-Za-z]:)/.test(name)) return name;
  return folder === name ? name : `${folder.replace(/[\\/]$/, '')}/${name}`;
}

function unsupported(reader: ByteReader, actual: string, position: number): IpbpError {
  return new IpbpError('IPBP1003', 'these line programs cannot be read yet', {
    expected: '32-bit DWARF 4 or 5',
    actual,
    where: reader.where(position),
  });
}

// The line programs of `.debug_line` (DWARF 4 and 5 §6.2): which source line the instructions of an object come from. Owns
// the state machine. Addresses are what relocations say: places in sections of the object.
import type { ByteReader } from '../../bytes/reader.js';
import type { ObjectFile } from '../object-file.js';
import * as dw from './constants.js';
import { openLineSections, type LineSections, type Place } from './debug-sections.js';
import { countText, readLineHeader, type LineHeader } from './line-header.js';

/** Code from `offset` of its section on, up to the next row. */
export interface LineRow {
  readonly offset: number;
  /** The file as the compiler says it; null for code of no file and behind the last instruction. */
  readonly source: string | null;
  /** From 1; 0 for code that belongs to no line. */
  readonly line: number;
  /** From 1, in bytes; 0 for the whole line. */
  readonly column: number;
}

/**
 * The rows of each section of a relocatable object, by its index: rising by offset, one for an offset. Code that the object
 * does not hold has none.
 * @throws IpbpError IPBP1001 and IPBP1002 when a program is broken, IPBP1003 for 64-bit DWARF and versions other than 4
 *   and 5
 */
export function readLines(file: ObjectFile): ReadonlyMap<number, readonly LineRow[]> {
  const sections = openLineSections(file);
  const counted = countText(sections);
  const lines = new Map<number, LineRow[]>();
  for (let start = 0; start < sections.program.length;) {
    const header = readLineHeader(sections, start, counted);
    new LineMachine(sections, header, lines).run();
    start = header.end;
  }
  return new Map([...lines].map(([section, rows]) => [section, inOrder(rows)]));
}

/** Sequences may come in any order. Of rows at one offset the last counts, but ends of sequences count less than others. */
function inOrder(rows: LineRow[]): LineRow[] {
  rows.sort((a, b) => a.offset - b.offset || Number(a.source !== null) - Number(b.source !== null));
  return rows.filter(({ offset }, at) => rows[at + 1]?.offset !== offset);
}

/** The registers that rows are made of (§6.2.2), and what opcodes do with them (§6.2.5). */
class LineMachine {
  private readonly sections: LineSections;
  private readonly reader: ByteReader;
  private readonly header: LineHeader;
  private readonly lines: Map<number, LineRow[]>;
  private place: Place | null = null;
  private file = 1;
  private line = 1;
  private column = 0;

  constructor(sections: LineSections, header: LineHeader, lines: Map<number, LineRow[]>) {
    this.sections = sections;
    this.reader = sections.program;
    this.header = header;
    this.lines = lines;
  }

  /** Adds the program's rows. */
  run(): void {
    const { reader, header } = this;
    reader.seek(header.opcodes);
    while (reader.position < header.end) {
      const opcode = reader.u8();
      if (opcode >= header.opcodeBase) this.special(opcode);
      else if (opcode === 0) this.extended();
      else this.standard(opcode);
    }
    if (reader.position > header.end) reader.malformed('a line program leaves its unit', {}, header.start);
  }

  private add(source: string | null): void {
    const { place, line, column } = this;
    if (place === null) return;
    const rows = this.lines.get(place.section);
    const row = { offset: place.offset, source, line, column };
    if (rows === undefined) this.lines.set(place.section, [row]);
    else rows.push(row);
  }

  private addRow(): void {
    this.add(this.header.files[this.file] ?? null);
  }

  private advance(bytes: number): void {
    if (this.place !== null) this.place = { section: this.place.section, offset: this.place.offset + bytes };
  }

  /** By what a special opcode counts. */
  private advanceBy(opcode: number): void {
    const { opcodeBase, lineRange, minimumInstruction } = this.header;
    this.advance(Math.floor((opcode - opcodeBase) / lineRange) * minimumInstruction);
  }

  private special(opcode: number): void {
    const { opcodeBase, lineBase, lineRange } = this.header;
    this.advanceBy(opcode);
    this.line += lineBase + ((opcode - opcodeBase) % lineRange);
    this.addRow();
  }

  private standard(opcode: number): void {
    const { reader, header } = this;
    switch (opcode) {
      case dw.DW_LNS_copy:
        return this.addRow();
      case dw.DW_LNS_advance_pc:
        return this.advance(reader.uleb() * header.minimumInstruction);
      case dw.DW_LNS_advance_line:
        this.line += reader.sleb();
        return;
      case dw.DW_LNS_set_file:
        this.file = reader.uleb();
        return;
      case dw.DW_LNS_set_column:
        this.column = reader.uleb();
        return;
      case dw.DW_LNS_const_add_pc:
        return this.advanceBy(255);
      case dw.DW_LNS_fixed_advance_pc:
        return this.advance(reader.u16());
      default:
        // Flags of rows that nobody asks for, and what later versions may have.
        for (let left = header.argumentCounts[opcode] ?? 0; left > 0; left--) reader.uleb();
    }
  }

  private extended(): void {
    const { reader, sections } = this;
    const size = reader.uleb();
    reader.need(size);
    const end = reader.position + size;
    const opcode = size === 0 ? 0 : reader.u8();
    if (opcode === dw.DW_LNE_end_sequence) {
      this.add(null);
      [this.place, this.file, this.line, this.column] = [null, 1, 1, 0];
    } else if (opcode === dw.DW_LNE_set_address) this.place = sections.address(reader.position);
    reader.seek(end);
  }
}

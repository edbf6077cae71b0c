// The Mach-O header and its load commands: where everything in the file is. Apple's <mach-o/loader.h>.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import type { Windows } from '../../bytes/source.js';
import { decodeText } from '../../bytes/text.js';
import { IpbpError, hex } from '../../codes/error.js';
import * as macho from './constants.js';

/** A load command: its content, with type and size, is bytes [offset, offset + size) of the file. */
export interface LoadCommand {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

/** LC_SEGMENT_64. Objects have one without a name, which holds all sections. */
export interface MachoSegment {
  readonly name: string;
  readonly address: number;
  readonly memorySize: number;
  readonly offset: number;
  readonly fileSize: number;
  /** VM_PROT_READ 1, WRITE 2, EXECUTE 4. */
  readonly protection: number;
}

/** A section as the file has it; the model's are pieces of it. */
export interface MachoSection {
  /** From 0; symbols and relocations count from 1. */
  readonly index: number;
  readonly segment: string;
  readonly name: string;
  readonly address: number;
  readonly size: number;
  readonly offset: number;
  /** In bytes, a power of two. */
  readonly align: number;
  readonly relocationOffset: number;
  readonly relocationCount: number;
  /** The low byte of the flags: S_REGULAR and so on. */
  readonly type: number;
  /** The other bits of the flags. */
  readonly attributes: number;
  readonly reserved1: number;
  readonly reserved2: number;
}

/** LC_SYMTAB. */
export interface SymbolTablePlace {
  readonly offset: number;
  readonly count: number;
  readonly stringsOffset: number;
  readonly stringsSize: number;
}

export interface MachoHeaders {
  readonly machine: 'x86_64' | 'arm64';
  readonly cpuSubtype: number;
  /** MH_OBJECT, MH_EXECUTE, MH_DYLIB or MH_BUNDLE. */
  readonly type: number;
  readonly flags: number;
  readonly commands: readonly LoadCommand[];
  readonly segments: readonly MachoSegment[];
  readonly sections: readonly MachoSection[];
  readonly symbolTable: SymbolTablePlace | null;
}

const TYPES: ReadonlySet<number> = new Set([macho.MH_OBJECT, macho.MH_EXECUTE, macho.MH_DYLIB, macho.MH_BUNDLE]);
const LARGEST_ALIGN = 31;

/** Has no bytes in the file. */
export function isZeroFill(type: number): boolean {
  return type === macho.S_ZEROFILL || type === macho.S_GB_ZEROFILL || type === macho.S_THREAD_LOCAL_ZEROFILL;
}

/**
 * Reads the header and all load commands.
 * @throws IpbpError IPBP1003 for another machine or kind of file, IPBP1001 and IPBP1002 for a broken one
 */
export function readHeaders(file: Windows): MachoHeaders {
  const header = file.window(0, macho.MACH_HEADER_64_SIZE);
  const magic = header.u32();
  if (magic !== macho.MH_MAGIC_64) unsupported(header, 0, 'a 64-bit little-endian file', hex(magic));
  const cpu = header.u32();
  const machine = cpu === macho.CPU_TYPE_X86_64 ? 'x86_64' : cpu === macho.CPU_TYPE_ARM64 ? 'arm64' : null;
  if (machine === null) return unsupported(header, 4, 'x86_64 or arm64', `cpu type ${hex(cpu)}`);
  const cpuSubtype = header.u32() % 0x100_0000; // the high byte holds capabilities
  const type = header.u32();
  if (!TYPES.has(type)) unsupported(header, 12, 'an object, executable, dylib or bundle', `file type ${type}`);
  const count = header.u32();
  const size = header.u32();
  const flags = header.u32();
  const area = file.window(macho.MACH_HEADER_64_SIZE, size);
  const commands = readCommands(area, count);
  const segments: MachoSegment[] = [];
  const sections: MachoSection[] = [];
  let symbolTable: SymbolTablePlace | null = null;
  for (const command of commands) {
    const content = area.window(command.offset - area.base, command.size).seek(8);
    if (command.type === macho.LC_SEGMENT_64) readSegment(file, content, segments, sections);
    else if (command.type === macho.LC_SYMTAB) {
      if (symbolTable !== null) content.malformed('more than one symbol table', {}, 0);
      symbolTable = readSymbolTablePlace(file, content);
    }
  }
  checkTogether(file, sections);
  return { machine, cpuSubtype, type, flags, commands, segments, sections, symbolTable };
}

function unsupported(header: ByteReader, position: number, expected: string, actual: string): never {
  throw new IpbpError('IPBP1003', 'this kind of Mach-O file is not supported', {
    expected,
    actual,
    where: header.where(position),
  });
}

function readCommands(area: ByteReader, count: number): LoadCommand[] {
  const commands: LoadCommand[] = [];
  for (let index = 0; index < count; index++) {
    const start = area.position;
    const type = area.u32();
    const size = area.u32();
    if (size < 8 || size % 4 !== 0) {
      area.malformed('a load command has an impossible size', { actual: `${size} bytes` }, start);
    }
    area.seek(start).skip(size);
    commands.push({ type, offset: area.base + start, size });
  }
  return commands;
}

const NAME_SIZE = 16;

/** The name of a segment or section, which NULs fill up. So short a one in ASCII is made faster letter by letter. */
function nameAt(bytes: Uint8Array, start: number): string {
  const end = start + NAME_SIZE;
  let text = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === 0) return text;
    if (byte >= 0x80) return decodeText(bytes, start, end).replace(/\0.*$/s, '');
    text += String.fromCharCode(byte);
  }
  return text;
}

function readSegment(file: Windows, content: ByteReader, segments: MachoSegment[], sections: MachoSection[]): void {
  if (segments.length >= LIMITS.segments) content.malformed('too many segments', {}, 0);
  content.need(macho.SEGMENT_COMMAND_64_SIZE - 8);
  const name = nameAt(content.bytes, 8);
  content.skip(NAME_SIZE);
  const address = content.u64();
  const memorySize = content.u64();
  const offset = content.u64();
  const fileSize = content.u64();
  content.u32(); // maxprot
  const protection = content.u32();
  const count = content.u32();
  content.u32(); // flags
  file.check(offset, fileSize);
  if (!Number.isSafeInteger(address + memorySize)) {
    content.malformed('a segment has an impossible size', { actual: hex(memorySize) }, 32);
  }
  segments.push({ name, address, memorySize, offset, fileSize, protection });
  content.need(count * macho.SECTION_64_SIZE);
  const view = new DataView(content.bytes.buffer, content.bytes.byteOffset, content.length);
  for (let index = 0; index < count; index++) sections.push(readSection(file, content, view, sections.length));
}

/** There are thousands in the objects of a program: their fields are read where they lie. */
function readSection(file: Windows, content: ByteReader, view: DataView, index: number): MachoSection {
  const start = content.position;
  const [name, segment] = [nameAt(content.bytes, start), nameAt(content.bytes, start + NAME_SIZE)];
  const address = content.seek(start + 32).u64();
  const size = content.u64();
  const offset = view.getUint32(start + 48, true);
  const align = view.getUint32(start + 52, true);
  const relocationOffset = view.getUint32(start + 56, true);
  const relocationCount = view.getUint32(start + 60, true);
  const flags = view.getUint32(start + 64, true);
  const reserved1 = view.getUint32(start + 68, true);
  const reserved2 = view.getUint32(start + 72, true);
  content.seek(start + macho.SECTION_64_SIZE);
  const type = flags % 0x100;
  if (!isZeroFill(type)) file.check(offset, size);
  if (!Number.isSafeInteger(address + size)) {
    content.malformed('a section has an impossible size', { actual: hex(size) }, start + 40);
  }
  if (align > LARGEST_ALIGN) {
    const facts = { expected: `at most 2^${LARGEST_ALIGN}`, actual: `2^${align}` };
    content.malformed('a section has an impossible alignment', facts, start + 52);
  }
  return {
    index,
    segment,
    name,
    address,
    size,
    offset,
    align: 2 ** align,
    relocationOffset,
    relocationCount,
    type,
    attributes: flags - type,
    reserved1,
    reserved2,
  };
}

/** Sections lie side by side: together they are not much longer than the file. */
function checkTogether(file: Windows, sections: readonly MachoSection[]): void {
  let stored = 0;
  for (const { type, size } of sections) if (!isZeroFill(type)) stored += size;
  if (stored <= file.length * LIMITS.sectionReuse) return;
  const facts = { expected: `at most ${LIMITS.sectionReuse} times the file`, actual: `${stored} bytes` };
  file.malformed('the sections overlap too much', facts, macho.MACH_HEADER_64_SIZE);
}

function readSymbolTablePlace(file: Windows, content: ByteReader): SymbolTablePlace {
  const offset = content.u32();
  const count = content.u32();
  const stringsOffset = content.u32();
  const stringsSize = content.u32();
  if (count > LIMITS.symbols) content.malformed('too many symbols', { actual: `${count}` }, 12);
  file.check(offset, count * macho.NLIST_64_SIZE);
  file.check(stringsOffset, stringsSize);
  return { offset, count, stringsOffset, stringsSize };
}

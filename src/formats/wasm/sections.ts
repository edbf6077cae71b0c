// The sections of a file: where each lies, and that they come in the order of the specification. Core, "Modules".
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import type { Windows } from '../../bytes/source.js';
import { IpbpError } from '../../codes/error.js';
import * as wasm from './constants.js';
import { readIndex } from './value-types.js';

/** One section as it lies in the file. */
export interface FileSection {
  /** Its number, 0 for a custom one. */
  readonly id: number;
  /** A custom one's own name, else the specification's. */
  readonly name: string;
  /** Of the content: behind the length, and behind the name of a custom one. */
  readonly offset: number;
  readonly size: number;
  /** Bytes that its length takes, and the length of a custom one's name. */
  readonly lengthWidth: number;
  readonly nameWidth: number;
}

const HEADER_SIZE = 8;
/** Number and length of a section. */
const SECTION_HEADER = 1 + LIMITS.lebBytes;

/**
 * Reads where sections lie. IPBP1003 for a component or another version, IPBP1001 and IPBP1002 for broken ones.
 */
export function readSections(file: Windows): FileSection[] {
  const header = file.window(0, HEADER_SIZE);
  if (header.u32() !== wasm.MAGIC) header.malformed('no WebAssembly file', { expected: '00 61 73 6d' }, 0);
  const version = header.u32();
  if (version !== wasm.VERSION) {
    throw new IpbpError('IPBP1003', 'this version of WebAssembly is not supported', {
      expected: 'a module of version 1',
      actual: version > 0xffff ? 'a component' : `version ${version}`,
      where: header.where(4),
    });
  }
  const sections: FileSection[] = [];
  let last = -1;
  let at = HEADER_SIZE;
  while (at < file.length) {
    if (sections.length >= LIMITS.sections) file.malformed('too many sections', {}, at);
    const reader = file.window(at, Math.min(SECTION_HEADER, file.length - at));
    const id = reader.u8();
    const length = readIndex(reader);
    const lengthWidth = reader.position - 1;
    const start = at + reader.position;
    file.check(start, length);
    const order = wasm.SECTION_ORDER.indexOf(id);
    if (id === wasm.SECTION_CUSTOM) sections.push(customSection(file, start, length, lengthWidth));
    else if (order < 0) file.malformed('a section has an unknown number', { actual: `${id}` }, at);
    else if (order <= last) {
      file.malformed('a section is out of order', { actual: wasm.SECTION_NAMES[id] as string }, at);
    } else {
      last = order;
      const name = wasm.SECTION_NAMES[id] as string;
      sections.push({ id, name, offset: start, size: length, lengthWidth, nameWidth: 0 });
    }
    at = start + length;
  }
  return sections;
}

/** Its content may be large, and is not read here. */
function customSection(file: Windows, start: number, length: number, lengthWidth: number): FileSection {
  const head = file.window(start, Math.min(length, LIMITS.lebBytes));
  const nameSize = readIndex(head);
  const nameWidth = head.position;
  if (nameWidth + nameSize > length) {
    file.malformed('the name of a section leads out of it', { actual: `${nameSize} bytes` }, start);
  }
  if (nameSize > LIMITS.nameBytes) file.malformed('a name is too long', { actual: `${nameSize} bytes` }, start);
  const name = file.window(start + nameWidth, nameSize).text(nameSize);
  const skipped = nameWidth + nameSize;
  return { id: wasm.SECTION_CUSTOM, name, offset: start + skipped, size: length - skipped, lengthWidth, nameWidth };
}

/** A reader over a section's content. */
export function sectionReader(file: Windows, section: FileSection): ByteReader {
  return file.window(section.offset, section.size);
}

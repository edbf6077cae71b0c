// Writes archives: a symbol index, then the members. In GNU's form (gABI "Archive File"), or in BSD's as Apple's linkers
// want it (Apple's ar(5) and ranlib(5)). Owner, mode and time are the same for all, so that the same members give the same
// bytes. The counterpart of archive.ts.
import { alignUp } from '../bytes/align.js';
import { ByteWriter } from '../bytes/writer.js';
import { encodeText } from '../bytes/text.js';
import { IpbpError } from '../codes/error.js';
import type { ArchiveForm } from './archive.js';
import { fileName } from './macho/names.js';

/** One member. `symbols` are the names that the index finds it by, as the model has them. */
export interface NewMember {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly symbols: readonly string[];
}

const MAGIC = '!<arch>\n';
const HEADER_SIZE = 60;
/** A name and the slash that ends it fit in the header's 16 bytes. */
const SHORT_NAME = 15;
/** Offsets in the index have 32 bits; forms for larger ones are not read by every linker. */
const LARGEST = 0xffff_ffff;
/** Apple's linkers read 64-bit objects where they lie. */
const APPLE_ALIGN = 8;
const APPLE_INDEX = '__.SYMDEF';

/**
 * An archive of these members.
 * @throws IpbpError IPBP2020 when it would be larger than its index can say.
 */
export function writeArchive(
  members: readonly NewMember[],
  where: string,
  form: ArchiveForm = 'gnu',
): Uint8Array<ArrayBuffer> {
  return form === 'gnu' ? writeGnu(members, where) : writeApple(members, where);
}

function checkSize(size: number, where: string): void {
  if (size <= LARGEST) return;
  throw new IpbpError('IPBP2020', 'a library is too large to be rewritten', { actual: `${size} bytes`, where });
}

function writeGnu(members: readonly NewMember[], where: string): Uint8Array<ArrayBuffer> {
  const longNames = new ByteWriter(256);
  const fields = members.map(({ name }) => {
    if (encodeText(name).length <= SHORT_NAME) return `${name}/`;
    const at = longNames.length;
    longNames.text(`${name}/\n`);
    return `/${at}`;
  });
  const index = gnuIndexOf(members);
  const namesSize = longNames.length === 0 ? 0 : HEADER_SIZE + alignUp(longNames.length, 2);
  let at = MAGIC.length + HEADER_SIZE + alignUp(index.size, 2) + namesSize;
  const offsets = members.map(({ bytes }) => {
    const here = at;
    at += HEADER_SIZE + alignUp(bytes.length, 2);
    return here;
  });
  checkSize(at, where);
  const w = new ByteWriter(at).text(MAGIC);
  putMember(w, '/', index.write(offsets));
  if (longNames.length > 0) putMember(w, '//', longNames.finish());
  members.forEach(({ bytes }, i) => putMember(w, fields[i] ?? '', bytes));
  return w.finish();
}

/** The index's size, and its content once the members' places are known: offsets, then names, in the same order. */
function gnuIndexOf(members: readonly NewMember[]): {
  readonly size: number;
  readonly write: (offsets: readonly number[]) => Uint8Array;
} {
  const names = new ByteWriter(4096);
  const owners: number[] = [];
  members.forEach(({ symbols }, member) => {
    for (const symbol of symbols) {
      owners.push(member);
      names.cstring(symbol);
    }
  });
  const size = 4 + owners.length * 4 + names.length;
  return {
    size,
    write(offsets) {
      const w = new ByteWriter(size).u32be(owners.length);
      for (const member of owners) w.u32be(offsets[member] ?? 0);
      return w.raw(names.finish()).finish();
    },
  };
}

/** Every name stands before its member's content and counts as a part of it, as does what fills up to 8 bytes. */
function writeApple(members: readonly NewMember[], where: string): Uint8Array<ArrayBuffer> {
  const strings = new ByteWriter(4096);
  const entries: { readonly name: number; readonly member: number }[] = [];
  members.forEach(({ symbols }, member) => {
    for (const symbol of symbols) {
      entries.push({ name: strings.length, member });
      strings.cstring(fileName(symbol));
    }
  });
  const indexSize = 8 + entries.length * 8 + alignUp(strings.length, APPLE_ALIGN);
  let at = MAGIC.length + appleSize(MAGIC.length, APPLE_INDEX, indexSize);
  const offsets = members.map(({ name, bytes }) => {
    const here = at;
    at += appleSize(at, name, bytes.length);
    return here;
  });
  checkSize(at, where);
  const index = new ByteWriter(indexSize).u32(entries.length * 8);
  for (const { name, member } of entries) index.u32(name).u32(offsets[member] ?? 0);
  index.u32(alignUp(strings.length, APPLE_ALIGN)).raw(strings.finish()).align(APPLE_ALIGN, 0);
  const w = new ByteWriter(at).text(MAGIC);
  putApple(w, APPLE_INDEX, index.finish());
  for (const { name, bytes } of members) putApple(w, name, bytes);
  return w.finish();
}

/** Bytes of a name, with the zeros behind it that bring the content to its place. */
function appleNameSize(at: number, name: string): number {
  const start = at + HEADER_SIZE;
  return alignUp(start + encodeText(name).length, APPLE_ALIGN) - start;
}

function appleSize(at: number, name: string, size: number): number {
  return HEADER_SIZE + appleNameSize(at, name) + alignUp(size, APPLE_ALIGN);
}

function putApple(w: ByteWriter, name: string, bytes: Uint8Array): void {
  const nameSize = appleNameSize(w.length, name);
  putHeader(w, `#1/${nameSize}`, nameSize + alignUp(bytes.length, APPLE_ALIGN));
  const content = w.length + nameSize;
  w.text(name);
  while (w.length < content) w.u8(0);
  w.raw(bytes).align(APPLE_ALIGN, 0x0a);
}

function putMember(w: ByteWriter, name: string, bytes: Uint8Array): void {
  putHeader(w, name, bytes.length);
  w.raw(bytes).align(2, 0x0a);
}

function putHeader(w: ByteWriter, name: string, size: number): void {
  const field = (text: string, width: number): string => text.padEnd(width, ' ');
  w.text(
    `${field(name, 16)}${field('0', 12)}${field('0', 6)}${field('0', 6)}${field('644', 8)}${field(String(size), 10)}\`\n`,
  );
}

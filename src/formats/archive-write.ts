// Writes archives in GNU's form: a symbol index, a table of long names, the members (gABI "Archive File"). Owner, mode
// and time are the same for all, so that the same members give the same bytes. The counterpart of archive.ts.
import { ByteWriter } from '../bytes/writer.js';
import { encodeText } from '../bytes/text.js';
import { IpbpError } from '../codes/error.js';

/** One member. `symbols` are the names that the index finds it by. */
export interface NewMember {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly symbols: readonly string[];
}

const MAGIC = '!<arch>\n';
const HEADER_SIZE = 60;
/** A name and the slash that ends it fit in the header's 16 bytes. */
const SHORT_NAME = 15;
/** Offsets in the index have 32 bits; GNU's form for larger ones is not read by every linker. */
const LARGEST = 0xffff_ffff;

/**
 * An archive of these members.
 * @throws IpbpError IPBP2020 when it would be larger than its index can say.
 */
export function writeArchive(members: readonly NewMember[], where: string): Uint8Array<ArrayBuffer> {
  const longNames = new ByteWriter(256);
  const fields = members.map(({ name }) => {
    if (encodeText(name).length <= SHORT_NAME) return `${name}/`;
    const at = longNames.length;
    longNames.text(`${name}/\n`);
    return `/${at}`;
  });
  const index = indexOf(members);
  const namesSize = longNames.length === 0 ? 0 : HEADER_SIZE + even(longNames.length);
  let at = MAGIC.length + HEADER_SIZE + even(index.size) + namesSize;
  const offsets = members.map(({ bytes }) => {
    const here = at;
    at += HEADER_SIZE + even(bytes.length);
    return here;
  });
  if (at > LARGEST) {
    throw new IpbpError('IPBP2020', 'a library is too large to be rewritten', { actual: `${at} bytes`, where });
  }
  const w = new ByteWriter(at).text(MAGIC);
  putMember(w, '/', index.write(offsets));
  if (longNames.length > 0) putMember(w, '//', longNames.finish());
  members.forEach(({ bytes }, i) => putMember(w, fields[i] ?? '', bytes));
  return w.finish();
}

/** The index's size, and its content once the members' places are known: offsets, then names, in the same order. */
function indexOf(members: readonly NewMember[]): {
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

function putMember(w: ByteWriter, name: string, bytes: Uint8Array): void {
  const field = (text: string, size: number): string => text.padEnd(size, ' ');
  w.text(
    `${field(name, 16)}${field('0', 12)}${field('0', 6)}${field('0', 6)}${field('644', 8)}${field(String(bytes.length), 10)}\`\n`,
  );
  w.raw(bytes).align(2, 0x0a);
}

function even(size: number): number {
  return size + (size % 2);
}

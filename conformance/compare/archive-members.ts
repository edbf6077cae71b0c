// The members of a System V archive, for the comparison alone (src/formats has its own reader).
import { Buffer } from 'node:buffer';

/** A member: its name and bytes. */
export interface ArchiveMember {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const MAGIC = '!<arch>\n';
const THIN_MAGIC = '!<thin>\n';

/** True for the bytes of an archive. */
export function isArchive(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') === MAGIC;
}

/** True for an archive that only names its members. */
export function isThinArchive(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') === THIN_MAGIC;
}

/** All members but the index and the table of long names. */
export function archiveMembers(bytes: Uint8Array): ArchiveMember[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const members: ArchiveMember[] = [];
  let names = '';
  for (let at = MAGIC.length; at + 60 <= buffer.length;) {
    const raw = buffer.toString('latin1', at, at + 16).trimEnd();
    const size = Number(buffer.toString('latin1', at + 48, at + 58));
    const body = bytes.subarray(at + 60, at + 60 + size);
    if (raw === '//') names = Buffer.from(body).toString('latin1');
    else if (raw !== '/' && raw !== '/SYM64/') {
      const long = /^\/(\d+)$/.exec(raw);
      const name = long === null ? raw.replace(/\/$/, '') : names.slice(Number(long[1])).split('/\n')[0]!;
      members.push({ name, bytes: body });
    }
    at += 60 + size + (size % 2);
  }
  return members;
}

// What a linker's signature of a library must say, told from the file's load commands and pages: apart from src/formats, so
// that a mistake there shows. The layout is that of <kern/cs_blobs.h>; all numbers are big-endian.
import { createHash } from 'node:crypto';

const MH_EXECUTE = 2;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const SUPERBLOB = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;
const PAGE = 4096;
const HASH = 32;

/** What a CodeDirectory says besides its hashes, by the names that rcodesign's reader gives, too. */
export interface Directory {
  readonly version: number;
  /** Ad hoc 2, written by a linker 0x20000. */
  readonly flags: number;
  readonly codeLimit: number;
  readonly digest: string;
  readonly pageSize: number;
  readonly pages: number;
  readonly specials: number;
  readonly platform: number;
  readonly execSegBase: number;
  readonly execSegLimit: number;
  readonly execSegFlags: number;
  readonly blobs: number;
}

/** A file, where its signature lies, and what that must say. */
export interface SignedFile {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly size: number;
  readonly wanted: Directory;
}

/** Reads load commands. Throws where none leads to a signature. */
export function openSigned(bytes: Uint8Array, path: string): SignedFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = { offset: -1, size: -1 };
  let signature = { offset: -1, size: -1 };
  for (let at = 32, left = view.getUint32(16, true); left > 0; left--, at += view.getUint32(at + 4, true)) {
    const command = view.getUint32(at, true);
    if (command === LC_CODE_SIGNATURE)
      signature = { offset: view.getUint32(at + 8, true), size: view.getUint32(at + 12, true) };
    if (
      command === LC_SEGMENT_64 &&
      Buffer.from(bytes.subarray(at + 8, at + 24))
        .toString()
        .startsWith('__TEXT\0')
    )
      text = { offset: Number(view.getBigUint64(at + 40, true)), size: Number(view.getBigUint64(at + 48, true)) };
  }
  if (signature.offset < 0 || text.offset < 0) throw new Error(`${path} has no signature or no __TEXT`);
  const wanted: Directory = {
    version: 0x20400,
    flags: 0x20002,
    codeLimit: signature.offset,
    digest: 'sha256',
    pageSize: PAGE,
    pages: Math.ceil(signature.offset / PAGE),
    specials: 0,
    platform: 0,
    execSegBase: text.offset,
    execSegLimit: text.size,
    execSegFlags: view.getUint32(12, true) === MH_EXECUTE ? 1 : 0,
    blobs: 1,
  };
  return { bytes, ...signature, wanted };
}

/** What the first says otherwise than it must, each a line. */
export function directoryDifferences(found: Readonly<Record<string, unknown>>, wanted: Directory): string[] {
  return Object.entries(wanted).flatMap(([name, value]) =>
    found[name] === value ? [] : [`CodeDirectory: ${name} is ${String(found[name])}, not ${value}`],
  );
}

/** What is wrong with a file's signature, each a line: places of its parts, fields, and the hash of every page. */
export function signatureProblems({ bytes, offset, size, wanted }: SignedFile): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, size);
  const u32 = (at: number): number => view.getUint32(at);
  const problems: string[] = [];
  if (offset % 16 !== 0) problems.push(`the signature lies at ${offset}`);
  if (offset + size !== bytes.length) problems.push(`the signature ends at ${offset + size} of ${bytes.length}`);
  if (u32(0) !== SUPERBLOB || u32(4) > size) return [...problems, 'no signature where one should be'];
  const at = u32(16);
  if (u32(12) !== 0 || u32(at) !== CODE_DIRECTORY) return [...problems, 'no CodeDirectory first'];
  const u64 = (field: number): number => Number(view.getBigUint64(at + field));
  const found: Directory = {
    version: u32(at + 8),
    flags: u32(at + 12),
    codeLimit: u32(at + 32),
    digest: view.getUint8(at + 36) === HASH && view.getUint8(at + 37) === 2 ? 'sha256' : 'another',
    pageSize: 2 ** view.getUint8(at + 39),
    pages: u32(at + 28),
    specials: u32(at + 24),
    platform: view.getUint8(at + 38),
    execSegBase: u64(64),
    execSegLimit: u64(72),
    execSegFlags: u64(80),
    blobs: u32(8),
  };
  problems.push(...directoryDifferences({ ...found }, wanted));
  const identifier = at + u32(at + 20);
  if (view.getUint8(identifier) === 0) problems.push('the identifier is empty');
  const hashes = at + u32(at + 16);
  if (hashes + wanted.pages * HASH > size) return [...problems, 'the hashes do not end within the signature'];
  for (let page = 0; page < wanted.pages; page++) {
    const content = bytes.subarray(page * PAGE, Math.min((page + 1) * PAGE, offset));
    const from = offset + hashes + page * HASH;
    if (
      createHash('sha256')
        .update(content)
        .digest()
        .compare(bytes.subarray(from, from + HASH)) !== 0
    )
      problems.push(`page ${page} has another hash`);
  }
  return problems;
}

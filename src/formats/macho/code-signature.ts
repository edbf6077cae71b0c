// Code signatures without a certificate ("ad hoc"): a hash of every page of the file, which the kernel compares when it
// maps the page. Encodes them as linkers do, reads any, and checks the pages. Who signed with what certificate is not read.
// The layout is the kernel's: osfmk/kern/cs_blobs.h of XNU. All numbers are big-endian.
import { sha256 } from '@noble/hashes/sha2.js';
import { alignUp } from '../../bytes/align.js';
import { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import { encodeText } from '../../bytes/text.js';
import { IpbpError, hex } from '../../codes/error.js';

const CSMAGIC_EMBEDDED_SIGNATURE = 0xfade0cc0;
const CSMAGIC_CODEDIRECTORY = 0xfade0c02;
const CSSLOT_CODEDIRECTORY = 0;
const CS_HASHTYPE_SHA256 = 2;
const CS_SUPPORTS_EXECSEG = 0x20400;
/** Flags: no certificate stands behind it, and a linker wrote it. */
const CS_ADHOC = 0x2;
const CS_LINKER_SIGNED = 0x2_0000;
const CS_EXECSEG_MAIN_BINARY = 1;

const HASH_SIZE = 32;
/** Pages of a signature are of this size on every machine. */
const PAGE = 4096;
const PAGE_SHIFT = 12;
/** The superblob's header with one entry, in units of 8. */
const BLOB_HEADERS = 24;
const DIRECTORY_HEADER = 88;
/** A signature has a handful of blobs. */
const MOST_BLOBS = 64;

/** What a signature says besides the hashes. */
export interface SigningFacts {
  /** By which name it is known: a linker takes the file's. */
  readonly identifier: string;
  /** Where the file's executable segment lies in the file. */
  readonly textOffset: number;
  readonly textSize: number;
  /** An executable, not a library. */
  readonly executable: boolean;
}

/** One directory of hashes: a file may have several, of other hash functions. */
export interface CodeDirectory {
  readonly version: number;
  readonly flags: number;
  readonly identifier: string;
  /** Bytes of the file that are hashed, from its start. */
  readonly codeLimit: number;
  /** 0 for one page as long as the file. */
  readonly pageSize: number;
  readonly hashType: number;
  readonly hashSize: number;
  /** The hash of each page. */
  readonly hashes: readonly Uint8Array[];
  /** Hashes of what is no page, by slot from −1 down: requirements, resources and the like. */
  readonly specialHashes: readonly Uint8Array[];
  readonly execSegBase: number;
  readonly execSegLimit: number;
  readonly execSegFlags: number;
}

/** A signature's parts. */
export interface CodeSignature {
  readonly blobs: readonly { readonly slot: number; readonly magic: number; readonly bytes: Uint8Array }[];
  readonly directories: readonly CodeDirectory[];
}

function hashesAt(identifier: Uint8Array): number {
  return alignUp(BLOB_HEADERS + DIRECTORY_HEADER + identifier.length + 1, 16);
}

/** Bytes that the signature of a file takes, which is `size` bytes long without it. */
export function codeSignatureSize(identifier: string, size: number): number {
  return hashesAt(encodeText(identifier)) + Math.ceil(size / PAGE) * HASH_SIZE;
}

/** The hashes of a file's pages, one behind the other. */
export function pageHashes(file: Uint8Array): Uint8Array {
  const hashes = new Uint8Array(Math.ceil(file.length / PAGE) * HASH_SIZE);
  for (let page = 0; page * PAGE < file.length; page++) {
    hashes.set(sha256(file.subarray(page * PAGE, (page + 1) * PAGE)), page * HASH_SIZE);
  }
  return hashes;
}

/** Brings the hashes up to date after bytes of the page at `offset` were changed. */
export function rehashPage(hashes: Uint8Array, file: Uint8Array, offset: number): void {
  const page = Math.floor(offset / PAGE);
  hashes.set(sha256(file.subarray(page * PAGE, (page + 1) * PAGE)), page * HASH_SIZE);
}

/** The signature of a file of `size` bytes, which are all that comes before it: as `ld64.lld` writes it. */
export function encodeCodeSignature(size: number, hashes: Uint8Array, facts: SigningFacts): Uint8Array<ArrayBuffer> {
  const identifier = encodeText(facts.identifier);
  const slots = hashes.length / HASH_SIZE;
  if (slots !== Math.ceil(size / PAGE)) throw new Error('internal: a signature needs the hash of every page');
  const length = codeSignatureSize(facts.identifier, size);
  const w = new ByteWriter(length);
  w.u32be(CSMAGIC_EMBEDDED_SIGNATURE).u32be(length).u32be(1).u32be(CSSLOT_CODEDIRECTORY).u32be(BLOB_HEADERS);
  w.align(8);
  w.u32be(CSMAGIC_CODEDIRECTORY).u32be(length - BLOB_HEADERS);
  w.u32be(CS_SUPPORTS_EXECSEG).u32be(CS_ADHOC + CS_LINKER_SIGNED);
  w.u32be(hashesAt(identifier) - BLOB_HEADERS).u32be(DIRECTORY_HEADER);
  w.u32be(0).u32be(slots).u32be(size);
  w.u8(HASH_SIZE).u8(CS_HASHTYPE_SHA256).u8(0).u8(PAGE_SHIFT);
  // Spare, scatter, team, spare, and a limit of 64 bits: all unused.
  w.fill(4 * 4 + 8);
  w.u64be(facts.textOffset)
    .u64be(facts.textSize)
    .u64be(facts.executable ? CS_EXECSEG_MAIN_BINARY : 0);
  return w.raw(identifier).u8(0).align(16).raw(hashes).finish();
}

/**
 * Reads the signature of LC_CODE_SIGNATURE. `offset` is where it lies in the file that messages call `name`.
 * @throws IpbpError IPBP1001, IPBP1002
 */
export function readCodeSignature(bytes: Uint8Array, name: string, offset: number): CodeSignature {
  const r = new ByteReader(bytes, name, offset);
  if (r.u32be() !== CSMAGIC_EMBEDDED_SIGNATURE) r.malformed('no code signature', {}, 0);
  const whole = r.window(0, r.u32be());
  const count = r.u32be();
  if (count > MOST_BLOBS) r.malformed('too many blobs in a code signature', { actual: String(count) });
  const blobs: CodeSignature['blobs'][number][] = [];
  const directories: CodeDirectory[] = [];
  for (let index = 0; index < count; index++) {
    const slot = r.u32be();
    const at = r.u32be();
    const head = whole.window(at, 8);
    const magic = head.u32be();
    const blob = whole.window(at, head.u32be());
    blobs.push({ slot, magic, bytes: blob.bytes });
    if (magic === CSMAGIC_CODEDIRECTORY) directories.push(readDirectory(blob));
  }
  return { blobs, directories };
}

function readDirectory(r: ByteReader): CodeDirectory {
  r.seek(8);
  const version = r.u32be();
  const flags = r.u32be();
  const hashOffset = r.u32be();
  const identifierOffset = r.u32be();
  const specials = r.u32be();
  const slots = r.u32be();
  let codeLimit = r.u32be();
  const hashSize = r.u8();
  const hashType = r.u8();
  r.skip(1);
  const shift = r.u8();
  if (shift > 31) r.malformed('the page size of a code signature is too large', { actual: `2^${shift}` });
  // Each version appended fields: scatter, team, a limit of 64 bits, the executable segment.
  if (version >= 0x20300) {
    r.seek(56);
    const large = r.u64be();
    if (large !== 0) codeLimit = large;
  }
  const hasSegment = version >= CS_SUPPORTS_EXECSEG;
  const [execSegBase, execSegLimit, execSegFlags] = hasSegment ? [r.u64be(), r.u64be(), r.u64be()] : [0, 0, 0];
  const identifier = r.seek(identifierOffset).cstring();
  const table = r.window(hashOffset - specials * hashSize, (specials + slots) * hashSize);
  if (hashSize === 0) r.malformed('the hashes of a code signature have no size', {}, 36);
  const all = Array.from({ length: specials + slots }, () => table.take(hashSize));
  return {
    version,
    flags,
    identifier,
    codeLimit,
    pageSize: shift === 0 ? 0 : 2 ** shift,
    hashType,
    hashSize,
    hashes: all.slice(specials),
    specialHashes: all.slice(0, specials).reverse(),
    execSegBase,
    execSegLimit,
    execSegFlags,
  };
}

/**
 * Checks every page of a file against its signature, which lies at `offset` in it.
 * @throws IpbpError IPBP1002 for a page that differs, or a signature that does not cover all that comes before it
 */
export function verifyCodeSignature(file: Uint8Array, offset: number, size: number, name: string): CodeDirectory {
  const r = new ByteReader(file, name).window(offset, size);
  const { directories } = readCodeSignature(r.bytes, name, offset);
  const directory = directories.find(({ hashType }) => hashType === CS_HASHTYPE_SHA256);
  if (directory === undefined || directory.hashSize !== HASH_SIZE || directory.pageSize === 0) {
    return r.malformed('a code signature without SHA-256 hashes of pages', {}, 0);
  }
  const { codeLimit, pageSize, hashes } = directory;
  if (codeLimit !== offset || hashes.length !== Math.ceil(codeLimit / pageSize)) {
    const actual = `${hashes.length} pages up to ${hex(codeLimit)}`;
    r.malformed('a code signature does not cover its file', { expected: `all up to ${hex(offset)}`, actual }, 0);
  }
  hashes.forEach((expected, index) => {
    const start = index * pageSize;
    const actual = sha256(file.subarray(start, Math.min(start + pageSize, codeLimit)));
    if (actual.every((byte, i) => byte === expected[i])) return;
    throw new IpbpError('IPBP1002', 'a page differs from its hash in the code signature', {
      where: `${name}, offset ${hex(start)}`,
    });
  });
  return directory;
}

// A patch image as a file: the same bytes for the same patch, ended by the SHA-256 of all that comes before, which is
// also the patch's name for those that build on it. Little-endian; counts are LEB128, addresses i64.
import { sha256 } from '@noble/hashes/sha2.js';
import { plainBytes } from '../../bytes/plain.js';
import { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import { IpbpError } from '../../codes/error.js';
import type { ImageRange, LinkedCode, OwnThreadLocals, TableStub, UnwindEntry } from '../../link/linked-image.js';
import type { Cell, ImageSegment, ImageSymbol, ItemReport, ModuleIdentity, PatchImage } from './image.js';

const MAGIC = [0x69, 0x70, 0x62, 0x70, 0x50, 0x41, 0x54, 0x43] as const; // "ipbpPATC"
const VERSION = 8;
const DIGEST_SIZE = 32;

const PROTECTIONS = ['r', 'rx', 'rw'] as const;
const IDENTITY_KINDS = ['build-id', 'text-sha256'] as const;
const SYMBOL_KINDS = ['function', 'data', 'readonly', 'tls'] as const;
const ITEM_KINDS = ['function', 'data'] as const;
const WORD_SIZES = [4, 8] as const;
const VERDICTS = ['redirected', 'added', 'forked', 'kept', 'initialiser-changed'] as const;

/** A patch file's bytes and the digest that names it. */
export interface PatchFile {
  readonly bytes: Uint8Array;
  /** SHA-256 of everything before the last 32 bytes. */
  readonly digest: Uint8Array;
}

function writeBlob(writer: ByteWriter, bytes: Uint8Array): void {
  writer.uleb(bytes.length).raw(bytes);
}

function writeText(writer: ByteWriter, text: string): void {
  const inner = new ByteWriter();
  inner.text(text);
  writeBlob(writer, inner.finish());
}

function writeList<T>(writer: ByteWriter, list: readonly T[], write: (item: T) => void): void {
  writer.uleb(list.length);
  list.forEach(write);
}

/** A flag, and the number where there is one. */
function writeOptional(w: ByteWriter, value: number | null): void {
  w.u8(value === null ? 0 : 1);
  if (value !== null) w.i64(value);
}

function readOptional(r: ByteReader): number | null {
  return readChoice(r, [false, true], 'flag') ? r.i64() : null;
}

function writeRanges(w: ByteWriter, ranges: readonly ImageRange[]): void {
  writeList(w, ranges, ({ at, size }) => w.i64(at).u64(size));
}

function readRanges(r: ByteReader): ImageRange[] {
  return readList(r, () => ({ at: r.i64(), size: r.u64() }));
}

function writeThreadLocals(w: ByteWriter, { descriptors, template, zero }: OwnThreadLocals): void {
  for (const ranges of [descriptors, optional(template), optional(zero)]) writeRanges(w, ranges);
}

function optional<T>(value: T | null): readonly T[] {
  return value === null ? [] : [value];
}

function readThreadLocals(r: ByteReader): OwnThreadLocals {
  return { descriptors: readRanges(r), template: readRanges(r)[0] ?? null, zero: readRanges(r)[0] ?? null };
}

function writeCode(w: ByteWriter, { types, globals, imports, stubs, functions, slotsEnd }: LinkedCode): void {
  for (const names of [types, globals]) writeList(w, names, (name) => writeText(w, name));
  writeList(w, imports, ({ name, type }) => {
    writeText(w, name);
    w.uleb(type);
  });
  const writeStub = ({ name, slot, type }: TableStub): void => {
    writeText(w, name);
    w.uleb(slot).uleb(type);
  };
  writeList(w, stubs, writeStub);
  writeList(w, functions, (one) => {
    writeStub(one);
    writeBlob(w, one.bytes);
  });
  w.uleb(slotsEnd);
}

function readCode(r: ByteReader): LinkedCode {
  const [types, globals] = [readList(r, () => readText(r)), readList(r, () => readText(r))];
  const readType = (): number => {
    const type = r.uleb();
    return type < types.length ? type : r.malformed('a function of a type that is not there', { actual: `${type}` });
  };
  const imports = readList(r, () => ({ name: readText(r), type: readType() }));
  const readStub = (): TableStub => ({ name: readText(r), slot: r.uleb(), type: readType() });
  const stubs = readList(r, readStub);
  const functions = readList(r, () => ({ ...readStub(), bytes: readBlob(r) }));
  return { types, globals, imports, stubs, functions, slotsEnd: r.uleb() };
}

/** Encodes an image. Throws nothing: every value of an image has an encoding. */
export function encodePatchFile(image: PatchImage): PatchFile {
  const w = new ByteWriter(4096);
  for (const byte of MAGIC) w.u8(byte);
  w.u32(VERSION);
  writeList(w, image.modules, (module) => {
    writeText(w, module.name);
    w.u8(IDENTITY_KINDS.indexOf(module.kind));
    writeBlob(w, module.id);
  });
  writeList(w, image.after, (digest) => writeBlob(w, digest));
  writeList(w, image.segments, (segment) => {
    w.i64(segment.address).u64(segment.size).u8(PROTECTIONS.indexOf(segment.protection));
    writeBlob(w, segment.bytes);
  });
  w.u8(image.library === null ? 0 : 1)
    .i64(image.library?.at ?? 0)
    .u64(image.library?.size ?? 0);
  writeList(w, optional(image.code), (code) => writeCode(w, code));
  writeList(w, image.rebases, (rebase) => w.i64(rebase.at).uleb(rebase.module).i64(rebase.value));
  writeList(w, image.tlsWords, (word) => w.i64(word.at).u8(WORD_SIZES.indexOf(word.size)).i64(word.value));
  writeList(w, image.tlsInit, (init) => {
    w.u64(init.offset).u64(init.length).i64(init.at);
  });
  w.u64(image.tlsUsed);
  writeList(w, image.imports, (item) => {
    w.i64(item.at)
      .u8((item.weak ? 1 : 0) + (item.byResolver ? 2 : 0))
      .i64(item.addend);
    writeText(w, item.name);
  });
  writeList(w, image.checks, (check) => {
    w.uleb(check.module).i64(check.at);
    writeBlob(w, check.bytes);
  });
  writeList(w, image.cells, (cell) => {
    w.uleb(cell.module).i64(cell.at).u8(cell.guardFrom).u8(cell.guardTo);
    writeBlob(w, cell.oldBytes);
    writeBlob(w, cell.newBytes);
  });
  writeList(w, image.slots, (slot) => {
    w.uleb(slot.module).i64(slot.at).i64(slot.oldTarget).i64(slot.newTarget);
  });
  w.u8(image.unwind === null ? 0 : 1).i64(image.unwind ?? 0);
  writeList(w, image.unwindEntries, ({ start, length, encoding, personalityWord, lsda, frameRecord }) => {
    w.i64(start).u32(length).u32(encoding);
    for (const place of [personalityWord, lsda, frameRecord]) writeOptional(w, place);
  });
  writeList(w, optional(image.threadLocals), (own) => writeThreadLocals(w, own));
  writeList(w, image.init, (address) => w.i64(address));
  writeList(w, image.symbols, (symbol) => {
    w.u8(SYMBOL_KINDS.indexOf(symbol.kind))
      .i64(symbol.address)
      .u64(symbol.size)
      .u8((symbol.moved ? 1 : 0) + (symbol.entryWord === null ? 0 : 2))
      .i64(symbol.entryWord ?? 0);
    writeText(w, symbol.name);
  });
  writeList(w, image.bodies, ({ name, address }) => {
    w.i64(address);
    writeText(w, name);
  });
  writeList(w, image.sources, ({ object, functions }) => {
    writeText(w, object);
    writeList(w, functions, ({ name, address }) => {
      w.i64(address);
      writeText(w, name);
    });
  });
  writeList(w, image.items, (item) => {
    w.u8(ITEM_KINDS.indexOf(item.kind))
      .u8(VERDICTS.indexOf(item.verdict))
      .u8(item.reason === undefined ? 0 : 1);
    writeText(w, item.name);
    writeText(w, item.mangled);
    writeText(w, item.reason ?? '');
  });
  writeList(w, image.warnings, (warning) => {
    writeText(w, warning.code);
    writeText(w, warning.message);
  });
  const body = w.finish();
  const digest = sha256(body);
  const bytes = new Uint8Array(body.length + DIGEST_SIZE);
  bytes.set(body);
  bytes.set(digest, body.length);
  return { bytes, digest };
}

function readBlob(r: ByteReader): Uint8Array {
  return r.take(r.uleb()).slice();
}

function readText(r: ByteReader): string {
  return r.text(r.uleb());
}

/** Reads a list; every item takes at least one byte, so a count beyond what is left is wrong at once. */
function readList<T>(r: ByteReader, read: () => T): T[] {
  const count = r.uleb();
  r.need(count);
  const list: T[] = [];
  for (let i = 0; i < count; i++) list.push(read());
  return list;
}

function readChoice<T>(r: ByteReader, choices: readonly T[], what: string): T {
  const index = r.u8();
  const choice = choices[index];
  if (choice === undefined) {
    return r.malformed(`unknown ${what}`, { expected: `0 to ${choices.length - 1}`, actual: String(index) });
  }
  return choice;
}

/** True when the bytes start like a patch file. */
export function isPatchFile(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * Decodes a patch file.
 * @throws IpbpError IPBP1010 when it is none, IPBP1011 when its checksum is wrong, IPBP1001/IPBP1002 when it is
 *   malformed all the same.
 */
export function decodePatchFile(
  input: Uint8Array,
  name: string,
): { readonly image: PatchImage; readonly digest: Uint8Array } {
  const bytes = plainBytes(input);
  if (!isPatchFile(bytes)) {
    throw new IpbpError('IPBP1010', 'this is no patch file', {
      expected: 'a file that starts with "ipbpPATC"',
      where: name,
    });
  }
  const bodySize = bytes.length - DIGEST_SIZE;
  const digest = bytes.slice(Math.max(bodySize, 0));
  const actual = sha256(bytes.subarray(0, Math.max(bodySize, 0)));
  if (bodySize < MAGIC.length || !actual.every((byte, i) => byte === digest[i])) {
    throw new IpbpError('IPBP1011', 'the patch file is damaged', { expected: 'a checksum that matches', where: name });
  }
  const r = new ByteReader(bytes.subarray(0, bodySize), name);
  r.seek(MAGIC.length);
  const version = r.u32();
  if (version !== VERSION) {
    throw new IpbpError('IPBP1010', 'the patch file is of another version', {
      expected: String(VERSION),
      actual: String(version),
      where: name,
    });
  }
  const modules = readList(r, (): ModuleIdentity => ({
    name: readText(r),
    kind: readChoice(r, IDENTITY_KINDS, 'kind of identity'),
    id: readBlob(r),
  }));
  const after = readList(r, () => readBlob(r));
  const segments = readList(r, (): ImageSegment => ({
    address: r.i64(),
    size: r.u64(),
    protection: readChoice(r, PROTECTIONS, 'protection'),
    bytes: readBlob(r),
  }));
  const hasLibrary = r.u8() === 1;
  const library = { at: r.i64(), size: r.u64() };
  const [code = null] = readList(r, () => readCode(r));
  const rebases = readList(r, () => ({ at: r.i64(), module: r.uleb(), value: r.i64() }));
  const tlsWords = readList(r, () => ({
    at: r.i64(),
    size: readChoice(r, WORD_SIZES, 'size of a word'),
    value: r.i64(),
  }));
  const tlsInit = readList(r, () => ({ offset: r.u64(), length: r.u64(), at: r.i64() }));
  const tlsUsed = r.u64();
  const imports = readList(r, () => {
    const at = r.i64();
    const flags = r.u8();
    return { at, weak: flags % 2 === 1, byResolver: flags >= 2, addend: r.i64(), name: readText(r) };
  });
  const checks = readList(r, () => ({ module: r.uleb(), at: r.i64(), bytes: readBlob(r) }));
  const cells = readList(r, (): Cell => ({
    module: r.uleb(),
    at: r.i64(),
    guardFrom: r.u8(),
    guardTo: r.u8(),
    oldBytes: readBlob(r),
    newBytes: readBlob(r),
  }));
  const slots = readList(r, () => ({ module: r.uleb(), at: r.i64(), oldTarget: r.i64(), newTarget: r.i64() }));
  const hasUnwind = r.u8() === 1;
  const unwindAt = r.i64();
  const unwindEntries = readList(r, (): UnwindEntry => {
    const row = { start: r.i64(), length: r.u32(), encoding: r.u32() };
    return { ...row, personalityWord: readOptional(r), lsda: readOptional(r), frameRecord: readOptional(r) };
  });
  const [threadLocals = null] = readList(r, () => readThreadLocals(r));
  const init = readList(r, () => r.i64());
  const symbols = readList(r, (): ImageSymbol => {
    const placed = { kind: readChoice(r, SYMBOL_KINDS, 'kind of symbol'), address: r.i64(), size: r.u64() };
    const flags = r.u8();
    const entryWord = r.i64();
    return { ...placed, moved: flags % 2 === 1, entryWord: flags >= 2 ? entryWord : null, name: readText(r) };
  });
  const bodies = readList(r, () => ({ address: r.i64(), name: readText(r) }));
  const sources = readList(r, () => {
    const object = readText(r);
    return { object, functions: readList(r, () => ({ address: r.i64(), name: readText(r) })) };
  });
  const items = readList(r, (): ItemReport => {
    const kind = readChoice(r, ITEM_KINDS, 'kind of item');
    const verdict = readChoice(r, VERDICTS, 'verdict');
    const hasReason = r.u8() === 1;
    const item = { name: readText(r), mangled: readText(r), kind, verdict };
    const reason = readText(r);
    return hasReason ? { ...item, reason } : item;
  });
  const warnings = readList(r, () => ({ code: readText(r), message: readText(r) }));
  if (!r.ended) r.malformed('bytes follow the end of the patch');
  const image: PatchImage = {
    modules,
    after,
    segments,
    library: hasLibrary ? library : null,
    code,
    rebases,
    tlsWords,
    tlsInit,
    tlsUsed,
    imports,
    checks,
    cells,
    slots,
    unwind: hasUnwind ? unwindAt : null,
    unwindEntries,
    threadLocals,
    init,
    symbols,
    bodies,
    sources,
    items,
    warnings,
  };
  return { image, digest };
}

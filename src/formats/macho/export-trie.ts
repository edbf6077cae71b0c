// Reads the export trie (LC_DYLD_EXPORTS_TRIE, or the exports of LC_DYLD_INFO): all names that other files can see, with
// what they stand for. <mach-o/loader.h>, `EXPORT_SYMBOL_FLAGS_*`. It is written by encode-export-trie.ts.
import { LIMITS } from '../../bytes/limits.js';
import type { ByteReader } from '../../bytes/reader.js';
import { decodeText } from '../../bytes/text.js';
import { hex } from '../../codes/error.js';
import type { TrieExport } from './encode-export-trie.js';

const EXPORT_SYMBOL_FLAGS_KIND_MASK = 3;
const EXPORT_SYMBOL_FLAGS_WEAK_DEFINITION = 4;
const EXPORT_SYMBOL_FLAGS_REEXPORT = 8;
const EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER = 16;
const KINDS = ['regular', 'thread-local', 'absolute'] as const;
/** What names may add up to in tries of any size. */
const SMALL = 1_000_000;

/** A node that is still to be read: its name is that of its parent and bytes [labelStart, labelEnd) of the trie. */
interface Pending {
  readonly at: number;
  readonly prefix: number;
  readonly labelStart: number;
  readonly labelEnd: number;
}

/** Reads the trie that `reader` is a window of, in its own order. IPBP1001 and IPBP1002 for a broken one. */
export function readExportTrie(reader: ByteReader): TrieExport[] {
  const exports: TrieExport[] = [];
  if (reader.length === 0) return exports;
  const { bytes } = reader;
  const seen = new Uint8Array(bytes.length);
  let path = new Uint8Array(1024);
  let left = SMALL + bytes.length * LIMITS.nameReuse;
  const stack: Pending[] = [{ at: 0, prefix: 0, labelStart: 0, labelEnd: 0 }];
  for (let pending = stack.pop(); pending !== undefined; pending = stack.pop()) {
    const { at, prefix, labelStart, labelEnd } = pending;
    const length = prefix + labelEnd - labelStart;
    if (length > LIMITS.nameBytes) reader.malformed('a name is too long', {}, labelStart);
    if (length > path.length) {
      const longer = new Uint8Array(length * 2);
      longer.set(path);
      path = longer;
    }
    path.set(bytes.subarray(labelStart, labelEnd), prefix);
    reader.seek(at).need(1);
    // A tree: a node with two parents could be one below itself.
    if (seen[at] === 1) reader.malformed('a node of the export trie is reached twice', {}, at);
    seen[at] = 1;
    const size = reader.uleb();
    reader.need(size);
    const children = reader.position + size;
    if (size > 0) {
      left -= length;
      if (left < 0) reader.malformed('the names of the export trie overlap too much', {}, at);
      exports.push(readExport(reader.window(reader.position, size), decodeText(path, 0, length)));
    }
    pushChildren(reader.seek(children), length, stack);
  }
  return exports;
}

function pushChildren(reader: ByteReader, prefix: number, stack: Pending[]): void {
  const count = reader.u8();
  const first = stack.length;
  for (let index = 0; index < count; index++) {
    const labelStart = reader.position;
    const labelEnd = reader.bytes.indexOf(0, labelStart);
    if (labelEnd < 0) reader.malformed('a label of the export trie does not end', {}, labelStart);
    const at = reader.seek(labelEnd + 1).uleb();
    stack.push({ at, prefix, labelStart, labelEnd });
  }
  // The last is taken first.
  const own = stack.splice(first);
  for (const child of own.reverse()) stack.push(child);
}

function readExport(reader: ByteReader, name: string): TrieExport {
  const flags = reader.uleb();
  const kind = KINDS[flags & EXPORT_SYMBOL_FLAGS_KIND_MASK];
  if (kind === undefined || flags > 0xff) {
    return reader.malformed('an export has unknown flags', { actual: hex(flags) }, 0);
  }
  const weak = (flags & EXPORT_SYMBOL_FLAGS_WEAK_DEFINITION) !== 0;
  if ((flags & EXPORT_SYMBOL_FLAGS_REEXPORT) !== 0) {
    const library = reader.uleb();
    return { name, kind, value: 0, weak, reexport: { library, name: reader.cstring() || name } };
  }
  const value = reader.uleb();
  // Of one that is chosen at run time it is the stub that leads to the choice; behind it stands who chooses.
  if ((flags & EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER) !== 0) reader.uleb();
  return { name, kind, value, weak, reexport: null };
}

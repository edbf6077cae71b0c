// The export trie (LC_DYLD_EXPORTS_TRIE, or the exports of LC_DYLD_INFO) as it is written: all exported names with what
// they stand for, where names share their beginnings. mach-o/loader.h, `EXPORT_SYMBOL_FLAGS_*`.
import { alignUp } from '../../bytes/align.js';
import { encodeText } from '../../bytes/text.js';
import { ByteWriter } from '../../bytes/writer.js';

const EXPORT_SYMBOL_FLAGS_KIND_THREAD_LOCAL = 1;
const EXPORT_SYMBOL_FLAGS_KIND_ABSOLUTE = 2;
const EXPORT_SYMBOL_FLAGS_WEAK_DEFINITION = 4;
const EXPORT_SYMBOL_FLAGS_REEXPORT = 8;

/** One exported name. */
export interface TrieExport {
  /** As it stands in the file: `_malloc`. */
  readonly name: string;
  readonly kind: 'regular' | 'thread-local' | 'absolute';
  /** From the file's header; of an absolute one the value itself. */
  readonly value: number;
  readonly weak: boolean;
  /** What it is in another library, which is named by its ordinal: then it has no value. */
  readonly reexport: { readonly library: number; readonly name: string } | null;
}

interface Node {
  /** The exports below it, sorted: [from, to). All begin with the same `depth` bytes. */
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  readonly terminal: Uint8Array | null;
  readonly edges: { readonly label: Uint8Array; readonly child: Node }[];
  offset: number;
}

/** Encodes the exports, whose names differ, in any order; padded to a multiple of 8. Nothing for none. */
export function encodeExportTrie(exports: readonly TrieExport[]): Uint8Array<ArrayBuffer> {
  if (exports.length === 0) return new Uint8Array(0);
  const rows = exports.map((entry) => ({ entry, name: encodeText(entry.name) }));
  rows.sort((a, b) => compare(a.name, b.name));
  if (rows.some(({ name }, i) => i > 0 && compare((rows[i - 1] as (typeof rows)[0]).name, name) === 0)) {
    throw new Error('internal: a name is exported twice');
  }
  const names = rows.map(({ name }) => name);
  const terminals = rows.map(({ entry }) => terminalOf(entry));
  const nodes = [node(names, terminals, 0, rows.length, 0)];
  // Those that are appended meanwhile have their turn, too: each splits its range by the next byte.
  for (const parent of nodes) {
    let from = parent.terminal === null ? parent.from : parent.from + 1;
    while (from < parent.to) {
      const first = names[from] as Uint8Array;
      let to = from + 1;
      while (to < parent.to && (names[to] as Uint8Array)[parent.depth] === first[parent.depth]) to++;
      const depth = sharedLength(first, names[to - 1] as Uint8Array);
      const child = node(names, terminals, from, to, depth);
      parent.edges.push({ label: first.subarray(parent.depth, depth), child });
      nodes.push(child);
      from = to;
    }
  }
  const size = settle(nodes);
  const w = new ByteWriter(alignUp(size, 8));
  for (const { terminal, edges } of nodes) {
    w.uleb(terminal?.length ?? 0)
      .raw(terminal ?? new Uint8Array(0))
      .u8(edges.length);
    for (const { label, child } of edges) w.raw(label).u8(0).uleb(child.offset);
  }
  return w.align(8).finish();
}

function node(
  names: readonly Uint8Array[],
  terminals: readonly Uint8Array[],
  from: number,
  to: number,
  depth: number,
): Node {
  // The shortest of names with one beginning is the first.
  const terminal = names[from]?.length === depth ? (terminals[from] as Uint8Array) : null;
  return { from, to, depth, terminal, edges: [], offset: 0 };
}

function terminalOf({ kind, value, weak, reexport }: TrieExport): Uint8Array {
  const w = new ByteWriter(16);
  const kinds = {
    regular: 0,
    'thread-local': EXPORT_SYMBOL_FLAGS_KIND_THREAD_LOCAL,
    absolute: EXPORT_SYMBOL_FLAGS_KIND_ABSOLUTE,
  };
  const flags = kinds[kind] + (weak ? EXPORT_SYMBOL_FLAGS_WEAK_DEFINITION : 0);
  if (reexport === null) return w.uleb(flags).uleb(value).finish();
  return w
    .uleb(flags + EXPORT_SYMBOL_FLAGS_REEXPORT)
    .uleb(reexport.library)
    .cstring(reexport.name)
    .finish();
}

/** Places the nodes one behind the other, until the offsets in them take no more bytes; the size of all. */
function settle(nodes: readonly Node[]): number {
  for (;;) {
    let at = 0;
    let moved = false;
    for (const one of nodes) {
      moved ||= one.offset !== at;
      one.offset = at;
      const terminal = one.terminal?.length ?? 0;
      at += ulebSize(terminal) + terminal + 1;
      for (const { label, child } of one.edges) at += label.length + 1 + ulebSize(child.offset);
    }
    if (!moved) return at;
  }
}

function ulebSize(value: number): number {
  let size = 1;
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) size++;
  return size;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const shared = sharedLength(a, b);
  return (a[shared] ?? -1) - (b[shared] ?? -1);
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}

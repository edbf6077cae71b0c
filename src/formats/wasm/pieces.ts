// The model's sections: each function body and each data segment is one, as is every other section as a whole. Owns the
// way from a place in the file's sections to the piece that it is in.
import { LIMITS } from '../../bytes/limits.js';
import type { Windows } from '../../bytes/source.js';
import type { Section, SectionKind } from '../object-file.js';
import { constantOf } from './const-expr.js';
import * as wasm from './constants.js';
import type { WasmFacts } from './facts.js';
import type { SegmentInfo } from './linking.js';
import { namesIn } from './names.js';

/** The pieces of all sections, in the order of the file; a row is the index of a section of the model. */
export interface Pieces {
  readonly count: number;
  /** Index of the file's section it is (a part of). */
  readonly file: Uint32Array;
  /** In that section's content. */
  readonly start: Float64Array;
  readonly size: Float64Array;
  /** Those of section s are [first[s], first[s + 1]). */
  readonly first: Uint32Array;
}

/** Cuts code into bodies and data into segments. */
export function cutSections(file: Windows, facts: WasmFacts): Pieces {
  const parts = facts.files.map((section): readonly { readonly start: number; readonly bytes: Uint8Array }[] | null => {
    if (section.id === wasm.SECTION_CODE) return facts.bodies();
    return section.id === wasm.SECTION_DATA ? facts.dataSegments() : null;
  });
  const count = parts.reduce((sum, part) => sum + (part?.length ?? 1), 0);
  if (count > LIMITS.sections) file.malformed('too many functions', { actual: `${count}` }, 0);
  const pieces: Pieces = {
    count,
    file: new Uint32Array(count),
    start: new Float64Array(count),
    size: new Float64Array(count),
    first: new Uint32Array(parts.length + 1),
  };
  let row = 0;
  facts.files.forEach(({ size }, index) => {
    const add = (start: number, length: number): void => {
      pieces.file[row] = index;
      pieces.start[row] = start;
      pieces.size[row] = length;
      row++;
    };
    const cut = parts[index] ?? null;
    if (cut === null) add(0, size);
    else for (const { start, bytes } of cut) add(start, bytes.length);
    pieces.first[index + 1] = row;
  });
  return pieces;
}

/** The piece that is the body of a function; `index` counts the ones that the file defines. −1 where there is none. */
export function bodyPiece(facts: WasmFacts, pieces: Pieces, index: number): number {
  return partOf(pieces, facts.indexOf(wasm.SECTION_CODE), index);
}

/** The piece that is a data segment; −1 where there is none. */
export function segmentPiece(facts: WasmFacts, pieces: Pieces, index: number): number {
  return partOf(pieces, facts.indexOf(wasm.SECTION_DATA), index);
}

function partOf({ first }: Pieces, section: number, index: number): number {
  if (section < 0) return -1;
  const piece = (first[section] as number) + index;
  return piece < (first[section + 1] as number) ? piece : -1;
}

/** What pieces are made of. */
interface Context {
  readonly facts: WasmFacts;
  readonly pieces: Pieces;
  readonly linked: boolean;
  /** Symbols say that these stay although nothing refers to them. */
  readonly retained: ReadonlySet<number>;
}

const CODE = 'code';
/** What linkers read, and is no part of what they make; other custom sections are put behind one another. */
const CONSUMED = /^(?:linking|reloc\..*|name|producers|target_features|dylink(?:\.0)?)$/;

/** The model's sections. */
export function makeSections(context: Context): Section[] {
  const { facts, pieces } = context;
  const infos = facts.linking()?.flatMap((part) => (part.kind === 'segments' ? part.segments : [])) ?? [];
  const groups = groupsOf(facts, pieces);
  const dataNames = new Map(
    namesIn(facts.linking() === null ? facts.names() : [], 'data').map((n) => [n.index, n.name]),
  );
  return Array.from(pieces.file, (file, index): Section => {
    const whole = facts.files[file] as WasmFacts['files'][number];
    const base = {
      index,
      offset: whole.offset + (pieces.start[index] as number),
      size: pieces.size[index] as number,
      group: groups.get(index) ?? null,
      retained: context.retained.has(index),
    };
    const part = index - (pieces.first[file] as number);
    if (whole.id === wasm.SECTION_CODE) return bodySection(base, context.linked ? (pieces.start[index] as number) : 0);
    if (whole.id === wasm.SECTION_DATA) {
      const name = dataNames.get(part) ?? '.data';
      const info = infos[part] ?? { name, align: 1, flags: 0 };
      return segmentSection(base, info, part, context);
    }
    const custom = whole.id === wasm.SECTION_CUSTOM;
    return plainSection(base, {
      name: whole.name,
      kind: custom && whole.name.startsWith('.debug_') ? 'debug' : 'other',
      consumed: !custom || CONSUMED.test(whole.name),
    });
  });
}

interface Base {
  readonly index: number;
  readonly offset: number;
  readonly size: number;
  readonly group: string | null;
  readonly retained: boolean;
}

function plainSection(
  { index, offset, size, group, retained }: Base,
  { name, ...facts }: Pick<Section, 'name' | 'kind' | 'consumed'> & Partial<Section>,
): Section {
  return {
    index,
    name,
    nameBegins: (text) => name.startsWith(text),
    ...{ alloc: false, writable: false, executable: false, mergeable: false, strings: false, entrySize: 0 },
    ...{ address: 0, offset, size, fileSize: size, align: 1, group, retain: retained, packing: null, describes: null },
    ...facts,
  };
}

function bodySection(base: Base, address: number): Section {
  return plainSection(base, { name: CODE, kind: 'code', consumed: false, alloc: true, executable: true, address });
}

function segmentSection(base: Base, info: SegmentInfo, part: number, { facts, linked }: Context): Section {
  const segment = facts.dataSegments()[part];
  const place = segment?.place ?? null;
  const zero = !linked && /^\.t?bss/.test(info.name) && segment?.bytes.every((byte) => byte === 0) === true;
  const kind = segmentKind(info, zero);
  const strings = (info.flags & wasm.WASM_SEG_FLAG_STRINGS) !== 0;
  return plainSection(base, {
    name: info.name,
    kind,
    consumed: false,
    alloc: true,
    writable: kind !== 'readonly',
    mergeable: strings,
    strings,
    entrySize: strings ? 1 : 0,
    align: info.align,
    address: linked && place !== null ? (constantOf(place.offset) ?? 0) : 0,
    fileSize: zero ? 0 : base.size,
    retain: base.retained || (info.flags & wasm.WASM_SEG_FLAG_RETAIN) !== 0,
  });
}

function segmentKind({ name, flags }: SegmentInfo, zero: boolean): SectionKind {
  if ((flags & wasm.WASM_SEG_FLAG_TLS) !== 0 || /^\.t(?:data|bss)\b/.test(name)) return zero ? 'tls-zero' : 'tls-data';
  if (zero) return 'zero';
  return /^\.rodata\b/.test(name) ? 'readonly' : 'data';
}

/** Index of a piece → name of the group that it belongs to. */
function groupsOf(facts: WasmFacts, pieces: Pieces): Map<number, string> {
  const groups = new Map<number, string>();
  const imported = facts.imports('function').length;
  for (const part of facts.linking() ?? []) {
    if (part.kind !== 'comdats') continue;
    for (const { name, members } of part.comdats) {
      for (const { kind, index } of members) {
        if (kind === wasm.WASM_COMDAT_FUNCTION) groups.set(bodyPiece(facts, pieces, index - imported), name);
        else if (kind === wasm.WASM_COMDAT_DATA) groups.set(segmentPiece(facts, pieces, index), name);
        else groups.set(pieces.first[index] ?? -1, name);
      }
    }
  }
  return groups;
}

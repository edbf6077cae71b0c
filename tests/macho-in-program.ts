// Finds what an object says again in the file that a linker has made of it: where its pieces came to lie, by names and by
// the references that lead to them, and then every byte of every piece, with its fields computed from the relocations that
// our reader gives. Nothing is told by the linker but the bytes and the names.
import type { ObjectFile, Relocation } from '../src/formats/object-file.js';
import { pageOf, type FixupRow } from '../src/reloc/fixup.js';
import { machineFor } from '../src/reloc/machines.js';

/** What was found. */
export interface Found {
  /** Pieces whose bytes were compared, and how many there are of the kinds that are linked. */
  readonly pieces: number;
  readonly of: number;
  /** Fields that were computed and compared. */
  readonly fields: number;
  /** By the row's name. */
  readonly rows: ReadonlyMap<string, number>;
  /** What differs, each with its place. */
  readonly wrong: readonly string[];
}

const KINDS = new Set(['code', 'readonly', 'relro', 'data', 'tls-data', 'tls-descriptors', 'lsda', 'init', 'fini']);

/**
 * Finds all objects; those that were not linked are just not found. `pointers` says that pointers in data stand there as
 * they are, which they do not in chains.
 */
export function findInProgram(objects: readonly ObjectFile[], program: ObjectFile, pointers: boolean): Found {
  const names = uniqueNames(program, objects);
  const all = objects.map((object) => findObject(object, program, names, pointers));
  const rows = new Map<string, number>();
  for (const one of all) for (const [name, count] of one.rows) rows.set(name, (rows.get(name) ?? 0) + count);
  return {
    pieces: all.reduce((sum, { pieces }) => sum + pieces, 0),
    of: all.reduce((sum, one) => sum + one.of, 0),
    fields: all.reduce((sum, { fields }) => sum + fields, 0),
    rows,
    wrong: all.flatMap(({ wrong }) => wrong),
  };
}

function findObject(
  object: ObjectFile,
  program: ObjectFile,
  names: ReadonlyMap<string, number>,
  pointers: boolean,
): Found {
  const { rows } = machineFor(object.format, object.machine, object.name);
  const places = new Map<number, number>();
  const queue: number[] = [];
  const wrong: string[] = [];
  const counts = new Map<string, number>();
  const template = templateStart(program);
  const place = (piece: number, address: number): void => {
    if (places.has(piece) || !KINDS.has(object.sections[piece]?.kind ?? '')) return;
    places.set(piece, address);
    queue.push(piece);
  };
  for (const { name, section, value, kind, binding } of object.symbols) {
    const address = names.get(name);
    if (typeof section !== 'number' || kind === 'section' || address === undefined) continue;
    // Of definitions that may be there several times, another may have been taken.
    if (binding === 'weak') continue;
    place(section, address - value);
  }
  let pieces = 0;
  for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
    const section = object.sections[piece];
    const start = places.get(piece) ?? 0;
    if (section === undefined) continue;
    const linked = bytesAt(program, start, section.fileSize);
    if (linked === null) {
      wrong.push(`${object.name}: ${section.name} #${piece}: not at ${start.toString(16)}`);
      continue;
    }
    const want = new Uint8Array(object.sectionBytes(piece));
    const unknown = new Uint8Array(want.length);
    const pages = new Map<string, number>();
    const lows = new Map<string, number>();
    for (const relocation of object.relocations(piece)) {
      const row = rows.get(relocation.type);
      if (row === undefined) {
        wrong.push(`${object.name}: no row ${relocation.type}`);
        continue;
      }
      const { offset } = relocation;
      const width = row.field.size;
      const at = start + offset;
      const value = valueOf(relocation, row, at);
      if (value === null) {
        // An instruction that loads from a slot may have become one that does not: with x86-64, by its bytes before.
        unknown.fill(1, Math.max(0, row.expression.startsWith('G') ? offset - 2 : offset), offset + width);
        lookFor(relocation, row, at, linked, pages, lows);
        continue;
      }
      const field = row.field.chosenBy === null ? row.field : row.field.chosenBy(want, offset);
      field?.encode(want, offset, value);
      counts.set(row.name, (counts.get(row.name) ?? 0) + 1);
    }
    pieces++;
    const differs = want.findIndex((byte, index) => unknown[index] === 0 && byte !== linked[index]);
    if (differs < 0) continue;
    const text = (bytes: Uint8Array): string =>
      Buffer.from(bytes.subarray(Math.max(0, differs - 4), differs + 8)).toString('hex');
    wrong.push(
      `${object.name}: ${section.name} #${piece}+${differs} at ${start.toString(16)}: ${text(want)}, ${text(linked)}`,
    );
  }
  const all = object.sections.filter(({ kind }) => KINDS.has(kind)).length;
  const fields = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { pieces, of: all, fields, rows: counts, wrong };

  function addressOf(symbol: number): number | null {
    const found = object.symbols[symbol];
    if (found === undefined) return null;
    if (typeof found.section === 'number' && !(found.binding === 'weak')) {
      const start = places.get(found.section);
      if (start !== undefined) return start + found.value;
      return zeroFilled(found.section) && names.has(found.name) ? (names.get(found.name) ?? null) : null;
    }
    return names.get(found.name) ?? null;
  }

  function zeroFilled(section: number): boolean {
    return object.sections[section]?.fileSize === 0;
  }

  function valueOf({ symbol, addend, minus }: Relocation, row: FixupRow, at: number): number | null {
    const s = addressOf(symbol);
    if (s === null) return null;
    const sum = s + (addend ?? 0);
    switch (row.expression) {
      case 'S+A':
        return pointers || row.field.size < 8 ? sum : null;
      case 'S+A-P':
        return sum - at;
      case 'L+A-P':
        // Of a weak definition the loader may take another: calls go through a stub.
        return object.symbols[symbol]?.binding === 'weak' ? null : sum - at;
      case 'P+A-S':
        return at + (addend ?? 0) - s;
      case 'S+A-T': {
        const t = addressOf(minus ?? 0);
        return t === null ? null : sum - t;
      }
      case 'Page(S+A)-Page(P)':
        return pageOf(sum) - pageOf(at);
      case 'DTP+A':
        return sum - template;
      default:
        return null;
    }
  }

  /** Where the field in the linked file leads to, a piece of the object may begin. */
  function lookFor(
    { symbol, addend, minus, offset }: Relocation,
    row: FixupRow,
    at: number,
    linked: Uint8Array,
    pages: Map<string, number>,
    lows: Map<string, number>,
  ): void {
    const target = object.symbols[symbol];
    if (typeof target?.section !== 'number' || target.binding === 'weak') return;
    const field = row.field.chosenBy === null ? row.field : row.field.chosenBy(linked, offset);
    if (field === null) return;
    const value = field.decode(linked, offset) - (addend ?? 0);
    const found = (address: number): void => {
      if (isStub(program, address)) return;
      place(Number(target.section), address - target.value);
    };
    const key = `${symbol}+${String(addend)}`;
    switch (row.expression) {
      case 'S+A':
        if (row.field.size === 8) {
          if (pointers) found(value);
          return;
        }
        if (row.field.modulo === null && row.field.chosenBy === null) return;
        lows.set(key, field.decode(linked, offset));
        break;
      case 'S+A-P':
      case 'L+A-P':
        found(value + at);
        return;
      case 'S+A-T': {
        const t = addressOf(minus ?? 0);
        if (t !== null) found(value + t);
        return;
      }
      case 'Page(S+A)-Page(P)':
        pages.set(key, field.decode(linked, offset) + pageOf(at));
        break;
      default:
        return;
    }
    const [page, low] = [pages.get(key), lows.get(key)];
    if (page !== undefined && low !== undefined) found(page + low - (addend ?? 0));
  }
}

/** Names that one place of the program has, and that not several objects define. */
function uniqueNames(program: ObjectFile, objects: readonly ObjectFile[]): Map<string, number> {
  const names = new Map<string, number>();
  const several = new Set<string>();
  for (const { name, section, value, index } of program.symbols) {
    if (index === 0 || typeof section !== 'number') continue;
    if (names.has(name) || name.startsWith('\x01')) several.add(name);
    names.set(name, value);
  }
  const defined = new Set<string>();
  for (const { name, section, kind } of objects.flatMap((object) => object.symbols)) {
    if (typeof section !== 'number' || kind === 'section') continue;
    if (defined.has(name)) several.add(name);
    defined.add(name);
  }
  for (const name of several) names.delete(name);
  return names;
}

function bytesAt(program: ObjectFile, address: number, size: number): Uint8Array | null {
  for (const { index, address: start, fileSize } of program.sections) {
    if (address >= start && address + size <= start + fileSize) {
      return program.sectionBytes(index).subarray(address - start, address - start + size);
    }
  }
  return null;
}

function isStub(program: ObjectFile, address: number): boolean {
  return program.sections.some(
    ({ name, address: start, size }) => name.endsWith('__stubs') && address >= start && address < start + size,
  );
}

function templateStart(program: ObjectFile): number {
  const parts = program.sections.filter(({ kind }) => kind === 'tls-data' || kind === 'tls-zero');
  return Math.min(...parts.map(({ address }) => address));
}

// Compares what our reader gives of a Mach-O object with what llvm-readobj prints of it: sections, symbols, relocations,
// each one. Folded relocations are taken apart again for it.
import * as assert from 'uvu/assert';
import { fileName } from '../src/formats/macho/names.js';
import type { MachoFile } from '../src/formats/macho/read.js';
import * as types from '../src/formats/macho/relocation-types.js';
import type { Relocation } from '../src/formats/object-file.js';
import { output } from './format-inputs.js';

/** How much there was, so that no test compares nothing. `made` are relocations that stand for fields without one. */
export interface Compared {
  readonly sections: number;
  readonly symbols: number;
  readonly relocations: number;
  readonly made: number;
}

const NUMBERS: ReadonlyMap<string, number> = new Map(
  Object.entries(types).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value]] : [])),
);

/** Compares everything; fails at the first difference. */
export function compareWithReadobj(file: MachoFile, path: string, program = 'llvm-readobj-19'): Compared {
  const text = output(program, ['--sections', '--symbols', '--relocations', path]);
  const part = (name: string): string => new RegExp(`^${name} \\[\\n([^]*?)^\\]`, 'm').exec(text)?.[1] ?? '';
  const sections = blocks(part('Sections'), 'Section');
  assert.equal(
    file.macho.headers.sections.map(({ name, segment, address, size, offset }) => [
      name,
      segment,
      address,
      size,
      offset,
    ]),
    sections.map((fields) => [
      ...['Name', 'Segment'].map((key) => (fields.get(key) ?? '').replace(/ \(.*$/, '')),
      ...['Address', 'Size', 'Offset'].map((key) => Number(fields.get(key))),
    ]),
  );
  // Together the pieces are the section, without a gap.
  const pieces = file.macho.pieces();
  sections.forEach((fields, index) => {
    let end = 0;
    for (let piece = pieces.first[index] ?? 0; piece < (pieces.first[index + 1] ?? 0); piece++) {
      assert.is(pieces.start[piece], end);
      end += pieces.size[piece] ?? 0;
    }
    assert.is(end, Number(fields.get('Size')));
  });
  const symbols = compareSymbols(file, blocks(part('Symbols'), 'Symbol'), path);
  return { sections: sections.length, symbols, ...compareRelocations(file, part('Relocations'), path) };
}

/** The fields of each entry of a list. */
function blocks(text: string, kind: string): Map<string, string>[] {
  return text
    .split(new RegExp(`^ *${kind} \\{`, 'm'))
    .slice(1)
    .map((block) => new Map([...block.matchAll(/^ *(\w+): (.*)$/gm)].map(([, key = '', value = '']) => [key, value])));
}

function compareSymbols(file: MachoFile, want: readonly Map<string, string>[], path: string): number {
  const own = file.symbols.filter(({ index, kind }) => index > 0 && kind !== 'section');
  assert.equal(
    own.map(({ name }) => fileName(name)),
    want.map((fields) => (fields.get('Name') ?? '').replace(/ \([^()]*\)$/, '')),
  );
  const pieces = file.macho.pieces();
  own.forEach(({ section, value, size, name }, index) => {
    const fields = want[index];
    assert.ok(fields);
    const number = Number(/\((0x\w+)\)$/.exec(fields.get('Section') ?? '')?.[1] ?? 0);
    assert.is(typeof section === 'number', number > 0, name);
    if (typeof section !== 'number') return;
    assert.is(pieces.section[section], number - 1, `${path}: ${name}`);
    const start = file.macho.headers.sections[number - 1]?.address ?? 0;
    assert.is(start + (pieces.start[section] ?? 0) + value, Number(fields.get('Value')), `${path}: ${name}`);
    assert.ok(value + size <= (pieces.size[section] ?? 0), `${path}: ${name}`);
  });
  return own.length;
}

/** What a line says: section and place, PC-relative, length, by symbol or by section, type and target. */
interface Line {
  readonly place: string;
  readonly pcRelative: boolean;
  readonly length: number;
  readonly external: boolean;
  readonly type: number;
  readonly target: string;
}

function linesOf(file: MachoFile, text: string): Line[] {
  const { sections } = file.macho.headers;
  const withRelocations = sections.filter(({ relocationCount }) => relocationCount > 0);
  return text
    .split(/^ *Section .* \{$/m)
    .slice(1)
    .flatMap((block, index) =>
      [...block.matchAll(/^ *(0x\w+) (\d) (\d) (\d) (\w+) \d (.*)$/gm)].map((fields) => {
        const [, offset, pcRelative, length, external, type = '', target = ''] = fields;
        return {
          place: `${withRelocations[index]?.index ?? -1}+${Number(offset)}`,
          ...{ pcRelative: pcRelative === '1', length: Number(length), external: external === '1', target },
          type: NUMBERS.get(type) ?? -1,
        };
      }),
    );
}

function compareRelocations(file: MachoFile, text: string, path: string): Pick<Compared, 'relocations' | 'made'> {
  const lines = linesOf(file, text);
  const pieces = file.macho.pieces();
  const found = new Map<string, Relocation[]>();
  let count = 0;
  for (const { index } of file.sections) {
    for (const relocation of file.relocations(index)) {
      const place = `${pieces.section[index] ?? -1}+${(pieces.start[index] ?? 0) + relocation.offset}`;
      found.set(place, [...(found.get(place) ?? []), relocation]);
      count++;
    }
  }
  const arm64 = file.machine === 'arm64';
  const subtractor = arm64 ? types.ARM64_RELOC_SUBTRACTOR : types.X86_64_RELOC_SUBTRACTOR;
  let taken = 0;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    assert.ok(line);
    if (arm64 && line.type === types.ARM64_RELOC_ADDEND) continue;
    const pair = line.type === subtractor ? lines[++at] : null;
    const relocation = found.get(line.place)?.shift();
    assert.ok(relocation, `${path}: ${line.place}`);
    taken++;
    const { type } = relocation;
    const number = types.relocationType(line.type, line.pcRelative, line.length);
    const form = type - number;
    const where = `${path}: ${line.place}, type ${type}`;
    if (pair == null) {
      assert.ok(form === 0 || form === types.IN_TEMPLATE, where);
      assertTarget(file, relocation.symbol, line, where);
    } else if (form === types.PLACE_MINUS) assertTarget(file, relocation.symbol, line, where);
    else {
      assert.ok(form === types.MINUS_PLACE || form === types.MINUS_SYMBOL, where);
      assertTarget(file, relocation.symbol, pair, where);
      if (form === types.MINUS_SYMBOL) assertTarget(file, relocation.minus ?? 0, line, where);
    }
  }
  // What is left was made for fields of frame records.
  const rest = [...found].flatMap(([place, list]) => list.map(() => place));
  assert.ok(rest.every((place) => file.macho.headers.sections[Number(place.split('+')[0])]?.name === '__eh_frame'));
  return { relocations: taken, made: count - taken };
}

function assertTarget(file: MachoFile, index: number, { external, target }: Line, where: string): void {
  const symbol = file.symbols[index];
  assert.ok(symbol, where);
  if (external) assert.is(fileName(symbol.name), target, where);
  else {
    assert.is(symbol.kind, 'section', where);
    const section = file.macho.pieces().section[Number(symbol.section)] ?? -1;
    assert.is(file.macho.headers.sections[section]?.name, target, where);
  }
}

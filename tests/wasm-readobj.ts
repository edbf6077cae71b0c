// Compares what our reader gives of a WebAssembly object with what llvm-readobj prints of it: sections, segments, symbols,
// relocations, each one.
import * as assert from 'uvu/assert';
import * as wasm from '../src/formats/wasm/constants.js';
import type { WasmFile } from '../src/formats/wasm/read.js';
import { linkingSymbols } from '../src/formats/wasm/symbols.js';
import { output } from './format-inputs.js';

/** How much there was, so that no test compares nothing. */
export interface Compared {
  readonly sections: number;
  readonly symbols: number;
  readonly relocations: number;
}

/** Compares everything; fails at the first difference. */
export function compareWithReadobj(file: WasmFile, path: string, program = 'llvm-readobj-19'): Compared {
  const text = output(program, ['--sections', '--symbols', '--relocations', '--expand-relocs', path]);
  const part = (name: string): string => new RegExp(`^${name} \\[\\n([^]*?)^\\]`, 'm').exec(text)?.[1] ?? '';
  return {
    sections: compareSections(file, part('Sections')),
    symbols: compareSymbols(file, part('Symbols')),
    relocations: compareRelocations(file, part('Relocations')),
  };
}

/** The fields of each entry of a list; what an entry holds itself has entries of its own. */
function blocks(text: string, kind: string): Map<string, string>[] {
  return text
    .split(new RegExp(`^ *${kind} \\{`, 'm'))
    .slice(1)
    .map((block) => {
      const fields = new Map<string, string>();
      for (const [, key = '', value = ''] of block.matchAll(/^ *(\w+): (.*)$/gm)) {
        if (!fields.has(key)) fields.set(key, value);
      }
      return fields;
    });
}

function numberIn(fields: ReadonlyMap<string, string>, key: string): number {
  const text = fields.get(key) ?? '';
  return Number(/\((0x[0-9A-F]+|\d+)\)$/i.exec(text)?.[1] ?? text);
}

function compareSections(file: WasmFile, text: string): number {
  const sections = blocks(text, 'Section');
  const { files } = file.wasm;
  assert.equal(
    files.map(({ id, size, name }) => [id, size, id === 0 ? name : '']),
    sections.map((fields) => [numberIn(fields, 'Type'), Number(fields.get('Size')), ownName(fields)]),
  );
  const segments = blocks(text, 'Segment');
  const data = file.wasm.indexOf(wasm.SECTION_DATA);
  const first = data < 0 ? 0 : (file.pieces().first[data] ?? 0);
  assert.is(file.wasm.dataSegments().length, segments.length);
  segments.forEach((fields, index) => {
    const { name, size } = file.sections[first + index] ?? {};
    assert.equal([name, size], [fields.get('Name'), Number(fields.get('Size'))]);
  });
  return sections.length;
}

/** Of sections with segments the first name is a segment's. */
function ownName(fields: ReadonlyMap<string, string>): string {
  return numberIn(fields, 'Type') === 0 ? (fields.get('Name') ?? '') : '';
}

const KINDS: Readonly<Record<string, string>> = {
  FUNCTION: 'function',
  DATA: 'data',
  GLOBAL: 'global',
  TABLE: 'table',
};

function compareSymbols(file: WasmFile, text: string): number {
  const want = blocks(text, 'Symbol');
  const own = linkingSymbols(file.wasm) ?? [];
  assert.is(own.length, want.length);
  want.forEach((fields, index) => {
    const symbol = file.symbols[1 + index];
    assert.ok(symbol);
    const name = fields.get('Name') ?? '';
    const kind = /^\w+/.exec(fields.get('Type') ?? '')?.[0] ?? '';
    const flags = text.length === 0 ? 0 : numberIn(flagsOf(text, index), 'Flags');
    assert.is(own[index]?.flags, flags, name);
    if (kind === 'SECTION') {
      assert.is(symbol.kind, 'section');
      assert.is(file.sections[Number(symbol.section)]?.name, name);
      return;
    }
    assert.is(symbol.name, name);
    assert.is(symbol.kind, (flags & wasm.WASM_SYM_TLS) !== 0 ? 'tls' : KINDS[kind], name);
    assert.is(symbol.section === 'undefined', (flags & wasm.WASM_SYM_UNDEFINED) !== 0, name);
    if (kind === 'DATA' && typeof symbol.section === 'number') {
      assert.equal([symbol.value, symbol.size], [numberIn(fields, 'Offset'), numberIn(fields, 'Size')], name);
      const first = file.pieces().first[file.wasm.indexOf(wasm.SECTION_DATA)] ?? 0;
      assert.is(symbol.section - first, numberIn(fields, 'Segment'), name);
    }
    const element = fields.get('ElementIndex');
    if (kind === 'FUNCTION' && typeof symbol.section === 'number') {
      const first = file.pieces().first[file.wasm.indexOf(wasm.SECTION_CODE)] ?? 0;
      assert.is(symbol.section - first + file.wasm.imports('function').length, Number(element), name);
    }
  });
  return want.length;
}

/** The flags of a symbol: `Flags [ (0x4)`. */
function flagsOf(text: string, index: number): Map<string, string> {
  const all = [...text.matchAll(/^ *Flags \[ \((0x\w+)\)/gm)];
  return new Map([['Flags', all[index]?.[1] ?? '']]);
}

/** Ours by the file's sections, counted from their starts again. */
function compareRelocations(file: WasmFile, text: string): number {
  const { first, start } = file.pieces();
  const want = text.split(/^ *Section \(\d+\) /m).slice(1);
  let compared = 0;
  for (const section of want) {
    const name = /^\S+/.exec(section)?.[0] ?? '';
    const index = file.wasm.files.findIndex((one) => llvmName(one.id, one.name) === name);
    const ours = [];
    for (let piece = first[index] ?? 0; piece < (first[index + 1] ?? 0); piece++) {
      for (const { offset, type, symbol, addend } of file.relocations(piece)) {
        const { name: target, section: at, kind } = file.symbols[symbol] ?? {};
        const spelled = kind === 'section' ? file.sections[Number(at)]?.name : kind === 'type' ? '' : target;
        ours.push([offset + (start[piece] ?? 0), type, spelled ?? '', addend]);
      }
    }
    const theirs = blocks(section, 'Relocation').map((fields) => [
      Number(fields.get('Offset')),
      numberIn(fields, 'Type'),
      fields.get('Symbol') ?? '',
      Number(fields.get('Addend') ?? 0),
    ]);
    assert.ok(theirs.length > 0, name);
    assert.equal(ours, theirs, name);
    compared += theirs.length;
  }
  return compared;
}

/** As LLVM calls sections. */
function llvmName(id: number, name: string): string {
  return id === wasm.SECTION_CUSTOM ? name : name.toUpperCase().replace(' ', '');
}

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../../tests/format-inputs.js';
import * as inputs from '../../../tests/wasm-inputs.js';
import { compareWithReadobj } from '../../../tests/wasm-readobj.js';
import type { ObjectFile, ObjectSymbol } from '../object-file.js';
import { constantExpr, constantOf } from './const-expr.js';
import { readWasm, type WasmFile } from './read.js';
import { functionTypeText } from './value-types.js';

const open = (path: string): WasmFile => readWasm(bytesOf(path), path);
const THREADS = ['-matomics', '-mbulk-memory'] as const;

const objects = (): string[] => [
  inputs.wasmObject('c', inputs.WASM_C, '-O0', '-g', ...THREADS),
  inputs.wasmObject('c', inputs.WASM_C, '-O2'),
  inputs.wasmObject('c', inputs.WASM_C, '-O1', '-fPIC', '-g'),
  inputs.wasmObject('cpp', inputs.WASM_CPP, '-O1', '-fwasm-exceptions', '-g'),
  inputs.wasmObject('cpp', inputs.WASM_CPP, '-O0', ...THREADS),
];

function symbolOf(file: ObjectFile, name: string): ObjectSymbol {
  const found = file.symbols.find((symbol) => symbol.name === name);
  assert.ok(found, name);
  return found;
}

test('sections, segments, symbols and relocations are those that llvm-readobj prints', () => {
  let [symbols, relocations] = [0, 0];
  for (const path of objects()) {
    const compared = compareWithReadobj(open(path), path);
    assert.ok(compared.sections > 8);
    symbols += compared.symbols;
    relocations += compared.relocations;
  }
  assert.ok(symbols > 100 && relocations > 300, `${symbols}, ${relocations}`);
});

test('columns hold what symbols and relocations say', () => {
  for (const path of objects()) {
    const file = open(path);
    const symbols = file.symbolColumns();
    file.symbols.forEach(({ name, value, size }, index) => {
      assert.equal([symbols.nameOf(index), symbols.value[index], symbols.size[index]], [name, value, size]);
    });
    const all = file.allRelocationColumns(() => true);
    for (const { index } of file.sections) {
      const rows = file.relocations(index);
      const { count } = file.relocationColumns(index);
      const first = all.first[index] ?? 0;
      assert.equal([count, (all.first[index + 1] ?? 0) - first], [rows.length, rows.length]);
      rows.forEach((row, at) => {
        const { offset, type, symbol, addend } = all.rows;
        const place = first + at;
        assert.equal(
          [offset[place], type[place], symbol[place], addend[place]],
          [row.offset, row.type, row.symbol, row.addend],
        );
      });
    }
  }
});

test('functions and data segments are sections of their kind', () => {
  const file = open(inputs.wasmObject('c', inputs.WASM_C, '-O0', '-g', ...THREADS));
  const kindOf = (name: string): string => {
    const { section } = symbolOf(file, name);
    return typeof section === 'number' ? (file.sections[section]?.kind ?? '') : section;
  };
  assert.is(kindOf('work'), 'code');
  assert.is(kindOf('hidden'), 'data');
  assert.is(kindOf('zeros'), 'zero');
  assert.is(kindOf('counter'), 'tls-data');
  assert.is(kindOf('.L.str'), 'readonly');
  assert.is(kindOf('outside'), 'undefined');
  assert.is(symbolOf(file, 'counter').kind, 'tls');
  assert.is(symbolOf(file, '__stack_pointer').kind, 'global');
  assert.is(symbolOf(file, 'perhaps').binding, 'weak');
  const kept = file.sections[Number(symbolOf(file, 'kept').section)];
  assert.ok(kept?.retain, 'attribute used');
  const zeros = file.sections[Number(symbolOf(file, 'zeros').section)];
  assert.equal([zeros?.size, zeros?.fileSize, file.sectionBytes(zeros?.index ?? 0).length], [64, 0, 0]);
  assert.equal(
    file.wasm.linking()?.flatMap((part) => (part.kind === 'init' ? part.functions : [])),
    [{ priority: 65535, symbol: symbolOf(file, 'begin').index - 1 }],
  );
});

test('functions of one group say so', () => {
  const file = open(inputs.wasmObject('cpp', inputs.WASM_CPP, '-O0'));
  const { section } = symbolOf(file, '_Z6sharedi');
  assert.is(file.sections[Number(section)]?.group, '_Z6sharedi');
});

test('types are symbols that are called what they are', () => {
  const file = open(inputs.wasmObject('c', inputs.WASM_C, '-O0'));
  const types = file.symbols.filter(({ kind }) => kind === 'type');
  assert.equal(
    types.map(({ name }) => name),
    file.wasm.types().map(functionTypeText),
  );
  assert.ok(types.some(({ name }) => name === '(i64, f64) -> i64'));
  const work = Number(symbolOf(file, 'work').section);
  const named = file.relocations(work).map(({ symbol }) => file.symbols[symbol]);
  assert.ok(named.some((symbol) => symbol?.kind === 'type' && symbol.name === '(i32) -> i32'));
});

test('a linked module has functions by the name section, with their index as value', () => {
  const object = inputs.wasmObject('c', inputs.WASM_C, '-O1', '-g');
  const module = open(inputs.wasmModule([object], '--export=work', '--build-id=0x0123abcd'));
  assert.is(module.kind, 'executable');
  const work = symbolOf(module, 'work');
  assert.equal(module.wasm.content('export')?.exports.find(({ name }) => name === 'work')?.index, work.value);
  const body = module.wasm.bodies()[work.value - module.wasm.imports('function').length]?.bytes;
  assert.equal(module.sectionBytes(Number(work.section)), body);
  assert.is(symbolOf(module, 'outside').section, 'undefined');
  assert.equal(module.linked?.needed, ['env', 'host']);
  assert.equal(module.linked?.buildId, Uint8Array.of(0x01, 0x23, 0xab, 0xcd));
  const { segments = [] } = module.linked ?? {};
  for (const { address, offset, fileSize } of segments) {
    const section = module.sections.find((one) => one.offset === offset);
    assert.equal([section?.address, section?.size], [address, fileSize]);
  }
  assert.ok(segments.length >= 2);
  assert.equal(module.linked?.dynamicSymbols.map(({ name }) => name).sort(), ['memory', 'outside', 'tell', 'work']);
});

test('a module linked with --emit-relocs keeps its symbols, at their addresses', () => {
  const module = open(
    inputs.wasmModule([inputs.wasmObject('c', inputs.WASM_C, '-O1')], '--export=work', '--emit-relocs'),
  );
  assert.is(module.kind, 'executable');
  const inside = symbolOf(module, 'inside');
  const hidden = symbolOf(module, 'hidden');
  const segment = module.linked?.segments.find(
    ({ address, memorySize }) => inside.value >= address && inside.value < address + memorySize,
  );
  assert.ok(segment);
  const bytes = module.range(segment.offset + inside.value - segment.address, 4);
  assert.is(new DataView(bytes.slice().buffer).getUint32(0, true), hidden.value + 8, 'int *inside = &hidden[2]');
});

test('a constant expression is the address that it was made of', () => {
  for (const address of [0, 63, 64, 1024, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0]) {
    assert.is(constantOf(constantExpr(address)), address);
  }
  assert.is(constantOf(Uint8Array.of(0x23, 0, 0x0b)), null, 'a global is no number');
});

test.run();

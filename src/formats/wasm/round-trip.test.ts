// What is read and written again is the same bytes.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../../tests/format-inputs.js';
import { engine } from '../../../tests/web-assembly.js';
import * as inputs from '../../../tests/wasm-inputs.js';
import { encodeModule } from './encode-sections.js';
import type { ModuleSection } from './module.js';
import { readWasm } from './read.js';
import { writtenAgain } from '../../../tests/wasm-written-again.js';

test('objects', () => {
  for (const [language, text] of [
    ['c', inputs.WASM_C],
    ['cpp', inputs.WASM_CPP],
  ] as const) {
    for (const flags of [
      ['-O0', '-g'],
      ['-O2'],
      ['-O1', '-fPIC'],
      ['-O1', '-fwasm-exceptions'],
      ['-mreference-types'],
    ]) {
      const bytes = bytesOf(inputs.wasmObject(language, text, ...flags));
      assert.equal(writtenAgain(bytes, 'input'), bytes);
    }
  }
});

test('modules', () => {
  const object = inputs.wasmObject('c', inputs.WASM_C, '-O1', '-g', '-matomics', '-mbulk-memory');
  for (const flags of [
    ['--export=work'],
    ['--export=work', '--emit-relocs'],
    ['--export=work', '--shared-memory', '--max-memory=1048576', '--export-table'],
    ['--export=work', '--import-memory', '--growable-table', '--strip-debug'],
  ]) {
    const bytes = bytesOf(inputs.wasmModule([object], ...flags));
    assert.equal(writtenAgain(bytes, 'input'), bytes);
    assert.ok(engine.validate(writtenAgain(bytes, 'input')));
  }
});

const name = fc.string({ maxLength: 12, unit: 'grapheme' });
const index = fc.nat(0xffff_ffff);
const type = fc.oneof(
  fc.constantFrom(0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f),
  fc.record({ nullable: fc.boolean(), heap: fc.integer({ min: -20, max: 400 }) }),
);
const limits = fc.record({
  shared: fc.boolean(),
  wide: fc.boolean(),
  minimum: index,
  maximum: fc.option(index),
  pageExponent: fc.option(fc.nat(16)),
});
const constant = fc.oneof(
  fc.integer({ min: 0, max: 63 }).map((value) => Uint8Array.of(0x41, value, 0x0b)),
  fc.constantFrom(Uint8Array.of(0x23, 1, 0x41, 8, 0x6a, 0x0b), Uint8Array.of(0xd0, 0x70, 0x0b), Uint8Array.of(0x0b)),
);
const place = fc.oneof(
  fc.record({ index, offset: constant, explicit: fc.constant(true) }),
  fc.record({ index: fc.constant(0), offset: constant, explicit: fc.constant(false) }),
);
const global = fc.record({ type, mutable: fc.boolean() });
const table = fc.record({ element: type, limits, initial: fc.option(constant) });
const bytes = fc.uint8Array({ maxLength: 20 });

const contents: readonly fc.Arbitrary<Record<string, unknown>>[] = [
  fc.record({ id: fc.constant('custom'), name, nameWidth: fc.constant(3), bytes }),
  fc.record({
    id: fc.constant('type'),
    types: fc.array(fc.record({ params: fc.array(type), results: fc.array(type) })),
  }),
  fc.record({ id: fc.constant('function'), types: fc.array(index) }),
  fc.record({ id: fc.constant('table'), tables: fc.array(table) }),
  fc.record({ id: fc.constant('memory'), memories: fc.array(limits) }),
  fc.record({ id: fc.constant('tag'), types: fc.array(index) }),
  fc.record({
    id: fc.constant('global'),
    globals: fc.array(fc.record({ type, mutable: fc.boolean(), initial: constant })),
  }),
  fc.record({
    id: fc.constant('export'),
    exports: fc.array(
      fc.record({ name, kind: fc.constantFrom('function', 'table', 'memory', 'global', 'tag'), index }),
    ),
  }),
  fc.record({ id: fc.constant('start'), function: index }),
  fc.record({
    id: fc.constant('element'),
    segments: fc.array(
      fc.record({
        place,
        declared: fc.constant(false),
        type: fc.constant(0x70),
        items: fc.oneof(
          fc.record({ kind: fc.constant('functions'), functions: fc.array(index) }),
          fc.record({ kind: fc.constant('expressions'), expressions: fc.array(constant) }),
        ),
      }),
    ),
  }),
  fc.record({ id: fc.constant('data count'), count: index }),
];

test('any sections', () => {
  fc.assert(
    fc.property(
      fc.tuple(...contents),
      fc.constantFrom(0, 5),
      fc.array(fc.tuple(name, name, global)),
      (drawn, lengthWidth, globals) => {
        const imports = globals.map(([module, field, one]) => ({ module, field, kind: 'global', global: one }));
        const sections = [...drawn.slice(0, 2), { id: 'import', imports }, ...drawn.slice(2)].map((content) => {
          // The drawn shapes are those of module.ts, each field at random.
          return { ...content, lengthWidth } as unknown as ModuleSection;
        });
        const written = encodeModule(sections);
        const read = readWasm(written, 'drawn').wasm.sections();
        assert.equal(encodeModule(read), written);
        assert.is(read.length, sections.length);
      },
    ),
    { numRuns: 300 },
  );
});

test.run();

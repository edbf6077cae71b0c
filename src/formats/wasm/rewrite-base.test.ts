// Modules made into bases for patches: they do what they did, and a function whose slots are filled anew does what is in
// them, whoever calls it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../../tests/format-inputs.js';
import * as inputs from '../../../tests/wasm-inputs.js';
import { handPatch } from '../../../tests/wasm/hand-patch.js';
import { engine } from '../../../tests/web-assembly.js';
import { constantOf } from './const-expr.js';
import * as wasm from './constants.js';
import { namesIn } from './names.js';
import { readWasm } from './read.js';
import { rewriteBase, type RewriteWay, type RewrittenBase } from './rewrite-base.js';

const SOURCE = `
static int calls;
__attribute__((noinline)) int step(int x) { calls++; return x + 1; }
__attribute__((noinline)) static int other(int x) { return x * 2; }
int (*pointer)(int) = step;
__attribute__((export_name("direct"))) int direct(int x) { return step(x) + other(x); }
__attribute__((export_name("indirect"))) int indirect(int x) { return pointer(x); }
__attribute__((export_name("same"))) int same(void) { return pointer == step; }
__attribute__((export_name("step"))) int exported(int x) { return step(x); }
__attribute__((export_name("counted"))) int counted(void) { return calls; }
`;

interface Exports extends Record<string, (x: number) => number> {
  readonly direct: (x: number) => number;
  readonly indirect: (x: number) => number;
  readonly same: (x: number) => number;
  readonly step: (x: number) => number;
  readonly counted: (x: number) => number;
}

const PATCHABLE = ['step', 'other', 'direct', 'indirect', 'exported', 'same', 'counted'];

function linked(...flags: string[]): Uint8Array {
  return bytesOf(inputs.wasmModule([inputs.wasmObject('c', SOURCE, '-O1', ...flags)]));
}

function start(base: RewrittenBase): WebAssembly.Instance {
  return new WebAssembly.Instance(new WebAssembly.Module(base.bytes));
}

for (const way of ['calls', 'entries'] satisfies RewriteWay[]) {
  test(`${way}: the module does what it did`, () => {
    const base = rewriteBase(linked(), 'm', (name) => PATCHABLE.includes(name), way);
    assert.is(base.way, way);
    assert.equal(base.functions.map(({ name }) => name).sort(), [...PATCHABLE].sort());
    const { direct, indirect, same, step, counted } = start(base).exports as unknown as Exports;
    assert.equal([direct(5), indirect(5), same(0), step(7), counted(0)], [16, 6, 1, 8, 3]);
  });

  test(`${way}: direct calls, pointers and exports reach what a patch puts into the slots`, () => {
    const base = rewriteBase(linked(), 'm', (name) => PATCHABLE.includes(name), way);
    const instance = start(base);
    const { direct, indirect, same, step } = instance.exports as unknown as Exports;
    handPatch(base, instance, { step: (x) => x + 100, exported: (x) => x + 1000 });
    assert.equal([direct(5), indirect(5), same(0), step(7)], [115, 105, 1, 1007]);
  });

  test(`${way}: functions that are not chosen are left alone`, () => {
    const base = rewriteBase(linked(), 'm', (name) => name === 'step', way);
    assert.equal(
      base.functions.map(({ name }) => name),
      ['step'],
    );
    const instance = start(base);
    const { direct } = instance.exports as unknown as Exports;
    assert.is(direct(5), 16);
    handPatch(base, instance, { step: (x) => x + 100 });
    assert.is(direct(5), 115);
  });
}

test('a function that has a slot keeps it, others get new ones behind the table', () => {
  const bytes = linked();
  const before = readWasm(bytes, 'm').wasm.content('table')?.tables[0]?.limits;
  const base = rewriteBase(bytes, 'm', (name) => PATCHABLE.includes(name));
  const slots = base.functions.flatMap((each) => each.slots);
  assert.is(new Set(slots).size, slots.length);
  assert.equal(base.functions.find(({ name }) => name === 'step')?.slots, [1]);
  const after = readWasm(base.bytes, 'm').wasm.content('table')?.tables[0]?.limits;
  assert.is(after?.minimum, (before?.minimum ?? 0) + PATCHABLE.length - 1);
  assert.is(after?.maximum, null);
});

test('calls in place: code stays where it is, and with it the debug information', () => {
  const bytes = linked('-g');
  const base = rewriteBase(bytes, 'm', (name) => PATCHABLE.includes(name), 'calls');
  assert.is(base.calls.indirect, 3);
  const [before, after] = [readWasm(bytes, 'm').wasm, readWasm(base.bytes, 'm').wasm];
  before.bodies().forEach((body, index) => {
    const now = after.bodies()[index];
    assert.equal([now?.start, now?.bytes.length], [body.start, body.bytes.length]);
  });
  const debug = (facts: typeof before): unknown =>
    facts.sections().filter((each) => each.id === 'custom' && each.name.startsWith('.debug_'));
  assert.equal(debug(after), debug(before));
});

test('the count of bodies stands in front of them: where it gets longer, code does not stay', () => {
  const functions = (count: number): string =>
    Array.from({ length: count }, (_, at) => `int f${at}(int x) { return x + ${at}; }`).join('\n');
  const kept = (count: number): boolean => {
    const object = inputs.wasmObject('c', functions(count), '-O0', '-g');
    const bytes = bytesOf(inputs.wasmModule([object], '--export-all'));
    const [before, after] = [bytes, rewriteBase(bytes, 'm', (name) => name === 'f0', 'calls').bytes].map(
      (each) => readWasm(each, 'm').wasm,
    );
    assert.is(after?.bodies().length, (before?.bodies().length ?? 0) + 1);
    return after?.sections().some((each) => each.id === 'custom' && each.name === '.debug_line') === true;
  };
  // The linker adds one function of its own.
  assert.equal([kept(125), kept(126), kept(127)], [true, false, true]);
});

test('moved bodies: their names go with them, and debug information that would be wrong is dropped', () => {
  const base = rewriteBase(linked('-g'), 'm', (name) => name === 'step', 'entries');
  const { wasm: facts } = readWasm(base.bytes, 'm');
  const names = new Map(namesIn(facts.names(), 'function').map(({ index, name }) => [name, index]));
  assert.is(names.get('step.ipbp.entry'), base.functions[0]?.index);
  assert.is(names.get('step'), facts.functionTypes().length - 1);
  assert.not(facts.sections().some((each) => each.id === 'custom' && each.name.startsWith('.debug_')));
});

test('where slot or type have large numbers calls go over an entry, and code still stays', () => {
  const many = Array.from({ length: 9000 }, (_, at) => `int f${at}(int x) { return x + ${at}; }`).join('\n');
  const text = `${many}\n__attribute__((export_name("sum"))) int sum(int x) { return f0(x) + f8999(x); }`;
  const bytes = bytesOf(inputs.wasmModule([inputs.wasmObject('c', text, '-O0')], '--export-all'));
  const base = rewriteBase(bytes, 'm', (name) => /^f\d+$/.test(name), 'calls');
  assert.equal(base.calls, { indirect: 1, overEntries: 1 });
  const instance = start(base);
  const { sum } = instance.exports as unknown as { readonly sum: (x: number) => number };
  assert.is(sum(1), 9001);
  handPatch(base, instance, { f8999: (x) => x });
  assert.is(sum(1), 2);
});

test('what cannot be a base is refused with a reason', () => {
  const refused = (bytes: Uint8Array): string => {
    try {
      rewriteBase(bytes, 'm', () => true);
      return 'nothing';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const object = inputs.wasmObject('c', SOURCE, '-O1');
  assert.match(refused(bytesOf(object)), /^IPBP2040: .*it is an object/);
  assert.match(refused(bytesOf(inputs.wasmModule([object], '--strip-all'))), /^IPBP2040: .*no names/);
  assert.match(refused(bytesOf(inputs.wasmModule([object], '--import-table'))), /^IPBP2040: .*table is imported/);
});

test('the base says which build it is and what patches find where', () => {
  const base = rewriteBase(linked(), 'm', () => true);
  const module = new WebAssembly.Module(base.bytes);
  const [section] = WebAssembly.Module.customSections(module, 'ipbp.base');
  assert.equal(JSON.parse(new TextDecoder().decode(section)), base.description);
  const { memory, table, stackPointer, arena, identity } = base.description;
  const { exports } = new WebAssembly.Instance(module);
  assert.ok(exports[memory] instanceof WebAssembly.Memory);
  assert.ok(exports[table] instanceof WebAssembly.Table);
  const first = readWasm(base.bytes, 'm').wasm.content('global')?.globals[0]?.initial;
  assert.is((exports[stackPointer] as WebAssembly.Global).value, constantOf(first ?? new Uint8Array(0)));
  assert.is(arena, exports[memory].buffer.byteLength);
  assert.is(arena % wasm.PAGE_SIZE, 0);
  assert.match(identity, /^[0-9a-f]{32}$/);
  assert.is.not(rewriteBase(linked('-g'), 'm', () => true).description.identity, identity);
});

test('all other functions can be given slots by which patches call them', () => {
  const base = rewriteBase(linked(), 'm', (name) => name === 'step', 'auto', true);
  const plain = rewriteBase(linked(), 'm', (name) => name === 'step');
  assert.ok(base.callable.length > 0 && plain.callable.length === 0);
  assert.is(base.tableLength, plain.tableLength + base.callable.length);
  assert.ok(engine.validate(base.bytes));
  const { wasm: facts } = readWasm(base.bytes, 'm');
  const slots = new Map<number, number>();
  for (const { place, items } of facts.elementSegments()) {
    const start = place === null ? 0 : (constantOf(place.offset) ?? 0);
    if (items.kind === 'functions') items.functions.forEach((index, at) => slots.set(start + at, index));
  }
  for (const { slots: own, index } of base.callable) assert.is(slots.get(own[0] ?? -1), index);
});

test.run();

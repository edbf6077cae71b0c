// Patches in an instance: all or nothing, taken back in turn, the same again in a fresh one; data once in a shared memory;
// a trap that leaves the instance usable and names what trapped.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { IpbpError } from '../../src/codes/error.js';
import type { RewrittenBase } from '../../src/formats/wasm/rewrite-base.js';
import { ARENA_HEADER, type PageTrap } from '../../src/patch/wire/page-frames.js';
import { readBase } from './base.js';
import { madeBase, madePatch } from './bases.test-support.js';
import { PatchedInstance } from './patched-instance.js';
import { functionsIn, guardExports } from './traps.js';

type Numeric = (x: number) => number;

const PAGE = {
  twice: (x: number) => x * 2,
  hundred: (x: number) => x + 100,
  thousand: (x: number) => x + 1000,
  deep: (x: number): number => {
    if (x === 13) throw new Error('thirteen');
    return x;
  },
};
const BASE = madeBase();

interface Started {
  readonly patched: PatchedInstance;
  readonly run: Numeric;
  readonly exports: WebAssembly.Exports;
}

function start(base: RewrittenBase = BASE, imports: WebAssembly.Imports = { page: PAGE }): Started {
  const module = new WebAssembly.Module(base.bytes);
  const instance = new WebAssembly.Instance(module, imports);
  const patched = new PatchedInstance(readBase(module)!, instance.exports, imports);
  return { patched, run: instance.exports['run'] as unknown as Numeric, exports: instance.exports };
}

const page = (name: string): { module: string; name: string } => ({ module: 'page', name });

async function codeOf(promise: Promise<void>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as IpbpError).code;
  }
}

test('patches come in one over the other, and are taken back in turn', async () => {
  const { patched, run } = start();
  assert.is(run(5), 6 + 15);
  const one = madePatch(BASE, 1, { step: page('hundred') });
  const two = madePatch(BASE, 2, { step: page('thousand'), other: page('twice') });
  await patched.apply(one.patch, one.bytes);
  assert.is(run(5), 105 + 15);
  await patched.apply(two.patch, two.bytes);
  assert.is(run(5), 1005 + 10);
  assert.equal(patched.applied, [1, 2]);
  assert.throws(() => patched.undo(1), /IPBP4024/);
  patched.undo(2);
  assert.is(run(5), 105 + 15);
  patched.undo(1);
  assert.is(run(5), 6 + 15);
  assert.throws(() => patched.undo(1), /IPBP4024/);
});

test('a fresh instance with the same patches is the same, its arena at the same place', async () => {
  const [first, second] = [start(), start()];
  assert.equal(first.patched.arena.range, second.patched.arena.range);
  const { at } = first.patched.arena.range;
  assert.is(at, BASE.description.arena + ARENA_HEADER.length);
  const text = Uint8Array.of(7, 0, 0, 0);
  const patch = madePatch(BASE, 1, { step: page('hundred') }, { memory: { at, end: at + 4 } }, text);
  for (const { patched, run, exports } of [first, second]) {
    await patched.apply(patch.patch, patch.bytes);
    assert.equal([run(1), (exports['read'] as unknown as Numeric)(at)], [104, 7]);
  }
});

test('nothing has changed where a patch does not fit', async () => {
  const { patched, run } = start();
  const { at, end } = patched.arena.range;
  const refused: readonly (readonly [string, Parameters<typeof madePatch>[2], Parameters<typeof madePatch>[3]])[] = [
    ['IPBP4020', { step: page('hundred') }, { base: '0' }],
    ['IPBP4021', { step: page('hundred') }, { memory: { at: 16, end: 20 } }],
    ['IPBP4021', { step: page('hundred') }, { memory: { at, end: end + 1 } }],
    ['IPBP4021', { step: page('hundred'), more: page('hundred') }, { extraSlots: [BASE.tableLength] }],
    ['IPBP4021', { step: page('hundred') }, { tableLength: 2 ** 31 }],
    ['IPBP4022', { step: page('nowhere') }, {}],
    ['IPBP4022', { step: { module: 'elsewhere', name: 'x' } }, {}],
  ];
  for (const [code, functions, changes] of refused) {
    const { patch, bytes } = madePatch(BASE, 1, functions, changes);
    assert.is(await codeOf(patched.apply(patch, bytes)), code, JSON.stringify(changes));
    assert.equal([run(5), patched.applied], [21, []]);
  }
  const broken = madePatch(BASE, 1, { step: page('hundred') });
  assert.is(await codeOf(patched.apply(broken.patch, broken.bytes.subarray(0, 9))), 'IPBP4023');
  assert.equal([run(5), patched.applied], [21, []]);
  const good = madePatch(BASE, 1, { step: page('hundred') });
  await patched.apply(good.patch, good.bytes);
  assert.is(run(5), 120);
});

test('new functions get slots behind the table, and stay there when they are taken back', async () => {
  const { patched } = start();
  const slot = BASE.tableLength;
  const { patch, bytes } = madePatch(BASE, 1, { more: page('hundred') }, { extraSlots: [slot], tableLength: slot + 1 });
  await patched.apply(patch, bytes);
  const { table } = patched.parts;
  assert.is((table.get(slot) as Numeric)(1), 101);
  patched.undo(1);
  assert.is((table.get(slot) as Numeric)(1), 101, 'something may point to it');
});

test('what was taken back comes again as it was, until there is something newer', async () => {
  const { patched, run } = start();
  const [plain, one, two] = [
    run(5),
    madePatch(BASE, 1, { step: page('hundred') }),
    madePatch(BASE, 2, { step: page('twice') }),
  ];
  await patched.apply(one.patch, one.bytes);
  const patchedOnce = run(5);
  patched.undo(1);
  assert.equal([run(5), patched.applied], [plain, []]);
  assert.throws(() => patched.redo(2), /IPBP4024/);
  patched.redo(1);
  assert.equal([run(5), patched.applied, patched.steps], [patchedOnce, [1], 3]);
  patched.undo(1);
  await patched.apply(two.patch, two.bytes);
  assert.throws(() => patched.redo(1), /IPBP4024/, 'something newer has come');
});

test('more room: up to an address in a fresh instance, somewhere in another', () => {
  const { patched } = start();
  const { at, end } = patched.arena.range;
  assert.equal(patched.arena.extendTo(end + 1), { at, end: end + 65536 });
  const elsewhere = start();
  elsewhere.patched.parts.memory.grow(1);
  assert.is(elsewhere.patched.arena.extendTo(end + 1), null);
  const block = elsewhere.patched.arena.more(70_000);
  assert.equal(block, { at: end + 65536, end: end + 3 * 65536 });
  assert.is(elsewhere.patched.arena.more(2 ** 40), null);
});

test('a shared memory has one arena, and data of a patch is written once', async () => {
  const base = madeBase('-matomics', '-mbulk-memory', '--shared-memory', '--import-memory', '--max-memory=67108864');
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 1024, shared: true });
  const imports = { page: PAGE, env: { memory } };
  const [first, second] = [start(base, imports), start(base, imports)];
  assert.equal(first.patched.arena.range, second.patched.arena.range);
  assert.ok(first.patched.arena.group !== null);
  assert.is(first.patched.arena.group, second.patched.arena.group);
  const { at } = first.patched.arena.range;
  const change = { memory: { at, end: at + 4 } };
  const { patch, bytes } = madePatch(base, 1, { step: page('hundred') }, change, Uint8Array.of(1, 0, 0, 0));
  await first.patched.apply(patch, bytes);
  // What the program has made of it since.
  new Uint8Array(memory.buffer)[at] = 5;
  await second.patched.apply(patch, bytes);
  assert.is(new Uint8Array(memory.buffer)[at], 5);
  assert.equal([first.run(1), second.run(1)], [104, 104]);
  const other = start(base, {
    page: PAGE,
    env: { memory: new WebAssembly.Memory({ initial: 4, maximum: 1024, shared: true }) },
  });
  assert.is.not(other.patched.arena.group, first.patched.arena.group);
});

test('a trap in patched code: the stack pointer is put back, patch and function are named, the instance goes on', async () => {
  const { patched, exports } = start();
  const traps: PageTrap[] = [];
  const guarded = guardExports(patched, exports, (trap) => traps.push(trap));
  const { through, run } = guarded as unknown as Record<'through' | 'run', Numeric>;
  const { stackPointer } = patched.parts;
  const before = stackPointer.value;
  assert.throws(() => through(13), /thirteen/);
  assert.is(stackPointer.value, before);
  assert.equal(traps, [], 'an error of the page is no trap');
  // Calls itself until the stack is used up.
  const { patch, bytes } = madePatch(BASE, 3, { step: { module: 'env', name: 'trap' } });
  const trapping = new Proxy(exports, {
    get: (target, name) => (name === 'trap' ? trapFunction() : (Reflect.get(target, name) as unknown)),
  });
  const with_ = new PatchedInstance(patched.base, trapping, { page: PAGE });
  await with_.apply(patch, bytes);
  const again = guardExports(with_, exports, (trap) => traps.push(trap)) as unknown as Record<
    'through' | 'run',
    Numeric
  >;
  for (let round = 0; round < 3; round++) assert.throws(() => again.through(1), /unreachable/);
  assert.is(stackPointer.value, before);
  assert.is(traps.length, 3);
  assert.match(traps[0]?.stack ?? '', /ipbp patch/);
  with_.undo(3);
  assert.is(run(5), 21);
});

/** A module's function of one number that traps. */
function trapFunction(): unknown {
  // (func (export "f") (param i32) (result i32) unreachable)
  const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0];
  const module = new WebAssembly.Module(Uint8Array.from([...head, 10, 5, 1, 3, 0, 0, 0x0b]));
  return new WebAssembly.Instance(module).exports['f'];
}

test('functions are found in the stacks of all engines', () => {
  const v8 = `RuntimeError: unreachable
    at page.wasm._ZN4page4tick17h0123456789abcdefE (wasm://wasm/page.wasm-0123abcd:wasm-function[12]:0x34)
    at ipbp patch.step (wasm://wasm/ipbp patch-0123abcd:wasm-function[1]:0x34)
    at wasm://wasm/0123abcd:wasm-function[9]:0x1
    at http://127.0.0.1/page.js:3:4`;
  const spidermonkey = `_ZN4page4tick17h0123456789abcdefE@http://127.0.0.1/page.wasm:wasm-function[12]:0x34
main@http://127.0.0.1/page.js:3:4`;
  assert.equal(functionsIn(v8), ['_ZN4page4tick17h0123456789abcdefE', 'step']);
  assert.equal(functionsIn(spidermonkey), ['_ZN4page4tick17h0123456789abcdefE']);
});

test.run();

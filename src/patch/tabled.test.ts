// Patches of programs whose functions lie in no memory: base and patches run in this Node, state kept.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../tests/format-inputs.js';
import { wasmModule, wasmObject } from '../../tests/wasm-inputs.js';
import { engine, runModule, type RunningModule } from '../../tests/web-assembly.js';
import { readObjectFile } from '../formats/read-object.js';
import type { InputFile, PlanResult } from './engine.js';
import { diffFiles } from './diff/diff-files.js';
import { encodePatchInstance, instanceOf } from './image/instance.js';
import { readPatch } from './image/library.js';
import type { PatchImage } from './image/image.js';
import { DEFAULT_ROOM, planPatch } from './plan.js';
import { freshProgram, isTaken, withPatch, type Program } from './program/program.js';
import { openTabledProgram } from './program/tabled-program.js';
import { decodeFacts, encodeFacts, type TabledFacts } from './program/tabled-facts.js';
import { tabledModule } from './tabled.test-support.js';

const FLAGS = ['-O0', '-g', '-fvisibility=default'] as const;

const input = (text: string, ...flags: string[]): InputFile => {
  const path = wasmObject('c', text, ...(flags.length > 0 ? flags : FLAGS));
  return { name: 'program.o', read: () => bytesOf(path) };
};

interface Started {
  readonly facts: TabledFacts;
  readonly running: RunningModule;
  program: Program;
}

function start(text: string, imports: object = {}): Started {
  const linked = wasmModule(
    [wasmObject('c', text, ...FLAGS)],
    ...['--emit-relocs', '--export-table', '--export-dynamic', '--no-gc-sections', '--export-memory'],
  );
  const { bytes, facts } = tabledModule(bytesOf(linked), (name) => !name.startsWith('__'));
  assert.ok(engine.validate(bytes));
  const running = runModule(bytes, imports, 1, ['__stack_pointer']);
  return { facts, running, program: freshProgram(openTabledProgram(readObjectFile(bytes, 'base.wasm'), facts)) };
}

function plan({ program }: Started, before: string, after: string, ...flags: string[]): PlanResult {
  const diff = diffFiles([input(before, ...flags)], [input(after, ...flags)], (name) => isTaken(program, name));
  return planPatch({
    ...{ program, diff, identity: diff, before: diff.replaced, after: diff.changed },
    ...{ others: () => [], archives: () => null, room: DEFAULT_ROOM },
  });
}

function apply(started: Started, before: string, after: string): PatchImage {
  const planned = plan(started, before, after);
  assert.is(planned.kind, 'patch', JSON.stringify(planned));
  if (planned.kind !== 'patch') throw new Error('no patch');
  const { image } = planned;
  const bytes = instanceOf(image, { format: 'wasm', facts: started.facts });
  assert.ok(engine.validate(bytes));
  started.running.apply(bytes, image.code?.slotsEnd ?? 0);
  started.program = withPatch(started.program, { image, digest: new Uint8Array(32) });
  return image;
}

const BASE = `
static int count;
int step(int by) { count += by; return count; }
int (*chosen)(int) = step;
int total(int n) { int sum = 0; for (int i = 0; i < n; i++) sum += step(1); return sum; }
int through(int by) { return chosen(by); }
const char *word(void) { return "old"; }
`;

test('a changed body is live for all callers, and statics keep their values', () => {
  const started = start(BASE);
  const { running } = started;
  assert.is(running.call('total', 3), 1 + 2 + 3);
  apply(started, BASE, BASE.replace('count += by', 'count += by * 100'));
  assert.is(running.call('step', 1), 103, 'count was 3');
  assert.is(running.call('through', 1), 203, 'by a pointer that was made before');
  assert.is(running.call('total', 1), 303, 'from a function that did not change');
});

test('what a patch brings is called, pointed at and patched in turn', () => {
  const started = start(BASE);
  const { running } = started;
  const first = BASE.replace('int step(', 'int twice(int x) { return 2 * x; }\nint step(')
    .replace('count += by', 'count += twice(by)')
    .replace('return chosen(by)', 'chosen = twice; return chosen(by)');
  apply(started, BASE, first);
  assert.is(running.call('step', 5), 10);
  assert.is(running.call('through', 7), 14);
  const second = first.replace('return 2 * x', 'return 3 * x');
  const image = apply(started, first, second);
  assert.equal(
    image.items.map(({ name, verdict }) => [name, verdict]),
    [['twice', 'redirected']],
  );
  assert.is(running.call('through', 7), 21, 'the pointer that the first patch stored');
  assert.is(running.call('step', 1), 13, 'a caller that the first patch brought');
});

test('new data lies in the arena, read-only data is fresh', () => {
  const started = start(BASE);
  const { running, facts } = started;
  const text = (address: number): string => {
    const bytes = new Uint8Array(running.memory.buffer);
    return new TextDecoder().decode(bytes.subarray(address, bytes.indexOf(0, address)));
  };
  assert.is(text(running.call('word')), 'old');
  const changed = BASE.replace('"old"', '"a new text"').replace(
    'count += by',
    'static int calls = 40; static int zeros[30]; zeros[3]++; calls++; count += calls + zeros[3]',
  );
  apply(started, BASE, changed);
  const at = running.call('word');
  assert.is(text(at), 'a new text');
  assert.ok(at >= facts.arena.start && at < facts.arena.start + facts.arena.size);
  assert.is(running.call('step', 0), 41 + 1);
  const again = changed.replace('calls++;', 'calls += 2;');
  apply(started, changed, again);
  assert.is(running.call('step', 0), 42 + 43 + 2, 'the static that the first patch brought keeps its value');
});

test('a call through a slot stands in the place of the call, or is made by a stub', () => {
  const started = start(BASE);
  const image = apply(started, BASE, BASE.replace('sum += step(1)', 'sum += step(2)'));
  assert.equal(image.code?.stubs, []);
  assert.is(started.running.call('total', 2), 2 + 4);
  const far = { ...started.facts, tableSize: 9000 };
  const program = freshProgram(openTabledProgram(started.program.base.file, far));
  const moved = { ...started, facts: far, program };
  const withNew = BASE.replace('int step(', 'int far(int x) { return x; }\nint step(').replace(
    'step(1)',
    'step(far(5))',
  );
  const beyond = apply(moved, BASE, withNew);
  assert.equal(
    beyond.code?.stubs.map(({ slot }) => slot),
    [9001],
  );
  assert.is(started.running.call('total', 1), 4 + 5, 'count was 4');
});

test('a changed signature under one name is refused', () => {
  const started = start(BASE);
  const planned = plan(
    started,
    BASE,
    BASE.replace('int step(int by)', 'int step(long long by)').replace('= step', '= (void *)step'),
  );
  assert.is(planned.kind, 'refused');
  assert.equal(planned.kind === 'refused' && planned.items.map(({ code, name }) => [code, name]), [
    ['IPBP3018', 'step'],
  ]);
});

test('a function whose parameters the compiler changed has a slot of its own, and all callers come to it', () => {
  const text = `static int count;
__attribute__((noinline)) int _ZN4page4stepE(int by, int unused) { count += by; return count; }
int once(void) { return _ZN4page4stepE(1, 0); }
int twice(void) { _ZN4page4stepE(1, 0); return _ZN4page4stepE(1, 0); }`;
  const started = start(text);
  const { running } = started;
  assert.is(running.call('twice'), 2);
  const fewer = text.replace('int by, int unused', 'int by').replaceAll('(1, 0)', '(10)');
  const image = apply(started, text, fewer);
  const slot = (name: string): number | undefined => started.facts.functions.find((one) => one.name === name)?.slot;
  assert.not.ok(image.slots.some(({ at }) => at === slot('_ZN4page4stepE')));
  assert.equal([running.call('once'), running.call('twice')], [12, 32]);
  const body = fewer.replace('count += by', 'count += by * 2');
  apply(started, fewer, body);
  assert.is(running.call('once'), 52, 'an edit of its body goes to the new slot');
  apply(started, body, text);
  assert.equal([running.call('once'), running.call('twice')], [53, 55]);
});

test('a function whose calls do not go through a slot is refused with its reason', () => {
  const started = start(BASE);
  const facts = {
    ...started.facts,
    functions: started.facts.functions.map((one) => ({ ...one, patchable: one.name !== 'step' })),
  };
  started.program = freshProgram(openTabledProgram(started.program.base.file, facts));
  const planned = plan(started, BASE, BASE.replace('count += by', 'count += by * 100'));
  assert.is(planned.kind === 'refused' && planned.items[0]?.code, 'IPBP3016');
});

test('the host is called by what a patch brings as by the program', () => {
  const text = `__attribute__((import_module("host"), import_name("tell"))) int tell_host(int);
int plain(int);
${BASE.replace('count += by', 'count += tell_host(by) + plain(0)')}`;
  const told: number[] = [];
  const host = { host: { tell: (value: number) => told.push(value) }, env: { plain: () => 5 } };
  const started = start(text, host);
  assert.is(started.running.call('step', 7), 1 + 5);
  const image = apply(started, text, text.replace('tell_host(by)', 'tell_host(by * 10)'));
  assert.equal(
    image.code?.imports.map(({ name }) => name),
    ['tell_host', 'plain'],
  );
  assert.is(started.running.call('step', 7), 6 + 2 + 5);
  assert.equal(told, [7, 70]);
});

test('an import that the program does not have is refused', () => {
  const started = start(BASE);
  const planned = plan(started, BASE, `int host(int);${BASE.replace('count += by', 'count += host(by)')}`);
  assert.is(planned.kind === 'refused' && planned.items[0]?.code, 'IPBP2003');
});

/** Of lines a patch's file has what debuggers read. */
function withoutLines(image: PatchImage | undefined): PatchImage | undefined {
  if (image?.code == null) return image;
  const functions = image.code.functions.map(({ name, slot, type, bytes }) => ({ name, slot, type, bytes }));
  return { ...image, code: { ...image.code, functions } };
}

test('a patch is the same bytes again, and its file holds all of it', () => {
  const started = start(BASE);
  const after = BASE.replace('count += by', 'count += by * 100').replace('"old"', '"new"');
  const images = [0, 1].map(() => {
    const planned = plan(started, BASE, after);
    if (planned.kind !== 'patch') throw new Error('no patch');
    return planned.image;
  });
  const target = { format: 'wasm', facts: started.facts } as const;
  const [one, other] = images.map((image) => encodePatchInstance(image, target));
  assert.equal(one, other);
  const read = readPatch(one?.bytes ?? new Uint8Array(0), 'patch.wasm');
  assert.equal(read.image, withoutLines(images[0]));
  assert.equal(read.digest, one?.digest);
  started.running.apply(one?.bytes ?? new Uint8Array(0), read.image.code?.slotsEnd ?? 0);
  assert.is(started.running.call('step', 1), 100, 'the file itself is the module');
});

test('a table or memory that is too small is refused before anything is written', () => {
  const started = start(BASE);
  const planned = plan(started, BASE, BASE.replace('count += by', 'count += by * 100'));
  if (planned.kind !== 'patch') throw new Error('no patch');
  const bytes = instanceOf(planned.image, { format: 'wasm', facts: started.facts });
  assert.throws(() => started.running.apply(bytes, 0), /LinkError|table/);
  assert.is(started.running.call('step', 1), 1);
});

test('facts are read as they were written', () => {
  const { facts } = start(BASE);
  assert.equal(decodeFacts(encodeFacts(facts), 'facts'), facts);
  assert.throws(() => decodeFacts(Uint8Array.of(9), 'facts'), /IPBP1003/);
  for (let size = 0; size < encodeFacts(facts).length; size++) {
    assert.throws(() => decodeFacts(encodeFacts(facts).slice(0, size), 'facts'), /IPBP100[12]/);
  }
});

test('a variable that the compiler keeps in parts in one build and whole in the other is refused: its value would be lost', () => {
  const whole = 'int next[2] = {7, 8}; int run(int x) { return ++next[0] + x; }';
  const parts = 'int part __asm__("next.0") = 7; int run(int x) { return ++part + x; }';
  for (const [before, after] of [
    [whole, parts],
    [parts, whole],
  ] as const) {
    const planned = plan(start(before), before, after);
    assert.equal(planned.kind === 'refused' ? planned.items.map(({ code, name }) => [code, name]) : planned.kind, [
      ['IPBP3017', 'next'],
    ]);
  }
  const edited = parts.replace('+ x', '- x');
  assert.is(plan(start(parts), parts, edited).kind, 'patch', 'in parts before and after');
});

test.run();

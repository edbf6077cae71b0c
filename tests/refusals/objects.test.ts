// Broken and foreign objects, as a patch would be built from them: refused with a code, in bounded time, and no file is
// written. What the readers alone do with broken files is tested beside them; here everything behind them sees it.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../src/codes/error.js';
import { readObjectFile } from '../../src/formats/read-object.js';
import { objectsAt } from '../../src/host/files/object-paths.js';
import { openBaseProgram } from '../../src/patch/program/base-program.js';
import { diffFiles } from '../../src/patch/diff/diff-files.js';
import type { InputFile } from '../../src/patch/engine.js';
import { openLiveEngine } from '../../src/patch/live-engine.js';
import { encodePatchFile } from '../../src/patch/image/image-file.js';
import { DEFAULT_ROOM, planPatch } from '../../src/patch/plan.js';
import { freshProgram, type Program } from '../../src/patch/program/program.js';
import { ARM64_OBJECT } from '../arm64-object.js';
import { ipbp, talkerSource } from '../talker.js';

const EM_AARCH64 = 183;
const EM_RISCV = 243;
const E_MACHINE = 18;
const E_SHOFF = 40;
const LIMIT_MS = 10_000;

const test = suite('broken objects');
const folder = mkdtempSync(join(tmpdir(), 'ipbp-objects-'));
let program: Program;
let old: readonly InputFile[];
let now: readonly InputFile[];
/** The one object that the edit changed. */
let changed: { readonly name: string; readonly bytes: Uint8Array };

/** Compiles a text as cargo does; what it wrote is kept under `name`. */
function compile(name: string, text: string): InputFile[] {
  writeFileSync(join(folder, 'talker.rs'), text);
  const flags = ['-g', '-C', 'incremental=incremental', '--crate-name', 'talker', '-o', 'talker', 'talker.rs'];
  execFileSync('rustc', flags, { cwd: folder });
  cpSync(join(folder, 'incremental'), join(folder, name), { recursive: true });
  return objectsAt([join(folder, name)]).map(({ name: object, read }) => {
    const bytes = Uint8Array.from(read());
    return { name: object, read: () => bytes };
  });
}

test.before(() => {
  old = compile('old', talkerSource());
  cpSync(join(folder, 'talker'), join(folder, 'base'));
  now = compile('new', talkerSource('if _count < 5 { "howdy" } else { "salve" }'));
  const bytes = readFileSync(join(folder, 'base'));
  program = freshProgram(openBaseProgram(readObjectFile(bytes, 'base'), () => []));
  const edited = now.find(({ name, read }) => {
    const text = Buffer.from(read());
    return text.includes('words4word') && !old.some((one) => one.name === name && text.equals(one.read()));
  });
  if (edited === undefined) throw new Error('no object differs');
  changed = { name: edited.name, bytes: edited.read() };
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Everything that happens to an object before a patch is sent; a code, or what came out. */
function outcomeOf(bytes: Uint8Array): string {
  const start = performance.now();
  try {
    const after = now.map((one) => (one.name === changed.name ? { name: one.name, read: () => bytes } : one));
    const diff = diffFiles(old, after);
    const plan = planPatch({
      program,
      diff,
      identity: diff,
      before: diff.replaced,
      after: diff.changed,
      others: () => diff.unchanged(diff.names),
      archives: () => null,
      room: DEFAULT_ROOM,
    });
    if (plan.kind === 'patch') encodePatchFile(plan.image);
    return plan.kind === 'refused' ? (plan.items[0]?.code ?? 'refused for nothing') : plan.kind;
  } catch (error) {
    if (error instanceof IpbpError) return error.code;
    throw error;
  } finally {
    assert.ok(performance.now() - start < LIMIT_MS, 'it took too long');
  }
}

/** The changed object with some bytes replaced. */
function broken(change: (view: DataView) => void): Uint8Array {
  const bytes = changed.bytes.slice();
  change(new DataView(bytes.buffer));
  return bytes;
}

test('the object as it is makes a patch', () => {
  assert.is(outcomeOf(changed.bytes), 'patch');
});

test('cut at any place', () => {
  const { length } = changed.bytes;
  for (const share of [0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]) {
    assert.match(outcomeOf(changed.bytes.slice(0, Math.floor(length * share))), /^IPBP100[123]$/, `at ${share}`);
  }
  assert.match(outcomeOf(changed.bytes.slice(0, -1)), /^IPBP100[12]$/);
});

test('of another machine, known or not, and no object at all', () => {
  const other: readonly (readonly [string, Uint8Array])[] = [
    ['an arm64 object', Uint8Array.from(Buffer.from(ARM64_OBJECT, 'base64'))],
    ['EM_AARCH64 in the header', broken((view) => view.setUint16(E_MACHINE, EM_AARCH64, true))],
    ['EM_RISCV in the header', broken((view) => view.setUint16(E_MACHINE, EM_RISCV, true))],
    ['32 bits', broken((view) => view.setUint8(4, 1))],
    ['big-endian', broken((view) => view.setUint8(5, 2))],
    ['text', new TextEncoder().encode('fn main() {}')],
    ['nothing', new Uint8Array(0)],
  ];
  for (const [what, bytes] of other) assert.match(outcomeOf(bytes), /^IPBP(1003|200[14])$/, what);
});

test('of another machine than those of before, in a session too', () => {
  const foreign = Uint8Array.from(Buffer.from(ARM64_OBJECT, 'base64'));
  assert.is(outcomeOf(foreign), 'IPBP1003');
  const engine = openLiveEngine({ name: 'base', read: () => readFileSync(join(folder, 'base')) });
  const before = old.filter(({ name }) => name === changed.name);
  assert.is(before.length, 1);
  assert.is(
    engine.diff(
      before,
      [changed].map(({ name, bytes }) => ({ name, read: () => bytes })),
    ).count,
    1,
  );
  assert.throws(
    () => engine.diff(before, [{ name: 'foreign.o', read: () => foreign }]),
    /^IPBP1003: these objects are of different machines.*foreign\.o/,
  );
});

test('with flipped bits it is read or refused, never more', () => {
  const { bytes } = changed;
  const headers = Number(new DataView(bytes.buffer).getBigUint64(E_SHOFF, true));
  const file = readObjectFile(bytes, changed.name);
  // Where a bit means most: headers, symbols, relocations, unwind tables.
  const tables = file.sections
    .filter(({ name }) => /^\.(symtab|strtab|rela\.text.*words4word|rela\.eh_frame|eh_frame)/.test(name))
    .map(({ offset, fileSize }) => fc.integer({ min: offset, max: offset + fileSize - 1 }));
  assert.ok(tables.length >= 4, `${tables.length} tables`);
  const header = fc.integer({ min: 0, max: 63 });
  const section = fc.integer({ min: headers, max: bytes.length - 1 });
  const place = fc.oneof(header, section, fc.nat(bytes.length - 1), ...tables);
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(fc.tuple(place, fc.nat(7)), { minLength: 1, maxLength: 3 }), (flips) => {
      const outcome = outcomeOf(
        broken((view) => {
          for (const [at, bit] of flips) view.setUint8(at, view.getUint8(at) ^ (1 << bit));
        }),
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }),
    { numRuns: 400 },
  );
  const refused = [...outcomes].filter(([outcome]) => /^IPBP1/.test(outcome));
  assert.ok(refused.length >= 2, `all came to ${[...outcomes.keys()].join()}`);
  assert.not.ok(outcomes.has('IPBP5999'));
});

test('the command line says so with status 1 and writes nothing', async () => {
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['cut.o', changed.bytes.slice(0, 1000)],
    ['foreign.o', Uint8Array.from(Buffer.from(ARM64_OBJECT, 'base64'))],
    ['flipped.o', broken((view) => view.setUint8(E_SHOFF + 2, view.getUint8(E_SHOFF + 2) ^ 0x40))],
  ];
  for (const [name, bytes] of cases) {
    writeFileSync(join(folder, name), bytes);
    for (const sides of [
      ['--old', 'old', '--new', name],
      ['--old', name, '--new', 'new'],
    ]) {
      const built = await ipbp(folder, 'build-patch', '--json', '--base', 'base', ...sides, '-o', 'never.ipbp');
      assert.is(built.status, 1, `${name}: ${built.output}`);
      assert.match(built.output, /IPBP(100[123]|200[14])/);
      assert.not.match(built.output, 'IPBP5999');
      const diff = await ipbp(folder, 'diff', '--json', ...sides);
      assert.is(diff.status, 1, `${name}: ${diff.output}`);
      assert.match(diff.output, /IPBP(100[123]|200[14])/);
    }
  }
  assert.not.ok(existsSync(join(folder, 'never.ipbp')));
});

test('an executable that is truncated or foreign is no base', async () => {
  const bytes = readFileSync(join(folder, 'base'));
  const arm64 = Buffer.from(bytes);
  arm64.writeUInt16LE(EM_AARCH64, E_MACHINE);
  const bases: readonly (readonly [string, Uint8Array])[] = [
    ['cut', bytes.subarray(0, Math.floor(bytes.length / 2))],
    ['arm64', arm64],
  ];
  for (const [name, content] of bases) {
    writeFileSync(join(folder, name), content);
    const built = await ipbp(folder, 'build-patch', '--base', name, '--old', 'old', '--new', 'new', '-o', 'never.ipbp');
    assert.is(built.status, 1, built.output);
    assert.match(built.output, /IPBP100[123]/);
  }
});

test.run();

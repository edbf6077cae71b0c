// Real edits of a real program, compiled incrementally by rustc: which functions and data differ, and no others.
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../../formats/read-object.js';
import { openLinkObject } from '../../link/atoms.js';
import type { LinkObject } from '../../link/graph.js';
import { diffObjects, toChangedItem } from './diff.js';
import { BASE_PROGRAM, EDIT_CASES } from './diff-edits.test-support.js';
import { diffFiles } from './diff-files.js';
import type { FileDiff } from './diff-files.js';
import type { InputFile } from '../engine.js';

const PROFILES = {
  debug: ['-Copt-level=0', '-Cdebuginfo=2'],
  release: ['-Copt-level=3'],
} as const;
type Profile = keyof typeof PROFILES;

const scratch = mkdtempSync(join(tmpdir(), 'ipbp-diff-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Compiles `source` in `directory`, whose incremental state it continues, and lists the objects of the new session. */
function compile(directory: string, source: string, flags: readonly string[]): InputFile[] {
  writeFileSync(join(directory, 'main.rs'), source);
  const incremental = join(directory, 'incremental');
  const run = spawnSync(
    'rustc',
    [
      '--edition=2021',
      '--crate-name=app',
      `-Cincremental=${incremental}`,
      '-Clinker=true',
      '-Awarnings',
      ...flags,
      'main.rs',
    ],
    { cwd: directory, encoding: 'utf8' },
  );
  assert.is(run.status, 0, run.stderr);
  const crate = join(incremental, readdirSync(incremental)[0] ?? '');
  // Sessions are named by their time in base 36, of equal length: the last is the newest.
  const session = readdirSync(crate)
    .filter((name) => !name.endsWith('.lock'))
    .sort()
    .at(-1);
  const objects = join(crate, session ?? '');
  return readdirSync(objects)
    .filter((name) => name.endsWith('.o'))
    .map((name) => {
      const bytes = new Uint8Array(readFileSync(join(objects, name)));
      return { name, read: () => bytes };
    });
}

const bases = new Map<Profile, { readonly directory: string; readonly objects: InputFile[] }>();

function base(profile: Profile): { readonly directory: string; readonly objects: InputFile[] } {
  const known = bases.get(profile);
  if (known !== undefined) return known;
  const directory = mkdtempSync(join(scratch, `${profile}-`));
  const made = { directory, objects: compile(directory, BASE_PROGRAM, PROFILES[profile]) };
  bases.set(profile, made);
  return made;
}

/** The base program with `from` replaced by `to`, compiled after it. */
function edited(profile: Profile, edits: readonly (readonly [string, string])[]): InputFile[] {
  const start = base(profile);
  const directory = mkdtempSync(join(scratch, 'edit-'));
  cpSync(start.directory, directory, { recursive: true });
  let source = BASE_PROGRAM;
  for (const [from, to] of edits) {
    assert.is(source.split(from).length, 2, `"${from}" occurs once`);
    source = source.replace(from, () => to);
  }
  return compile(directory, source, PROFILES[profile]);
}

function names(diff: FileDiff): string[] {
  return diff.items.map((item) => `${item.change} ${item.demangled}`).sort();
}

for (const profile of ['debug', 'release'] as const) {
  for (const { what, edits, because = [], ...expected } of EDIT_CASES) {
    test(`${profile}: ${what}`, () => {
      const diff = diffFiles(base(profile).objects, edited(profile, edits));
      const wanted = [...expected[profile]].sort();
      assert.equal(names(diff), wanted, JSON.stringify(diff.items.map((item) => [item.demangled, item.because])));
      const reasons = diff.items.flatMap((item) => item.because);
      for (const reason of because)
        assert.ok(
          reasons.some((text) => reason.test(text)),
          `${reason} in ${reasons.join('; ')}`,
        );
      for (const item of diff.items) assert.ok(item.because.length > 0, item.name);
    });
  }

  test(`${profile}: an edit taken back: nothing`, () => {
    const start = base(profile);
    const directory = mkdtempSync(join(scratch, 'revert-'));
    cpSync(start.directory, directory, { recursive: true });
    const there = compile(directory, BASE_PROGRAM.replace('x.wrapping_add(1)', 'x.wrapping_add(2)'), PROFILES[profile]);
    const back = compile(directory, BASE_PROGRAM, PROFILES[profile]);
    assert.equal(names(diffFiles(start.objects, there)), ['body app::body']);
    assert.equal(names(diffFiles(start.objects, back)), []);
    assert.equal(names(diffFiles(there, back)), ['body app::body']);
  });

  test(`${profile}: a program equals itself, item by item`, () => {
    const open = (): LinkObject[] =>
      base(profile).objects.map((file) => openLinkObject(readObjectFile(file.read(), file.name)));
    assert.equal(diffObjects(open(), open()), { items: [], constructors: [], registrations: [], back: new Set() });
  });

  test(`${profile}: what one direction adds, the other removes; the order of objects is no matter`, () => {
    const before = base(profile).objects;
    const after = edited(profile, EDIT_CASES[4]?.edits ?? []);
    const there = diffFiles(before, after);
    const back = diffFiles(after, before);
    const swap = { added: 'removed', removed: 'added', body: 'body', initialiser: 'initialiser' } as const;
    assert.equal(
      there.items.map((item) => [item.name, swap[item.change]]),
      back.items.map((item) => [item.name, item.change]),
    );
    const shuffled = diffFiles([...before].reverse(), [...after].reverse());
    assert.equal(shuffled.items.map(toChangedItem), there.items.map(toChangedItem));
  });
}

test('debug information counts for nothing', () => {
  const directory = mkdtempSync(join(scratch, 'dwarf-'));
  const other = compile(directory, BASE_PROGRAM, [...PROFILES.debug, '-Cdwarf-version=5']);
  const { objects } = base('debug');
  assert.equal(other.map((file) => file.name).sort(), objects.map((file) => file.name).sort());
  const diff = diffFiles(objects, other);
  assert.ok(diff.identical < diff.objectsAfter / 2, `${diff.identical} of ${diff.objectsAfter} objects are identical`);
  assert.equal(names(diff), []);
});

test.run();

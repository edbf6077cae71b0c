import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { readObjectFile } from '../../formats/read-object.js';
import { fileAt, objectsAt } from './object-paths.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'ipbp-paths-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

const SOURCE = 'pub mod a { pub fn one() -> u32 { 1 } }\npub mod b { pub fn two() -> u32 { 2 } }\n';

/** Compiles SOURCE as an rlib the way cargo does, with its incremental directory. */
function compile(name: string, incremental: string): string {
  const source = join(FOLDER, 'lib.rs');
  writeFileSync(source, SOURCE);
  const output = join(FOLDER, `lib${name}.rlib`);
  const flags = ['--crate-type', 'rlib', '--crate-name', name, '-C', `incremental=${incremental}`, '-o', output];
  execFileSync('rustc', [...flags, source]);
  return output;
}

const INCREMENTAL = join(FOLDER, 'incremental');
const RLIB = compile('demo', INCREMENTAL);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof IpbpError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}

test("rustc's incremental directory and its rlib stand for the same objects", () => {
  const fromSession = objectsAt([INCREMENTAL]);
  const fromArchive = objectsAt([RLIB]);
  const contents = (files: typeof fromSession): string[] =>
    files.map((file) => Buffer.from(file.read()).toString('base64')).sort();
  assert.is.not(fromSession.length, 0);
  assert.equal(contents(fromSession), contents(fromArchive));
  for (const file of fromArchive) assert.is(readObjectFile(file.read(), file.name).kind, 'relocatable');
});

test('a session that rustc still works on does not count', () => {
  const crate = join(FOLDER, 'unfinished', 'demo-1abc');
  mkdirSync(join(crate, 's-zzzzzzzzzz-1-working'), { recursive: true });
  writeFileSync(join(crate, 's-zzzzzzzzzz-1-working', 'x.o'), '');
  assert.is(
    codeOf(() => objectsAt([crate])),
    'IPBP5905',
  );
  const finished = join(crate, 's-aaaaaaaaaa-1-2');
  mkdirSync(finished);
  writeFileSync(join(finished, 'y.o'), 'old');
  mkdirSync(join(crate, 's-bbbbbbbbbb-1-2'));
  writeFileSync(join(crate, 's-bbbbbbbbbb-1-2', 'y.o'), 'new');
  const [only, ...more] = objectsAt([crate]);
  assert.is(more.length, 0);
  assert.equal(Buffer.from(only!.read()).toString(), 'new');
});

test('two builds of one crate are refused, one of each crate is not', () => {
  const folder = join(FOLDER, 'several');
  const session = (crate: string): void => {
    mkdirSync(join(folder, crate, 's-a-1-2'), { recursive: true });
    writeFileSync(join(folder, crate, 's-a-1-2', `${crate}.o`), crate);
  };
  session('app-1');
  session('dep-1');
  assert.equal(
    objectsAt([folder]).map(({ name }) => name),
    ['app-1.o', 'dep-1.o'],
  );
  session('app-2');
  assert.is(
    codeOf(() => objectsAt([folder])),
    'IPBP5905',
  );
});

test('names that would be used twice carry the directory', () => {
  for (const folder of ['p', 'q']) {
    mkdirSync(join(FOLDER, folder));
    writeFileSync(join(FOLDER, folder, 'same.o'), folder);
  }
  writeFileSync(join(FOLDER, 'q', 'other.o'), 'q');
  const names = objectsAt([join(FOLDER, 'p'), join(FOLDER, 'q')]).map(({ name }) => name);
  assert.equal(names, [`${join(FOLDER, 'p')}(same.o)`, 'other.o', `${join(FOLDER, 'q')}(same.o)`]);
});

test('paths that lead nowhere, and files and folders without objects, have codes', () => {
  const empty = join(FOLDER, 'empty');
  mkdirSync(empty);
  execFileSync('ar', ['rc', join(FOLDER, 'empty.a')]);
  assert.is(
    codeOf(() => objectsAt([join(FOLDER, 'no such')])),
    'IPBP5903',
  );
  assert.is(
    codeOf(() => fileAt(join(FOLDER, 'no such'))),
    'IPBP5903',
  );
  assert.is(
    codeOf(() => fileAt(empty)),
    'IPBP5904',
  );
  assert.is(
    codeOf(() => objectsAt([empty])),
    'IPBP5905',
  );
  assert.is(
    codeOf(() => objectsAt([join(FOLDER, 'empty.a')])),
    'IPBP5905',
  );
});

test.run();

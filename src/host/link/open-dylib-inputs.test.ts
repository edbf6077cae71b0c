import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openDylibInputs, type DylibInputWord } from './open-dylib-inputs.js';

const folder = mkdtempSync(join(tmpdir(), 'ipbp-inputs-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const SEARCH = {
  directories: [],
  frameworkDirectories: [],
  root: '',
  onlyNamed: true,
  machine: 'arm64',
  system: 'macos',
  dropUnused: false,
} as const;
/** An archive without members. */
const EMPTY = '!<arch>\n';

function open(...words: readonly (readonly [DylibInputWord['kind'], string])[]): readonly string[] {
  const inputs = words.map(([kind, name]) => ({ name, kind, whole: false, hidden: false, how: 'needed' }) as const);
  return openDylibInputs(inputs, SEARCH).files.map((path) => path.slice(folder.length + 1));
}

test('a list names inputs a line each, in a folder that stands behind its name', () => {
  const inside = join(folder, 'in,side');
  mkdirSync(inside);
  for (const name of ['a.a', 'b c.a', 'in,side/d.a']) writeFileSync(join(folder, name), EMPTY);
  const list = join(folder, 'list');
  writeFileSync(list, `a.a\nb c.a\r\n\n`);
  const [, b] = ['a.a', 'b c.a'].map((name) => join(folder, name));
  assert.equal(open(['list', `${list},${folder}`]), ['a.a', 'b c.a']);
  assert.equal(open(['file', b ?? ''], ['list', `${list},${folder}`]), ['b c.a', 'a.a']);
  // A comma may be part of the list's own path.
  writeFileSync(join(inside, 'list'), `${join(inside, 'd.a')}\n`);
  assert.equal(open(['list', join(inside, 'list')]), ['in,side/d.a']);
});

test('a list that is not there, and what it names that is not there, are told by their paths', () => {
  assert.throws(() => open(['list', join(folder, 'none')]), /IPBP5903.*none/s);
  writeFileSync(join(folder, 'wrong'), '/no/such/file.o\n');
  assert.throws(() => open(['list', join(folder, 'wrong')]), /IPBP5903.*no\/such\/file/s);
});

test.run();

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../../formats/read-object.js';
import { findSharedLibraries } from './shared-libraries.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'ipbp-libraries-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

function compile(name: string, text: string, ...flags: string[]): string {
  const source = join(FOLDER, `${name}.c`);
  const output = join(FOLDER, name);
  writeFileSync(source, text);
  execFileSync('cc', [...flags, '-o', output, source]);
  return output;
}

test('a program finds the libraries that ldd finds, its own folder by LD_LIBRARY_PATH', () => {
  compile('libinner.so', 'int inner(void) { return 1; }', '-shared', '-fPIC');
  writeFileSync(join(FOLDER, 'libouter.so.c'), 'int inner(void); int outer(void) { return inner(); }');
  execFileSync('cc', [
    '-shared',
    '-fPIC',
    '-o',
    join(FOLDER, 'libouter.so'),
    join(FOLDER, 'libouter.so.c'),
    '-L',
    FOLDER,
    '-linner',
  ]);
  writeFileSync(join(FOLDER, 'main.c'), 'int outer(void); int main(void) { return outer(); }');
  const program = join(FOLDER, 'main');
  execFileSync('cc', ['-o', program, join(FOLDER, 'main.c'), '-L', FOLDER, '-louter', `-Wl,-rpath-link,${FOLDER}`]);

  const file = readObjectFile(readFileSync(program), program);
  const env = { LD_LIBRARY_PATH: FOLDER };
  const { libraries, missing } = findSharedLibraries(file, env);
  const listed = execFileSync('ldd', [program], { encoding: 'utf8', env: { ...process.env, ...env } });
  const expected = [...listed.matchAll(/=> (\S+)/g)].map((match) => realpathSync(match[1]!));
  assert.equal(missing, []);
  assert.equal(
    libraries
      .map((library) => realpathSync(library.name))
      .filter((path) => !path.includes('/ld-'))
      .sort(),
    expected.sort(),
  );
  assert.is(
    libraries.some((library) => library.name.endsWith('libinner.so')),
    true,
  );
});

test('what is nowhere is named', () => {
  const program = readFileSync(join(FOLDER, 'main'));
  const { missing } = findSharedLibraries(readObjectFile(program, 'main'), {});
  assert.equal(missing, ['libouter.so']);
});

test.run();

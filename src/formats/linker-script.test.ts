import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isLinkerScript, parseLinkerScript } from './linker-script.js';

test('the script that stands for the C library of this machine names its files', () => {
  const path = execFileSync('gcc', ['-print-file-name=libc.so'], { encoding: 'utf8' }).trim();
  const bytes = readFileSync(path);
  assert.ok(isLinkerScript(bytes));
  const { inputs } = parseLinkerScript(bytes.toString(), path);
  assert.equal(
    inputs.map(({ name, asNeeded }) => [name.split('/').at(-1), asNeeded]),
    [
      ['libc.so.6', false],
      ['libc_nonshared.a', false],
      ['ld-linux-x86-64.so.2', true],
    ],
  );
});

test('inputs, groups and directories', () => {
  const text = '/* a\n comment */ OUTPUT_FORMAT(a, b, c);SEARCH_DIR("/a b") INPUT(x.o,-lfoo AS_NEEDED(-lbar) "q r.o")';
  assert.equal(parseLinkerScript(text, 'x.so'), {
    inputs: [
      { name: 'x.o', asNeeded: false },
      { name: '-lfoo', asNeeded: false },
      { name: '-lbar', asNeeded: true },
      { name: 'q r.o', asNeeded: false },
    ],
    directories: ['/a b'],
  });
});

test('what is not supported or broken names its line', () => {
  assert.throws(() => parseLinkerScript('INPUT(a)\nSECTIONS { }', 'x.ld'), /IPBP1020.*"SECTIONS".*x\.ld, line 2/);
  assert.throws(() => parseLinkerScript('GROUP(a', 'x.ld'), /IPBP1020.*ends too early/);
  assert.throws(() => parseLinkerScript('/* ', 'x.ld'), /IPBP1020.*comment/);
  assert.not(isLinkerScript(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46)));
  assert.not(isLinkerScript(new Uint8Array(0)));
});

test.run();

// Definitions in real archives.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { archivesSource } from './archive-source.js';

test('what LLVM promoted is found by the spelling of its users, under the name that programs keep', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ipbp-archive-'));
  try {
    writeFileSync(join(folder, 'a.s'), '.text\n.globl "wake.llvm.42"\n.hidden "wake.llvm.42"\n"wake.llvm.42": ret\n');
    execFileSync('gcc', ['-c', 'a.s'], { cwd: folder });
    execFileSync('ar', ['rcs', 'a.a', 'a.o'], { cwd: folder });
    const read = (): Uint8Array => new Uint8Array(readFileSync(join(folder, 'a.a')));
    const find = archivesSource([{ name: 'a.a', read }]);
    assert.is(find('wake', 'wake.llvm.42')?.atom.name, 'wake');
    assert.is(find('wake', 'wake.llvm.43'), null);
    assert.is(find('wake', 'wake'), null);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();

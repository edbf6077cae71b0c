import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scratch } from '../../../tests/format-inputs.js';
import { readObjectFile } from '../../formats/read-object.js';
import { openLinkObject } from '../../link/atoms.js';
import type { Atom } from '../../link/graph.js';
import { refuseUnnamedState } from './unnamed-state.js';

function atoms(symbol: string, section: string): readonly Atom[] {
  const directory = scratch();
  writeFileSync(
    join(directory, 'm.s'),
    `.section .text.f, "ax", @progbits
     f: lea ${symbol}(%rip), %rax
     .section ${section}
     ${symbol}: .quad 0
     .section .note.GNU-stack, "", @progbits`,
  );
  execFileSync('cc', ['-c', '-o', join(directory, 'm.o'), join(directory, 'm.s')]);
  return openLinkObject(readObjectFile(readFileSync(join(directory, 'm.o')), 'm.o')).atoms();
}

test('merged statics are refused, with who uses them', () => {
  for (const symbol of ['_MergedGlobals', '.L_MergedGlobals', '_MergedGlobals.1']) {
    const refused = refuseUnnamedState(atoms(symbol, '.data.m, "aw", @progbits'));
    assert.equal(
      refused.map(({ code, name }) => [code, name]),
      [['IPBP3017', 'f']],
    );
  }
});

test('named state and unnamed constants are not', () => {
  assert.equal(refuseUnnamedState(atoms('COUNT', '.data.m, "aw", @progbits')), []);
  assert.equal(refuseUnnamedState(atoms('.Lanon', '.rodata.m, "a", @progbits')), []);
});

test.run();

// Code that is larger than branches reach: calls across it go through islands, and no others do.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../../formats/read-object.js';
import { ADD12_LO, ADRP21, BRANCH26 } from '../../reloc/arm64/fields.js';
import { pageOf } from '../../reloc/fixup.js';
import { SHARED_OBJECT } from '../emit-shared.js';
import { linkShared, type SharedResult } from '../shared.js';
import { DEFAULT_SHARED_OPTIONS } from './options.js';

const dir = mkdtempSync(join(tmpdir(), 'ipbp-veneers-'));
test.after(() => rmSync(dir, { recursive: true, force: true }));

/** Assembles for arm64 and links. */
function link(source: string): SharedResult {
  writeFileSync(join(dir, 'source.s'), source);
  execFileSync('clang-19', ['-target', 'aarch64-linux-gnu', '-c', 'source.s', '-o', 'object.o'], { cwd: dir });
  const file = readObjectFile(new Uint8Array(readFileSync(join(dir, 'object.o'))), 'object.o');
  return linkShared([{ kind: 'object', file }], DEFAULT_SHARED_OPTIONS, SHARED_OBJECT);
}

const MIB = 0x10_0000;

/** Code that does nothing. Its bytes are in the object: a file that is much larger than what it is made of is refused. */
const gap = (name: string, size: number): string => `.section .text.${name},"ax"\n.space ${size}\n`;

/** Where a branch at an address leads, through a veneer when one stands there. */
function reached(result: SharedResult, from: number): { readonly to: number; readonly hops: number } {
  const code = result.map.find(({ section }) => section === '.text.first');
  assert.ok(code !== undefined && result.bytes !== null);
  const { bytes } = result;
  const offset = (address: number): number => address - code.address + code.offset;
  const at = from + BRANCH26.decode(bytes, offset(from));
  const islands = result.map.filter(({ section, file }) => section === '.text.veneers' && file === null);
  if (!islands.some(({ address, size }) => at >= address && at < address + size)) return { to: at, hops: 0 };
  const page = pageOf(at) + ADRP21.decode(bytes, offset(at));
  return { to: page + ADD12_LO.decode(bytes, offset(at) + 4), hops: 1 };
}

function addressOf(result: SharedResult, section: string): number {
  const found = result.map.find((entry) => entry.section === section);
  assert.ok(found !== undefined, section);
  return found.address;
}

test('far calls in both directions go through veneers, near ones do not', () => {
  const result = link(`
    .section .text.first,"ax"
    .globl first
    first: bl last; bl last; bl near; ret
    .section .text.near,"ax"
    near: ret
    ${gap('one', 70 * MIB)} ${gap('two', 70 * MIB)}
    .section .text.last,"ax"
    .globl last
    .hidden last
    last: bl near; b first_local; ret
    .section .text.first
    first_local: ret
  `);
  assert.equal(
    result.errors.map(({ message }) => message),
    [],
  );
  const [first, near, last] = ['.text.first', '.text.near', '.text.last'].map((name) => addressOf(result, name)) as [
    number,
    number,
    number,
  ];
  assert.ok(last - first > 140 * MIB);
  assert.equal(reached(result, first), { to: last, hops: 1 });
  assert.equal(reached(result, first + 4), { to: last, hops: 1 });
  assert.equal(reached(result, first + 8), { to: near, hops: 0 });
  assert.equal(reached(result, last), { to: near, hops: 1 });
  assert.equal(reached(result, last + 4), { to: first + 16, hops: 1 });
  const sizes = result.map.filter(({ section }) => section === '.text.veneers').map(({ size }) => size);
  // One for the two calls of `last`, one for each of the way back.
  assert.is(
    sizes.reduce((sum, size) => sum + size, 0),
    36,
  );
});

test('where jumps through registers lead to landings only, veneers lead anywhere all the same', () => {
  const result = link(`
    .section .text.first,"ax"
    .globl first
    first: bti c; bl last; ret
    ${gap('one', 140 * MIB)}
    .section .text.last,"ax"
    last: ret
    .section .note.gnu.property,"a"
    .balign 8
    .word 4, 16, 5
    .asciz "GNU"
    .word 0xc0000000, 4, 1, 0
  `);
  assert.equal(result.errors, []);
  const island = result.map.find(({ section, file }) => section === '.text.veneers' && file === null);
  assert.ok(island !== undefined && result.bytes !== null);
  assert.equal(reached(result, addressOf(result, '.text.first') + 4), { to: addressOf(result, '.text.last'), hops: 1 });
  // ret x16
  assert.is(new DataView(result.bytes.buffer, result.bytes.byteOffset).getUint32(island.offset + 8, true), 0xd65f0200);
});

test('code that branches reach all of has no islands', () => {
  const result = link(`
    .section .text.first,"ax"
    first: bl last; ret
    ${gap('one', 100 * MIB)}
    .section .text.last,"ax"
    last: b first
  `);
  assert.equal(result.errors, []);
  assert.not.ok(result.map.some(({ section }) => section === '.text.veneers'));
  assert.is(reached(result, addressOf(result, '.text.first')).to, addressOf(result, '.text.last'));
});

test.run();

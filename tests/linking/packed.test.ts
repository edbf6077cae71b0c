// Objects whose debug information is packed: unpacked it is what it would have been without.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../../src/formats/read-object.js';
import { compiled, ipbpLink, run, scratch } from './linked.js';

const folder = scratch();

const SOURCE = `#include <stdio.h>
#include <stdlib.h>
struct shape { const char *name; double width, height; struct shape *next; };
static struct shape *first;
struct shape *add(const char *name, double width) {
  struct shape *made = calloc(1, sizeof *made);
  made->name = name; made->width = width; made->next = first;
  return first = made;
}
int f(int x) { struct shape *made = add("shape", x); return printf("%s\\n", made->name); }`;

const PLAIN = compiled(folder, 'plain.c', SOURCE, ['-g', '-gz=none']);

function packed(name: string): string {
  const object = join(folder, name);
  run('objcopy', ['--compress-debug-sections=zlib', PLAIN, object]);
  return object;
}

function link(object: string, ...options: string[]): { status: number | null; stderr: string; library: string } {
  const library = `${object.slice(0, -2)}.so`;
  const { status, stderr } = ipbpLink(['-shared', ...options, '-o', library, object], folder);
  return { status, stderr, library };
}

/** The object with one number changed in a packed section: at so many bytes from its start. */
function changed(name: string, section: string, at: number, value: number): string {
  const object = packed(name);
  const bytes = new Uint8Array(readFileSync(object));
  const found = readObjectFile(bytes, name).sections.find((one) => one.name === section);
  assert.is(found?.packing?.method, 'zlib');
  bytes[(found?.offset ?? 0) + at] = value;
  writeFileSync(object, bytes);
  return object;
}

const hasInformation = (library: string): boolean => run('readelf', ['-SW', library]).includes('.debug_info');

test('packed by zlib, the library is the same byte for byte', () => {
  const object = packed('zlib.o');
  const ratio = readObjectFile(new Uint8Array(readFileSync(object)), object).sections.map(
    ({ name, size, fileSize }) => name === '.debug_info' && size > fileSize,
  );
  assert.ok(ratio.includes(true));
  const [plain, unpacked] = [link(PLAIN), link(object)];
  assert.equal([plain.status, unpacked.status, unpacked.stderr], [0, 0, '']);
  assert.ok(hasInformation(plain.library));
  assert.equal(readFileSync(unpacked.library), readFileSync(plain.library));
});

test('packed by zstd it is unpacked where Node can, else left out with a warning', () => {
  const path = join(folder, 'zstd.c');
  writeFileSync(path, SOURCE);
  const object = join(folder, 'zstd.o');
  run('clang-19', ['-c', '-fPIC', '-g', '-gz=zstd', '-o', object, path]);
  const { status, stderr, library } = link(object);
  assert.is(status, 0);
  const able = 'zstdDecompressSync' in zlib;
  assert.is(hasInformation(library), able);
  assert.is(/warning: IPBP2036[^]*zstd[^]*zstd\.o/.test(stderr), !able);
});

test('a method that nobody knows is a warning, a broken pack an error with its place; neither is when it is stripped', () => {
  const unknown = changed('unknown.o', '.debug_info', 0, 77);
  assert.match(link(unknown).stderr, /warning: IPBP2036[^]*unknown\.o: \.debug_info/);
  assert.not(hasInformation(link(unknown).library));
  const broken = changed('broken.o', '.debug_info', 40, 0xff);
  const { status, stderr } = link(broken);
  assert.is(status, 1);
  assert.match(stderr, /IPBP1002[^]*broken\.o: \.debug_info/);
  assert.equal([link(unknown, '-S').stderr, link(broken, '-S').stderr, link(broken, '-S').status], ['', '', 0]);
  // A size that no pack of that length has takes no memory.
  const huge = link(changed('huge.o', '.debug_info', 8 + 5, 1));
  assert.is(huge.status, 1);
  assert.match(huge.stderr, /IPBP1002[^]*huge\.o/);
});

test.run();

// Objects that no assembler writes, as dylibs: found by npm run fuzz.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { machoObject } from '../../tests/macho-inputs.js';
import { readMacho } from '../formats/macho/read.js';
import { dylibEmitter } from './emit-dylib.js';
import { DYLIB_LINK, DYLIB_OPTIONS } from './dylib-options.test-support.js';
import type { DylibOptions } from './emit-dylib-options.js';
import { linkShared } from './shared.js';

/** The object of an assembly text, after some of its bytes were changed. */
function changed(text: string, change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(readFileSync(machoObject('arm64', 's', text)));
  change(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), bytes);
  return bytes;
}

/** What a link of it says: its errors, or the one that ends it. */
function said(bytes: Uint8Array, fixups: DylibOptions['fixups']): string {
  const input = { kind: 'object', file: readMacho(bytes, 'broken.o') } as const;
  try {
    return linkShared([input], DYLIB_LINK, dylibEmitter({ ...DYLIB_OPTIONS, fixups }))
      .errors.map((error) => error.message)
      .join();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const POINTERS = '.data\n.p2align 3\n.globl _a\n_a: .quad _a\n.quad _a\n';

test('two pointers over one another are told of, in chains and in programs', () => {
  const bytes = changed(POINTERS, (view, whole) => {
    const [section] = readMacho(whole, 'broken.o').macho.headers.sections.filter(({ name }) => name === '__data');
    // The entries stand in falling order: the one at 8 comes to 4.
    view.setInt32(section?.relocationOffset ?? -1, 4, true);
  });
  assert.match(said(bytes, 'chained'), /^IPBP2004: a pointer cannot be part of a chain.*at address 0x/);
  assert.match(said(bytes, 'opcodes'), /^IPBP2004: two pointers.*over one another.*at address 0x/);
  const right = changed(POINTERS, () => {});
  assert.equal([said(right, 'chained'), said(right, 'opcodes')], ['', '']);
});

test('names of sections and segments that are no text are told of with their file', () => {
  for (const name of ['__secti_name', '__SEGM_NAME']) {
    const bytes = changed('.section __SEGM_NAME,__secti_name\n.long 1\n', (_, whole) => {
      const text = Buffer.from(whole).toString('latin1');
      for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1))
        whole.fill(0xff, at, at + name.length);
    });
    assert.match(said(bytes, 'chained'), /^IPBP2035: the name of a section is longer.*at broken\.o: /);
  }
});

test('an image of more than 4 GiB is told of with its end', () => {
  const text = '.zerofill __DATA,__bss,_big,0x100000000,4\n.globl _big\n';
  assert.match(
    said(
      changed(text, () => {}),
      'chained',
    ),
    /^IPBP2035: the image is larger.*at the end of the image/,
  );
});

test.run();

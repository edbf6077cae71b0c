// Objects whose relocations are not as compilers write them: found by npm run fuzz.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../../formats/read-object.js';
import { openWorkshop } from './link.test-support.js';
import type { LinkInput } from './options.js';

const { compile, link, remove } = openWorkshop();
test.after(remove);

const assemble = (source: string): Uint8Array => new Uint8Array(readFileSync(compile(source, '-xassembler')));
const broken = (bytes: Uint8Array): LinkInput => ({ kind: 'object', file: readObjectFile(bytes, 'broken.o') });

test('two relocations of one word are packed once', () => {
  const word = 'w: .reloc w, R_X86_64_64, w\n.reloc w, R_X86_64_64, w+8\n.quad 0\n';
  const bytes = assemble(`.data\n.balign 8\n.globl w\n.hidden w\n${word}`);
  const result = link([broken(bytes)], { packRelative: true });
  assert.equal(result.errors, []);
  assert.ok(result.bytes);
});

test('an alignment of gigabytes makes no file of gigabytes', () => {
  const source = '.section .wide,"aM",@progbits,8\n.quad 1\n.quad 2\n.quad 3\n.section .far,"aw"\n.quad 4\n';
  for (const name of ['.wide', '.far']) {
    const bytes = assemble(source);
    const headers = readObjectFile(bytes, 'broken.o').sections;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const at = Number(view.getBigUint64(40, true)) + 64 * headers.findIndex((section) => section.name === name);
    // sh_addralign
    for (const [align, sound] of [
      [2 ** 21, true],
      [2 ** 31, false],
      [2 ** 50, false],
    ] as const) {
      view.setBigUint64(at + 48, BigInt(align), true);
      const run = (): Uint8Array | null => link([broken(bytes)]).bytes;
      if (sound) assert.ok((run()?.length ?? 0) > align / 2);
      else assert.throws(run, new RegExp(`^IPBP2035.*at \\${name}, aligned to`));
    }
  }
});

test('what is loaded and what is not stay apart, whatever they are called', () => {
  const sections = ['"x "', 'x', '"x  "'].map((name, index) => {
    const flags = index === 1 ? '""' : '"aw"';
    return `.section ${name},${flags},@progbits\n.quad w\n`;
  });
  const bytes = assemble(`.globl w\n.data\nw: .quad 0\n${sections.join('')}`);
  const { bytes: linked, errors } = link([broken(bytes)]);
  assert.equal(errors, []);
  assert.ok(linked);
  const names = readObjectFile(linked, 'linked.so').sections.map(({ name, alloc }) => `${name}${alloc ? '+' : '-'}`);
  assert.equal(
    names.filter((name) => name.startsWith('x')),
    ['x +', 'x  +', 'x-'],
  );
});

test('a zero-filled section of petabytes is an error that names it', () => {
  for (const [name, flags] of [
    ['.bss.far', 'aw'],
    ['.tbss.far', 'awT'],
  ] as const) {
    const bytes = assemble(`.section ${name},"${flags}",@nobits\n.zero 8\n`);
    const headers = readObjectFile(bytes, 'broken.o').sections;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const at = Number(view.getBigUint64(40, true)) + 64 * headers.findIndex((section) => section.name === name);
    // sh_size
    for (const size of [2 ** 52, Number.MAX_SAFE_INTEGER]) {
      view.setBigUint64(at + 32, BigInt(size), true);
      assert.throws(() => link([broken(bytes)]), /^IPBP2035.*larger than is linked.*at \.t?bss/);
    }
    view.setBigUint64(at + 32, BigInt(2 ** 51), true);
    assert.ok(link([broken(bytes)]).bytes);
  }
});

test('a relocation whose field leaves its section is an error that says where, loaded or not', () => {
  for (const flags of ['"aw"', '""']) {
    const bytes = assemble(`.section .short,${flags},@progbits\n.globl w\nw: .quad w\n`);
    const relocations = readObjectFile(bytes, 'broken.o').sections.find(({ name }) => name === '.rela.short');
    assert.ok(relocations);
    // r_offset: inside the section, of which the word then takes more than there is.
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(relocations.offset, 5, true);
    const { errors } = link([broken(bytes)], { packRelative: true });
    assert.is(errors.length, 1);
    assert.match(errors[0]?.message ?? '', /^IPBP2004: .* outside .*broken\.o/);
  }
});

test.run();

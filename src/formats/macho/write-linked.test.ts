import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { output, scratch } from '../../../tests/format-inputs.js';
import { MACHO_MACHINES, type MachoMachine } from '../../../tests/macho-inputs.js';
import { LoadCommands, objdump } from '../../../tests/macho-library.js';
import { verifyCodeSignature } from './code-signature.js';
import * as macho from './constants.js';
import { encodeChainedFixups } from './encode-chained-fixups.js';
import { encodeExportTrie } from './encode-export-trie.js';
import { encodeSymbols } from './encode-symbols.js';
import { encodeFunctionStarts } from './function-starts.js';
import { linkedHeaderSize, pageSizeOf, writeLinked, type LinkedHeader, type LinkedSection } from './write-linked.js';

/** `mov w0, 42; ret` and the same of the other machine. */
const CODE = {
  arm64: Uint8Array.of(0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6),
  x86_64: Uint8Array.of(0xb8, 42, 0, 0, 0, 0xc3, 0x90, 0x90),
};

const NO_INDIRECT = { indirect: 0, stubSize: 0 };

/** A library with the function `answer`, and words that hold its address and that of `puts`. */
function library(machine: MachoMachine, fixups: 'chained' | 'opcodes'): Uint8Array {
  const page = pageSizeOf(machine);
  const text = (address: number, size: number): LinkedSection => {
    const flags = macho.S_ATTR_PURE_INSTRUCTIONS + macho.S_ATTR_SOME_INSTRUCTIONS;
    return { segment: '__TEXT', name: '__text', address, offset: address, size, align: 4, flags, ...NO_INDIRECT };
  };
  const data: LinkedSection = {
    ...{ segment: '__DATA', name: '__data', address: page, offset: page, size: 16 },
    ...{ align: 8, flags: 0, ...NO_INDIRECT },
  };
  const sizes = { memorySize: page, fileSize: page, readOnlyLater: false };
  const header = (codeAt: number): LinkedHeader => ({
    machine,
    fileType: macho.MH_DYLIB,
    flags: macho.MH_NOUNDEFS + macho.MH_DYLDLINK + macho.MH_TWOLEVEL,
    identity: { name: '@rpath/libhand.dylib', currentVersion: 0x1_0203, compatibilityVersion: 0x1_0000 },
    needed: [
      { name: '/usr/lib/libSystem.B.dylib', kind: 'needed', currentVersion: 0x5_0000, compatibilityVersion: 0x1_0000 },
      { name: '/usr/lib/libmaybe.dylib', kind: 'weak', currentVersion: 0, compatibilityVersion: 0 },
    ],
    searchPaths: ['@loader_path'],
    build: { platform: 1, minimum: 0xb_0000, sdk: 0xe_0200 },
    segments: [
      { ...sizes, name: '__TEXT', address: 0, offset: 0, protection: 'rx', sections: [text(codeAt, 8)] },
      { ...sizes, name: '__DATA', address: page, offset: page, protection: 'rw', sections: [data] },
    ],
    fixups,
  });
  const codeAt = linkedHeaderSize(header(0)) + 64;
  const body = new Uint8Array(page * 2);
  body.set(CODE[machine], codeAt);
  const { segments } = header(codeAt);
  const chained = encodeChainedFixups(body, {
    ...{ base: 0, pageSize: page, segments },
    imports: [{ name: '_puts', library: 1, weak: false }],
    rebases: [{ address: page, target: codeAt }],
    binds: [{ address: page + 8, symbol: 0, addend: 0 }],
  });
  const none = new Uint8Array(0);
  const opcodes = { kind: 'opcodes', rebase: none, bind: none, weakBind: none, lazyBind: none } as const;
  return writeLinked(body, header(codeAt), {
    fixups: fixups === 'chained' ? { kind: 'chained', data: chained } : opcodes,
    exports: encodeExportTrie([{ name: '_answer', kind: 'regular', value: codeAt, weak: false, reexport: null }]),
    functionStarts: encodeFunctionStarts([codeAt]),
    dataInCode: none,
    symbols: encodeSymbols({
      locals: [{ name: '_words', type: macho.N_SECT, section: 2, description: 0, value: page }],
      defined: [{ name: '_answer', type: macho.N_SECT + macho.N_EXT, section: 1, description: 0, value: codeAt }],
      undefined: [{ name: '_puts', type: macho.N_EXT, section: 0, description: 0x100, value: 0 }],
    }),
    indirect: [2],
    identifier: 'libhand.dylib',
  });
}

for (const machine of MACHO_MACHINES) {
  for (const fixups of ['chained', 'opcodes'] as const) {
    test(`LLVM's tools and the linker take a library of ${machine} with fixups as ${fixups}`, () => {
      const bytes = library(machine, fixups);
      assert.equal(bytes, library(machine, fixups), 'the same bytes again');
      const path = join(scratch(), `libhand-${machine}-${fixups}.dylib`);
      writeFileSync(path, bytes);
      const { offset, size } = new LoadCommands(bytes).linked(macho.LC_CODE_SIGNATURE);
      assert.is(offset + size, bytes.length);
      const { identifier, execSegLimit } = verifyCodeSignature(bytes, offset, size, path);
      assert.equal([identifier, execSegLimit], ['libhand.dylib', pageSizeOf(machine)]);
      const headers = objdump(path, '--private-headers');
      for (const part of ['DYLIB', 'NOUNDEFS DYLDLINK TWOLEVEL', '@rpath/libhand.dylib', 'LC_LOAD_WEAK_DYLIB']) {
        assert.ok(headers.includes(part), part);
      }
      assert.match(headers, /platform macos\s+sdk 14.2\s+minos 11.0/);
      assert.match(headers, /current version 1.2.3\ncompatibility version 1.0.0/);
      assert.match(objdump(path, '--disassemble'), /_answer:\n.*mov.*0x2a.*\n.*ret/s);
      assert.match(objdump(path, '--exports-trie'), /_answer/);
      assert.match(output('llvm-nm-19', [path]), / T _answer\n +U _puts\n[0-9a-f]+ d _words/);
      if (fixups === 'chained') {
        assert.match(objdump(path, '--dyld-info'), /rebase .*\n.*bind +0x0 +libSystem +_puts/);
      }
      // The linker resolves a name in it, by its identity.
      const user = join(scratch(), `user-${machine}`);
      writeFileSync(`${user}.c`, 'extern int answer(void); int ask(void) { return answer(); }');
      output('clang-19', ['-target', `${machine}-apple-macos12`, '-c', '-o', `${user}.o`, `${user}.c`]);
      const platform = ['-arch', machine, '-platform_version', 'macos', '12.0', '12.0', '-fixup_chains'];
      execFileSync('ld64.lld-19', ['-dylib', ...platform, '-o', `${user}.dylib`, `${user}.o`, path], { stdio: 'pipe' });
      assert.match(objdump(`${user}.dylib`, '--private-headers'), /LC_LOAD_DYLIB\n.*\n\s+name @rpath\/libhand.dylib/);
    });
  }
}

test('another content has another identifier', () => {
  const uuid = (bytes: Uint8Array): Uint8Array => {
    const file = new LoadCommands(bytes);
    return bytes.slice(file.find(macho.LC_UUID) + 8).subarray(0, 16);
  };
  const chained = uuid(library('arm64', 'chained'));
  assert.is((chained[6] as number) >> 4, 8);
  assert.not.equal(chained, uuid(library('arm64', 'opcodes')));
});

test.run();

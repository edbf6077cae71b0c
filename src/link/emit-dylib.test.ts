import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MACHO_C, MACHO_CPP, MACHO_MACHINES, machoObject, type MachoMachine } from '../../tests/macho-inputs.js';
import { verifyCodeSignature } from '../formats/macho/code-signature.js';
import { readMacho, type MachoFile } from '../formats/macho/read.js';
import { readUnwindInfo } from '../formats/macho/unwind-info.js';
import { readObjectFile } from '../formats/read-object.js';
import { dylibEmitter } from './emit-dylib.js';
import { DYLIB_LINK, DYLIB_OPTIONS } from './dylib-options.test-support.js';
import type { DylibOptions } from './emit-dylib-options.js';
import { linkShared, type SharedResult } from './shared.js';
import type { SharedOptions } from './shared/options.js';

function link(
  paths: readonly string[],
  options: Partial<SharedOptions> = {},
  more: Partial<DylibOptions> = {},
): SharedResult {
  const inputs = paths.map((path) => {
    return { kind: 'object', file: readObjectFile(new Uint8Array(readFileSync(path)), path) } as const;
  });
  return linkShared(inputs, { ...DYLIB_LINK, ...options }, dylibEmitter({ ...DYLIB_OPTIONS, ...more }));
}

/** Links without errors, checks every page's hash, and reads the result. */
function library(...[paths, options, more]: Parameters<typeof link>): MachoFile {
  const { bytes, errors } = link(paths, options, more);
  assert.equal(
    errors.map(({ message }) => message),
    [],
  );
  assert.ok(bytes !== null);
  const { codeSignature } = signaturePlace(bytes);
  verifyCodeSignature(bytes, codeSignature.offset, codeSignature.size, 'libtest.dylib');
  return readMacho(bytes, 'libtest.dylib');
}

const LC_CODE_SIGNATURE = 0x1d;

function signaturePlace(bytes: Uint8Array): { codeSignature: { offset: number; size: number } } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 32; ; at += view.getUint32(at + 4, true)) {
    if (view.getUint32(at, true) !== LC_CODE_SIGNATURE) continue;
    return { codeSignature: { offset: view.getUint32(at + 8, true), size: view.getUint32(at + 12, true) } };
  }
}

function exportsOf(file: MachoFile): string[] {
  const symbols = file.linked?.dynamicSymbols ?? [];
  return symbols.flatMap(({ name, section }) => (section === 'undefined' || name === '' ? [] : [name])).sort();
}

const objects = new Map(
  MACHO_MACHINES.map((machine) => [machine, machoObject(machine, 'c', MACHO_C, '-O1', '-fcommon')]),
);
const objectOf = (machine: MachoMachine): string => objects.get(machine) as string;

for (const machine of MACHO_MACHINES) {
  test(`a library of C is what its readers say of it (${machine})`, () => {
    for (const fixups of ['chained', 'opcodes'] as const) {
      const file = library([objectOf(machine)], {}, { fixups });
      assert.is(file.kind, 'shared');
      assert.is(file.machine, machine);
      assert.is(file.linked?.soname, '@rpath/libtest.dylib');
      const shown = ['constant', 'counter', 'fresh', 'maybe', 'mix', 'pointers', 'tentative', 'text', 'work'];
      assert.equal(exportsOf(file), shown);
      const wanted = file.linked?.dynamicSymbols.filter(({ section, name }) => section === 'undefined' && name !== '');
      const names = new Set(wanted?.map(({ name }) => name));
      for (const name of ['_tlv_bootstrap', 'outside', 'perhaps']) assert.ok(names.has(name), name);
    }
  });

  test(`only what is reached stays, and only what is shown is seen (${machine})`, () => {
    const rule = (name: string): boolean => name === 'text';
    const file = library([objectOf(machine)], { gc: true, exportRule: rule });
    assert.equal(exportsOf(file), ['text']);
    const code = file.symbols.filter(({ kind }) => kind === 'function').map(({ name }) => name);
    assert.equal(code, ['text']);
    assert.not.ok(file.sections.some(({ name }) => name === '__DATA,__thread_vars'));
    assert.ok(file.sections.some(({ name }) => name === '__TEXT,__cstring'));
  });

  test(`of weak definitions one is kept, with its unwind rows and no others (${machine})`, () => {
    const one = machoObject(
      machine,
      'cpp',
      `${MACHO_CPP} int first(base *b) { return twice(b->f()); }`,
      '-O0',
      '-fno-rtti',
    );
    const two = machoObject(machine, 'cpp', MACHO_CPP.replace('int run', 'int other'), '-O0');
    const apart = library([one]);
    const file = library([one, two]);
    const twice = (library: MachoFile): number =>
      library.symbols.filter(({ name, section }) => name === '_Z5twiceIiET_S0_' && section !== 'undefined').length;
    assert.is(twice(apart), 1);
    assert.is(twice(file), 1);
    const functions = file.symbols.filter(({ kind, section }) => kind === 'function' && section !== 'undefined');
    const unwind = file.sections.find(({ name }) => name === '__TEXT,__unwind_info');
    assert.ok(unwind !== undefined);
    const rows = readUnwindInfo(file.sectionBytes(unwind.index), 'libtest.dylib', unwind.offset);
    const covering = (address: number): boolean => rows.findLast(({ start }) => start <= address)?.encoding !== 0;
    const bare = functions.filter(({ value }) => !covering(value)).map(({ name }) => name);
    assert.equal(bare, []);
    // The function that catches: its language-specific table and its personality are in its row.
    const run = functions.find(({ name }) => name === '_Z3runP4base');
    const row = rows.find(({ start }) => start === run?.value);
    assert.ok(row !== undefined && row.lsda !== null && row.personality !== null, JSON.stringify(row));
  });
}

test('what nobody defines is an error that says where, unless it may be anywhere', () => {
  const strict = link([objectOf('arm64')], { unresolved: 'error' });
  assert.equal([...new Set(strict.errors.map(({ code }) => code))], ['IPBP2031']);
  assert.match(strict.errors.map(({ message }) => message).join(), /outside is not defined/);
  const named = ['outside', 'perhaps', '_tlv_bootstrap'];
  assert.equal(link([objectOf('arm64')], { unresolved: 'error', unresolvedNames: named }).errors, []);
});

test('objects with classes of Objective-C are refused by name', () => {
  const classes = `__attribute__((objc_root_class)) @interface One
- (int)answer;
@end
@implementation One
- (int)answer { return 1; }
@end`;
  const { errors, bytes } = link([objectOf('arm64'), machoObject('arm64', 'm', classes)], { unresolved: 'allow' });
  assert.is(bytes, null);
  assert.equal(
    errors.map(({ code }) => code),
    ['IPBP2035'],
  );
  assert.match(errors.map((error) => String(error)).join(), /Objective-C.*\.m\.o: __\w+,__objc_/s);
});

test('an initialiser of another library has no offset', () => {
  const source = `
.section __DATA,__mod_init_func,mod_init_funcs
.p2align 3
.quad _elsewhere`;
  const { errors } = link([machoObject('arm64', 's', source)], { unresolved: 'allow' });
  assert.match(errors.map((error) => String(error)).join(), /IPBP2035.*initialiser.*__mod_init_func/s);
  assert.equal(link([machoObject('arm64', 's', source)], { unresolved: 'allow' }, { initOffsets: false }).errors, []);
});

test('objects of another format or machine are refused', () => {
  assert.throws(() => link([objectOf('arm64'), objectOf('x86_64')]), /IPBP1003/);
});

test('the same inputs give the same bytes; without a signature and an identifier there are none', () => {
  const [first, second] = [link([objectOf('arm64')]), link([objectOf('arm64')])];
  assert.equal(first.bytes, second.bytes);
  const bare = link([objectOf('arm64')], {}, { signed: false, identified: false });
  const file = readMacho(bare.bytes as Uint8Array, 'libtest.dylib');
  assert.is(file.linked?.buildId, null);
  assert.ok((bare.bytes?.length ?? 0) < (first.bytes?.length ?? 0));
});

test.run();

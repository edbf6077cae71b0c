import * as fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { output, scratch } from '../../../tests/format-inputs.js';
import { encodeText } from '../../bytes/text.js';
import { isTextStub, readTextStub } from './read.js';
import { packedVersion, stubView, type StubView, type TextStub } from './stub.js';

const STUB = `--- !tapi-tbd
tbd-version:     4
targets:         [ x86_64-macos, arm64-macos,
                   arm64e-macos ]
# a comment
flags:           [ not_app_extension_safe ]
install-name:    '/usr/lib/libfirst.dylib'   # another
current-version: 1351.2.3
compatibility-version: 2
swift-abi-version: 5
parent-umbrella:
  - targets:         [ x86_64-macos, arm64-macos ]
    umbrella:        System
reexported-libraries:
  - targets:         [ x86_64-macos, arm64-macos ]
    libraries:       [ '/usr/lib/libsecond.dylib', '/usr/lib/libabsent.dylib' ]
  - targets:         [ arm64-macos ]
    libraries:       [ '/usr/lib/libthird.dylib' ]
exports:
  - targets:         [ x86_64-macos, arm64-macos, arm64e-macos ]
    symbols:         [ _one, '_quo''ted', "_double", '$ld$hide$os10.4$_one', R8$_x, _two,
                       _three ]
    weak-symbols:    [ _weak ]
    thread-local-symbols: [ _local ]
  - targets: [ x86_64-macos ]
    symbols: [ _only_intel ]
    objc-classes: [ Thing, Trouble ]
    objc-eh-types: [ Trouble ]
    objc-ivars: [ Thing.part ]
reexports:
- targets: [ arm64-macos ]
  symbols: [ _again ]
undefineds:
  - targets: [ arm64-macos ]
    symbols: [ _needed ]
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/usr/lib/libsecond.dylib'
reexported-libraries:
  - targets: [ arm64-macos ]
    libraries: [ '/usr/lib/libfirst.dylib' ]
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ _second, _one ]
--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos ]
install-name: '/usr/lib/libthird.dylib'
exports:
  - targets: [ arm64-macos ]
    symbols: [ _third ]
...
`;

const read = (text: string): TextStub => readTextStub(encodeText(text), 'lib.tbd');

/** Everything about a target, sorted. */
function shown(view: StubView | null): unknown {
  if (view === null) return null;
  const symbols = [...view.symbols].map(([name, { weak, threadLocal }]) => `${name} ${weak} ${threadLocal}`).sort();
  return { ...view, symbols, missing: [...view.missing].sort() };
}

test('a stub says what a library and those it re-exports have, target by target', () => {
  const stub = read(STUB);
  assert.equal(shown(stubView(stub, 'x86_64-macos')), {
    installName: '/usr/lib/libfirst.dylib',
    currentVersion: 1351 * 65536 + 2 * 256 + 3,
    compatibilityVersion: 2 * 65536,
    symbols: [
      '_OBJC_CLASS_$_Thing false false',
      '_OBJC_CLASS_$_Trouble false false',
      '_OBJC_EHTYPE_$_Trouble false false',
      '_OBJC_IVAR_$_Thing.part false false',
      '_OBJC_METACLASS_$_Thing false false',
      '_OBJC_METACLASS_$_Trouble false false',
      'R8$_x false false',
      '_double false false',
      '_local false true',
      '_one false false',
      '_only_intel false false',
      "_quo'ted false false",
      '_second false false',
      '_three false false',
      '_two false false',
      '_weak true false',
    ].sort(),
    missing: ['/usr/lib/libabsent.dylib'],
  });
  const arm = stubView(stub, 'arm64-macos');
  for (const name of ['_again', '_second', '_third', '_one']) assert.ok(arm?.symbols.has(name), name);
  for (const name of ['_needed', '_only_intel']) assert.not.ok(arm?.symbols.has(name), name);
  assert.is(stubView(stub, 'arm64-ios'), null);
});

test('the JSON that LLVM makes of it says the same', () => {
  const path = join(scratch(), 'first.tbd');
  writeFileSync(path, STUB);
  const json = output('llvm-readtapi-19', ['--filetype=tbd-v5', path]);
  assert.ok(isTextStub(encodeText(json)));
  for (const target of ['x86_64-macos', 'arm64-macos', 'arm64e-macos', 'arm64-ios']) {
    assert.equal(shown(stubView(read(json), target)), shown(stubView(read(STUB), target)), target);
  }
});

test('versions are packed as load commands have them', () => {
  assert.equal(['1', '1.2', '65535.255.255', '0'].map(packedVersion), [0x1_0000, 0x1_0200, 0xffff_ffff, 0]);
  assert.equal(['', '1.', 'a', '1.256', '65536', '1.2.3.4'].map(packedVersion), Array(6).fill(null));
});

test('what is a stub is told from other text', () => {
  assert.ok(isTextStub(encodeText(`# a comment\n\n${STUB}`)));
  for (const text of ['', '{}', '--- !other', 'GROUP ( libc.so.6 )']) assert.not.ok(isTextStub(encodeText(text)), text);
});

const head = (rest: string): string => `--- !tapi-tbd\ntbd-version: 4\ntargets: [ a ]\ninstall-name: x\n${rest}`;

for (const [what, text, expected] of [
  ['another version', '--- !tapi-tbd-v3\ninstall-name: x\n', /IPBP1003.*line 1$/],
  ['another document', '--- !tapi-tbd\ntbd-version: 3\n', /IPBP1003.*tbd 3.*line 1$/],
  ['an unknown field', head('colour: red'), /IPBP1002.*unknown: colour.*line 5$/],
  ['a list that does not end', head('exports:\n  - targets: [ a,\n     b'), /list without its end.*line 6$/],
  ['a missing comma', head('flags: [ "a" b ]'), /no comma.*line 5$/],
  ['a field twice', head('install-name: y'), /install-name for the second time.*line 5$/],
  ['a map for a list', head('exports:\n  targets: [ a ]'), /a map where a list belongs.*line 6$/],
  ['a word for a list', head('exports: a'), /a text where a list belongs.*line 5$/],
  ['an anchor', head('current-version: &a 1'), /form that is not read.*line 5$/],
  ['a wrong version', head('current-version: 1.2.3.4'), /version that is none.*line 5$/],
  ['an odd indentation', head('exports:\n    - targets: [ a ]\n   - targets: [ a ]'), /IPBP1002.*line 7$/],
  ['a tab', head('exports:\n\t- targets: [ a ]'), /a tab.*line 6$/],
  ['a value that is missing', head('exports:'), /exports without a value.*line 5$/],
  ['text outside', 'install-name: x\n', /outside of a document.*line 1$/],
  ['nothing', '', /no document.*line 1$/],
  ['no name', '--- !tapi-tbd\ntbd-version: 4\ntargets: [ a ]\n', /no install-name.*line 1$/],
  ['broken JSON', '{"tapi_tbd_version": 5,\n "main_library": }', /IPBP1002.*no JSON.*line 2$/],
  ['an old JSON', '{"tapi_tbd_version": 4}', /IPBP1003/],
  [
    'a number for a name',
    '{"tapi_tbd_version":5,"main_library":{"install_names":[{"name":1}]}}',
    /main_library.install_names\[0\].name$/,
  ],
] as const) {
  test(`${what}: an error that says where`, () => {
    assert.throws(
      () => read(text),
      (error: Error) => expected.test(error.message) || assert.match(error.message, expected),
    );
  });
}

test('any damage to a stub is an error of ours, or harmless', () => {
  const damage = fc.record({
    at: fc.nat(STUB.length - 1),
    with: fc.constantFrom('', '[', ']', ':', '\n', "'", '"', '- ', ',', ' '),
  });
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (all) => {
      let text = STUB;
      for (const one of all) text = text.slice(0, one.at) + one.with + text.slice(one.at + 1);
      try {
        stubView(read(text), 'arm64-macos');
      } catch (error) {
        assert.match(String(error), /IPBP100[23].*line \d+$/);
      }
    }),
  );
  assert.throws(
    () => read(head(`exports:\n${Array.from({ length: 100 }, (_, i) => `${' '.repeat(i + 1)}a:\n`).join('')}`)),
    /levels/,
  );
});

test.run();

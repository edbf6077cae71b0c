import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { execFileSync } from 'node:child_process';
import * as inputs from '../../../tests/format-inputs.js';
import { readElf } from '../elf/read.js';
import { demangle, demangleWithHash } from './demangle.js';

/** Mangled, readable, readable with hash. By hand from the two documents. */
const CASES: readonly (readonly [string, string, string])[] = [
  // legacy
  [
    '_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE',
    'core::fmt::Write::write_fmt',
    'core::fmt::Write::write_fmt::h0123456789abcdef',
  ],
  [
    '_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE',
    "<Test + 'static as foo::Bar<Test>>::bar",
    "<Test + 'static as foo::Bar<Test>>::bar::h930b740aa94f1d3a",
  ],
  ['_ZN3foo3bar17h05af221e174051e9E.llvm.9D1C9369', 'foo::bar', 'foo::bar::h05af221e174051e9'],
  ['_ZN3foo3bar17h05af221e174051e9E.cold', 'foo::bar.cold', 'foo::bar::h05af221e174051e9.cold'],
  ['__ZN3foo3bar17h05af221e174051e9E', 'foo::bar', 'foo::bar::h05af221e174051e9'],
  ['_ZN13_$LT$$C$$RP$_17h05af221e174051e9E', '<,)_', '<,)_::h05af221e174051e9'],
  // not Rust's
  ['_ZN3foo3barE', '_ZN3foo3barE', '_ZN3foo3barE'],
  ['_ZNSt6vectorIiSaIiEE9push_backEOi', '_ZNSt6vectorIiSaIiEE9push_backEOi', '_ZNSt6vectorIiSaIiEE9push_backEOi'],
  ['main', 'main', 'main'],
  ['_Rust', '_Rust', '_Rust'],
  ['', '', ''],
  // v0
  ['_RNvC6_123foo3bar', '123foo::bar', '123foo::bar'],
  ['_RNvCs1234_7mycrate3foo', 'mycrate::foo', 'mycrate[3c1c0]::foo'],
  [
    '_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y',
    'utf8_idents::საჭმელად_გემრიელი_სადილი',
    'utf8_idents[317d481089b8c8fe]::საჭმელად_გემრიელი_სადილი',
  ],
  [
    '_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_',
    'cc::spawn::{closure#0}::{closure#0}',
    'cc[4d6468d6c9fd4bb3]::spawn::{closure#0}::{closure#0}',
  ],
  [
    '_RMCs4fqI2P2rA04_13const_genericINtB0_8UnsignedKhb_E',
    '<const_generic::Unsigned<11>>',
    '<const_generic[317d481089b8c8fe]::Unsigned<11u8>>',
  ],
  [
    '_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKs98_E',
    '<const_generic::Signed<152>>',
    '<const_generic[317d481089b8c8fe]::Signed<152i16>>',
  ],
  [
    '_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKanb_E',
    '<const_generic::Signed<-11>>',
    '<const_generic[317d481089b8c8fe]::Signed<-11i8>>',
  ],
  [
    '_RMCs4fqI2P2rA04_13const_genericINtB0_4BoolKb1_E',
    '<const_generic::Bool<true>>',
    '<const_generic[317d481089b8c8fe]::Bool<true>>',
  ],
  [
    '_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKc76_E',
    "<const_generic::Char<'v'>>",
    "<const_generic[317d481089b8c8fe]::Char<'v'>>",
  ],
  [
    '_RMCs4fqI2P2rA04_13const_genericINtB0_4CharKca_E',
    "<const_generic::Char<'\\n'>>",
    "<const_generic[317d481089b8c8fe]::Char<'\\n'>>",
  ],
  ['_RINvC1a1bKRe616263_E', 'a::b::<"abc">', 'a::b::<"abc">'],
  ['_RINvC1a1bKRAh1_h2_EE', 'a::b::<{&[1, 2]}>', 'a::b::<{&[1u8, 2u8]}>'],
  ['_RINvC1a1bKTh7_b1_EE', 'a::b::<{(7, true)}>', 'a::b::<{(7u8, true)}>'],
  ['_RINvC1a1bKVNtB2_3FooS1xh1_1yh2_EE', 'a::b::<{a::Foo { x: 1, y: 2 }}>', 'a::b::<{a::Foo { x: 1u8, y: 2u8 }}>'],
  [
    '_RINvC1a1bKoffffffffffffffffffffffffffffffff_E',
    'a::b::<0xffffffffffffffffffffffffffffffff>',
    'a::b::<0xffffffffffffffffffffffffffffffffu128>',
  ],
  ['_RINvC1a1bRL0_eE', '_RINvC1a1bRL0_eE', '_RINvC1a1bRL0_eE'],
  [
    '_RINvC1a1bRSeQhPxOuAtj4_TaETabEE',
    'a::b::<&[str], &mut u8, *const i64, *mut (), [u16; 4], (i8,), (i8, bool)>',
    'a::b::<&[str], &mut u8, *const i64, *mut (), [u16; 4usize], (i8,), (i8, bool)>',
  ],
  [
    '_RINvC1a1bFUKCmEbFG_RL0_hEuE',
    'a::b::<unsafe extern "C" fn(u32) -> bool, for<\'a> fn(&\'a u8)>',
    'a::b::<unsafe extern "C" fn(u32) -> bool, for<\'a> fn(&\'a u8)>',
  ],
  ['_RINvC1a1bFK13sysv64_unwindhEuE', 'a::b::<extern "sysv64-unwind" fn(u8)>', 'a::b::<extern "sysv64-unwind" fn(u8)>'],
  [
    '_RINvC1a1bDNtC4core5CloneINtBa_2FnuEp6OutputhNtBa_4SendEL_E',
    'a::b::<dyn core::Clone + core::Fn<(), Output = u8> + core::Send>',
    'a::b::<dyn core::Clone + core::Fn<(), Output = u8> + core::Send>',
  ],
  ['_RNvXs_C1aNtB4_3FooNtB4_3Bar3baz', '<a::Foo as a::Bar>::baz', '<a::Foo as a::Bar>::baz'],
  ['_RNvYhNtC1a3Bar3baz', '<u8 as a::Bar>::baz', '<u8 as a::Bar>::baz'],
  ['_RNSNvC1a1b7cleanup', 'a::b::{shim:cleanup#0}', 'a::b::{shim:cleanup#0}'],
  ['_RNvC1a1bC3use', 'a::b', 'a::b'],
  ['_RNvC1a1b.llvm.12345', 'a::b', 'a::b'],
  ['_RNvC1a1b.0', 'a::b.0', 'a::b.0'],
];

for (const [name, readable, full] of CASES) {
  test(`demangles ${name}`, () => {
    assert.is(demangle(name), readable);
    assert.is(demangleWithHash(name), full);
  });
}

/** binutils writes types of constants as `8: usize` and drops suffixes that LLVM put on; ours are like rustc's. */
function alike(text: string): string {
  return text.replace(
    /(\d|true|false|'): ?([iu](?:8|16|32|64|128|size)|bool|char)\b/g,
    (_, value: string, type: string) => (/[iu]/.test(type.charAt(0)) ? `${value}${type}` : value),
  );
}

test('agrees with binutils on every Rust name of a program and of libstd', () => {
  const member = inputs.unpacked(inputs.standardRlib('std')).find((path) => path.endsWith('.o'));
  assert.ok(member);
  const units = inputs.unpacked(inputs.debugRlib()).filter((path) => path.endsWith('.o'));
  const names = new Set<string>();
  for (const path of [inputs.rustProgram(), inputs.releaseObject(), member, ...units]) {
    for (const { name } of readElf(inputs.bytesOf(path), path).symbols) if (/^_(R|ZN)/.test(name)) names.add(name);
  }
  const list = [...names];
  assert.ok(list.some((name) => name.startsWith('_R')) && list.some((name) => name.startsWith('_ZN')));
  assert.ok(list.length > 2000, `${list.length} names`);
  const run = (...args: string[]): string[] =>
    execFileSync('c++filt', args, { input: list.join('\n'), encoding: 'utf8', maxBuffer: 2 ** 28 })
      .trim()
      .split('\n');
  const theirs = run('-s', 'rust');
  list.forEach((name, index) => {
    const ours = demangleWithHash(name);
    assert.is.not(ours, name);
    const suffix = /\.\d+$/.exec(ours)?.[0] ?? '';
    assert.is(ours, alike(theirs[index] ?? '') + (theirs[index]?.endsWith(suffix) === true ? '' : suffix));
  });
});

test('letters of the grammar in any order: a name comes back, in the end', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'_RNvCsIBMXYTSKpEFDLu0123456789abh$.'), maxLength: 80 });
  fc.assert(
    fc.property(letters, fc.constantFrom('_R', '_ZN', '__R', '_RNvC1a', '_RINvC1a1b'), (tail, head) => {
      assert.type(demangle(head + tail), 'string');
      assert.type(demangleWithHash(head + tail), 'string');
    }),
    { numRuns: 3000 },
  );
});

test('a name whose back references double at each step is given back as it is', () => {
  // Each tuple holds the one before twice: 2^n types.
  let name = '_RINvC1a1b';
  const places: number[] = [];
  let body = 'INvC1a1b';
  for (let level = 0; level < 60; level++) {
    places.push(body.length);
    const before = level === 0 ? 'uu' : `B${base62(places[level - 1] ?? 0)}`.repeat(2);
    body += `T${before}E`;
  }
  body += 'E';
  name = `_R${body}`;
  const start = performance.now();
  assert.is(demangle(name), name);
  assert.ok(performance.now() - start < 2000);
  assert.is(demangle(`_R${'INvC1a1b'.repeat(400)}`), `_R${'INvC1a1b'.repeat(400)}`);
  assert.is(demangle(`_RIC1a${'R'.repeat(5000)}uE`), `_RIC1a${'R'.repeat(5000)}uE`);
});

function base62(value: number): string {
  if (value === 0) return '_';
  const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  let rest = value - 1;
  let text = '';
  do {
    text = digits.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  } while (rest > 0);
  return `${text}_`;
}

test.run();

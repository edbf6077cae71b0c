// The crates' cdylibs: built by cargo with the linker's call captured, and what each must answer when it is called.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../record.js';
import { arm64Rust } from '../setup/arm64-rust.js';
import { cacheFolder } from '../setup/cache.js';
import { run } from '../setup/run.js';
import { type MachineName } from '../suite.js';
import { captureSettings, readCapture, type CapturedLink } from './capture.js';
import { MACHINE_TOOLS } from './machine-tools.js';

/** A call of an exported function, and what it must answer. */
export interface Call {
  readonly name: string;
  readonly input: string;
  readonly output: string;
}

const call = (name: string, input: string, output: string): Call => ({ name, input, output });

/** The libraries of conformance/crates, and their calls. Digests are those of FIPS 180-4's and RFC 4231's examples. */
export const CRATES: Readonly<Record<string, readonly Call[]>> = {
  text: [
    call('find_words', 'één=1 b=22, ç=333', '1:één;22:b;333:ç;'),
    call('replace_dates', 'of 2024-02-29 and 1999-12-31', 'of 29.02.2024 and 31.12.1999'),
    call('sort_json', '{"b":[1,2.5,null],"a":"\\u00e9"}', '{"a":"é","b":[1,2.5,null]}'),
    call(
      'sort_json',
      '{"b":',
      'panic: called `Result::unwrap()` on an `Err` value: "EOF while parsing a value at line 1 column 5"',
    ),
  ],
  threads: [
    call('sum_squares', '1000', '332833500'),
    call('sort_words', 'pear fig apple date', 'apple date fig pear'),
    call('count_in_threads', '8', '84 7 8'),
    call('count_in_threads', '3', '24 7 3'),
    call('own_values', 'a bb ccc dddd', '10'),
    call('panic_in_thread', 'over here', 'over here'),
    call('sum_squares', 'x', 'panic: a number: ParseIntError { kind: InvalidDigit }'),
  ],
  cipher: [
    call('sha256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
    call(
      'sha512',
      'abc',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ),
    call(
      'mac_of',
      'The quick brown fox jumps over the lazy dog',
      'f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8',
    ),
    call('there_and_back', 'sealed', '22 sealed'),
  ],
  pack: [
    call('zstd_there_and_back', 'over and over ', 'true true'),
    call('zstd_fails', 'no frame', 'Unknown frame descriptor'),
    call('deflate_there_and_back', 'again and again ', 'true true'),
  ],
  source: [
    call('format_source', 'fn  f( a:u8 )->u8{a+ 1}', 'fn f(a: u8) -> u8 {\n    a + 1\n}\n'),
    call('names_in', 'impl<T: Copy> Held<T> { fn take(self) -> T { self.0 } }', 'T,Copy,Held,T,take,Self,T,self'),
    call('format_source', 'fn (', 'error: cannot parse string into token stream'),
  ],
  script: [
    call('evaluate', 'let s = 0; for i in 0..10 { if i % 2 == 0 { s += i; } } s', '20'),
    call('evaluate', 'let f = |x| x * 2 + 1; [1, 2, 3].map(f)', '[3, 5, 7]'),
    call('evaluate', '1 / 0', 'error: Division by zero: 1 / 0 (line 1, position 3)'),
    call('call_back', 'twice(twice(5))', '20'),
    call('call_back', 'fail(3)', 'panic: told to fail with 3'),
  ],
};

/** The link of one crate's library, built and captured when the cache has it not. */
export function captureCrate(machine: MachineName, name: string): CapturedLink {
  const folder = cacheFolder('captured', 'crates', machine);
  const link = readCapture(machine, folder, `conform_${name}`) ?? build(machine, name, folder);
  return { ...link, name };
}

function build(machine: MachineName, name: string, folder: string): CapturedLink {
  const source = cacheFolder('crates');
  cpSync(join(ROOT, 'conformance', 'crates'), source, { recursive: true });
  const args = ['--release', '--locked', '--lib', '--package', `conform-${name}`];
  return captureCargo({ machine, source, args, into: folder, name: `conform_${name}` });
}

/** A build of a cdylib, the link of which is wanted. */
export interface CapturedBuild {
  readonly machine: MachineName;
  /** The folder of the workspace. */
  readonly source: string;
  /** Of `cargo build`. */
  readonly args: readonly string[];
  /** Gets a folder of the library's name. */
  readonly into: string;
  /** Of the library's crate. */
  readonly name: string;
}

/** Builds a cdylib by cargo, with its link captured. */
export function captureCargo({ machine, source, args, into, name }: CapturedBuild): CapturedLink {
  const { triple, cc } = MACHINE_TOOLS[machine];
  const { folder: shim, env } = captureSettings(machine, into);
  const upper = triple.toUpperCase().replaceAll('-', '_');
  const flags = [
    `-Clink-arg=-B${shim}`,
    '-Clink-self-contained=-linker',
    '-Clinker-features=-lld',
    '-Zunstable-options',
  ];
  const variables = {
    ...env,
    RUSTC_BOOTSTRAP: '1',
    CARGO_TARGET_DIR: join(source, 'target'),
    [`CARGO_TARGET_${upper}_LINKER`]: cc,
    [`CARGO_TARGET_${upper}_RUSTFLAGS`]: flags.join(' '),
    [`CC_${triple.replaceAll('-', '_')}`]: cc,
    ...(machine === 'aarch64' ? { RUSTC: arm64Rust().rustc } : {}),
  };
  run('cargo', ['build', ...args, '--target', triple], { cwd: source, env: variables, timeout: 7_200_000 });
  const link = readCapture(machine, into, name);
  if (link === null) throw new Error(`cargo linked no ${name}: remove its folder of target and try again`);
  return link;
}

// How the matrix builds its programs.
import { darwinToolchain } from '../../conformance/setup/darwin-toolchain.js';
import type { AppleTarget, DarwinTarget } from '../../conformance/setup/darwin-toolchain.js';
import { linkerFlags, wildFlags } from './linkers.js';
import { muslEnvironment } from './musl.js';
import type { Row } from './row.js';
import { WITHOUT_TYPES } from './without-types.js';

/** One way to build a program. */
export interface Configuration {
  readonly name: string;
  /** For cargo; made when it is needed, as a linker may have to be built. Throws where something is missing. */
  readonly environment: () => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  /** For `ipbp run` and cargo. */
  readonly runArguments: readonly string[];
  /** True where functions are compiled one by one, so that a row may name what a patch holds. */
  readonly unoptimised: boolean;
  /** Alters files of the copy: path, text → text. */
  readonly change?: (path: string, text: string) => string;
  /** What is right here and differs from elsewhere, by row. */
  readonly otherwise?: Readonly<Record<string, Partial<Row>>>;
}

function flags(text: string): Record<string, string> {
  return { RUSTFLAGS: text };
}

const RELEASE = { CARGO_PROFILE_RELEASE_INCREMENTAL: 'true', CARGO_PROFILE_RELEASE_STRIP: 'none' };

/** What `cargo run` does by itself. */
export const DEBUG: Configuration = { name: 'debug', environment: () => ({}), runArguments: [], unoptimised: true };

export const OPT_1: Configuration = {
  name: 'opt-1',
  environment: () => ({ CARGO_PROFILE_DEV_OPT_LEVEL: '1' }),
  runArguments: [],
  unoptimised: false,
};

export const V0: Configuration = {
  ...DEBUG,
  name: 'v0-names',
  environment: () => flags('-Csymbol-mangling-version=v0'),
};

export const BFD: Configuration = { ...DEBUG, name: 'gnu-ld', environment: () => flags(linkerFlags('bfd')) };

export const MOLD: Configuration = { ...DEBUG, name: 'mold', environment: () => flags(linkerFlags('mold')) };

export const RELEASE_BUILD: Configuration = {
  name: 'release',
  environment: () => RELEASE,
  runArguments: ['--release'],
  unoptimised: false,
  otherwise: WITHOUT_TYPES,
};

/** A program for macOS, or iOS, run by a Mach-O loader of our own: what `ipbp run` chooses there by itself. */
function darwin(target: AppleTarget): Configuration {
  return {
    ...DEBUG,
    name: target,
    environment: () => darwinToolchain(target).env,
    runArguments: ['--target', target],
  };
}

export const MACOS = darwin('x86_64-apple-darwin');

/** The same program without slots. */
function darwinInPlace(target: DarwinTarget): Configuration {
  return {
    ...darwin(target),
    name: `${target}-in-place`,
    runArguments: ['--target', target, '--redirect', 'jump'],
  };
}

export const MACOS_IN_PLACE = darwinInPlace('x86_64-apple-darwin');

function darwinRelease(target: DarwinTarget): Configuration {
  return {
    ...RELEASE_BUILD,
    name: `${target}-release`,
    environment: () => ({ ...darwinToolchain(target).env, ...RELEASE, CARGO_PROFILE_RELEASE_DEBUG: 'true' }),
    runArguments: ['--target', target, '--release'],
    otherwise: {},
  };
}

/** Everything that `--full` runs. */
export const ALL: readonly Configuration[] = [
  DEBUG,
  V0,
  OPT_1,
  {
    ...RELEASE_BUILD,
    name: 'release-debug-info',
    environment: () => ({ ...RELEASE, CARGO_PROFILE_RELEASE_DEBUG: 'true' }),
    otherwise: {},
  },
  RELEASE_BUILD,
  { ...OPT_1, name: 'opt-s', environment: () => ({ CARGO_PROFILE_DEV_OPT_LEVEL: 's' }) },
  BFD,
  MOLD,
  { ...DEBUG, name: 'wild', environment: () => flags(wildFlags()) },
  { ...DEBUG, name: 'strip-debuginfo', environment: () => ({ CARGO_PROFILE_DEV_STRIP: 'debuginfo' }) },
  { ...DEBUG, name: 'slots', runArguments: ['--redirect', 'slots'] },
  { ...DEBUG, name: 'dylib', runArguments: ['--deliver', 'dylib'] },
  { ...DEBUG, name: 'dylib-slots', runArguments: ['--deliver', 'dylib', '--redirect', 'slots'] },
  { ...DEBUG, name: 'static-musl', environment: muslEnvironment },
  MACOS,
  darwin('aarch64-apple-darwin'),
  darwin('aarch64-apple-ios'),
  MACOS_IN_PLACE,
  darwinInPlace('aarch64-apple-darwin'),
  darwinRelease('x86_64-apple-darwin'),
  darwinRelease('aarch64-apple-darwin'),
  // The workspace's library, and std, as shared libraries.
  {
    ...DEBUG,
    name: 'shared-libraries',
    environment: () => flags('-Cprefer-dynamic'),
    change: (path, text) => (path === 'pricing/Cargo.toml' ? `${text}\n[lib]\ncrate-type = ["dylib"]\n` : text),
  },
];

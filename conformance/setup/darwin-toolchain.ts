// All that cargo needs to build and run programs for macOS here: a compiler with std, a linker that signs, libSystem's
// names, and our loader as the target's runner.
import { darwinLinker } from './darwin-linker.js';
import { darwinSdk } from './darwin-sdk.js';
import { machorun } from './machorun.js';
import { rustWithStd } from './rust-std.js';

/** A macOS target of rustc. */
export type DarwinTarget = 'aarch64-apple-darwin' | 'x86_64-apple-darwin';

/** A target of rustc whose programs the loader runs. */
export type AppleTarget = DarwinTarget | 'aarch64-apple-ios';

/** What is there for one target. */
export interface DarwinToolchain {
  readonly target: AppleTarget;
  readonly rustc: string;
  /** Called as Apple's `cc` is, to link. */
  readonly cc: string;
  /** Called as Apple's `ld` is. */
  readonly ld: string;
  /** Runs a program of the target: `machorun [OPTION…] PROGRAM [ARGUMENT…]`. */
  readonly machorun: string;
  readonly sdk: string;
  /** With it in the environment, `cargo build --target TARGET` and `cargo run --target TARGET` work. */
  readonly env: Readonly<Record<string, string>>;
}

/** The toolchain; what is not in the cache is downloaded and built, which takes about two minutes for a target. */
export function darwinToolchain(target: AppleTarget): DarwinToolchain {
  const { rustc } = rustWithStd(target);
  const { ld, cc } = darwinLinker();
  const runner = machorun(target);
  const sdk = darwinSdk(target === 'aarch64-apple-ios' ? 'ios' : 'macos');
  const variable = `CARGO_TARGET_${target.toUpperCase().replaceAll('-', '_')}`;
  const env = {
    RUSTC: rustc,
    SDKROOT: sdk,
    [`${variable}_LINKER`]: cc,
    [`${variable}_RUNNER`]: runner,
    // What cargo sets itself where it runs on a Mac; else rustc calls dsymutil, and strip.
    CARGO_PROFILE_DEV_SPLIT_DEBUGINFO: 'unpacked',
    CARGO_PROFILE_DEV_STRIP: 'none',
    CARGO_PROFILE_RELEASE_STRIP: 'none',
  };
  return { target, rustc, cc, ld, machorun: runner, sdk, env };
}

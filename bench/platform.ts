// The systems that benchmarks build programs for: what cargo is told, where it puts what it makes, and what starts it.
// Owns what differs between them; what is measured is in the benchmarks.
import { join } from 'node:path';
import { type DarwinTarget, darwinToolchain } from '../conformance/setup/darwin-toolchain.js';
import { linkEnvironment } from '../src/host/cargo/slot-environment.js';
import { writeScripts } from '../src/host/cargo/scripts.js';
import { ROOT } from './record.js';

export type Profile = 'debug' | 'release';

/** One system and machine. */
export interface Platform {
  readonly target: string;
  /** For cargo, besides what it has. */
  readonly environment: Readonly<Record<string, string>>;
  /** Arguments of `cargo build`. */
  readonly cargo: readonly string[];
  /** What comes before a program of it on a command line. */
  readonly runner: readonly string[];
  /** Its programs run as fast as this machine does, not emulated: their own times mean something. */
  readonly native: boolean;
  /** Patches reach functions through slots only, and are shared libraries. */
  readonly slotsOnly: boolean;
  /** Below cargo's target directory. */
  outputs(profile: Profile): string;
}

/** This machine's own. */
export const HERE: Platform = {
  target: 'x86_64-unknown-linux-gnu',
  environment: {},
  cargo: [],
  runner: [],
  native: true,
  slotsOnly: false,
  outputs: (profile) => profile,
};

function darwin(target: DarwinTarget): Platform {
  const { env, machorun } = darwinToolchain(target);
  return {
    target,
    environment: env,
    cargo: ['--target', target],
    runner: [machorun],
    native: target.startsWith('x86_64'),
    slotsOnly: true,
    outputs: (profile) => join(target, profile),
  };
}

/** Targets that benchmarks can be told. */
export const TARGETS = ['x86_64-unknown-linux-gnu', 'x86_64-apple-darwin', 'aarch64-apple-darwin'] as const;

export type Target = (typeof TARGETS)[number];

/** The platform of a target; sets its compiler and std up where that was not done before. */
export function platformOf(target: Target): Platform {
  return target === 'x86_64-unknown-linux-gnu' ? HERE : darwin(target);
}

/** What writes a link's arguments, as `ipbp run` calls it: the compiled program, not its source through a loader. */
export const LINK_WRITER = join(ROOT, 'dist', 'host', 'cargo', 'link-main.js');

/** What cargo needs beside {@link Platform.environment} so that programs are linked with slots. `folder` is for ipbp's files. */
export function slotsEnvironment({ target }: Platform, folder: string): Readonly<Record<string, string>> {
  const scripts = writeScripts(join(folder, 'scripts'));
  return {
    ...linkEnvironment('slots', target, scripts),
    RUSTC_WRAPPER: scripts.rustcWrapper,
    IPBP_UNITS: join(folder, 'units'),
    IPBP_LINK_WRITER: `'${process.execPath}' '${LINK_WRITER}'`,
  };
}

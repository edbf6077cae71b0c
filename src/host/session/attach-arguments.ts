// What cargo must have been asked for so that it made a recorded executable: its arguments again, from the recorded rustc
// command alone. cargo tells a runner nothing of them.
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readCaptures, unitOfExecutable } from '../cargo/capture-store.js';
import { optionValues, type Unit } from '../cargo/unit.js';

/** How an executable came to be. */
export interface Making {
  /** The arguments of `cargo run` that make it again; only its target directory where it was not recorded. */
  readonly args: readonly string[];
  /**
   * Variables that cargo, a build script or the configuration set for its rustc. cargo sets them for the program too, and
   * who builds again must not take them for the user's own.
   */
  readonly variables: readonly string[];
}

/** These the user may well have set, too: cargo adds to the first, rustup needs the second. */
const KEPT_VARIABLES: ReadonlySet<string> = new Set(['LD_LIBRARY_PATH', 'RUSTUP_TOOLCHAIN']);

/** Finds the recorded command of an executable. */
export function makingOf(program: string): Making {
  const profile = basename(dirname(program)) === 'examples' ? dirname(dirname(program)) : dirname(program);
  const nearest = dirname(profile);
  for (const target of [nearest, dirname(nearest)]) {
    const root = unitOfExecutable(readCaptures(join(target, 'ipbp', 'units')), program);
    if (root === null) continue;
    const variables = Object.keys(root.env).filter((name) => !KEPT_VARIABLES.has(name));
    return { args: argumentsOf(root, program, target, basename(profile)), variables };
  }
  // With `--target` the executable lies one directory deeper.
  const target = existsSync(join(nearest, 'ipbp')) ? nearest : dirname(nearest);
  return { args: ['--target-dir', target], variables: [] };
}

function argumentsOf(root: Unit, program: string, targetDirectory: string, profile: string): string[] {
  const manifestDirectory = root.env['CARGO_MANIFEST_DIR'];
  const isExample = basename(dirname(program)) === 'examples';
  const features = optionValues(root.args, '--cfg').flatMap((cfg) => /^feature="(.*)"$/.exec(cfg)?.[1] ?? []);
  const [triple] = optionValues(root.args, '--target');
  return [
    ...(manifestDirectory === undefined ? [] : ['--manifest-path', join(manifestDirectory, 'Cargo.toml')]),
    isExample ? '--example' : '--bin',
    basename(program),
    ...profileArguments(profile),
    // All that was on in the end, so it does not matter what asked for it.
    '--no-default-features',
    ...(features.length === 0 ? [] : ['--features', features.join(',')]),
    ...(triple === undefined ? [] : ['--target', triple]),
    '--target-dir',
    targetDirectory,
  ];
}

/** cargo calls the directory of the dev profile "debug"; of all others as the profile. */
function profileArguments(directory: string): string[] {
  switch (directory) {
    case 'debug':
      return [];
    case 'release':
      return ['--release'];
    default:
      return ['--profile', directory];
  }
}

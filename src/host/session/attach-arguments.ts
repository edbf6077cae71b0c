// What cargo must have been asked for so that it made a recorded executable: its arguments again, from the recorded rustc
// command alone. cargo tells a runner nothing of them. Where its build directory is another than its target directory,
// cargo is asked for it.
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readProject } from '../cargo/cargo-project.js';
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

/** Finds the recorded command of an executable that cargo has just started us for. Throws IPBP5001, IPBP5002. */
export async function makingOf(program: string): Promise<Making> {
  const profile = profileOf(dirname(program));
  // With `--target` it lies one directory deeper.
  const targets = [dirname(profile), dirname(dirname(profile))];
  const recorded = (directory: string): Unit | null =>
    unitOfExecutable(readCaptures(join(directory, 'ipbp', 'units')), program);
  let root = recorded(targets[0] ?? '') ?? recorded(targets[1] ?? '');
  if (root === null) {
    const { buildDirectory } = await readProject(process.env['CARGO_MANIFEST_DIR'] ?? process.cwd(), []);
    if (!targets.includes(buildDirectory)) root = recorded(buildDirectory);
  }
  if (root !== null) {
    const variables = Object.keys(root.env).filter((name) => !KEPT_VARIABLES.has(name));
    return { args: argumentsOf(root, program, profile), variables };
  }
  // cargo marks the directories that it makes so.
  const target = targets.find((directory) => existsSync(join(directory, 'CACHEDIR.TAG'))) ?? targets[0] ?? '';
  return { args: ['--target-dir', target], variables: [] };
}

/** A profile's directory from where programs lie in it, or what they are made of. */
function profileOf(directory: string): string {
  return /^(examples|deps)$/.test(basename(directory)) ? dirname(directory) : directory;
}

function argumentsOf(root: Unit, program: string, profile: string): string[] {
  const manifestDirectory = root.env['CARGO_MANIFEST_DIR'];
  const isExample = basename(dirname(program)) === 'examples';
  const features = optionValues(root.args, '--cfg').flatMap((cfg) => /^feature="(.*)"$/.exec(cfg)?.[1] ?? []);
  const [triple] = optionValues(root.args, '--target');
  const above = (path: string): string => (triple === undefined ? dirname(path) : dirname(dirname(path)));
  const [targetDirectory, buildDirectory] = [above(profile), above(profileOf(root.outDir))];
  return [
    ...(manifestDirectory === undefined ? [] : ['--manifest-path', join(manifestDirectory, 'Cargo.toml')]),
    isExample ? '--example' : '--bin',
    basename(program),
    ...profileArguments(basename(profile)),
    // All that was on in the end, so it does not matter what asked for it.
    '--no-default-features',
    ...(features.length === 0 ? [] : ['--features', features.join(',')]),
    ...(triple === undefined ? [] : ['--target', triple]),
    '--target-dir',
    targetDirectory,
    ...(buildDirectory === targetDirectory ? [] : ['--config', `build.build-dir=${JSON.stringify(buildDirectory)}`]),
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

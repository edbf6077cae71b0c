// What has to be known of the user's project before cargo runs: target directory, workspace libraries, target triple,
// a rustc wrapper that is there already. Asks cargo and rustc, both at once; starts no build.
import { execFile } from 'node:child_process';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { asCommand, configFiles, readSettings, samePath, type Setting } from './cargo-config.js';
import { cfgHolds } from './cfg-expression.js';
import { chosenRustc, targetTools, type TargetTools } from './target-tools.js';
import { isEmulated, namedTarget, targetVariable } from './target-triple.js';

export interface CargoProject {
  /** `+name` of rustup, or null. */
  readonly toolchain: string | null;
  /** The user's arguments without `+name`. */
  readonly args: readonly string[];
  /** Where cargo puts what it was asked for. */
  readonly targetDirectory: string;
  /** Where all lies that this is made of (`build.build-dir`, cargo 1.91): the target directory, if no other is set. */
  readonly buildDirectory: string;
  readonly workspaceRoot: string;
  /** The workspace's packages. */
  readonly packages: readonly WorkspacePackage[];
  /** Crate names (underscores) of the workspace's libraries. */
  readonly localCrates: ReadonlySet<string>;
  /** Manifests of the workspace, build scripts, and macro crates' roots: only cargo can build a change of these. */
  readonly cargoOnlyFiles: readonly string[];
  readonly hostTriple: string;
  /** What cargo builds for. */
  readonly targetTriple: string;
  /** The wrapper that was configured, to be chained; as a path where it is no command of the PATH. */
  readonly rustcWrapper: string | null;
  /** The runner that was configured, to be chained. */
  readonly runner: Runner | null;
  /** Its runner is what runs programs of that target on this machine. */
  readonly emulated: boolean;
  /** To build something of ours for the target with. */
  readonly tools: TargetTools;
}

/** A package of the workspace. */
export interface WorkspacePackage {
  readonly name: string;
  readonly manifest: string;
  /** Its crates, with what cargo says of them: `bin`, `lib`, `proc-macro`, `custom-build`, `example`… */
  readonly crates: readonly { readonly name: string; readonly kinds: readonly string[] }[];
}

/** What the user has cargo start programs with. */
export interface Runner {
  readonly words: readonly string[];
  /** It is set for the target triple, as one text: cargo takes no list in its place. */
  readonly asText: boolean;
}

/** Throws IPBP5001 without cargo or rustc, IPBP5002 without a manifest. */
export async function readProject(directory: string, cargoArguments: readonly string[]): Promise<CargoProject> {
  const first = cargoArguments[0];
  const toolchain = first?.startsWith('+') === true ? first : null;
  const args = toolchain === null ? cargoArguments : cargoArguments.slice(1);
  const plus = toolchain === null ? [] : [toolchain];
  const manifest = optionValue(args, '--manifest-path');
  const configArguments = optionValues(args, '--config');
  const chosenTarget = optionValue(args, '--target-dir');
  const settings = readSettings(directory, configArguments);
  const rustc = chosenRustc(settings, directory) ?? 'rustc';
  const [metadata, version] = await Promise.all([
    output(
      'cargo',
      [
        ...plus,
        'metadata',
        '--no-deps',
        '--format-version',
        '1',
        ...configArguments.flatMap((argument) => ['--config', argument]),
        ...(manifest === null ? [] : ['--manifest-path', manifest]),
      ],
      directory,
      // `cargo metadata` does not know the option; as in a build, the variable goes before the configuration.
      chosenTarget === null ? {} : { CARGO_TARGET_DIR: resolve(directory, chosenTarget) },
    ),
    output(rustc, [...plus, '-vV'], directory),
  ]);
  if (metadata.status !== 0)
    throw new IpbpError('IPBP5002', 'cargo could not read the project', {
      where: directory,
      because: [metadata.stderr.trim()],
    });
  const hostTriple = /^host: (.+)$/m.exec(version.stdout)?.[1];
  if (hostTriple === undefined)
    throw new IpbpError('IPBP5001', 'rustc did not say what it compiles for', { because: [version.stderr.trim()] });
  const parsed = parseMetadata(metadata.stdout);
  const targetTriple = namedTarget(
    optionValue(args, '--target') ?? configuredTargets(settings)[0] ?? hostTriple,
    hostTriple,
  );
  return {
    toolchain,
    args,
    ...parsed,
    cargoOnlyFiles: [
      ...parsed.cargoOnlyFiles,
      ...configFiles(directory),
      join(parsed.workspaceRoot, '.cargo', 'config.toml'),
    ],
    hostTriple,
    targetTriple,
    rustcWrapper: rustcWrapper(directory, settings),
    runner: await chosenRunner(directory, settings, targetTriple, plus),
    emulated: isEmulated(targetTriple, hostTriple),
    tools: targetTools(settings, directory, targetTriple, hostTriple, toolchain),
  };
}

/** The directory of a profile with the fingerprints of what lies in `directory`, a profile's own or its `examples`. */
export function buildProfile(
  { targetDirectory, buildDirectory }: Pick<CargoProject, 'targetDirectory' | 'buildDirectory'>,
  directory: string,
): string {
  const profile = basename(directory) === 'examples' ? dirname(directory) : directory;
  const below = relative(targetDirectory, profile);
  return below.startsWith('..') ? profile : join(buildDirectory, below);
}

/** The last value of `--name value` or `--name=value` before `--`. */
export function optionValue(args: readonly string[], name: string): string | null {
  return optionValues(args, name).at(-1) ?? null;
}

function optionValues(args: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (const [index, argument] of args.entries()) {
    if (argument === '--') break;
    const next = args[index + 1];
    if (argument === name && next !== undefined) values.push(next);
    else if (argument.startsWith(`${name}=`)) values.push(argument.slice(name.length + 1));
  }
  return values;
}

/** What is built for where no `--target` is given, as it is written: by the environment, else by the configuration. */
export function configuredTargets(settings: readonly Setting[]): readonly string[] {
  const variable = nonEmpty(process.env['CARGO_BUILD_TARGET']);
  if (variable !== null) return [variable];
  const { value = [] } = settings.find(({ path }) => samePath(path, ['build', 'target'])) ?? {};
  return (typeof value === 'string' ? [value] : value).filter((name) => name !== '');
}

/** cargo calls rustc in each package's directory, so a path is made whole here. */
function rustcWrapper(directory: string, settings: readonly Setting[]): string | null {
  const named = nonEmpty(process.env['RUSTC_WRAPPER']) ?? nonEmpty(process.env['CARGO_BUILD_RUSTC_WRAPPER']);
  return named === null ? configuredWrapper(settings) : asCommand(named, directory);
}

/** `build.rustc-wrapper` of the configuration files; as a path where it is no command of the PATH. */
export function configuredWrapper(settings: readonly Setting[]): string | null {
  const setting = settings.find(({ path }) => samePath(path, ['build', 'rustc-wrapper']));
  return typeof setting?.value === 'string' && setting.value !== '' ? asCommand(setting.value, setting.base) : null;
}

async function chosenRunner(
  directory: string,
  settings: readonly Setting[],
  triple: string,
  toolchain: readonly string[],
): Promise<Runner | null> {
  const variable = nonEmpty(process.env[targetVariable(triple, 'RUNNER')]);
  const configured = await configuredRunner(directory, settings, triple, toolchain);
  if (variable === null) return configured;
  return { words: runnerWords(variable, directory), asText: configured?.asText === true };
}

/** `target.<triple>.runner` of the configuration files, else `target.'cfg(…)'.runner`. Throws IPBP5001. */
export async function configuredRunner(
  directory: string,
  settings: readonly Setting[],
  triple: string,
  toolchain: readonly string[] = [],
): Promise<Runner | null> {
  const isRunner = ({ path }: Setting): boolean => path.length === 3 && path[0] === 'target' && path[2] === 'runner';
  const own = settings.find((setting) => isRunner(setting) && setting.path[1] === triple);
  if (own !== undefined) return { words: runnerWords(own.value, own.base), asText: typeof own.value === 'string' };
  const conditional = settings.filter((setting) => isRunner(setting) && setting.path[1]?.startsWith('cfg(') === true);
  if (conditional.length === 0) return null;
  const rustc = process.env['RUSTC'] ?? 'rustc';
  const { stdout } = await output(rustc, [...toolchain, '--print', 'cfg', '--target', triple], directory);
  const known = new Set(stdout.split('\n'));
  const chosen = conditional.find(({ path }) => cfgHolds(path[1] ?? '', known));
  return chosen === undefined ? null : { words: runnerWords(chosen.value, chosen.base), asText: false };
}

function runnerWords(value: string | readonly string[], base: string): string[] {
  const [program = '', ...args] = typeof value === 'string' ? value.split(/\s+/).filter((word) => word !== '') : value;
  return [asCommand(program, base), ...args];
}

interface Output {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function output(
  program: string,
  args: readonly string[],
  cwd: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Output> {
  const options = { cwd, maxBuffer: 256 * 1024 * 1024, env: { ...process.env, ...variables } };
  return new Promise((fulfil, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) fulfil({ status: 0, stdout, stderr });
      else if (typeof error.code === 'number') fulfil({ status: error.code, stdout, stderr });
      else reject(new IpbpError('IPBP5001', `${program} cannot be run`, { where: cwd, cause: error }));
    });
  });
}

/** The parts of `cargo metadata` that are used. */
interface Metadata {
  readonly target_directory: string;
  /** Since cargo 1.91. */
  readonly build_directory?: string;
  readonly workspace_root: string;
  readonly packages: readonly {
    readonly name: string;
    readonly manifest_path: string;
    readonly targets: readonly { readonly name: string; readonly kind: readonly string[]; readonly src_path: string }[];
  }[];
}

function parseMetadata(
  text: string,
): Pick<
  CargoProject,
  'targetDirectory' | 'buildDirectory' | 'workspaceRoot' | 'packages' | 'localCrates' | 'cargoOnlyFiles'
> {
  const metadata = JSON.parse(text) as Metadata;
  const localCrates = new Set<string>();
  const cargoOnlyFiles = [join(metadata.workspace_root, 'Cargo.toml')];
  for (const { manifest_path: manifest, targets } of metadata.packages) {
    cargoOnlyFiles.push(manifest);
    for (const { name, kind, src_path: source } of targets) {
      if (kind.some((one) => one === 'lib' || one === 'rlib')) localCrates.add(name.replaceAll('-', '_'));
      if (kind.includes('custom-build') || kind.includes('proc-macro')) cargoOnlyFiles.push(source);
    }
  }
  return {
    targetDirectory: metadata.target_directory,
    buildDirectory: metadata.build_directory ?? metadata.target_directory,
    workspaceRoot: metadata.workspace_root,
    packages: metadata.packages.map(({ name, manifest_path: manifest, targets }) => ({
      name,
      manifest,
      crates: targets.map((target) => ({ name: target.name.replaceAll('-', '_'), kinds: target.kind })),
    })),
    localCrates,
    cargoOnlyFiles: [...new Set(cargoOnlyFiles)],
  };
}

function nonEmpty(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

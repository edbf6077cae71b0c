// What has to be known of the user's project before cargo runs: target directory, workspace libraries, target triple,
// a rustc wrapper that is there already. Asks cargo and rustc, both at once; starts no build.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { IpbpError } from '../../codes/error.js';

export interface CargoProject {
  /** `+name` of rustup, or null. */
  readonly toolchain: string | null;
  /** The user's arguments without `+name`. */
  readonly args: readonly string[];
  readonly targetDirectory: string;
  readonly workspaceRoot: string;
  /** Crate names (underscores) of the workspace's libraries. */
  readonly localCrates: ReadonlySet<string>;
  /** Manifests of the workspace, build scripts, and macro crates' roots: only cargo can build a change of these. */
  readonly cargoOnlyFiles: readonly string[];
  readonly hostTriple: string;
  /** What cargo builds for. */
  readonly targetTriple: string;
  /** The wrapper that was configured, to be chained. */
  readonly rustcWrapper: string | null;
}

/** Throws IPBP5001 without cargo or rustc, IPBP5002 without a manifest. */
export async function readProject(directory: string, cargoArguments: readonly string[]): Promise<CargoProject> {
  const first = cargoArguments[0];
  const toolchain = first?.startsWith('+') === true ? first : null;
  const args = toolchain === null ? cargoArguments : cargoArguments.slice(1);
  const plus = toolchain === null ? [] : [toolchain];
  const manifest = optionValue(args, '--manifest-path');
  const [metadata, version] = await Promise.all([
    output(
      'cargo',
      [
        ...plus,
        'metadata',
        '--no-deps',
        '--format-version',
        '1',
        ...(manifest === null ? [] : ['--manifest-path', manifest]),
      ],
      directory,
    ),
    output(process.env['RUSTC'] ?? 'rustc', [...plus, '-vV'], directory),
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
  const chosenTarget = optionValue(args, '--target-dir');
  const config = configFiles(directory);
  return {
    toolchain,
    args,
    targetDirectory: chosenTarget === null ? parsed.targetDirectory : resolve(directory, chosenTarget),
    workspaceRoot: parsed.workspaceRoot,
    localCrates: parsed.localCrates,
    cargoOnlyFiles: parsed.cargoOnlyFiles,
    hostTriple,
    targetTriple:
      optionValue(args, '--target') ??
      process.env['CARGO_BUILD_TARGET'] ??
      configString(config, 'build', 'target') ??
      hostTriple,
    rustcWrapper:
      nonEmpty(process.env['RUSTC_WRAPPER']) ??
      nonEmpty(process.env['CARGO_BUILD_RUSTC_WRAPPER']) ??
      configString(config, 'build', 'rustc-wrapper'),
  };
}

/** The last value of `--name value` or `--name=value` before `--`. */
export function optionValue(args: readonly string[], name: string): string | null {
  let value: string | null = null;
  for (const [index, argument] of args.entries()) {
    if (argument === '--') break;
    if (argument === name) value = args[index + 1] ?? value;
    else if (argument.startsWith(`${name}=`)) value = argument.slice(name.length + 1);
  }
  return value;
}

interface Output {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function output(program: string, args: readonly string[], cwd: string): Promise<Output> {
  return new Promise((fulfil, reject) => {
    execFile(program, args, { cwd, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) fulfil({ status: 0, stdout, stderr });
      else if (typeof error.code === 'number') fulfil({ status: error.code, stdout, stderr });
      else reject(new IpbpError('IPBP5001', `${program} cannot be run`, { where: cwd, cause: error }));
    });
  });
}

/** The parts of `cargo metadata` that are used. */
interface Metadata {
  readonly target_directory: string;
  readonly workspace_root: string;
  readonly packages: readonly {
    readonly manifest_path: string;
    readonly targets: readonly { readonly name: string; readonly kind: readonly string[]; readonly src_path: string }[];
  }[];
}

function parseMetadata(
  text: string,
): Pick<CargoProject, 'targetDirectory' | 'workspaceRoot' | 'localCrates' | 'cargoOnlyFiles'> {
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
    workspaceRoot: metadata.workspace_root,
    localCrates,
    cargoOnlyFiles: [...new Set(cargoOnlyFiles)],
  };
}

/** cargo's configuration files that apply in a directory, nearest first. */
function configFiles(directory: string): string[] {
  const files: string[] = [];
  const add = (folder: string): void => {
    const path = ['config.toml', 'config'].map((name) => join(folder, name)).find((candidate) => existsSync(candidate));
    if (path !== undefined && !files.includes(path)) files.push(path);
  };
  for (let at = resolve(directory); ; at = dirname(at)) {
    add(join(at, '.cargo'));
    if (dirname(at) === at) break;
  }
  const home = process.env['CARGO_HOME'] ?? join(process.env['HOME'] ?? '/', '.cargo');
  add(home);
  return files.map((path) => readFileSync(path, 'utf8'));
}

/**
 * A string setting, as `key = "…"` below `[table]` or as `table.key = "…"`. cargo has no stable way to ask for it,
 * and only these two plain strings are needed, so this is no TOML reader.
 */
export function configString(files: readonly string[], table: string, key: string): string | null {
  for (const text of files) {
    let current = '';
    for (const line of text.split('\n')) {
      const header = /^\s*\[+([^\]]+)\]/.exec(line);
      if (header !== null) current = (header[1] ?? '').trim();
      const setting = /^\s*([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/.exec(line);
      if (setting === null) continue;
      const name = current === '' ? setting[1] : `${current}.${setting[1]}`;
      const value = setting[2] ?? setting[3];
      if (name === `${table}.${key}` && value !== undefined && value !== '') return value;
    }
  }
  return null;
}

function nonEmpty(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

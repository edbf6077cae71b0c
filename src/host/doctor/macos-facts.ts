// Asks a Mac what macos.ts judges: xcode-select, xattr and codesign, for the newest executable that cargo has made.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CargoProject } from '../cargo/cargo-project.js';
import type { MacFacts, MacProgram } from './macos.js';

/** Null on other systems. `project` is null where there is none. */
export function readMac(project: CargoProject | null): MacFacts | null {
  if (process.platform !== 'darwin') return null;
  const tools = said('xcode-select', '-p');
  const path = project === null ? null : newestProgram(project);
  return { developerTools: tools.status === 0 ? tools.stdout.trim() : null, program: path === null ? null : ask(path) };
}

function ask(path: string): MacProgram {
  return {
    path,
    isQuarantined: said('xattr', '-p', 'com.apple.quarantine', path).status === 0,
    // It prints all of this on stderr.
    signature: said('codesign', '-d', '--verbose=2', path).stderr,
    entitlements: said('codesign', '-d', '--entitlements', '-', '--xml', path).stdout,
  };
}

function said(program: string, ...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
}

/** Of the workspace's programs, in the folders of all profiles. */
export function newestProgram({
  targetDirectory,
  packages,
}: Pick<CargoProject, 'targetDirectory' | 'packages'>): string | null {
  const crates = packages.flatMap((one) => one.crates.filter(({ kinds }) => kinds.includes('bin')));
  const names = new Set(crates.flatMap(({ name }) => [name, name.replaceAll('_', '-')]));
  const found = foldersIn(targetDirectory)
    .flatMap((folder) => [folder, ...foldersIn(folder)])
    .flatMap((folder) => [...names].map((name) => join(folder, name)))
    .map((path) => ({ path, stat: statSync(path, { throwIfNoEntry: false }) }))
    .filter(({ stat }) => stat?.isFile() === true)
    .sort((a, b) => (b.stat?.mtimeMs ?? 0) - (a.stat?.mtimeMs ?? 0));
  return found[0]?.path ?? null;
}

function foldersIn(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name));
  } catch {
    return [];
  }
}

// `ipbp doctor`, first form: facts in, findings out. Starts no build and changes nothing. How findings are shown is the
// command line's.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { optionValue, readProject, type CargoProject } from '../cargo/cargo-project.js';
import { checkBuildSettings } from './build-settings.js';
import { checkMac } from './macos.js';
import { readMac } from './macos-facts.js';
import type { Finding } from './finding.js';
import { checkMachine } from './machine.js';
import { readMachine } from './machine-facts.js';
import { checkNoProject, checkProject, type NoProject } from './project.js';
import { readBuild, readProjectFacts } from './project-facts.js';
import { checkToolchain } from './toolchain.js';
import { ask, readToolchain, rustcCommand } from './toolchain-facts.js';

/** Which `ipbp run` is meant. */
export interface DoctorOptions {
  /** Where `ipbp run` would be called. */
  readonly directory: string;
  /** What it would be given for cargo: profile, target, manifest. */
  readonly cargoArguments: readonly string[];
}

/** All findings, in the order of their groups. Does not throw for what it is there to find. */
export async function examine({ directory, cargoArguments: args }: DoctorOptions): Promise<readonly Finding[]> {
  const machine = checkMachine(readMachine());
  const rustc = await ask(rustcCommand(), ['-vV'], directory);
  const hostTriple = 'text' in rustc ? (/^host: (.+)$/m.exec(rustc.text)?.[1] ?? null) : null;
  if (hostTriple === null) return [...machine, ...checkToolchain(await readToolchain(directory, rustc, null, null))];
  const found = await findProject(directory, args);
  const project = 'reason' in found ? null : found;
  const target = project?.targetTriple ?? optionValue(args, '--target') ?? hostTriple;
  const cfg = await ask(rustcCommand(), ['--print', 'cfg', '--target', target], directory);
  const known = new Set('text' in cfg ? cfg.text.split('\n') : []);
  const build = readBuild(directory, args, project, target, known);
  const toolchain = checkToolchain(await readToolchain(directory, rustc, build, project));
  const mac = readMac(project);
  if (mac !== null) machine.push(...checkMac(mac));
  if ('reason' in found) return [...machine, ...toolchain, ...(found.isAsked ? [checkNoProject(found)] : [])];
  const packages = found.packages.map(({ name }) => name);
  return [...machine, ...toolchain, ...checkProject(readProjectFacts(found)), ...checkBuildSettings(build, packages)];
}

/** `isAsked`: cargo answered, so that what it says is of the project. */
async function findProject(
  directory: string,
  args: readonly string[],
): Promise<CargoProject | (NoProject & { readonly isAsked: boolean })> {
  try {
    return await readProject(directory, args);
  } catch (error) {
    if (!(error instanceof IpbpError)) throw error;
    const isMeant = optionValue(args, '--manifest-path') !== null || hasManifestAbove(directory);
    const reason = (error.facts.because ?? [error.summary]).join(' ');
    return { reason, isMeant, isAsked: error.code === 'IPBP5002' };
  }
}

function hasManifestAbove(directory: string): boolean {
  for (let at = resolve(directory); ; at = dirname(at)) {
    if (existsSync(join(at, 'Cargo.toml'))) return true;
    if (dirname(at) === at) return false;
  }
}

// Captured links: what a compiler driver told its linker, kept so that any linker can be given the same.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../setup/cache.js';
import { run, tryRun, type Said } from '../setup/run.js';
import { type MachineName } from '../suite.js';
import { MACHINE_TOOLS, type LinkerName } from './machine-tools.js';

const HERE = dirname(fileURLToPath(import.meta.url));

/** A link as it was captured. */
export interface CapturedLink {
  readonly name: string;
  readonly machine: MachineName;
  /** The linker's arguments; `{output}` stands for the file to write. */
  readonly args: readonly string[];
}

/** What a driver needs so that its `ld` is the one that captures: a folder for -B or its path, and variables. */
export interface CaptureSettings {
  readonly folder: string;
  readonly shim: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Captures go to `into`, a folder per output's name. */
export function captureSettings(machine: MachineName, into: string): CaptureSettings {
  return captureSettingsFor(MACHINE_TOOLS[machine].linkers.ld, into);
}

/** The same in front of any linker. */
export function captureSettingsFor(linker: string, into: string): CaptureSettings {
  const folder = cacheFolder('as-ld');
  const shim = join(folder, 'ld');
  writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${join(HERE, 'capture-ld.js')}" "$@"\n`);
  chmodSync(shim, 0o755);
  return { folder, shim, env: { CONFORMANCE_CAPTURE: into, CONFORMANCE_LD: linker } };
}

/** A link that was captured before, or null. */
export function readCapture(machine: MachineName, folder: string, name: string): CapturedLink | null {
  const file = join(folder, name, 'link.json');
  if (!existsSync(file)) return null;
  const { args } = JSON.parse(readFileSync(file, 'utf8')) as { args: string[] };
  return { name, machine, args };
}

/** Where a linker put its output and its map, and what it said. */
export interface Linked {
  readonly linker: LinkerName;
  readonly output: string;
  readonly map: string;
  readonly said: Said;
}

/** The command of a linker: program and leading arguments. */
function linkerCommand(machine: MachineName, linker: LinkerName): string[] {
  if (linker !== 'ipbp') return [MACHINE_TOOLS[machine].linkers[linker]];
  return [process.execPath, join(HERE, '..', '..', 'dist', 'cli', 'main.js'), 'link'];
}

/** The arguments of a captured link, to write there. */
export function argumentsFor({ args }: CapturedLink, output: string): string[] {
  return args.map((arg) => arg.replaceAll('{output}', output));
}

/** Links what was captured with one of the linkers; `folder` gets LINKER.so and LINKER.map. */
export function replay(link: CapturedLink, linker: LinkerName, folder: string): Linked {
  mkdirSync(folder, { recursive: true });
  const output = join(folder, `${linker}.so`);
  const map = join(folder, `${linker}.map`);
  const [program, ...first] = linkerCommand(link.machine, linker);
  const args = argumentsFor(link, output);
  const said = tryRun(program!, [...first, ...args, `-Map=${map}`], { cwd: folder });
  return { linker, output, map, said };
}

/** Compiles a C program of the machine. */
export function compileC(machine: MachineName, source: string, output: string, ...more: readonly string[]): void {
  run(MACHINE_TOOLS[machine].cc, ['-O1', '-g', source, '-o', output, ...more]);
}

// The cases of the comparison of Mach-O libraries: what is given to every linker, and what the library must answer.
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { captureSettingsFor, readCapture } from '../cases/capture.js';
import { CRATES, type Call } from '../cases/crates.js';
import { ROOT } from '../record.js';
import { cacheFolder } from '../setup/cache.js';
import { darwinToolchain } from '../setup/darwin-toolchain.js';
import type { DarwinTarget } from '../setup/darwin-toolchain.js';
import { run } from '../setup/run.js';
import { type MachineName } from '../suite.js';

/** One link. */
export interface DylibCase {
  readonly name: string;
  readonly machine: MachineName;
  readonly calls: readonly Call[];
  /** All that it needs is here, so that it can be opened. */
  readonly opens: boolean;
  /** The linker's arguments; `{output}` stands for the file to write. */
  readonly args: () => readonly string[];
}

/** rustc's target of a machine. */
export const targetOf = (machine: MachineName): DarwinTarget => `${machine}-apple-darwin`;
/** What Apple calls it. */
export const archOf = (machine: MachineName): 'arm64' | 'x86_64' => (machine === 'aarch64' ? 'arm64' : machine);

/** Crates of which no part is C: there are no headers for that. */
const WITHOUT_C = ['text', 'threads', 'source'];

/** All cases of a machine. */
export function dylibCases(machine: MachineName): DylibCase[] {
  const crates = WITHOUT_C.map((name) => ({
    name: `crate-${name}`,
    machine,
    calls: CRATES[name] ?? [],
    opens: true,
    args: () => crateArguments(machine, name),
  }));
  const std = { name: 'std', machine, calls: [], opens: false, args: () => stdArguments(machine) };
  const own = Object.entries(WAYS).map(([name, way]) => ({
    name,
    machine,
    calls: [],
    // C++ has a library of its own, which is not here.
    opens: way.sources === C,
    args: () => ownArguments(machine, name, way),
  }));
  return [...own, std, ...crates];
}

function frame(machine: MachineName, name: string): string[] {
  const { sdk } = darwinToolchain(targetOf(machine));
  const system = ['-platform_version', 'macos', '13.0', '13.0', '-syslibroot', sdk, '-lSystem'];
  return ['-dylib', '-arch', archOf(machine), ...system, '-install_name', `@rpath/lib${name}.dylib`, '-o', '{output}'];
}

/** The link of a crate's library, built and captured when the cache has it not. */
function crateArguments(machine: MachineName, name: string): readonly string[] {
  const folder = cacheFolder('captured', 'dylibs', machine);
  const known = readCapture(machine, folder, `conform_${name}`);
  return cleaned((known ?? build(machine, name, folder)).args, name);
}

function build(machine: MachineName, name: string, folder: string): NonNullable<ReturnType<typeof readCapture>> {
  const source = cacheFolder('crates');
  cpSync(join(ROOT, 'conformance', 'crates'), source, { recursive: true });
  const target = targetOf(machine);
  const { env, ld } = darwinToolchain(target);
  const { shim, env: capturing } = captureSettingsFor(ld, folder);
  const upper = target.toUpperCase().replaceAll('-', '_');
  const variables = {
    ...env,
    ...capturing,
    RUSTC_BOOTSTRAP: '1',
    CARGO_TARGET_DIR: join(source, 'target'),
    [`CARGO_TARGET_${upper}_LINKER`]: shim,
    [`CARGO_TARGET_${upper}_RUSTFLAGS`]: '-Clinker-flavor=ld64.lld',
  };
  const args = ['build', '--release', '--locked', '--lib', '--package', `conform-${name}`, '--target', target];
  run('cargo', args, { cwd: source, env: variables, timeout: 7_200_000 });
  const link = readCapture(machine, folder, `conform_${name}`);
  if (link === null) throw new Error(`cargo linked no ${name}: remove its folder of target and try again`);
  return link;
}

/** Without what is for lld's driver, and for a system as new as the others'. */
function cleaned(args: readonly string[], name: string): string[] {
  const kept = args.filter((arg, index) => arg !== '-flavor' && args[index - 1] !== '-flavor');
  const version = kept.indexOf('-platform_version');
  if (version >= 0) kept.splice(version, 4, '-platform_version', 'macos', '13.0', '13.0');
  return [...kept, '-install_name', `@rpath/lib${name}.dylib`];
}

/** All of std's objects. What only a program has is looked up when it is loaded. */
function stdArguments(machine: MachineName): readonly string[] {
  const target = targetOf(machine);
  const { rustc } = darwinToolchain(target);
  const folder = join(run(rustc, ['--print', 'target-libdir', '--target', target]).trim());
  // Of the two runtimes for panics a program has one.
  const rlibs = readdirSync(folder).filter((name) => name.endsWith('.rlib') && !name.startsWith('libpanic_abort'));
  const whole = rlibs.filter((name) => !name.startsWith('libcompiler_builtins'));
  const rest = rlibs.filter((name) => name.startsWith('libcompiler_builtins'));
  const inputs = [
    ...whole.flatMap((name) => ['-force_load', join(folder, name)]),
    ...rest.map((name) => join(folder, name)),
  ];
  return [...frame(machine, 'std'), '-undefined', 'dynamic_lookup', ...inputs];
}

interface Way {
  readonly sources: readonly string[];
  readonly compile: readonly string[];
  readonly link: readonly string[];
}

const C = ['forms.c', 'others.c'];
const CPP = ['throws.cpp', 'throws-more.cpp'];
const WAYS: Readonly<Record<string, Way>> = {
  'c-plain': { sources: C, compile: ['-O0', '-fcommon'], link: [] },
  'c-optimised': { sources: C, compile: ['-O2', '-fcommon', '-g'], link: ['-dead_strip'] },
  'cpp-plain': { sources: CPP, compile: ['-O0'], link: [] },
  'cpp-optimised': { sources: CPP, compile: ['-O2', '-g'], link: ['-dead_strip'] },
};

function ownArguments(machine: MachineName, name: string, { sources, compile, link }: Way): readonly string[] {
  const work = cacheFolder('dylibs', machine, name);
  const objects = sources.map((file) => {
    const object = join(work, `${file}.o`);
    const source = join(ROOT, 'conformance', 'dylibs', 'sources', file);
    run('clang-19', ['-target', `${archOf(machine)}-apple-macos13`, ...compile, '-c', source, '-o', object]);
    return object;
  });
  return [...frame(machine, name), '-undefined', 'dynamic_lookup', ...link, ...objects];
}

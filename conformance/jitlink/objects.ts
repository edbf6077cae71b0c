// The objects that are compared: members of std's own rlibs, and what C and C++ compilers make of our sources.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openArchive } from '../../src/formats/archive.js';
import { MACHINE_TOOLS } from '../cases/machine-tools.js';
import { arm64Rust } from '../setup/arm64-rust.js';
import { rustWithStd } from '../setup/rust-std.js';
import type { MachineName } from '../suite.js';
import { assembled, compiled } from './compiled.js';
import { assembledForDarwin, compiledForDarwin } from './compiled-darwin.js';
import type { CorpusObject } from './corpus-object.js';

/** All objects of one origin: a row of the table. */
export interface ObjectGroup {
  readonly name: string;
  /** Needs a compiler that takes minutes to bring: only with `--full`. */
  readonly dear?: boolean;
  /** `folder` is for scratch files. */
  readonly objects: (folder: string) => Iterable<CorpusObject>;
}

/** Objects of one archive. */
function* members(path: string): Iterable<CorpusObject> {
  const archive = openArchive(readFileSync(path), basename(path));
  for (const member of archive.members) {
    if (!/\.o[sS]?$/.test(member.name)) continue;
    yield { name: `${archive.name}(${member.name})`, bytes: archive.memberBytes(member.index) };
  }
}

/** Objects of every archive in a folder whose name ends in `.rlib`. */
function* rlibMembers(folder: string): Iterable<CorpusObject> {
  for (const file of readdirSync(folder).sort()) if (file.endsWith('.rlib')) yield* members(join(folder, file));
}

/** A library that a C compiler brings along, as distributions build it: by gcc. */
function libraryOf(cc: string, name: string): ObjectGroup {
  const path = execFileSync(cc, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  return { name: `${name} of ${cc}`, objects: () => members(path) };
}

/** Where rustc has std for the machine. For arm64 that is Debian's, which has to be unpacked first. */
function stdOf(machine: MachineName): string {
  const rustc = machine === 'aarch64' ? arm64Rust().rustc : 'rustc';
  const sysroot = execFileSync(rustc, ['--print', 'sysroot'], { encoding: 'utf8' }).trim();
  return join(sysroot, 'lib/rustlib', MACHINE_TOOLS[machine].triple, 'lib');
}

/** Formats whose objects are compared. */
export type ObjectFormat = 'elf' | 'macho';

/** What there is for a machine. */
export function objectGroups(format: ObjectFormat, machine: MachineName): readonly ObjectGroup[] {
  return format === 'elf' ? elfGroups(machine) : machoGroups(machine);
}

function elfGroups(machine: MachineName): readonly ObjectGroup[] {
  const { cc } = MACHINE_TOOLS[machine];
  const groups: ObjectGroup[] = ['libstdc++.a', 'libc.a', 'libgcc.a'].map((name) => libraryOf(cc, name));
  const clang = ['clang-19', `--target=${machine}-linux-gnu`];
  groups.push({ name: 'code models by gcc', objects: (folder) => compiled(machine, [cc], folder) });
  groups.push({ name: 'code models by clang', objects: (folder) => compiled(machine, clang, folder) });
  groups.push({ name: 'code models in assembly', objects: (folder) => assembled(machine, folder) });
  groups.push({ name: 'std of rustc', dear: machine === 'aarch64', objects: () => rlibMembers(stdOf(machine)) });
  return groups;
}

function machoGroups(machine: MachineName): readonly ObjectGroup[] {
  return [
    { name: 'C and C++ by clang', objects: (folder) => compiledForDarwin(machine, folder) },
    { name: 'assembly', objects: (folder) => assembledForDarwin(machine, folder) },
    {
      name: 'std of rustc',
      dear: true,
      objects: () => {
        const target = `${machine}-apple-darwin` as const;
        return rlibMembers(join(rustWithStd(target).prefix, 'lib', 'rustlib', target, 'lib'));
      },
    },
  ];
}

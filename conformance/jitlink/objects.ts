// The objects that are compared: members of std's own rlibs, and what C and C++ compilers make of our sources.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openArchive } from '../../src/formats/archive.js';
import type { MachineName } from '../suite.js';

/** One relocatable file. */
export interface CorpusObject {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** All objects of one origin: a row of the table. */
export interface ObjectGroup {
  readonly name: string;
  readonly objects: () => Iterable<CorpusObject>;
}

/** Members of every archive in a folder whose name ends in `.rlib`. */
function* rlibMembers(folder: string): Iterable<CorpusObject> {
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.rlib')) continue;
    const archive = openArchive(readFileSync(join(folder, file)), file);
    for (const member of archive.members) {
      if (!member.name.endsWith('.o')) continue;
      yield { name: `${file}(${member.name})`, bytes: archive.memberBytes(member.index) };
    }
  }
}

/** What there is for a machine. */
export function objectGroups(machine: MachineName): readonly ObjectGroup[] {
  if (machine !== 'x86_64') return [];
  const sysroot = execFileSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).trim();
  const std = join(sysroot, 'lib/rustlib/x86_64-unknown-linux-gnu/lib');
  return [{ name: 'std of rustc', objects: () => rlibMembers(std) }];
}

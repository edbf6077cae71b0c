// The suite `checkers` for Mach-O: what others that read such files say of every library that we write, linked ones and
// patches: llvm-objdump, llvm-dwarfdump and LIEF take them, every page has its hash, rcodesign verifies the signature. And
// files that are wrong on purpose are told.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { darwinWorkshop } from '../../tests/darwin/programs.js';
import { PATCHED_PROFILES, twoPatches } from '../../tests/darwin/two-patches.js';
import { dylibCases, targetOf } from '../dylibs/cases.js';
import { exerciseDylib } from '../dylibs/exercise.js';
import { linkDylibCase } from '../dylibs/linkers.js';
import { cacheFolder } from '../setup/cache.js';
import { ensureDebianTools, MACHO_TOOLS } from '../setup/debian-tools.js';
import { tryRun } from '../setup/run.js';
import { type MachineName, type Suite } from '../suite.js';
import { CONTROLS, type Checker } from './controls.js';
import { compareWithLief } from './lief.js';
import { factsByOurs, type Facts } from './read-by-ours.js';
import { verifyWithRcodesign } from './rcodesign.js';
import { openSigned, signatureProblems, type SignedFile } from './signature.js';

/** Without --full: one small library with all kinds of fixups, and one program's patches. */
const QUICK = /^c-optimised$/;
/** By which word they are asked for. */
const PATCHES = 'patches';
const FORMS: readonly (readonly string[])[] = [[], ['-no_fixup_chains']];

/** Every library that `ipbp link` makes of the cases. */
function linkedLibraries(machine: MachineName, full: boolean): string[] {
  return dylibCases(machine)
    .filter(({ name }) => full || QUICK.test(name))
    .flatMap((one) =>
      FORMS.map((form) => {
        const { output, said } = linkDylibCase(one, 'ipbp', form);
        if (said.status !== 0) throw new Error(`ipbp ended with ${said.status}: ${said.stderr.slice(0, 1500)}`);
        return output;
      }),
    );
}

/** Patches of a program, with their descriptions and as they are opened. */
function patchLibraries(machine: MachineName, full: boolean): string[] {
  const folder = cacheFolder('checked', machine);
  return Object.entries(PATCHED_PROFILES)
    .filter(([profile]) => full || profile === 'debug')
    .flatMap(([profile, flags]) => {
      const workshop = darwinWorkshop(targetOf(machine));
      const { files, libraries } = twoPatches(workshop, flags);
      const kept = [...files, ...libraries].map((path) => {
        const place = join(folder, `${profile}-${basename(path)}`);
        copyFileSync(path, place);
        return place;
      });
      workshop.remove();
      return kept;
    });
}

/** What LLVM's tools have against a file. */
function llvmProblems(path: string): string[] {
  const calls: readonly (readonly [string, ...string[]])[] = [
    ['llvm-objdump-22', '--macho', '-d', '--private-headers', '--exports-trie', '--unwind-info', '--dyld-info', path],
    ['llvm-dwarfdump-22', '--eh-frame', path],
    ['llvm-dwarfdump-22', '--verify', path],
  ];
  return calls.flatMap(([tool, ...args]) => {
    const { status, stderr } = tryRun(tool, args);
    return status === 0 && stderr === '' ? [] : [`${tool} ${args[0]} ended with ${status}: ${stderr.slice(0, 300)}`];
  });
}

function signedFiles(paths: readonly string[]): Map<string, SignedFile> {
  return new Map(paths.map((path) => [path, openSigned(new Uint8Array(readFileSync(path)), path)]));
}

/** A right file, and what the checkers know of it. */
interface RightFile {
  readonly machine: MachineName;
  readonly path: string;
  readonly file: SignedFile;
  readonly facts: Facts;
}

/** Which checkers tell of a file that should be as the right one is. */
function seenBy({ machine, file, facts }: RightFile, path: string, withRcodesign: boolean): Checker[] {
  const bytes = new Uint8Array(readFileSync(path));
  const told: Checker[] = [];
  if (signatureProblems({ ...file, bytes }).length > 0) told.push('ours');
  if (withRcodesign && verifyWithRcodesign(new Map([[path, file]])).get(path)?.length !== 0) told.push('rcodesign');
  if (exerciseDylib(machine, path, []).length > 0) told.push('loader');
  if (compareWithLief([path], () => facts).get(path)?.failures.length !== 0) told.push('LIEF');
  return told;
}

/** Wrong files that a checker said nothing of, each a line. */
function missedControls(machine: MachineName, path: string, withRcodesign: boolean): string[] {
  const bytes = new Uint8Array(readFileSync(path));
  const right = { machine, path, file: openSigned(bytes, path), facts: factsByOurs(bytes, path) };
  const place = join(cacheFolder('checked', machine), 'wrong.dylib');
  const missed = CONTROLS.flatMap(({ name, seenBy: wanted, damage }) => {
    const wrong = bytes.slice();
    damage(wrong, right.file);
    writeFileSync(place, wrong);
    const told = seenBy(right, place, withRcodesign);
    return wanted
      .filter((checker) => !told.includes(checker) && (withRcodesign || checker !== 'rcodesign'))
      .map((checker) => `${name}: changed, and ${checker} says nothing`);
  });
  return [...seenBy(right, path, withRcodesign).map((checker) => `${checker} tells of ${path}`), ...missed];
}

/** Checks all files that the options name. rcodesign's library is built for --full alone: it takes minutes. */
export const checkersSuite: Suite = {
  name: 'checkers',
  run: ({ full, only, machines }, say) => {
    ensureDebianTools(MACHO_TOOLS);
    const files: object[] = [];
    let [all, facts] = [0, 0];
    for (const machine of machines) {
      const linked = linkedLibraries(machine, full).filter((path) => path.includes(only));
      const paths = [...linked, ...(PATCHES.includes(only) ? patchLibraries(machine, full) : [])];
      const signed = signedFiles(paths);
      const lief = compareWithLief(paths);
      const verified = full ? verifyWithRcodesign(signed) : new Map<string, readonly string[]>();
      for (const [path, file] of signed) {
        const compared = lief.get(path) ?? { facts: 0, failures: ['LIEF: nothing'] };
        const failures = [
          ...llvmProblems(path),
          ...signatureProblems(file).map((line) => `signature: ${line}`),
          ...compared.failures.map((line) => `LIEF: ${line}`),
          ...(verified.get(path) ?? []).map((line) => `rcodesign: ${line}`),
        ];
        all++;
        facts += compared.facts;
        const name = path.split('/').slice(-2).join('/');
        const { pages } = file.wanted;
        files.push({ name, bytes: file.bytes.length, pages, facts: compared.facts });
        const others = full ? 'LLVM, LIEF and rcodesign' : 'LLVM and LIEF';
        say({ machine, name, found: `${pages} pages, ${compared.facts} facts; ${others}`, failures });
      }
      const one = paths.find((path) => path.includes('c-optimised'));
      if (one === undefined) continue;
      const failures = missedControls(machine, one, full);
      say({ machine, name: 'wrong on purpose', found: `${CONTROLS.length} files`, failures });
    }
    return Promise.resolve({ checked: all, facts, rcodesign: full, controls: CONTROLS.length, files });
  },
};

// The archives that a program is linked with, where no linker was recorded: those of the packages that cargo's
// fingerprints name, from the program's own down, and rustc's. A package's fingerprint names what it depends on by
// their hashes, which are the contents of theirs. Names more than rustc would (archives are asked for what is missing
// only); what cannot be read is left out.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fingerprintDirectories } from '../cargo/freshness.js';
import type { LinkInputs } from '../cargo/link-arguments.js';
import { optionValues, type Unit } from '../cargo/unit.js';
import type { Spawner } from './spawner.js';

/** rlibs of the packages that `root` depends on, directly or not. Absolute. */
export function dependencyArchives(root: Unit): string[] {
  const profile = dirname(root.outDir);
  // Of macros and build scripts where a target is named: the hash of what they build is elsewhere. They are not linked.
  const fingerprints = join(profile, '.fingerprint');
  const byHash = new Map(
    list(fingerprints).flatMap((name) => {
      const directory = join(fingerprints, name);
      return hashesIn(directory).map((hash) => [hash, directory] as const);
    }),
  );
  const seen = new Set<string>();
  const visit = (directory: string): void => {
    if (seen.has(directory)) return;
    seen.add(directory);
    for (const hash of dependenciesIn(directory)) {
      const next = byHash.get(hash);
      if (next !== undefined) visit(next);
    }
  };
  fingerprintDirectories(root).forEach(visit);
  const suffixes = new Set([...seen].map((directory) => /-[0-9a-f]{16}$/.exec(directory)?.[0]));
  const dependencies = join(profile, 'deps');
  return list(dependencies)
    .filter((name) => name.endsWith('.rlib') && suffixes.has(/-[0-9a-f]{16}(?=\.rlib$)/.exec(name)?.[0]))
    .map((name) => join(dependencies, name));
}

/** rustc's own archives in the directory that it names for a target. */
function rustcArchives(directory: string): string[] {
  return list(directory)
    .filter((name) => name.endsWith('.rlib'))
    .map((name) => join(directory, name));
}

/** Asks for all that `root` may be linked with at the time, as far as it can be known without a linker. */
export function knownArchives(root: Unit, spawner: Spawner): () => Promise<LinkInputs> {
  const [target] = optionValues(root.args, '--target');
  const args = ['--print', 'target-libdir', ...(target === undefined ? [] : ['--target', target])];
  // Once, and before the first edit has to wait for it.
  const asked = spawner.start({ program: root.rustc, args, cwd: root.cwd, env: root.env, unset: [], locks: [] }).ended;
  asked.catch(() => {}); // Said when it is needed.
  return async () => ({
    archives: [...dependencyArchives(root), ...rustcArchives((await asked).stdout.trim())],
    objects: [],
  });
}

/** Contents of the hash files: 16 digits, the number's bytes from the lowest on. */
function hashesIn(directory: string): string[] {
  return list(directory)
    .filter((name) => !name.includes('.') && !/^(dep|output)-/.test(name))
    .map((name) => readText(join(directory, name)))
    .filter((text) => /^[0-9a-f]{16}$/.test(text));
}

/** Of the packages that this one depends on: `"deps":[[<package>,"<name>",<public>,<hash>],…]`, numbers of 64 bits. */
function dependenciesIn(directory: string): string[] {
  const json = list(directory).find((name) => name.endsWith('.json'));
  if (json === undefined) return [];
  const [, deps = ''] = /"deps":\[((?:\[[^\]]*\],?)*)\]/.exec(readText(join(directory, json))) ?? [];
  return [...deps.matchAll(/,(\d+)\]/g)].map(([, hash = '0']) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(hash)));
    return bytes.toString('hex');
  });
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

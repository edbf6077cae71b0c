// A copy of the checkout in which mutations are made: sources, the compiled product, the comparisons. The checkout itself
// is never touched.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../record.js';
import { cacheFolder } from '../setup/cache.js';
import { run } from '../setup/run.js';
import type { Check, Mutation } from './list.js';

const COPIED = ['src', 'dist', 'conformance', 'tests', 'scripts', 'linker', 'package.json', 'tsconfig.json'];

/** The command of each check, run in the copy. */
const COMMANDS: Readonly<Record<Check, readonly string[]>> = {
  meaning: ['conformance/main.ts', 'elf', '--suite', 'meaning'],
  assembly: ['conformance/main.ts', 'elf', '--suite', 'jitlink', '--only', 'in assembly'],
  jitlink: ['conformance/main.ts', 'elf', '--suite', 'jitlink', '--only', 'code models'],
  // What is red is not made smaller: that takes a hundred times as long.
  properties: ['conformance/main.ts', 'elf', '--suite', 'properties', '--unshrunk'],
  fields: ['scripts/test-runner.ts', 'unit', 'src/reloc'],
  macho: ['conformance/main.ts', 'macho', '--suite', 'jitlink', '--only', 'assembly'],
  dylibs: ['conformance/main.ts', 'macho', '--suite', 'meaning', '--only', 'optimised'],
  signatures: ['conformance/main.ts', 'macho', '--suite', 'checkers', '--only', 'c-optimised'],
  far: ['scripts/test-runner.ts', 'live', 'relocations/far-code'],
  relocated: ['conformance/main.ts', 'wasm', '--suite', 'relocated', '--only', 'clang'],
  tabled: ['scripts/test-runner.ts', 'unit', 'patch/tabled'],
  slots: ['scripts/test-runner.ts', 'unit', 'entry-slots', 'macho/rewrite'],
};

const TIME_LIMIT = 400_000;

/** What a check said. */
export interface Verdict {
  readonly red: boolean;
  /** The first line that says what is wrong; empty when it is green. */
  readonly said: string;
}

/** Makes the copy anew; returns its folder. */
export function openWorkshop(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of [...COPIED, 'tsconfig.base.json'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/**
 * Makes the mutation in the copy, and the command that links of it. Throws when its text does not stand there once.
 * Returns what takes it back.
 */
export function mutate(folder: string, { name, file, find, put }: Mutation): () => void {
  const source = join(folder, file);
  const before = readFileSync(source, 'utf8');
  const found = before.split(find).length - 1;
  if (found !== 1) throw new Error(`mutation "${name}": its text stands ${found} times in ${file}`);
  writeFileSync(
    source,
    before.replace(find, () => put),
  );
  run(process.execPath, ['scripts/build.js', '--commands'], { cwd: folder });
  return () => {
    writeFileSync(source, before);
  };
}

/** Runs a check in the copy. Throws when it does not end by itself: that says nothing of what was compared. */
export function runCheck(folder: string, check: Check): Verdict {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, ['--import', 'tsx', ...COMMANDS[check]], {
    cwd: folder,
    encoding: 'utf8',
    timeout: TIME_LIMIT,
    maxBuffer: 1 << 26,
  });
  if (status === null) throw new Error(`${check} did not end: ${error?.message ?? 'ended by a signal'}`);
  if (status === 0) return { red: false, said: '' };
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  const at = lines.findIndex((line) => /^(?:FAIL|Error)/.test(line));
  const said = lines
    .slice(Math.max(at, 0), Math.max(at, 0) + 2)
    .join(' ')
    .replaceAll(folder, '')
    .replaceAll(cacheFolder(), '')
    .slice(0, 300);
  return { red: true, said: said === '' ? `ended with ${status}` : said };
}

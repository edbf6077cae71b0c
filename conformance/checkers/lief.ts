// LIEF, a reader of Mach-O files that shares nothing with LLVM's or ours: what it sees of a file must be what ours sees.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../record.js';
import { madeOnce } from '../setup/cache.js';
import { run } from '../setup/run.js';
import { factsByOurs, type Facts } from './read-by-ours.js';

const VERSION = '1.0.0';
const SCRIPT = join(ROOT, 'conformance', 'checkers', 'lief-facts.py');
/** How many differences are told of a file. */
const LINES = 5;

/** The folder that Python finds it in. */
function lief(): string {
  const folder = madeOnce(['lief', VERSION], (target) => {
    const quiet = [
      '-q',
      '--disable-pip-version-check',
      '--root-user-action=ignore',
      '--no-deps',
      '--only-binary=:all:',
    ];
    run('python3', ['-m', 'pip', 'install', ...quiet, '--target', target, `lief==${VERSION}`]);
  });
  if (!existsSync(join(folder, 'lief'))) throw new Error(`pip brought no lief into ${folder}`);
  return folder;
}

/** What LIEF says of each file. Throws with its words where it takes one not at all, or warns. */
function factsByLief(paths: readonly string[]): Map<string, Facts> {
  const said = run('sh', ['-c', 'exec python3 "$0" 2>&1', SCRIPT], {
    input: paths.map((path) => `${path}\n`).join(''),
    env: { PYTHONPATH: lief() },
  });
  return new Map(
    said
      .trimEnd()
      .split('\n')
      .map((line) => {
        if (!line.startsWith('{')) throw new Error(`LIEF says ${line.slice(0, 500)}`);
        const { path, facts } = JSON.parse(line) as { path: string; facts: Record<string, string> };
        return [path, new Map(Object.entries(facts))];
      }),
  );
}

/** What two readers say differently, each a line. */
function differences(ours: Facts, other: Facts): string[] {
  const names = new Set([...ours.keys(), ...other.keys()]);
  const lines = [...names].flatMap((name) => {
    const [a, b] = [ours.get(name) ?? 'nothing', other.get(name) ?? 'nothing'];
    return a === b ? [] : [`${name}: ours ${a}, LIEF ${b}`.slice(0, 400)];
  });
  return lines.length > LINES ? [...lines.slice(0, LINES), `${lines.length - LINES} more`] : lines;
}

const readOwn = (path: string): Facts => factsByOurs(new Uint8Array(readFileSync(path)), path);

/** Reads all files by both: path → how many facts there are, and what differs. */
export function compareWithLief(
  paths: readonly string[],
  oursOf: (path: string) => Facts = readOwn,
): Map<string, { readonly facts: number; readonly failures: readonly string[] }> {
  const read = factsByLief(paths);
  return new Map(
    paths.map((path) => {
      const ours = oursOf(path);
      const other = read.get(path);
      const failures = other === undefined ? ['LIEF says nothing'] : differences(ours, other);
      return [path, { facts: ours.size, failures }];
    }),
  );
}

// The suite `mutations`: each mistake made on purpose turns the comparison with JITLink red. A copy of the sources gets the
// mistake, the same objects are compared, the text is put back. Without `--full` a few of them.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MACHINE_TOOLS } from '../cases/machine-tools.js';
import { compiled } from '../jitlink/compiled.js';
import { ROOT } from '../record.js';
import { ensureDebianTools } from '../setup/debian-tools.js';
import { MACHINES, type Suite } from '../suite.js';
import { MUTATIONS, type Mutation } from './mutations.js';

const FEW = 3;
/** Sources in these ways only: together they have every kind of reference. */
const WAYS = /models\.c .*(-O2 -fPIC -ffunction|-fno-plt|-fPIC -mcmodel=(medium|large)|-fno-pic -mcmodel=(large|tiny))/;

/** What the comparison said, and whether it found anything. */
interface Verdict {
  readonly red: boolean;
  readonly said: string;
}

function compareIn(copy: string, objects: string): Verdict {
  const script = join(copy, 'conformance', 'mutations', 'compare-objects.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, objects], {
    cwd: copy,
    encoding: 'utf8',
    timeout: 300_000,
  });
  // A crash is red too, but has to be told from a difference.
  const said = stdout.trim() === '' ? stderr.trim().slice(0, 400) : stdout.trim().slice(0, 400);
  return { red: status !== 0, said };
}

function tryMutation(copy: string, objects: string, { file, before, after }: Mutation): Verdict {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  if (text.split(before).length !== 2) return { red: false, said: `${file} does not hold this once: ${before}` };
  writeFileSync(
    path,
    text.replace(before, () => after),
  );
  try {
    return compareIn(copy, objects);
  } finally {
    writeFileSync(path, text);
  }
}

function writeObjects(folder: string, scratch: string): void {
  mkdirSync(folder);
  for (const machine of MACHINES) {
    let number = 0;
    for (const { name, bytes } of compiled(machine, [MACHINE_TOOLS[machine].cc], scratch)) {
      if (WAYS.test(name)) writeFileSync(join(folder, `${machine}-${number++}.o`), bytes);
    }
  }
}

export const mutationsSuite: Suite = {
  name: 'mutations',
  run: ({ full, only }, say) => {
    ensureDebianTools();
    const copy = mkdtempSync(join(tmpdir(), 'ipbp-mutations-'));
    const results: object[] = [];
    try {
      for (const part of ['src', 'conformance', 'package.json']) {
        cpSync(join(ROOT, part), join(copy, part), { recursive: true });
      }
      symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
      const objects = join(copy, 'objects');
      writeObjects(objects, copy);
      const clean = compareIn(copy, objects);
      const failures = clean.red ? [clean.said] : [];
      say({ machine: '', name: 'no mistake', found: 'no difference is expected', failures });
      const chosen = MUTATIONS.filter(({ name }) => name.includes(only)).slice(0, full ? Infinity : FEW);
      for (const mutation of chosen) {
        const { red, said } = tryMutation(copy, objects, mutation);
        results.push({ ...mutation, red, said });
        say({ machine: '', name: mutation.name, found: said, failures: red ? [] : ['nothing was found'] });
      }
    } finally {
      rmSync(copy, { recursive: true });
    }
    return Promise.resolve({ mutations: results });
  },
};

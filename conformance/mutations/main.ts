// `npm run mutations -- [--only WORD]`: breaks rows and passes on purpose, one at a time, in a copy of the checkout; a
// comparison must turn red for each. Without --only writes conformance/results/mutations.json.
import { parseArgs } from 'node:util';
import { readOrigin, writeRecord } from '../record.js';
import { cacheFolder } from '../setup/cache.js';
import { MUTATIONS, type Check } from './list.js';
import { MACHO_MUTATIONS } from './list-macho.js';
import { WASM_MUTATIONS } from './list-wasm.js';
import { mutate, openWorkshop, runCheck } from './workshop.js';

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const chosen = [...MUTATIONS, ...MACHO_MUTATIONS, ...WASM_MUTATIONS].filter(({ name, file }) =>
  `${name} ${file}`.includes(values.only),
);
if (chosen.length === 0) throw new Error(`no mutation is called ${values.only}`);

const origin = readOrigin();
const start = performance.now();
const folder = openWorkshop(cacheFolder('mutations', 'workshop'));

// A check that is red without a mutation shows nothing.
const checks = [...new Set(chosen.flatMap((mutation) => mutation.checks))];
const sound = new Set<Check>();
for (const check of checks) {
  const { red, said } = runCheck(folder, check);
  process.stdout.write(`${red ? 'RED  ' : 'green'} ${check}, without a mutation ${said}\n`);
  if (!red) sound.add(check);
}

const results: object[] = [];
let survived = 0;
for (const mutation of chosen) {
  const takeBack = mutate(folder, mutation);
  let by: Check | null = null;
  let said = '';
  try {
    for (const check of mutation.checks.filter((one) => sound.has(one))) {
      const verdict = runCheck(folder, check);
      if (!verdict.red) continue;
      [by, said] = [check, verdict.said];
      break;
    }
  } finally {
    takeBack();
  }
  if (by === null) survived++;
  const { name, kind, file } = mutation;
  results.push({ name, kind, file, redBy: by, said });
  process.stdout.write(`${by === null ? 'FAIL' : 'ok  '} ${kind.padEnd(8)} ${name}: ${by ?? 'nothing turned red'}\n`);
  if (by !== null) process.stdout.write(`       ${said}\n`);
}
const seconds = Math.round((performance.now() - start) / 100) / 10;
const record = { ...origin, seconds, checks: [...sound], mutations: chosen.length, survived, results };
if (values.only === '') process.stdout.write(`written: ${writeRecord('mutations', record)}\n`);
process.stdout.write(`${chosen.length - survived} passed, ${survived} failed\n`);
process.exitCode = survived === 0 && sound.size === checks.length ? 0 : 1;

// `compare-objects FOLDER`: every object of a folder through the comparison with JITLink; prints the first difference
// and ends with status 1 when there is any. Run in copies of the sources that hold a mistake.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareObject } from '../jitlink/compare-object.js';

const folder = process.argv[2] ?? '';
const scratch = mkdtempSync(join(tmpdir(), 'ipbp-mutation-'));
let found = '';
for (const file of readdirSync(folder).sort()) {
  const outcome = compareObject({ name: file, bytes: readFileSync(join(folder, file)) }, scratch);
  if (outcome.kind === 'skipped') throw new Error(`${file}: ${outcome.why}`);
  const { patch, shared } = outcome.comparisons;
  found = [...patch.failures.slice(0, 1), ...shared.failures.slice(0, 1)].join('; ');
  if (found !== '') break;
}
rmSync(scratch, { recursive: true });
process.stdout.write(`${found}\n`);
process.exitCode = found === '' ? 0 : 1;

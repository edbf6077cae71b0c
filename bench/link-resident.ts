// `node --import tsx bench/link-resident.ts ROUNDS ARGUMENTS.json`: links the same again and again in one process, as
// a session that is at hand does: opening the inputs, the link, writing the file. Prints one line of JSON.
import { readFileSync } from 'node:fs';
import { link } from '../src/cli/link.js';
import { parseLinkOptions } from '../src/cli/link-options.js';
import { DONE } from '../src/cli/outcome.js';
import { createOutput } from '../src/cli/output.js';
import { openInputs } from '../src/host/link/open-inputs.js';
import { SHARED_OBJECT } from '../src/link/emit-shared.js';
import { linkShared } from '../src/link/shared.js';

/** What one run of it prints. */
export interface ResidentRun {
  /** Milliseconds of each round. */
  readonly ms: readonly number[];
  /** Bytes of the objects that became part of the link, and how many they are. */
  readonly objectBytes: number;
  readonly objects: number;
  readonly peakBytes: number;
}

/** Rounds before counting begins: V8's compiler has done its work then. */
const WARM_UP = 12;

function taken(words: readonly string[]): { objectBytes: number; objects: number } {
  const request = parseLinkOptions(words);
  const { inputs } = openInputs(request.inputs, request, request.machine);
  const { map } = linkShared(inputs, request.options, SHARED_OBJECT);
  const names = new Set(map.map(({ file: name }) => name));
  const sizes = inputs.flatMap((input) => {
    if (input.kind === 'shared') return [];
    if (input.kind === 'object') return [input.file.bytes.length];
    const { archive } = input;
    return archive.members.filter(({ name }) => names.has(`${archive.name}(${name})`)).map(({ size }) => size);
  });
  return { objectBytes: sizes.reduce((sum, size) => sum + size, 0), objects: sizes.length };
}

/** Says errors only. */
const OUTPUT = createOutput({ json: false, quiet: true, verbose: false }, process);

const [rounds = '0', file = ''] = process.argv.slice(2);
const words = JSON.parse(readFileSync(file, 'utf8')) as string[];
const ms: number[] = [];
for (let round = -WARM_UP; round < Number(rounds); round++) {
  const start = performance.now();
  const outcome = link(words, 'bench', OUTPUT);
  if (outcome !== DONE) throw new Error('the link failed');
  if (round >= 0) ms.push(performance.now() - start);
}
const peakBytes = process.resourceUsage().maxRSS * 1024;
const run: ResidentRun = { ms, ...taken(words), peakBytes };
process.stdout.write(`${JSON.stringify(run)}\n`);

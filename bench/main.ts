// `npm run bench -- [name…] [--edits N] [--subject example|server] [--target TRIPLE] [--keep FOLDER]`: runs the benchmarks
// named, or all; each prints what it found and writes bench/results/NAME.json. Those that can build programs for other
// systems do it for the targets named.
import { parseArgs } from 'node:util';
import { benchEdit } from './edit.js';
import { benchEngine } from './engine.js';
import { benchLink } from './link.js';
import { benchModuleCosts } from './module-costs.js';
import { benchModuleWays } from './module-ways.js';
import { benchPages } from './pages.js';
import { benchPatchLink } from './patch-link.js';
import { TARGETS, type Target } from './platform.js';
import { conditions, record } from './record.js';
import { benchSize } from './size.js';
import { benchWarm } from './warm.js';
import { benchSlots } from './slots.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    edits: { type: 'string', default: '15' },
    subject: { type: 'string', multiple: true, default: [] },
    target: { type: 'string', multiple: true, default: [] },
    keep: { type: 'string' },
  },
});

const edits = Number(values.edits);
if (!Number.isSafeInteger(edits) || edits < 1) throw new Error(`--edits ${values.edits} is not a count`);

const targets = values.target.map((name): Target => {
  const found = TARGETS.find((target) => target === name);
  if (found === undefined) throw new Error(`no target ${name}; there are ${TARGETS.join(', ')}`);
  return found;
});
const built: readonly Target[] = targets.length === 0 ? [TARGETS[0]] : targets;

/** What a result for other targets is called by. */
const others = targets.length > 0 && targets.every((target) => target.includes('-apple-')) ? ['macos'] : targets;

const BENCHES: Readonly<Record<string, () => Promise<unknown>>> = {
  engine: () => benchEngine(values.subject),
  edit: () => benchEdit(edits, values.subject, values.keep ?? null),
  warm: () => benchWarm(edits, values.subject),
  size: () => benchSize(edits, values.keep ?? null),
  slots: () => benchSlots(edits, values.subject, built, values.keep ?? null),
  'module-ways': () => benchModuleWays(edits),
  'module-costs': () => benchModuleCosts(edits, values.subject, values.keep ?? null),
  pages: () => benchPages(),
  'patch-link': () => benchPatchLink(edits, values.subject, built, values.keep ?? null),
  link: () => Promise.resolve(benchLink(edits, values.subject)),
};

const names = positionals.length === 0 ? Object.keys(BENCHES) : positionals;
for (const name of names) {
  const bench = BENCHES[name];
  if (bench === undefined) throw new Error(`no benchmark ${name}; there are ${Object.keys(BENCHES).join(', ')}`);
  const taken = conditions();
  // A part of the subjects must not take the place of a whole result.
  record([name, ...values.subject, ...others].join('-'), taken, await bench());
}

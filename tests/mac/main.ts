// `npm run mac`: shows on a Mac what ipbp claims of programs for macOS, in about ten minutes, a line with a verdict per
// claim. `--target TRIPLE`: a program for that target (x86_64-apple-darwin on an arm64 Mac, by Rosetta; on Linux through
// our own loader, which then is not macOS); `--only ID,…`. docs/macos.md says what was shown without a Mac.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DarwinTarget } from '../../conformance/setup/darwin-toolchain.js';
import { darwinToolchain } from '../../conformance/setup/darwin-toolchain.js';
import { cargoFixture, manifest } from '../cargo-fixture.js';
import { startTalker } from '../talker.js';
import { CLAIMS, type Running } from './claims.js';
import { programSource } from './program.js';
import { type Place, type Seen, SYSTEM_CLAIMS } from './system-claims.js';

const { values } = parseArgs({ options: { target: { type: 'string' }, only: { type: 'string' } } });
const only = values.only?.split(',');
const isMac = process.platform === 'darwin';

/** Prints one verdict and counts it. */
class Verdicts {
  readonly counts = { holds: 0, fails: 0, 'not here': 0 };

  say(verdict: keyof Verdicts['counts'], id: string, claim: string, seen: string): void {
    this.counts[verdict]++;
    process.stdout.write(`${verdict.padEnd(8)} ${id.padEnd(16)} ${claim}: ${seen.replaceAll('\n', '\n         ')}\n`);
  }

  async of(id: string, claim: string, show: () => Promise<Seen>): Promise<void> {
    if (only !== undefined && !only.includes(id)) return;
    try {
      const seen = await show();
      if (typeof seen === 'string') this.say('holds', id, claim, seen);
      else this.say('not here', id, claim, seen.notHere);
    } catch (error) {
      this.say('fails', id, claim, error instanceof Error ? error.message : String(error));
    }
  }
}

function placeOf(): Place {
  const target = values.target ?? (isMac ? undefined : 'x86_64-apple-darwin');
  if (isMac || !/-apple-darwin$/.test(target ?? '')) return { target, environment: {}, runner: [], isMac };
  const { env, machorun } = darwinToolchain(target as DarwinTarget);
  return { target, environment: env, runner: [machorun], isMac };
}

const built = spawnSync(process.execPath, [fileURLToPath(new URL('../../scripts/build.js', import.meta.url))], {
  stdio: ['ignore', 2, 2],
});
if (built.status !== 0) throw new Error('the build failed');

const place = placeOf();
const verdicts = new Verdicts();
const fixture = cargoFixture({
  'Cargo.toml': manifest('talker', '[profile.dev]\ndebug = true\n'),
  'src/main.rs': programSource(),
});
const asked = place.target === undefined ? [] : ['--target', place.target];
const talker = startTalker(fixture.root, asked, place.environment);
try {
  let running: Running | undefined;
  await verdicts.of('start', '`ipbp run` needs no change to the project and no flag on a Mac', async () => {
    const { pid, session, target, functions, redirect } = await talker.ready();
    running = { fixture, talker, pid, session };
    await talker.says('first 7');
    return `${target}, ${functions} functions, redirected by ${redirect}`;
  });
  if (running !== undefined) {
    const started = running;
    for (const { id, claim, show } of CLAIMS) await verdicts.of(id, claim, () => show(started));
    for (const { id, claim, show } of SYSTEM_CLAIMS) await verdicts.of(id, claim, () => show(place, started));
  }
} finally {
  await talker.session.stop();
  fixture.remove();
}
const { holds, fails, 'not here': notHere } = verdicts.counts;
process.stdout.write(`${holds} hold, ${fails} fail, ${notHere} cannot be shown here\n`);
process.exitCode = fails === 0 && holds > 0 ? 0 : 1;

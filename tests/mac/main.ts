// `npm run mac`: shows on a Mac what ipbp claims of programs for macOS, in about ten minutes, a line with a verdict per
// claim. `--target TRIPLE`: a program for that target (x86_64-apple-darwin on an arm64 Mac, by Rosetta; on Linux through
// our own loader, which then is not macOS); `--only ID,…`. All that it prints is in mac-report.txt as well, to be sent.
// docs/macos.md says what was shown without a Mac.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DarwinTarget } from '../../conformance/setup/darwin-toolchain.js';
import { darwinToolchain } from '../../conformance/setup/darwin-toolchain.js';
import { cargoFixture, manifest } from '../cargo-fixture.js';
import { ipbp, startTalker } from '../talker.js';
import { CLAIMS, type Running } from './claims.js';
import { machineFacts, missingTools } from './machine.js';
import { programSource } from './program.js';
import { type Place, type Seen, SYSTEM_CLAIMS } from './system-claims.js';

const { values } = parseArgs({ options: { target: { type: 'string' }, only: { type: 'string' } } });
const only = values.only?.split(',');
/** In the current directory. */
const REPORT = 'mac-report.txt';
const isMac = process.platform === 'darwin';

/** Prints, and keeps what is printed. */
class Verdicts {
  readonly counts = { holds: 0, fails: 0, 'not here': 0 };
  readonly lines: string[] = [];

  /** The report is for others: whose home it was is left out. */
  print(text: string): void {
    const line = text.replaceAll(homedir(), '~');
    this.lines.push(line);
    process.stdout.write(`${line}\n`);
  }

  say(verdict: keyof Verdicts['counts'], id: string, claim: string, seen: string): void {
    this.counts[verdict]++;
    this.print(`${verdict.padEnd(8)} ${id.padEnd(16)} ${claim}: ${seen.replaceAll('\n', '\n         ')}`);
  }

  async of(id: string, claim: string, show: () => Promise<Seen>): Promise<void> {
    // Without the program nothing is shown.
    if (only !== undefined && id !== 'start' && !only.includes(id)) return;
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

const missing = missingTools(isMac, values.target);
if (missing.length > 0) {
  process.stderr.write(`This needs:\n${missing.map((one) => `  ${one}\n`).join('')}`);
  process.exit(2);
}
const built = spawnSync(process.execPath, [fileURLToPath(new URL('../../scripts/build.js', import.meta.url))], {
  stdio: ['ignore', 2, 2],
});
if (built.status !== 0) throw new Error('the build failed');

const place = placeOf();
const verdicts = new Verdicts();
for (const fact of machineFacts(isMac)) verdicts.print(fact);
verdicts.print('');
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
  if (running === undefined) {
    // Nothing else can be shown: what is said of the machine and the project may tell why.
    const { output } = await ipbp(fixture.root, 'doctor', ...asked);
    verdicts.print(`\nThe program did not start. ipbp doctor:\n${output}`);
    const { events, output: said } = talker.session;
    verdicts.print(`The session:\n${events.map((event) => JSON.stringify(event)).join('\n')}\n${said.slice(-4000)}`);
  } else {
    const started = running;
    for (const { id, claim, show } of CLAIMS) await verdicts.of(id, claim, () => show(started));
    for (const { id, claim, show } of SYSTEM_CLAIMS) await verdicts.of(id, claim, () => show(place, started));
  }
} finally {
  await talker.session.stop();
  fixture.remove();
}
const { holds, fails, 'not here': notHere } = verdicts.counts;
verdicts.print(`${holds} hold, ${fails} fail, ${notHere} cannot be shown here`);
writeFileSync(REPORT, `${verdicts.lines.join('\n')}\n`);
process.stdout.write(`\nAll of this is in ${REPORT}. Please send it, whatever it says, as an issue of this project.\n`);
process.exitCode = fails === 0 && holds > 0 ? 0 : 1;

// Patches for macOS programs as files, from objects alone: built by the command, opened by the loader in a program that does
// what an agent would: it fills words and changes slots.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DarwinTarget } from '../../conformance/setup/darwin-toolchain.js';
import { tryRun } from '../../conformance/setup/run.js';
import { darwinWorkshop } from './programs.js';
import { edited, plainProgram, slottedProgram } from './slotted.js';
import { PATCHED_PROFILES, twoPatches } from './two-patches.js';

for (const target of ['x86_64-apple-darwin', 'aarch64-apple-darwin'] satisfies DarwinTarget[]) {
  for (const [profile, flags] of Object.entries(PATCHED_PROFILES)) {
    test(`${target}, ${profile}: two patches, one after the other`, () => {
      const workshop = darwinWorkshop(target);
      const { executable, scripts } = twoPatches(workshop, flags);
      const { status, stdout, stderr } = workshop.run(executable, scripts, { RUST_BACKTRACE: '0' });
      assert.equal(stdout.trimEnd().split('\n'), [
        'step 2 other 2 shape a square said fine 2 kept 1',
        // fresh(1) = 5, 100 hits before, 7000 and 10001 of the thread.
        'step 5017101 other 5017102 shape a square, patched said caught: no 2 kept 4',
        'step 10017105 other 10017104 shape a square, patched said caught: no 2 kept 7',
      ]);
      assert.is(status, 0, stderr);
      workshop.remove();
    });
  }
}

const SOURCE = `
#[inline(never)]
fn word(n: usize) -> usize { n + 1 }
fn main() { println!("{}", word(std::env::args().count())); }
`;
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

test('a program without slots takes no patch file, and is told what to do; one with slots does, however it is asked', () => {
  const workshop = darwinWorkshop('x86_64-apple-darwin');
  const plain = plainProgram(workshop, SOURCE);
  const slotted = slottedProgram(workshop, SOURCE);
  const next = edited(workshop, 'next', plain, SOURCE.replace('n + 1', 'n + 7'));
  for (const redirect of ['auto', 'jump', 'slots']) {
    const built = ({ executable }: typeof plain): ReturnType<typeof tryRun> & { readonly file: string } => {
      const file = `${executable}-${redirect}.patch`;
      const sides = ['--old', plain.incremental, '--new', next.incremental];
      const args = ['build-patch', '--json', '--base', executable, ...sides, '--redirect', redirect, '-o', file];
      return { ...tryRun('node', ['--import', 'tsx', MAIN, ...args]), file };
    };
    const refused = built(plain);
    assert.is(refused.status, 1, refused.stdout + refused.stderr);
    const { items } = JSON.parse(refused.stdout) as { items: { code: string; name: string; because: string[] }[] };
    assert.equal(
      items.map(({ code, name }) => [code, name]),
      [['IPBP3016', 'app::word']],
    );
    assert.match(items[0]?.because.at(-1) ?? '', /ipbp run --redirect jump, or link it with slots by ipbp run/);
    assert.not.ok(existsSync(refused.file));
    const taken = built(slotted);
    assert.is(taken.status, 0, taken.stdout + taken.stderr);
    assert.ok(existsSync(taken.file));
  }
  workshop.remove();
});

test.run();

// Patches for macOS programs as files, from objects alone: built by the command, opened by the loader in a program that does
// what an agent would: it fills words and changes slots.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DarwinTarget } from '../../conformance/setup/darwin-toolchain.js';
import { darwinWorkshop } from './programs.js';
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

test.run();

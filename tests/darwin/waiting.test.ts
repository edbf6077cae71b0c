// Locks, addresses, semaphores and kqueue for macOS in our loader.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { darwinWorkshop } from './programs.js';
import { WAITING_OUTPUT, WAITING_PROGRAM } from './waiting.js';

const test = suite('waiting in macOS programs');

for (const target of ['x86_64-apple-darwin', 'aarch64-apple-darwin'] as const) {
  test(target, () => {
    const workshop = darwinWorkshop(target);
    try {
      const said = workshop.run(workshop.compile('waiting', WAITING_PROGRAM));
      assert.equal(said.stdout.trimEnd().split('\n'), WAITING_OUTPUT, said.stderr);
      assert.is(said.status, 0);
    } finally {
      workshop.remove();
    }
  });
}

test.run();

// A program of Rust's std for macOS in our loader: natively, and arm64 emulated.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { STD_PROGRAM, darwinWorkshop, stdOutput } from './programs.js';

const test = suite('std programs for macOS');

const CHAINED = ['-Clink-arg=-Wl,-fixup_chains', '-Clink-arg=-mmacosx-version-min=13.0'];

for (const [target, machine] of [
  ['x86_64-apple-darwin', 'x86_64'],
  ['aarch64-apple-darwin', 'aarch64'],
] as const) {
  const forms: Readonly<Record<string, readonly string[]>> = {
    'debug, dyld information': [],
    'optimised, chained fixups': ['-Copt-level=3', ...CHAINED],
  };
  for (const [name, options] of Object.entries(forms)) {
    test(`${target}: ${name}`, () => {
      const workshop = darwinWorkshop(target);
      try {
        const said = workshop.run(workshop.compile('std', STD_PROGRAM, ...options), ['one', 'two words']);
        assert.is(said.stdout, stdOutput(machine), said.stderr);
        assert.is(said.status, 3, said.stderr);
        assert.match(said.stderr, /failed with 3/);
      } finally {
        workshop.remove();
      }
    });
  }
}

test.run();

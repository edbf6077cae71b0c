// A program of Rust's std for macOS in our loader: natively, and arm64 emulated.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REMAP_PROGRAM, STD_PROGRAM, darwinWorkshop, stdOutput } from './programs.js';

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

for (const [target, page] of [
  ['x86_64-apple-darwin', 4096],
  ['aarch64-apple-darwin', 16384],
] as const) {
  test(`${target}: code is written by mach_vm_remap only`, () => {
    const workshop = darwinWorkshop(target);
    try {
      const said = workshop.run(workshop.compile('remap', REMAP_PROGRAM));
      const expected = [
        `page ${page} 1`,
        'allocate 0',
        // KERN_PROTECTION_FAILURE is 2, KERN_NO_SPACE 3, KERN_NOT_SUPPORTED 46.
        'both 2',
        'code writable 2 2',
        'writable over code 2',
        'protect 0',
        'occupied 3',
        'remap 0',
        'true 5 5',
        'deallocate 0',
        'suspend 46',
        'now 2',
        '',
      ];
      assert.equal(said.stdout.split('\n'), expected, said.stderr);
    } finally {
      workshop.remove();
    }
  });
}

test.run();

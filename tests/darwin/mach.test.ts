// Mach's calls in our loader, as an agent uses them that patches the process it is in.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REMAP_PROGRAM, SUSPEND_PROGRAM } from './mach.js';
import { darwinWorkshop } from './programs.js';

const test = suite('calls of Mach');

const TARGETS = [
  ['x86_64-apple-darwin', 4096],
  ['aarch64-apple-darwin', 16384],
] as const;

function output(target: (typeof TARGETS)[number][0], name: string, source: string): readonly string[] {
  const workshop = darwinWorkshop(target);
  try {
    const said = workshop.run(workshop.compile(name, source));
    assert.is(said.status, 0, said.stdout + said.stderr);
    return said.stdout.trimEnd().split('\n');
  } finally {
    workshop.remove();
  }
}

for (const [target, page] of TARGETS) {
  test(`${target}: code is written by mach_vm_remap only`, () => {
    assert.equal(output(target, 'remap', REMAP_PROGRAM), [
      `page ${page} 1`,
      'allocate 0',
      // KERN_PROTECTION_FAILURE is 2, KERN_NO_SPACE 3.
      'both 2',
      'code writable 2 2',
      'writable over code 2',
      'protect 0',
      'occupied 3',
      'remap 0',
      'true 5 5',
      'deallocate 0',
      'now 2',
    ]);
  });

  test(`${target}: threads are suspended`, () => {
    assert.equal(output(target, 'suspend', SUSPEND_PROGRAM), [
      'threads 6 true',
      // Registers of a thread that runs are nowhere: KERN_NOT_SUPPORTED.
      'running 46',
      'suspend 0 0',
      'stands still true',
      'state 0 true true',
      'resume 0 true',
      'resume 0',
      'not suspended 5 nobody 37',
      'slept true',
      'allocated true',
    ]);
  });
}

test.run();

// Real edits of a real program compiled for macOS: which functions and data differ, and no others. The same edits and
// answers as on Linux.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DarwinTarget } from '../../conformance/setup/darwin-toolchain.js';
import { darwinToolchain } from '../../conformance/setup/darwin-toolchain.js';
import { run } from '../../conformance/setup/run.js';
import { objectsAt } from '../../src/host/files/object-paths.js';
import { BASE_PROGRAM, EDIT_CASES } from '../../src/patch/diff/diff-edits.test-support.js';
import { diffFiles } from '../../src/patch/diff/diff-files.js';
import type { InputFile } from '../../src/patch/engine.js';
import { scratch } from '../format-inputs.js';

const PROFILES = {
  debug: ['-Copt-level=0', '-Cdebuginfo=2'],
  release: ['-Copt-level=3', '-Cllvm-args=-aarch64-enable-global-merge=false'],
} as const;

/** Compiles in a folder whose incremental state it goes on from. */
function compile(target: DarwinTarget, folder: string, source: string, flags: readonly string[]): readonly InputFile[] {
  const { rustc, env } = darwinToolchain(target);
  writeFileSync(join(folder, 'main.rs'), source);
  const fixed = ['--edition=2021', '--crate-name=app', '--target', target, '-Clinker=true', '-Awarnings'];
  run(rustc, [...fixed, '-Cincremental=incremental', ...flags, 'main.rs'], { cwd: folder, env });
  return objectsAt([join(folder, 'incremental')]);
}

function folderNamed(...names: readonly string[]): string {
  const folder = join(scratch(), names.join('-'));
  mkdirSync(folder);
  return folder;
}

for (const target of ['x86_64-apple-darwin', 'aarch64-apple-darwin'] satisfies DarwinTarget[]) {
  for (const profile of ['debug', 'release'] as const) {
    test(`${target}, ${profile}: ${EDIT_CASES.length} edits`, () => {
      const start = folderNamed(target, profile);
      const before = compile(target, start, BASE_PROGRAM, PROFILES[profile]);
      EDIT_CASES.forEach(({ what, edits, because = [], ...expected }, number) => {
        const folder = folderNamed(target, profile, String(number));
        cpSync(start, folder, { recursive: true });
        const source = edits.reduce((text, [from, to]) => text.replace(from, () => to), BASE_PROGRAM);
        const { items } = diffFiles(before, compile(target, folder, source, PROFILES[profile]), () => false);
        // One name of the library's is an alias of the other; which one depends on the compiler's version.
        const names = items.map((item) => `${item.change} ${item.demangled.replace(/Atomic<u(\d+)>/, 'AtomicU$1')}`);
        assert.equal(
          names.sort(),
          [...expected[profile]].sort(),
          `${what}: ${JSON.stringify(items.map((item) => item.because))}`,
        );
        const reasons = items.flatMap((item) => item.because);
        for (const reason of because)
          assert.ok(
            reasons.some((text) => reason.test(text)),
            `${what}: ${reasons.join('; ')}`,
          );
      });
    });
  }
}

test.run();

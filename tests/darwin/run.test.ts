// `ipbp run --target` for macOS and iOS from save to live, in our loader as cargo's runner: no flag beside the target. For
// iOS the loader inserts no library, and takes none that is for another system.
import { chmodSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AppleTarget } from '../../conformance/setup/darwin-toolchain.js';
import { darwinToolchain } from '../../conformance/setup/darwin-toolchain.js';
import { manifest } from '../cargo-fixture.js';
import { ipbp, startTalker, talkerFixture, talkerSource } from '../talker.js';

const test = suite('ipbp run for macOS and iOS');

/** Stands in for what rustc calls behind the linker, and keeps count. */
const FINISHER = '#!/bin/sh\necho "$(basename "$0") $*" >>"$(dirname "$0")/calls"\n';

/** Which thread says it, and how often: state that patches leave alone. */
const STATE = `
thread_local! { static TURNS: std::cell::Cell<u64> = const { std::cell::Cell::new(40) }; }
fn turns() -> u64 {
    TURNS.with(|turns| { turns.set(turns.get() + 1); turns.get().min(42) })
}
`;

for (const target of ['x86_64-apple-darwin', 'aarch64-apple-darwin', 'aarch64-apple-ios'] satisfies AppleTarget[]) {
  test(`${target}: edits go live through cargo's runner, are undone, and the executable stays as cargo made it`, async () => {
    const { env } = darwinToolchain(target);
    // As rustc does by itself: it would call dsymutil and strip behind the linker, in a replay as well.
    const profile = '[profile.dev]\nsplit-debuginfo = "packed"\nstrip = "debuginfo"\n';
    const fixture = talkerFixture({
      'Cargo.toml': manifest('talker', profile),
      'src/main.rs': talkerSource('"hello"', STATE),
      'tools/dsymutil': FINISHER,
      'tools/rust-objcopy': FINISHER,
    });
    for (const tool of ['dsymutil', 'rust-objcopy']) chmodSync(fixture.path(`tools/${tool}`), 0o755);
    const finished = (): string => readFileSync(fixture.path('tools/calls'), 'utf8');
    const environment = { ...env, PATH: `${fixture.path('tools')}:${process.env['PATH'] ?? ''}` };
    for (const setting of ['SPLIT_DEBUGINFO', 'STRIP'])
      Reflect.deleteProperty(environment, `CARGO_PROFILE_DEV_${setting}`);
    const talker = startTalker(fixture.root, ['--target', target], environment);
    try {
      const ready = await talker.ready();
      assert.is(ready.target, target);
      assert.is(ready.redirect, 'slots');
      const { pid } = await talker.says('hello.');
      assert.is(pid, ready.pid);
      const made = finished();
      assert.match(made, /^dsymutil .*\nrust-objcopy --strip-debug .*\n$/);
      const first = await talker.save(fixture, talkerSource('"servus"', STATE), 'patched');
      assert.ok(
        first.functions.some(({ name, verdict }) => name === 'talker::words::word' && verdict === 'redirected'),
      );
      assert.is((await talker.says('servus.')).pid, pid);
      // What the program does not have yet, a thread-local that it does, and what the first patch brought.
      const body = 'format!("{}-{:?}", crate::turns(), "a b".split(\' \').rev().collect::<Vec<_>>())';
      await talker.save(fixture, talkerSource(body, STATE), 'patched');
      await talker.says('42-["b", "a"].');
      await talker.save(fixture, talkerSource('"bye"', STATE).replace('"."', '"!"'), 'patched');
      await talker.says('bye!');
      const undone = await ipbp(fixture.root, 'undo', '3', '--session', ready.session);
      assert.is(undone.status, 0, undone.output);
      assert.is((await talker.says('hello.')).pid, pid);
      assert.is(finished(), made, 'nothing was packed or stripped again');
      const notes = talker.session.events.filter(({ event }) => event === 'note');
      assert.equal(
        notes.filter((note) => 'code' in note && note.code !== null),
        [],
      );
    } finally {
      await talker.session.stop();
      fixture.remove();
    }
  });
}

test.run();

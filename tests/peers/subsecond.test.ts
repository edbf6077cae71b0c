// What a peer (Dioxus subsecond 0.7.10) was seen to fail at, or to do nothing about while it reported
// success, one named test each, in one process of a one-crate program. The edits are rows of the matrix.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEBUG } from '../matrix/configurations.js';
import { DESK_ROWS } from '../matrix/all-rows.js';
import { type Run, openRun } from '../matrix/drive.js';
import { PLAIN } from '../matrix/programs.js';

/** What was seen to fail there, and the rows that show it here. */
const SEEN: readonly (readonly [string, readonly string[]])[] = [
  [
    'a thread_local in the crate: the patch links, and existing and new ones hold their values',
    ['statics', 'new-statics'],
  ],
  ["the crate's statics keep their values at every patch", ['new-statics-kept', 'table']],
  ['a closure that captures one reference is patched', ['one-reference']],
  ['a changed layout is refused, and nothing of it applied', ['layout', 'layout-back']],
  ['the method of an existing Box<dyn Trait> is patched', ['old-vtable']],
  ['a function behind a stored pointer is patched', ['old-pointer', 'old-closure']],
  ['code that no special call leads to is patched: threads in a loop', ['loop-thread']],
  ['a dependency is used for the first time', ['new-dependency', 'new-dependency-again']],
];

const test = suite('subsecond');
let run: Run | undefined;

test.before(async () => {
  run = await openRun(PLAIN, DEBUG, 'peers', 2);
});

for (const [name, ids] of SEEN) {
  test(name, async () => {
    assert.ok(run, 'the program runs');
    for (const id of ids) {
      const row = DESK_ROWS.find((candidate) => candidate.id === id);
      assert.ok(row, `there is a row ${id}`);
      const { failures } = await run.row(row);
      assert.equal(failures, [], id);
    }
  });
}

test.after(async () => {
  await run?.close();
});

test.run();

// Identity under v0 mangling, whose names hold numbers, but neither signatures nor captures.
import { suite } from 'uvu';
import { editAll, startHeld, type Running } from './edits.js';

const test = suite('identity, v0 names');
let running: Running;

test.before(async () => {
  running = await startHeld(['-Csymbol-mangling-version=v0']);
});

test.after(async () => {
  await running.talker.session.stop();
  running.fixture.remove();
});

test('closures, events, futures, signatures and impl blocks, over undo and redo', () => editAll(running));

test.run();

// Identity under legacy mangling, whose names end in a hash that hides numbers and generic arguments.
import { suite } from 'uvu';
import { editAll, startHeld, type Running } from './edits.js';

const test = suite('identity, legacy names');
let running: Running;

test.before(async () => {
  running = await startHeld([]);
});

test.after(async () => {
  await running.talker.session.stop();
  running.fixture.remove();
});

test('closures, events, futures, signatures and impl blocks, over undo and redo', () => editAll(running));

test.run();

// What a running session must refuse, and what must not disturb it: each time the program is untouched, alive, and
// takes the next good change.
import { appendFileSync, copyFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RefusedEvent, SessionEvent } from '../../src/host/events.js';
import type { CargoFixture } from '../cargo-fixture.js';
import { startTalker, talkerFixture, talkerSource, type Talker } from '../talker.js';

const test = suite('refusals in a session');
let fixture: CargoFixture;
let talker: Talker;

test.before(async () => {
  fixture = talkerFixture();
  talker = startTalker(fixture.root);
  await talker.ready();
});

test.after(async () => {
  await talker.session.stop();
  fixture.remove();
});

/** Saves a source; the verdict that follows. */
function save<K extends SessionEvent['event']>(source: string, kind: K): Promise<Extract<SessionEvent, { event: K }>> {
  return talker.save(fixture, source, kind);
}

/** Saves what cannot be taken, and checks that nothing happened to the program. */
function refused(source: string): Promise<RefusedEvent> {
  return talker.untouchedBy(() => save(source, 'refused'));
}

const executable = (): string => fixture.path('target/debug/talker');

/** The one directory in which this session keeps its copies. */
function keptDirectory(): string {
  const sessions = join(fixture.root, 'target/ipbp');
  const found = readdirSync(sessions, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(^|\/)program-1\/executable$/.test(path),
  );
  assert.is(found.length, 1, found.join());
  return join(sessions, found[0] ?? '', '..');
}

test('a symbol that nobody defines, named with who needs it', async () => {
  const call = '{ unsafe { crate::no_such_function() }; "never" }';
  const { items } = await refused(talkerSource(call, 'extern "C" {\n    fn no_such_function();\n}\n'));
  assert.equal(
    items.map(({ code, name }) => [code, name]),
    [['IPBP2003', 'no_such_function']],
  );
  assert.match(items[0]?.because.join() ?? '', 'talker::words::word');
  await save(talkerSource('"repaired"'), 'patched');
  await talker.says('repaired.');
});

test('with the executable replaced on disk it goes on from its own copy', async () => {
  const { pid } = await talker.line();
  const before = statSync(`/proc/${pid}/exe`).ino;
  assert.is(statSync(executable()).ino, before);
  await talker.untouchedBy(async () => {
    fixture.cargo(['build']);
    return Promise.resolve();
  });
  // Another build by now: its addresses are not those of the process.
  assert.is.not(statSync(executable()).ino, before);
  assert.is(statSync(`/proc/${pid}/exe`).ino, before);
  await save(talkerSource('format!("{} years", 40 + 2)'), 'patched');
  assert.is((await talker.says('42 years.')).pid, pid);
  rmSync(executable());
  await save(talkerSource('"without a file"'), 'patched');
  assert.is((await talker.says('without a file.')).pid, pid);
});

test('without its copies of the objects it refuses', async () => {
  // Of what the last patches brought the session keeps copies too.
  const session = join(keptDirectory(), '..');
  for (const path of readdirSync(session, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.o')) rmSync(join(session, path));
  }
  const { items } = await refused(talkerSource('"never"'));
  assert.equal(
    items.map(({ code }) => code),
    ['IPBP5014'],
  );
  assert.match(items[0]?.because.join() ?? '', '.o');
});

test('with another file in place of its copy of the executable it refuses the first patch', async () => {
  await talker.session.stop();
  fixture.write('src/main.rs', talkerSource());
  talker = startTalker(fixture.root);
  await talker.ready();
  await talker.says('hello.');
  const kept = join(keptDirectory(), 'executable');
  copyFileSync(kept, `${kept}.other`);
  appendFileSync(`${kept}.other`, 'another build');
  renameSync(`${kept}.other`, kept);
  const { items } = await refused(talkerSource('"never"'));
  assert.equal(
    items.map(({ code }) => code),
    ['IPBP5007'],
  );
});

test.run();

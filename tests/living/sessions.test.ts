// Several sessions in one workspace at once: two programs that share a library, and one program twice. Every session
// patches its own process, whatever the others compile meanwhile, and is asked by its id.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { librarySource, programSource, spoken, Workshop } from '../poisoning/workshop.js';
import { manifest } from '../cargo-fixture.js';
import type { CommandResult } from '../matrix/session.js';
import { eventOf, ipbp, startTalker, type Talker } from '../talker.js';

const shop = new Workshop();
const runtime = mkdtempSync(join(tmpdir(), 'ipbp-run-'));
process.env.XDG_RUNTIME_DIR = runtime;
const talkers: Talker[] = [];

/** Starts another session, with sockets of this test's own. */
async function session(...args: readonly string[]): Promise<{ readonly talker: Talker; readonly id: string }> {
  const talker = startTalker(shop.fixture.root, args);
  talkers.push(talker);
  return { talker, id: (await talker.ready()).session };
}

/** Until the library's generic function is told to be patched. */
async function patchedGeneric(talker: Talker, from: number): Promise<void> {
  for (let at = from; ;) {
    const event = await eventOf(talker, at, 'patched');
    if (event.functions.some(({ name }) => name === 'words::generic')) return;
    at = talker.session.events.indexOf(event) + 1;
  }
}

function ask(...args: readonly string[]): Promise<CommandResult> {
  return ipbp(shop.fixture.root, ...args);
}

test.before(() => {
  mkdirSync(join(runtime, 'ipbp'), { recursive: true });
  shop.fixture.write('Cargo.toml', '[workspace]\nmembers = ["lib", "app", "other"]\nresolver = "2"\n');
  shop.fixture.write('other/Cargo.toml', manifest('other', '[dependencies]\nwords = { path = "../lib" }\n'));
  shop.fixture.write('other/src/main.rs', programSource({ ...shop.words, own: 'other' }));
});

test.after(async () => {
  for (const talker of talkers) await talker.session.stop();
  shop.remove();
  rmSync(runtime, { recursive: true, force: true });
});

test('one edit of a shared library is live in two programs, and in the second process of one', async () => {
  const one = await session('--bin', 'app');
  const two = await session('--bin', 'other');
  const again = await session('--bin', 'app');
  const all = [one, two, again];
  for (const round of [1, 2, 3]) {
    const from = all.map(({ talker }) => talker.session.events.length);
    // Whichever session comes first compiles the library; both generic and plain code of it is in all programs.
    shop.save({ plain: `p${round}`, generic: `g${round}` });
    await Promise.all(all.map(({ talker }, i) => eventOf(talker, from[i] ?? 0, 'patched')));
    // They may come in two patches, and a program speaks the new word a moment before its event is here.
    await Promise.all(all.map(({ talker }, i) => patchedGeneric(talker, from[i] ?? 0)));
    await one.talker.says(spoken(shop.words));
    await again.talker.says(spoken(shop.words));
    await two.talker.says(spoken({ ...shop.words, own: 'other' }));
  }
  // Of one program alone: the other one's session has nothing to do with it.
  const from = two.talker.session.events.length;
  shop.save({ own: 'o4' });
  await one.talker.says(spoken(shop.words));
  await again.talker.says(spoken(shop.words));
  assert.equal(
    two.talker.session.events.slice(from).filter(({ event }) => event === 'change' || event === 'patched'),
    [],
  );
  assert.is(shop.build().says, spoken(shop.words), 'and cargo builds what the sources say');
});

test('a body that does not compile harms neither, and its repair reaches all', async () => {
  const [one, two, again] = talkers;
  assert.ok(one && two && again);
  const from = talkers.map(({ session: { events } }) => events.length);
  shop.fixture.write('lib/src/lib.rs', librarySource(shop.words).replace('-> String', '-> u8'));
  await Promise.all(talkers.map((talker, i) => eventOf(talker, from[i] ?? 0, 'compile-error')));
  shop.save({ plain: 'p5' });
  await one.says(spoken(shop.words));
  await again.says(spoken(shop.words));
  await two.says(spoken({ ...shop.words, own: 'other' }));
});

test('status and undo go to the session that is named; without a name they ask for one', async () => {
  const [one, two, again] = await Promise.all(talkers.map(async (talker) => ({ talker, ready: await talker.ready() })));
  assert.ok(one && two && again);
  for (const { ready } of [one, two, again]) {
    const { status, output } = await ask('status', '--session', ready.session, '--json');
    assert.is(status, 0, output);
    assert.ok(output.includes(`"pid":${ready.pid}`), output);
  }
  const unnamed = await ask('undo');
  assert.is(unnamed.status, 1);
  assert.match(unnamed.output, /IPBP5012/);

  const live = spoken(shop.words);
  const from = again.talker.session.events.length;
  shop.save({ own: 'o6' });
  await again.talker.says(spoken(shop.words));
  await eventOf(again.talker, from, 'confirmed', 'patched');
  await one.talker.says(spoken(shop.words));
  assert.is((await ask('undo', '--session', again.ready.session)).status, 0);
  await again.talker.says(live);
  assert.is((await one.talker.line()).words, spoken(shop.words), 'the other process of the same program is as it was');
});

test('what a killed session left is cleared away when the next one starts', async () => {
  const [one] = talkers;
  assert.ok(one);
  const { session: id, pid } = await one.ready();
  const host = one.session.processId;
  assert.ok(host !== undefined);
  const sockets = (): readonly string[] => readdirSync(join(runtime, 'ipbp'));
  assert.ok(sockets().includes(`${id}.agent`));
  process.kill(host, 'SIGKILL');
  process.kill(pid, 'SIGKILL');
  await one.session.stop();
  assert.ok(existsSync(shop.fixture.path(`target/ipbp/sessions/${id}`)));
  const next = await session('--bin', 'other');
  assert.ok(!sockets().some((name) => name.startsWith(id)), sockets().join(' '));
  assert.ok(!existsSync(shop.fixture.path(`target/ipbp/sessions/${id}`)));
  // The others' are still there.
  for (const talker of talkers.slice(1)) assert.ok(sockets().includes(`${(await talker.ready()).session}.sock`));
  await next.talker.says(spoken({ ...shop.words, own: 'other' }));
});

test.run();

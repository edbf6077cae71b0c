// Patches while threads run, wait, come and go: none may crash, see EINTR, or run anything but old or new code.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentOp } from '../../src/patch/wire/frames.js';
import { cell, code, compile, ENTRY, jump, liveTest, returning, startSession, type Session } from './process.js';

const EXECUTABLE = compile('program');

interface Counts {
  readonly interrupted: number;
  readonly waits: number;
  readonly calls: number;
  readonly strange: number;
}

async function counts({ program }: Session): Promise<Counts> {
  const [interrupted = 0, waits = 0, calls = 0, strange = 0] = (await program.say('counts')).split(' ').map(Number);
  return { interrupted, waits, calls, strange };
}

/** Sends `hot` to two bodies in turn, `count` times; what it took. */
async function alternate({ agent, functions }: Session, count: number): Promise<{ retries: number; held: number }> {
  const { hot } = functions;
  const bodies = [code(agent, 0, returning(2)), code(agent, 1, returning(3))] as const;
  const prepared = await agent.transact(0, [...bodies[0].ops, ...bodies[1].ops]);
  assert.is(prepared.status, 'applied', prepared.message);
  let now: Uint8Array = ENTRY;
  let [retries, held] = [0, 0];
  for (let patch = 1; patch <= count; patch += 1) {
    // Every third time back to the old body, whose second instruction a thread may stand at.
    const next = patch % 3 === 0 ? ENTRY : jump(hot, bodies[patch % 3 === 1 ? 0 : 1].at);
    const result = await agent.transact(patch, [cell(hot, now, next)]);
    assert.is(result.status, 'applied', `patch ${patch}: ${result.message}`);
    retries += result.retries;
    held += result.heldNanoseconds;
    now = next;
  }
  return { retries, held };
}

function report(what: string, { retries, held }: { retries: number; held: number }, patches: number): void {
  process.stdout.write(
    `  ${what}: ${patches} patches, ${retries} retries, ${Math.round(held / patches / 1000)} µs each\n`,
  );
}

liveTest('8 hot threads, 500 patches of a function that begins with one byte', async () => {
  const session = await startSession(EXECUTABLE);
  await session.program.say('spin 8');
  const before = await counts(session);
  report('hot threads', await alternate(session, 500), 500);
  const after = await counts(session);
  assert.ok(after.calls > before.calls);
  assert.is(after.strange, 0);
  await session.program.say('stop');
  await session.finish();
});

liveTest('50 blocked threads see no EINTR during 200 transactions', async () => {
  const session = await startSession(EXECUTABLE);
  await session.program.say('wait 50');
  await session.program.say('spin 1');
  report('blocked threads', await alternate(session, 200), 200);
  const { interrupted, waits, strange } = await counts(session);
  assert.is(interrupted, 0, `${interrupted} of ${waits} waits were interrupted`);
  assert.ok(waits > 100);
  assert.is(strange, 0);
  await session.finish();
});

liveTest('where a thread blocks SIGTRAP, all are held instead', async () => {
  const session = await startSession(EXECUTABLE);
  await session.program.say('block-signals');
  await session.program.say('spin 4');
  report('held threads', await alternate(session, 100), 100);
  assert.is((await counts(session)).strange, 0);
  await session.program.say('stop');
  await session.finish();
});

liveTest("the program's own traps go where they went before", async () => {
  const session = await startSession(EXECUTABLE);
  assert.is(await session.program.say('trap'), '2');
  await alternate(session, 5);
  assert.is(await session.program.say('trap'), '4');
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.is(await session.program.say('trap'), '6');
  await session.finish();
});

liveTest('children forked while patches are applied are whole', async () => {
  const session = await startSession(EXECUTABLE);
  await session.program.say('forks');
  await session.program.say('spin 2');
  await alternate(session, 150);
  await session.program.say('stop');
  assert.is((await counts(session)).strange, 0);
  await session.finish();
});

/** mov rax, fs:[offset]; ret, as a patch of `quiet` with a thread-local whose initial value is known. */
function threadLocal({ agent, functions }: Session, page: number, offset: number, old: Uint8Array): AgentOp[] {
  const load = [0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0xc3];
  const value = [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11];
  const body = code(agent, page, Uint8Array.from([...load, ...value]));
  return [
    ...body.ops,
    { op: 'tls', at: body.at + 5, size: 4, value: offset },
    { op: 'tls-init', offset, length: value.length, at: body.at + load.length },
    cell(functions.quiet, old, jump(functions.quiet, body.at)),
  ];
}

const VALUE = String(0x1122_3344_5566_7788n);
const QUIET = Uint8Array.of(0x55, 0x48, 0x89, 0xe5, 0xb8);

liveTest("a new thread-local's initial value is seen in running and in later threads", async () => {
  const session = await startSession(EXECUTABLE);
  assert.is(await session.program.say('old-threads'), '0 0 0 0');
  const result = await session.agent.transact(1, threadLocal(session, 0, 4096 - 4, QUIET));
  assert.is(result.status, 'applied', result.message);
  assert.is(await session.program.say('call quiet'), VALUE);
  assert.is(await session.program.say('old-threads'), [VALUE, VALUE, VALUE, VALUE].join(' '));
  assert.is(await session.program.say('new-thread'), VALUE);
  await session.finish();
});

liveTest('and in threads that are being created just then', async () => {
  const session = await startSession(EXECUTABLE);
  await session.program.say('churn 4');
  let old: Uint8Array = QUIET;
  for (let patch = 0; patch < 100; patch += 1) {
    const ops = threadLocal(session, patch, 8 * patch, old);
    const result = await session.agent.transact(patch, ops);
    assert.is(result.status, 'applied', result.message);
    old = jump(session.functions.quiet, session.agent.program.reservation.at + (1 << 30) - (patch + 1) * 4096);
  }
  const { calls, strange } = await counts(session);
  assert.ok(calls > 100, `${calls} threads`);
  assert.is(strange, 0);
  await session.program.say('stop');
  await session.finish();
});

test.run();

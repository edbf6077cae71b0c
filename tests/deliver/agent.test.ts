// Patches as shared libraries, as the agent sees them: opened by the program's loader, filled, reached through words; all
// of it or nothing.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { emitElfPatch } from '../../src/link/emit-elf-patch.js';
import type { AgentOp, TransactionResult } from '../../src/patch/wire/frames.js';
import {
  cell,
  compile,
  DIRECTORY,
  ENTRY,
  liveTest,
  preloaded,
  returning,
  startSession,
  type Session,
} from '../agent/process.js';
import { mappingsOf } from '../talker.js';

const PAGE = 4096;
const EXECUTABLE = compile('program');

/** A file of one function that returns a number, and behind it one that returns what the word in the next page holds. */
function file(value: number): Uint8Array {
  // mov PAGE(%rip),%rax; ret
  const load = [0x48, 0x8b, 0x05, ...new Uint8Array(Int32Array.of(PAGE - 16 - 7).buffer), 0xc3];
  const code = new Uint8Array(24);
  code.set(returning(value));
  code.set(load, 16);
  return emitElfPatch({
    machine: 'x86_64',
    at: 0,
    size: 2 * PAGE,
    segments: [
      { address: 0, size: PAGE, protection: 'rx', bytes: code },
      { address: PAGE, size: PAGE, protection: 'r', bytes: new Uint8Array(8) },
    ],
    words: [PAGE],
    unwind: null,
    unwindEntries: [],
    threadLocals: null,
    sources: [],
    platform: null,
    functions: [{ name: 'patched', address: 0 }],
    description: null,
  });
}

/** Operations that bring such a library, `index` places of three pages down, and send `plain` to an offset in it. */
function patch({ agent, functions }: Session, index: number, value: number, offset = 0): AgentOp[] {
  const { at: start, size } = agent.program.reservation;
  const at = start + size - (index + 1) * 3 * PAGE;
  const word = at + 2 * PAGE;
  const entry = functions.plain;
  const jump = Uint8Array.of(0xff, 0x25, ...new Uint8Array(Int32Array.of(word - entry - 6).buffer));
  return [
    { op: 'library', at, length: 2 * PAGE, bytes: file(value) },
    { op: 'map', at: word, length: PAGE },
    { op: 'word', at: word, module: 0, value: at + offset },
    { op: 'word', at: at + PAGE, module: 0, value: at + 1 },
    { op: 'protect', at: at + PAGE, length: PAGE, protection: 'r' },
    { op: 'protect', at: word, length: PAGE, protection: 'r' },
    cell(entry, Uint8Array.of(...ENTRY, 1), jump),
  ];
}

const wordOf = (ops: readonly AgentOp[]): number => ops.find(({ op }) => op === 'map')?.at ?? 0;

function isApplied(result: TransactionResult): void {
  assert.is(result.status, 'applied', result.message);
}

const librariesIn = (pid: number): readonly { protection: string; path: string }[] =>
  mappingsOf(pid).filter(({ path }) => path.includes('ipbp-patch'));

liveTest('a library is opened, filled and reached, and says where it is', async () => {
  const session = await startSession(EXECUTABLE);
  const { program, agent, finish } = session;
  const ops = patch(session, 0, 5);
  const done = await agent.transact(1, ops);
  isApplied(done);
  assert.is(await program.say('call plain'), '5');
  const [moved] = done.moved;
  assert.is(done.moved.length, 1);
  const base = agent.program.modules[0]?.base ?? 0;
  assert.equal([moved?.start, moved?.length], [base + wordOf(ops) - 2 * PAGE, 2 * PAGE]);
  const code = librariesIn(program.pid).filter(({ protection }) => protection.startsWith('r-x'));
  assert.is(code.length, 1);
  assert.ok(librariesIn(program.pid).every(({ protection }) => !protection.startsWith('rwx')));
  const stands = moved?.start ?? 0;
  // What stands for it is not mapped, and means it all the same.
  const check: AgentOp = { op: 'check', module: 0, at: wordOf(ops) - 2 * PAGE, bytes: returning(5) };
  isApplied(await agent.transact(2, [check]));
  assert.is(mappingsOf(program.pid).find(({ start, end }) => start <= stands && stands < end)?.protection, '---p');
  const { length } = agent.program.modules;
  await agent.look();
  assert.is(agent.program.modules.length, length, 'it is no library of the program');
  await finish();
});

liveTest('its words hold addresses in it, and a slot leads from one library to another', async () => {
  const session = await startSession(EXECUTABLE);
  const { program, agent, functions, finish } = session;
  const first = patch(session, 0, 5, 16);
  const one = await agent.transact(1, first);
  isApplied(one);
  const lies = (result: TransactionResult): number => (result.moved[0]?.start ?? 0) + (result.moved[0]?.by ?? 0);
  assert.is(await program.say('call plain'), String(lies(one) + 1));
  // The second brings no jump: the word of the first leads to it.
  const second = patch(session, 1, 7).filter(({ op }) => op !== 'cell');
  const [from, to] = [wordOf(first) - 2 * PAGE + 16, wordOf(second) - 2 * PAGE];
  const word = wordOf(first);
  isApplied(await agent.transact(2, [...second, { op: 'slot', module: 0, at: word, oldTarget: from, newTarget: to }]));
  assert.is(await program.say('call plain'), '7');
  isApplied(await agent.transact(2, [{ op: 'slot', module: 0, at: word, oldTarget: to, newTarget: from }]));
  assert.is(await program.say('call plain'), String(lies(one) + 1));
  const undo = first.flatMap((op) => (op.op === 'cell' ? [cell(functions.plain, op.newBytes, op.oldBytes)] : []));
  isApplied(await agent.transact(1, undo));
  assert.is(await program.say('call plain'), '1');
  await finish();
});

liveTest('what fails after it was opened closes it', async () => {
  const session = await startSession(EXECUTABLE);
  const { program, agent, finish } = session;
  const before = mappingsOf(program.pid).length;
  const outside: AgentOp = { op: 'word', at: 0, module: 0, value: 0 };
  assert.is((await agent.transact(1, [...patch(session, 0, 5), outside])).status, 'bad-frame');
  assert.equal(librariesIn(program.pid), []);
  assert.is(mappingsOf(program.pid).length, before);
  assert.is(await program.say('call plain'), '1');
  // Its pages are free again.
  isApplied(await agent.transact(2, patch(session, 0, 6)));
  assert.is(await program.say('call plain'), '6');
  const [again] = patch(session, 0, 7);
  assert.ok(again);
  assert.is((await agent.transact(3, [again])).status, 'mapping-failed');
  await finish();
});

liveTest('what no loader opens is refused with what the loader says', async () => {
  const session = await startSession(EXECUTABLE);
  const { program, agent, finish } = session;
  const [library, ...rest] = patch(session, 0, 5);
  assert.ok(library?.op === 'library');
  for (const bytes of [Uint8Array.of(1, 2, 3), library.bytes.subarray(0, 100), new Uint8Array(0)]) {
    const done = await agent.transact(1, [{ ...library, bytes }, ...rest]);
    assert.is(done.status, 'mapping-failed');
    assert.match(done.message, /the loader cannot open the patch: .+/);
  }
  const unaligned = await agent.transact(2, [{ ...library, at: library.at + 8 }]);
  assert.is(unaligned.status, 'mapping-failed');
  assert.equal(librariesIn(program.pid), []);
  assert.is(await program.say('call plain'), '1');
  await finish();
});

liveTest('where the system has no files in memory it is a file in a directory of its own, and gone', async () => {
  const own = mkdtempSync(join(DIRECTORY, 'temporary-'));
  const shim = join(DIRECTORY, 'no-memfd');
  writeFileSync(`${shim}.c`, 'int memfd_create(const char *name, unsigned flags) { return -1; }');
  execFileSync('cc', ['-shared', '-fPIC', '-o', `${shim}.so`, `${shim}.c`]);
  const { LD_PRELOAD: agentFile = '' } = await preloaded('', new Uint8Array(32));
  const environment = { LD_PRELOAD: `${shim}.so:${agentFile}`, TMPDIR: own };
  const session = await startSession(EXECUTABLE, environment);
  const { program, agent, finish } = session;
  isApplied(await agent.transact(1, patch(session, 0, 5)));
  assert.is(await program.say('call plain'), '5');
  isApplied(
    await agent.transact(
      2,
      patch(session, 1, 6).filter(({ op }) => op !== 'cell'),
    ),
  );
  const paths = mappingsOf(program.pid).map(({ path }) => path);
  assert.is(new Set(paths.filter((path) => path.startsWith(own))).size, 2);
  assert.equal(readdirSync(own), []);
  await finish();
});

test.run();

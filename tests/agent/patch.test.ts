// One program, one agent: patches, their undo, and everything that must be refused with nothing changed.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentOp, TransactionResult } from '../../src/patch/wire/frames.js';
import { cell, code, compile, ENTRY, jump, liveTest, returning, startSession } from './process.js';

const EXECUTABLE = compile('program');

function isApplied(result: TransactionResult): void {
  assert.is(result.status, 'applied', result.message);
  assert.is(result.message, '');
}

liveTest('the program says where it is and what it is', async () => {
  const { program, agent, finish } = await startSession(EXECUTABLE);
  const { modules, reservation, tls, pid, abilities, pageSize } = agent.program;
  assert.equal(abilities, { pages: true, libraries: true, code: true });
  assert.is(pageSize, 4096);
  assert.is(pid, program.pid);
  assert.ok(modules[0]?.path.endsWith('/program'));
  assert.is(modules[0]?.identity.kind, 'build-id');
  assert.is(modules[0]?.identity.id.length, 20);
  assert.ok(modules.some(({ path }) => path.includes('libc.so')));
  assert.is(reservation.size, 1 << 30);
  assert.is(reservation.at, -(1 << 30));
  assert.equal([tls.size, tls.align], [16384, 64]);
  assert.ok(tls.offset < 0);
  await finish();
});

liveTest('room near a library, and a patch in it', async () => {
  const { program, agent, functions, finish } = await startSession(EXECUTABLE);
  const [executable, ...others] = agent.program.modules;
  const number = others.findIndex(({ path }) => path.includes('libc.so')) + 1;
  const library = agent.program.modules[number];
  assert.ok(executable !== undefined && library !== undefined);
  const { reservation, threadLocals } = await agent.reserve(number);
  assert.is(reservation.size, 64 << 20);
  assert.ok(reservation.at + reservation.size <= 0 && reservation.at + reservation.size > -(1 << 30));
  assert.ok((threadLocals ?? 0) < 0, 'its thread-locals are at one place in all threads');
  // A second one is elsewhere.
  const again = await agent.reserve(number);
  assert.ok(again.reservation.at + again.reservation.size <= reservation.at);
  // In the executable's space, which is that of the operations.
  const at = library.base - executable.base + reservation.at;
  const { plain } = functions;
  const far = code(agent, 0, returning(5));
  const ops: AgentOp[] = [
    { op: 'map', at, length: 4096 },
    { op: 'write', at, bytes: returning(77) },
    { op: 'protect', at, length: 4096, protection: 'rx' },
    { op: 'check', module: number, at: 0, bytes: Uint8Array.of(0x7f, 0x45, 0x4c, 0x46) },
  ];
  isApplied(await agent.transact(1, [...far.ops, ...ops, cell(plain, ENTRY, jump(plain, far.at))]));
  assert.is(await program.say('call plain'), '5');
  const taken = await agent.transact(2, ops.slice(0, 1));
  assert.is(taken.status, 'mapping-failed');
  const below = at - reservation.at + again.reservation.at - 4096;
  assert.is((await agent.transact(3, [{ op: 'map', at: below, length: 4096 }])).status, 'mapping-failed');
  await finish();
});

liveTest('without a build id the code itself is the identity', async () => {
  const executable = compile('no-build-id', '-Clink-arg=-Wl,--build-id=none');
  const { agent, finish } = await startSession(executable);
  const identity = agent.program.modules[0]?.identity;
  assert.is(identity?.kind, 'text-sha256');
  const file = readFileSync(executable);
  const hash = createHash('sha256');
  const table = Number(file.readBigUInt64LE(32));
  for (let i = 0; i < file.readUInt16LE(56); i += 1) {
    const header = file.subarray(table + i * 56);
    if (header.readUInt32LE(0) !== 1 || header.readUInt32LE(4) % 2 === 0) continue;
    const offset = Number(header.readBigUInt64LE(8));
    hash.update(file.subarray(offset, offset + Number(header.readBigUInt64LE(32))));
  }
  assert.is(Buffer.from(identity?.id ?? []).toString('hex'), hash.digest('hex'));
  await finish();
});

liveTest('a function is redirected, redirected again, and put back', async () => {
  const { program, agent, functions, finish } = await startSession(EXECUTABLE);
  const { plain } = functions;
  assert.is(await program.say('call plain'), '1');
  const first = code(agent, 0, returning(2));
  const second = code(agent, 1, returning(3));
  const [toFirst, toSecond] = [jump(plain, first.at), jump(plain, second.at)];
  isApplied(await agent.transact(1, [...first.ops, cell(plain, ENTRY, toFirst)]));
  assert.is(await program.say('call plain'), '2');
  isApplied(await agent.transact(2, [...second.ops, cell(plain, toFirst, toSecond)]));
  assert.is(await program.say('call plain'), '3');
  isApplied(await agent.transact(3, [cell(plain, toSecond, toFirst)]));
  assert.is(await program.say('call plain'), '2');
  isApplied(await agent.transact(4, [cell(plain, toFirst, ENTRY)]));
  assert.is(await program.say('call plain'), '1');
  await finish();
});

liveTest('a short jump to a long one in padding, and back', async () => {
  const { program, agent, functions, finish } = await startSession(EXECUTABLE);
  const { short } = functions;
  const body = code(agent, 0, returning(9));
  const padding = new Uint8Array(5).fill(0xcc);
  const [long, two] = [jump(short + 3, body.at), Uint8Array.of(0xeb, 1)];
  const room = { op: 'cell', module: 0, at: short + 3, guardFrom: 0, guardTo: 5 } as const;
  const before = Uint8Array.of(0x31, 0xc0);
  const there: AgentOp[] = [{ ...room, oldBytes: padding, newBytes: long }, cell(short, before, two)];
  isApplied(await agent.transact(1, [...body.ops, ...there]));
  assert.is(await program.say('call short'), '9');
  isApplied(await agent.transact(2, [{ ...room, oldBytes: long, newBytes: padding }, cell(short, two, before)]));
  assert.is(await program.say('call short'), '0');
  await finish();
});

liveTest('words, imports, constructors and unwind blocks', async () => {
  const { program, agent, functions, finish } = await startSession(EXECUTABLE);
  const { plain } = functions;
  // Loads the word at page + 64; the constructor at page + 32 adds 1 to the word at the data page.
  const data = agent.program.reservation.at;
  const page = code(agent, 0, new Uint8Array(0));
  const text = new Uint8Array(256);
  // mov rax, [rip + …]; mov rax, [rax]; ret — at 64: the address of the data page; at 72: that of getpid, called.
  text.set([0x48, 0x8b, 0x05, 57, 0, 0, 0, 0x48, 0x8b, 0x00, 0xc3], 0);
  // mov rax, [rip + 25]; inc qword ptr [rax]; ret
  text.set([0x48, 0x8b, 0x05, 25, 0, 0, 0, 0x48, 0xff, 0x00, 0xc3], 32);
  const ops: AgentOp[] = [
    { op: 'map', at: data, length: 4096 },
    { op: 'write', at: data, bytes: Uint8Array.of(41) },
    { op: 'import', at: data + 8, name: 'no_such_symbol', weak: true, byResolver: false, addend: 4 },
    { op: 'import', at: data + 16, name: 'getpid', weak: false, byResolver: false, addend: 0 },
    { op: 'unwind', at: data + 1024 },
    { op: 'map', at: page.at, length: 4096 },
    { op: 'write', at: page.at, bytes: text },
    { op: 'word', at: page.at + 64, module: 0, value: data },
    { op: 'protect', at: page.at, length: 4096, protection: 'rx' },
    cell(plain, ENTRY, jump(plain, page.at)),
    { op: 'init', at: page.at + 32 },
  ];
  isApplied(await agent.transact(1, ops));
  assert.is(await program.say('call plain'), '42');
  await finish();
});

liveTest('what is wrong is refused with its status, and nothing is changed', async () => {
  const { program, agent, functions, finish } = await startSession(EXECUTABLE);
  const { plain, hot } = functions;
  const body = code(agent, 0, returning(2));
  const good = cell(plain, ENTRY, jump(plain, body.at));
  const wrong = cell(hot, Uint8Array.of(1, 2, 3, 4, 5), jump(hot, body.at));
  const { at: start, size } = agent.program.reservation;
  const cases: readonly (readonly [string, readonly AgentOp[], RegExp])[] = [
    ['bytes-differ', [...body.ops, good, wrong], /expected 0102030405, found 554889e5b8/],
    ['bytes-differ', [...body.ops, good, { op: 'check', module: 0, at: hot, bytes: Uint8Array.of(0x90) }], /found 55/],
    ['bytes-differ', [{ op: 'check', module: 0, at: start, bytes: Uint8Array.of(0) }], /nothing mapped/],
    [
      'symbol-not-found',
      [
        ...body.ops,
        good,
        { op: 'import', at: body.at, name: 'nowhere_at_all', weak: false, byResolver: false, addend: 0 },
      ],
      /nowhere_at_all/,
    ],
    ['mapping-failed', [{ op: 'map', at: start + size, length: 4096 }, good], /reservation/],
    ['mapping-failed', [{ op: 'map', at: start - 4096, length: 8192 }, good], /reservation/],
    ['mapping-failed', [...body.ops, ...body.ops, good], /not free/],
    ['bad-frame', [...body.ops, good, good], /overlap/],
    ['bad-frame', [...body.ops, good, { op: 'word', at: body.at, module: 999, value: 0 }], /no module 999/],
    ['bad-frame', [{ op: 'write', at: plain, bytes: Uint8Array.of(0x90) }], /not mapped by this transaction/],
    ['bad-frame', [good, { op: 'init', at: plain }], /not mapped by this transaction/],
    ['no-tls-room', [...body.ops, { op: 'tls-init', offset: 16380, length: 8, at: body.at }, good], /0x3ffc/],
  ];
  let patch = 0;
  for (const [status, ops, message] of cases) {
    patch += 1;
    const result = await agent.transact(patch, ops);
    assert.is(result.status, status, `case ${patch}: ${result.message}`);
    assert.match(result.message, message);
    assert.is(result.patch, patch);
    assert.is(await program.say('call plain'), '1');
    assert.is(await program.say('call hot'), '1');
  }
  // All that failed was taken back: the same pages are free.
  isApplied(await agent.transact(99, [...body.ops, good]));
  assert.is(await program.say('call plain'), '2');
  await finish();
});

liveTest('the program goes on when the host goes away', async () => {
  const { program, agent, finish } = await startSession(EXECUTABLE);
  agent.close();
  assert.equal(await agent.closed, { reason: 'closed', error: null });
  assert.is(await program.say('call plain'), '1');
  let code = '';
  await agent.transact(1, []).catch((error: unknown) => (code = (error as { code: string }).code));
  assert.is(code, 'IPBP4006');
  await finish();
});

liveTest('the host is told when the program ends', async () => {
  const { agent, finish } = await startSession(EXECUTABLE);
  await finish();
  assert.equal(await agent.closed, { reason: 'program-ended', error: null });
});

test.run();

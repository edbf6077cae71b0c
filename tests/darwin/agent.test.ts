// The agent in a program for macOS, in our loader: it comes in by dyld's variable, says where it is, has patches opened
// as libraries, fills their words and sends slots to them; all of it or nothing.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DarwinTarget } from '../../conformance/setup/darwin-toolchain.js';
import { run } from '../../conformance/setup/run.js';
import { agentLibrary } from '../../src/host/agent/agent-build.js';
import { listenForAgent, type AgentConnection } from '../../src/host/agent/agent-connection.js';
import { targetTools } from '../../src/host/cargo/target-tools.js';
import type { AgentOp, TransactionResult } from '../../src/patch/wire/frames.js';
import { liveTest, newSocketPath, start, type Running } from '../agent/process.js';
import { darwinWorkshop, type DarwinWorkshop } from './programs.js';

const SOURCE = readFileSync(fileURLToPath(new URL('agent-program.rs', import.meta.url)), 'utf8');
const HOST = 'x86_64-unknown-linux-gnu';
/** Pages are larger on arm64; a library's segments fit either so. */
const PAGE = 0x4000;
const LIBRARY_SIZE = 8 * PAGE;

interface Session {
  readonly program: Running;
  readonly agent: AgentConnection;
  readonly base: number;
  readonly slot: number;
  readonly first: number;
  readonly plain: number;
}

async function startIn({ tools, compile }: DarwinWorkshop, environment = {}): Promise<Session> {
  const executable = compile('program', SOURCE, '-O');
  const settings = targetTools([], '/', tools.target, HOST, null, { ...process.env, ...tools.env });
  const variables = { ...settings.variables, SDKROOT: tools.sdk };
  const library = await agentLibrary(tools.target, { tools: { ...settings, variables } });
  const [socketPath, token] = [newSocketPath(), randomBytes(32)];
  const listener = await listenForAgent({ socketPath, token });
  const preload = {
    DYLD_INSERT_LIBRARIES: library,
    IPBP_CONNECT: `unix:${socketPath}`,
    IPBP_TOKEN: token.toString('hex'),
  };
  const program = start(tools.machorun, { ...preload, ...environment }, 'inherit', [executable]);
  const died = program.ended.then((status) => {
    throw new Error(`the program ended with ${status} before its agent connected`);
  });
  const agent = await Promise.race([listener.accept(), died]);
  died.catch(() => undefined);
  listener.close();
  const base = agent.program.modules[0]?.base ?? 0;
  const addresses = (await program.say('addresses')).split(' ').map((text) => parseInt(text, 16) - base);
  const [slot = 0, first = 0, plain = 0] = addresses;
  return { program, agent, base, slot, first, plain };
}

/** A library with a function that returns `value` times what its word holds. */
function patchFile({ tools, path }: DarwinWorkshop, value: number): { bytes: Uint8Array; of: Map<string, number> } {
  const machine = tools.target.startsWith('aarch64') ? 'arm64' : 'x86_64';
  const code = `
    __attribute__((section("__DATA,__words"))) volatile unsigned long word = 1;
    unsigned long patched(void) { return ${value} * word; }`;
  writeFileSync(path('patch.c'), code);
  run('clang-19', ['-target', `${machine}-apple-macos12`, '-O1', '-c', '-o', path('patch.o'), path('patch.c')]);
  const system = ['-platform_version', 'macos', '12.0', '12.0', '-syslibroot', tools.sdk, '-lSystem'];
  const output = path(`patch-${value}.dylib`);
  run(tools.ld, ['-dylib', '-arch', machine, ...system, '-o', output, path('patch.o')]);
  const names = run('llvm-nm-19', ['--defined-only', output]).matchAll(/^([0-9a-f]+) . _(\w+)$/gm);
  const of = new Map([...names].map(([, address = '', name = '']) => [name, parseInt(address, 16)]));
  return { bytes: readFileSync(output), of };
}

/** Operations that bring it, `index` places down, give its word a value and send the slot from `old` to it. */
function patch(workshop: DarwinWorkshop, session: Session, index: number, value: number, word: number, old: number) {
  const { at: start, size } = session.agent.program.reservation;
  const at = start + size - (index + 1) * LIBRARY_SIZE;
  const { bytes, of } = patchFile(workshop, value);
  const target = at + (of.get('patched') ?? NaN);
  const ops: AgentOp[] = [
    { op: 'library', at, length: LIBRARY_SIZE, bytes },
    // A word holds an address: what is told is how far that is from the program.
    { op: 'word', at: at + (of.get('word') ?? NaN), module: 0, value: word - session.base },
    { op: 'slot', module: 0, at: session.slot, oldTarget: old, newTarget: target },
  ];
  return { ops, target, at };
}

function isApplied(result: TransactionResult): void {
  assert.is(result.status, 'applied', result.message);
}

/** All of `plain` but its return: as it is, and returning 2. */
function plainBodies(target: DarwinTarget): [Uint8Array, Uint8Array] {
  const [from, to] = target.startsWith('aarch64')
    ? ['290080d2e00309aa', '490080d2e00309aa']
    : ['55b8010000005d', '55b8020000005d'];
  return [Uint8Array.from(Buffer.from(from ?? '', 'hex')), Uint8Array.from(Buffer.from(to ?? '', 'hex'))];
}

/** How far jumps over entries reach. */
const reachOf = (target: DarwinTarget): number => (target.startsWith('aarch64') ? 128 << 20 : 2 ** 31);

const folderOf = (pid: number): string => join(tmpdir(), `ipbp-patches-${pid}`);

for (const target of ['x86_64-apple-darwin', 'aarch64-apple-darwin'] satisfies DarwinTarget[]) {
  liveTest(`${target}: the program says where it is and what it is, and has no trace of the agent`, async () => {
    const workshop = darwinWorkshop(target);
    const { program, agent } = await startIn(workshop);
    const { modules, reservation, beside, tls, pid, abilities, pageSize } = agent.program;
    assert.is(pid, program.pid);
    assert.ok(modules[0]?.path.endsWith('/program'), modules[0]?.path);
    assert.is(modules[0]?.identity.kind, 'build-id');
    const uuid = /uuid ([0-9A-F-]+)/.exec(
      run('llvm-objdump-19', ['--macho', '--all-headers', workshop.path('program')]),
    );
    const id = Buffer.from(modules[0]?.identity.id ?? []).toString('hex');
    assert.is(id, uuid?.[1]?.replaceAll('-', '').toLowerCase());
    assert.ok(modules.some(({ path }) => path.endsWith('libipbp_agent.dylib')));
    assert.is(reservation.size, 1 << 30);
    assert.is(beside.size, 32 << 20);
    // Module 0's offsets are addresses of its file: __TEXT begins at 4 GiB.
    assert.ok(beside.at > 2 ** 32 && beside.at + beside.size - 2 ** 32 <= reachOf(target), `${beside.at}`);
    assert.equal(tls, { offset: 0, size: 0, align: 1 });
    assert.equal(abilities, { pages: false, libraries: true, code: true });
    assert.is(pageSize, target.startsWith('aarch64') ? 0x4000 : 0x1000);
    assert.is(await program.say('traces'), '[None, None, None, None]');
    assert.is(await program.end(), 0);
    workshop.remove();
  });

  liveTest(
    `${target}: a library is opened, its word filled, a slot sent to it and back while threads call`,
    async () => {
      const workshop = darwinWorkshop(target);
      const session = await startIn(workshop);
      const { program, agent, slot, first } = session;
      assert.is(await program.say('call'), '1');
      const one = patch(workshop, session, 0, 5, 3, first);
      const done = await agent.transact(1, one.ops);
      isApplied(done);
      assert.is(done.moved.length, 1);
      assert.is(await program.say('call'), '15');
      const [file] = readdirSync(folderOf(agent.program.pid));
      assert.is(file, 'patch-0.dylib');
      // From one patch to the next, and all the way back.
      const two = patch(workshop, session, 1, 7, 11, one.target);
      isApplied(await agent.transact(2, two.ops));
      assert.is(await program.say('call'), '77');
      assert.is(await program.say('fork'), '77', 'the child has what the program had');
      const before = Number(await program.say('busy'));
      isApplied(
        await agent.transact(2, [{ op: 'slot', module: 0, at: slot, oldTarget: two.target, newTarget: first }]),
      );
      assert.is(await program.say('call'), '1');
      assert.ok(Number(await program.say('busy')) > before, 'its threads go on');
      const { length } = agent.program.modules;
      await agent.look();
      assert.is(agent.program.modules.length, length, 'patches are no libraries of the program');
      assert.is(await program.end(), 0);
      assert.not(existsSync(folderOf(agent.program.pid)), 'the files are gone with the program');
      workshop.remove();
    },
  );

  liveTest(`${target}: code is changed in place, to and fro, while threads are in it`, async () => {
    const workshop = darwinWorkshop(target);
    const { program, agent, plain } = await startIn(workshop);
    const [one, two] = plainBodies(target);
    const change = (oldBytes: Uint8Array, newBytes: Uint8Array): AgentOp => {
      return { op: 'cell', module: 0, at: plain, oldBytes, newBytes, guardFrom: 1, guardTo: oldBytes.length };
    };
    for (let turn = 0; turn < 10; turn++) {
      isApplied(await agent.transact(1, [change(one, two)]));
      assert.is(await program.say('plain'), '2');
      const late = await agent.transact(1, [change(one, two)]);
      assert.is(late.status, 'bytes-differ');
      isApplied(await agent.transact(1, [change(two, one)]));
      assert.is(await program.say('plain'), '1');
    }
    const before = Number(await program.say('busy'));
    assert.is(await program.say('strange'), '0');
    await new Promise((done) => setTimeout(done, 200));
    assert.ok(Number(await program.say('busy')) > before, 'its threads go on');
    assert.is(await program.end(), 0);
    workshop.remove();
  });

  liveTest(
    `${target}: pages beside the program hold words and code, and are free again after what failed`,
    async () => {
      const workshop = darwinWorkshop(target);
      const { program, agent, slot, first } = await startIn(workshop);
      const { at } = agent.program.beside;
      // Returns 9: mov w0, #9; ret. mov eax, 9; ret.
      const digits = target.startsWith('aarch64') ? '20018052c0035fd6' : 'b809000000c3';
      const ops: AgentOp[] = [
        { op: 'map', at, length: PAGE },
        { op: 'map', at: at + PAGE, length: PAGE },
        { op: 'write', at, bytes: Uint8Array.from(Buffer.from(digits, 'hex')) },
        { op: 'word', at: at + PAGE, module: 0, value: 5 },
        { op: 'protect', at, length: PAGE, protection: 'rx' },
        { op: 'protect', at: at + PAGE, length: PAGE, protection: 'r' },
      ];
      const change: AgentOp = { op: 'slot', module: 0, at: slot, oldTarget: first, newTarget: at };
      const wrong: AgentOp = { op: 'check', module: 0, at: slot + 4, bytes: Uint8Array.of(1, 2, 3) };
      const import_: AgentOp = {
        op: 'import',
        at: at + PAGE,
        name: 'no_such',
        weak: false,
        byResolver: false,
        addend: 0,
      };
      for (const [more, status] of [
        [wrong, 'bytes-differ'],
        [import_, 'symbol-not-found'],
        [{ op: 'write', at: at + 2 * PAGE, bytes: Uint8Array.of(1) }, 'bad-frame'],
        [{ op: 'map', at: at + agent.program.beside.size, length: PAGE }, 'mapping-failed'],
      ] as const) {
        assert.is((await agent.transact(1, [...ops, more, change])).status, status);
        assert.is(await program.say('call'), '1');
      }
      isApplied(await agent.transact(1, [...ops, change]));
      assert.is(await program.say('call'), '9');
      assert.is((await agent.transact(2, ops)).status, 'mapping-failed', 'they are taken');
      assert.is(await program.end(), 0);
      workshop.remove();
    },
  );

  liveTest(`${target}: what cannot be done is refused with a reason, and nothing is changed`, async () => {
    const workshop = darwinWorkshop(target);
    const session = await startIn(workshop);
    const { program, agent, slot, first } = session;
    const { ops, at, target: patched } = patch(workshop, session, 0, 5, 3, first);
    const [library, word, change] = ops as [AgentOp, AgentOp, AgentOp];
    const wanted: readonly [AgentOp[], TransactionResult['status'], RegExp][] = [
      [[{ op: 'map', at, length: PAGE }], 'mapping-failed', /a patch is a library/],
      [[library, { op: 'unwind', at }], 'mapping-failed', /whose records are found/],
      [[library, { op: 'tls', at, size: 8, value: 0 }], 'no-tls-room', /./],
      [[{ op: 'tls-init', offset: 0, length: 8, at }], 'no-tls-room', /./],
      [[library, word, { ...change, oldTarget: patched } as AgentOp], 'bytes-differ', /module 0/],
      [
        [library, { op: 'import', at, name: 'no_such_name', weak: false, byResolver: false, addend: 0 }, change],
        'symbol-not-found',
        /no_such_name/,
      ],
      [[{ ...library, bytes: new Uint8Array(64) } as AgentOp], 'mapping-failed', /the loader cannot open the patch/],
      [
        [
          {
            op: 'cell',
            module: 0,
            at: first,
            oldBytes: Uint8Array.of(0),
            newBytes: Uint8Array.of(0),
            guardFrom: 0,
            guardTo: 0,
          },
        ],
        'bytes-differ',
        /./,
      ],
      [[{ op: 'slot', module: 0, at: slot + 4, oldTarget: first, newTarget: first }], 'bad-frame', /aligned/],
      [[{ op: 'check', module: 0, at: at + PAGE, bytes: Uint8Array.of(0) }], 'bytes-differ', /nothing mapped/],
    ];
    for (const [attempt, status, reason] of wanted) {
      const result = await agent.transact(1, attempt);
      assert.is(result.status, status, `${attempt.map(({ op }) => op).join(' ')}: ${result.message}`);
      assert.match(result.message, reason);
      assert.is(await program.say('call'), '1');
    }
    // The place is free again.
    isApplied(await agent.transact(2, ops));
    assert.is(await program.say('call'), '15');
    assert.is(await program.end(), 0);
    workshop.remove();
  });

  liveTest(`${target}: a library that the program opens is found, held, and has room for patches`, async () => {
    const workshop = darwinWorkshop(target);
    const { program, agent } = await startIn(workshop);
    const { length } = agent.program.modules;
    patchFile(workshop, 3);
    assert.is(await program.say(`open ${workshop.path('patch-3.dylib')}`), 'true');
    await agent.look();
    assert.is(agent.program.modules.length, length + 1);
    assert.ok(agent.program.modules[length]?.path.endsWith('/patch-3.dylib'));
    const { reservation, beside, threadLocals } = await agent.reserve(length);
    assert.equal([reservation.size, threadLocals], [64 << 20, null]);
    assert.ok(beside.size > 0 && Math.abs(beside.at) < reachOf(target), `${beside.at}`);
    const again = await agent.reserve(0);
    assert.is(again.reservation.size, 64 << 20);
    assert.is(await program.end(), 0);
    workshop.remove();
  });
}

test.run();

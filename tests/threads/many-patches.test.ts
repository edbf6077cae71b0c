// 500 patches in a row under threads of all kinds: hot ones, one that sleeps in a function of the patch, 50 that are
// blocked in the kernel. Planned, linked and sent one by one as a session does it; only rustc is left out, as its
// objects of two versions get another number for each patch.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, openSync, readFileSync, readSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../../src/formats/read-object.js';
import { listenForAgent, type AgentConnection } from '../../src/host/agent/agent-connection.js';
import { inputFile } from '../../src/host/session/kept-files.js';
import { objectsAt } from '../../src/host/files/object-paths.js';
import type { InputFile } from '../../src/patch/engine.js';
import { openLiveEngine, type OneModuleEngine } from '../../src/patch/live-engine.js';
import { decodeInstruction } from '../../src/reloc/x86-64/decode.js';
import { X86_64_ENTRY } from '../../src/reloc/x86-64/entry.js';
import { DIRECTORY, newSocketPath, preloaded, start, type Running } from '../agent/process.js';

const PATCHES = 500;
/** The number in `work.rs`; patch n gives its functions this plus n. */
const STAMP = 0x7a11_c0de;
const HOT_THREADS = 8;
const PROGRAM = fileURLToPath(new URL('program', import.meta.url));
/** Far more than the functions of one patch and their page of padding each need. */
const MOST_BYTES_PER_PATCH = 64 * 1024;

/** Of all patches together. */
const MOST_BUSY = 5;

/** An object of one version, and where the number stands in it. */
interface Version {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly stamps: readonly number[];
}

const folder = join(DIRECTORY, 'threads');

/** Compiles what lies in the folder as cargo would; the objects stay in `incremental`. */
function compile(): InputFile[] {
  const flags = ['--edition', '2021', '-g', '-C', 'incremental=incremental', '--crate-name', 'threads'];
  execFileSync('rustc', [...flags, '-o', 'program', 'main.rs'], { cwd: folder });
  return objectsAt([join(folder, 'incremental')]).map(({ name, read }) => {
    // Not a Buffer: a slice of this is a copy.
    const bytes = Uint8Array.from(read());
    return { name, read: () => bytes };
  });
}

/** The places of the number in a file. */
function stampsIn(bytes: Uint8Array): number[] {
  const found: number[] = [];
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const stamp = Buffer.alloc(4);
  stamp.writeUInt32LE(STAMP);
  for (let at = text.indexOf(stamp); at >= 0; at = text.indexOf(stamp, at + 1)) found.push(at);
  return found;
}

/** The one object that holds the functions of `work.rs`. */
function versionOf(objects: readonly InputFile[]): Version {
  const [version, ...more] = objects
    .map(({ name, read }) => ({ name, bytes: read(), stamps: stampsIn(read()) }))
    .filter(({ stamps }) => stamps.length > 0);
  assert.ok(version !== undefined && more.length === 0, 'one object holds all of work.rs');
  assert.ok(version.stamps.length >= HOT_THREADS + 1, `${version.stamps.length} places hold the number`);
  return version;
}

/** A version as if its text had held another number. */
function stamped({ name, bytes, stamps }: Version, number: number): InputFile {
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  for (const at of stamps) view.setUint32(at, STAMP + number, true);
  return { name, read: () => changed };
}

/** What the program's threads wrote down, read from outside. */
interface Board {
  /** Each slot's newest number, less the one of the base. */
  readonly seen: readonly number[];
  readonly interrupted: number;
  readonly waited: number;
  readonly backwards: number;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** Kibibytes of memory that a process has. */
function residentMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Threads that sleep in the kernel. */
function sleeping(pid: number): number {
  const states = readdirSync(`/proc/${pid}/task`).map(
    (task) => /\) (.) /.exec(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8'))?.[1],
  );
  return states.filter((state) => state === 'S').length;
}

const test = suite('threads');
let versions: readonly [Version, Version];
let program: Running;
let agent: AgentConnection;
let engine: OneModuleEngine;
let others: readonly InputFile[];
let board: () => Board;
/** Patches sent so far, undos not counted; what runs now. */
let live = 0;
let current: InputFile;
/** Answers that some thread could not be brought to a safe place in time. */
let busy = 0;
/** How long threads were held, in ms, by patch. */
const held: number[] = [];

test.before(async () => {
  mkdirSync(folder);
  cpSync(PROGRAM, folder, { recursive: true });
  const objects = compile();
  const plain = versionOf(objects);
  others = objects.filter(({ name }) => name !== plain.name);
  const executable = join(folder, 'executable');
  cpSync(join(folder, 'program'), executable);
  const text = readFileSync(join(folder, 'work.rs'), 'utf8');
  const wordy = text
    .replaceAll('pass', 'in_words')
    .replace('        tick()\n', '        tick();\n        in_words(1);\n');
  writeFileSync(join(folder, 'work.rs'), wordy);
  versions = [plain, versionOf(compile())];
  current = stamped(plain, 0);

  const [socketPath, token] = [newSocketPath(), randomBytes(32)];
  const listener = await listenForAgent({ socketPath, token });
  program = start(executable, await preloaded(socketPath, token));
  const [at, blocked] = (await program.say('')).split(' ');
  assert.is(blocked, '50');
  agent = await listener.accept();
  listener.close();
  engine = openLiveEngine(inputFile('executable', executable));
  // The kernel's own module has no file.
  engine.attach(agent.program, (path) => (existsSync(path) ? inputFile(path, path) : null));
  const memory = openSync(`/proc/${program.pid}/mem`, 'r');
  board = () => {
    const bytes = Buffer.alloc(4 * 12);
    assert.is(readSync(memory, bytes, 0, bytes.length, parseInt(at ?? '', 16)), bytes.length);
    const words = Array.from({ length: 12 }, (_, index) => bytes.readUInt32LE(4 * index));
    const [interrupted = 0, waited = 0, backwards = 0] = words.slice(9);
    return { seen: words.slice(0, 9).map((word) => word - STAMP), interrupted, waited, backwards };
  };
});

test.after(async () => {
  await program.end();
});

/** Plans, links and sends one patch; the bytes of memory it takes. */
async function patch(number: number): Promise<number> {
  const next = stamped(versions[number % 2] as Version, number);
  const diff = engine.diff([current], [next]);
  const plan = engine.link(diff, { others, archives: [] });
  if (plan.kind !== 'patch') throw new Error(`patch ${number}: ${JSON.stringify(plan)}`);
  const { image, items } = plan;
  assert.is(items.filter(({ verdict }) => verdict === 'redirected').length, HOT_THREADS + 2);
  let answer = await agent.transact(number, engine.transaction(image));
  // On a machine so busy that a thread did not run for two seconds nothing was changed, and it is tried again.
  for (; answer.status === 'threads-busy' && busy < MOST_BUSY; busy++) {
    answer = await agent.transact(number, engine.transaction(image));
  }
  assert.is(answer.status, 'applied', `patch ${number}: ${answer.message}`);
  held.push(answer.heldNanoseconds / 1e6);
  engine.applied(image, diff);
  current = next;
  live = number;
  return image.segments.reduce((sum, segment) => sum + segment.size, 0);
}

/** Waits until every thread got this number. */
async function seenByAll(number: number): Promise<void> {
  const end = Date.now() + 20_000;
  for (let now = board(); now.seen.some((value) => value !== number); now = board()) {
    assert.ok(Date.now() < end, `patch ${number} is not in every thread: ${now.seen.join(' ')}`);
    await new Promise((done) => setTimeout(done, 1));
  }
}

test('the functions begin as those that are hard to redirect', () => {
  const file = readObjectFile(readFileSync(join(folder, 'executable')), 'executable');
  const bodyOf = (name: string): Uint8Array => {
    const symbol = file.symbols.find((one) => one.kind === 'function' && one.name.includes(`4work${name}17h`));
    const section = file.sections.find(({ name: of }) => of === '.text');
    if (symbol === undefined || section === undefined) throw new Error(`no ${name}`);
    const from = section.offset + symbol.value - section.address;
    return file.bytes.subarray(from, from + symbol.size);
  };
  for (const name of ['5hot_0', '5hot_7', '4tick', '3run']) assert.is(decodeInstruction(bodyOf(name), 0)?.length, 1);
  const { branchTargets } = X86_64_ENTRY.decode(bodyOf('3run'));
  assert.ok(
    branchTargets.some((at) => at > 0 && at < 5),
    `run is another loop than expected: ${branchTargets.join()}`,
  );
});

test('50 threads are blocked, and all others get their numbers', async () => {
  await seenByAll(0);
  assert.ok(sleeping(program.pid) >= 50);
});

test(`each of ${PATCHES} patches is seen by every thread, and none is disturbed`, async () => {
  const sizes: number[] = [];
  // The first patches grow what is used again later: the agent's buffers, the heap's arenas.
  const warm = 20;
  let resident = 0;
  const start = performance.now();
  for (let number = 1; number <= PATCHES; number++) {
    sizes.push(await patch(number));
    await seenByAll(number);
    if (number === warm) resident = residentMemory(program.pid);
  }
  const ms = (performance.now() - start) / PATCHES;
  const grown = ((residentMemory(program.pid) - resident) * 1024) / (PATCHES - warm);
  const size = sizes.reduce((sum, one) => sum + one, 0) / PATCHES;
  process.stdout.write(
    `\n${PATCHES} patches: ${Math.round(ms)} ms each until all ${HOT_THREADS + 1} threads saw it; ` +
      `memory per patch: ${Math.round(size)} bytes of image, ${Math.round(grown)} bytes resident; ` +
      `threads held ${median(held).toFixed(1)} ms (median); ${busy} times too busy\n`,
  );
  assert.ok(size <= MOST_BYTES_PER_PATCH, `an image takes ${size} bytes`);
  assert.ok(grown <= MOST_BYTES_PER_PATCH, `the process grew by ${grown} bytes per patch`);
  const { interrupted, waited, backwards } = board();
  assert.is(interrupted, 0, 'EINTR was seen');
  assert.is(backwards, 0, 'a thread got an older number');
  assert.ok(waited > PATCHES, `the sleeping thread slept ${waited} times`);
  assert.ok(sleeping(program.pid) >= 50);
});

test('all of them are taken back, and the threads are where they were', async () => {
  for (; live > 0; live--) {
    const step = engine.undoStep();
    if (step === null) throw new Error('nothing to undo');
    const answer = await agent.transact(live, step.ops);
    assert.is(answer.status, 'applied', `undo of ${live}: ${answer.message}`);
    engine.undone();
    if (live % 50 === 1) await seenByAll(live - 1);
  }
  await seenByAll(0);
  assert.is(board().interrupted, 0);
  assert.is(engine.undoStep(), null);
});

test('the program ends well', async () => {
  assert.is(await program.end(), 0);
});

test.run();

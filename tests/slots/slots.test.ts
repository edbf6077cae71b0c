// A program that was linked with slots: patches change one word per function, no code is written and no thread is held;
// whoever has a function's address, from whatever object, goes on to have the same.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { ipbp, startTalker, type Talker } from '../talker.js';

const LIBRARY = 'tools/src/lib.rs';

/** The library's source: a plain function, a generic one (compiled where it is used), a trait with a default. */
function library(plain = '1', generic = '10', provided = '100'): string {
  return `use std::ops::Add;

#[inline(never)]
pub fn plain() -> u64 {
    ${plain}
}

#[inline(never)]
pub fn generic<T: Add<Output = T> + From<u8>>(value: T) -> T {
    value + T::from(${generic})
}

pub trait Speaks: Sync {
    fn provided(&self) -> u64 {
        ${provided}
    }
    fn own(&self) -> u64;
}

/// Addresses as this crate sees them.
pub fn addresses() -> [usize; 2] {
    [plain as *const () as usize, generic::<u64> as *const () as usize]
}
`;
}

/** The program: prints sums of what all its functions say, and whether addresses are what they were. */
function program(own = '1000', short = '', hot = '1'): string {
  return `use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tools::Speaks;

struct Parrot;
impl Speaks for Parrot {
    #[inline(never)]
    fn own(&self) -> u64 {
        ${own}
    }
}
static SPEAKER: &dyn Speaks = &Parrot;
static POINTERS: [fn() -> u64; 2] = [tools::plain, own];
static WARM: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);

#[inline(never)]
fn own() -> u64 {
    SPEAKER.own()
}

#[inline(never)]
fn short() {${short}}

#[inline(never)]
fn hot(value: u64) -> u64 {
    value * ${hot}
}

#[inline(never)]
fn addresses() -> [usize; 5] {
    let [plain, generic] = tools::addresses();
    [plain, generic, tools::plain as *const () as usize, own as *const () as usize, hot as *const () as usize]
}

#[inline(never)]
fn tell() -> String {
    let generic = tools::generic::<u64>(0) + u64::from(tools::generic::<u32>(0));
    let said = tools::plain() + POINTERS[0]() + generic + SPEAKER.provided() + POINTERS[1]();
    short();
    format!("{said}")
}

fn main() {
    let before = addresses();
    for _ in 0..3 {
        std::thread::spawn(|| {
            loop {
                let said = hot(3);
                if said != 3 && said != 6 {
                    WRONG.fetch_add(1, Relaxed);
                }
                WARM.fetch_add(1, Relaxed);
            }
        });
    }
    for count in 0u64.. {
        let same = if addresses() == before && before[0] == before[2] { "same" } else { "other" };
        let wrong = WRONG.load(Relaxed);
        println!("{} {count} {} {} {same} {wrong}", std::process::id(), tell(), hot(1));
        std::thread::sleep(Duration::from_millis(10));
    }
}
`;
}

const test = suite('slots');
let fixture: CargoFixture;
let talker: Talker;
let pid = 0;

test.before(async () => {
  fixture = cargoFixture({
    'Cargo.toml': `[workspace]\nmembers = ["tools"]\n\n${manifest('talker', '[dependencies]\ntools = { path = "tools" }\n')}`,
    'src/main.rs': program(),
    'tools/Cargo.toml': manifest('tools'),
    [LIBRARY]: library(),
  });
  talker = startTalker(fixture.root, ['--redirect', 'slots']);
  pid = (await talker.ready()).pid;
});

test.after(async () => {
  await talker.session.stop();
  fixture.remove();
});

const executable = (): string => fixture.path('target/debug/talker');
const hasSlots = (): boolean => readFileSync(executable()).includes('\0ipbp.slot\0');

/** Names of functions that patches held, since an index of the session's events. */
function patchedSince(from: number): string[] {
  return talker.session.events
    .slice(from)
    .flatMap((event) => (event.event === 'patched' ? event.functions.map(({ name }) => name) : []));
}

/** Patches that were applied until now: one save may make two, a library's and its users'. */
const patches = (): number => talker.session.events.filter(({ event }) => event === 'patched').length;

/** Saves, and waits until the program says this; the functions that were patched, each as often as it was. */
async function patched(source: string, words: string, file?: string): Promise<string[]> {
  const from = talker.session.events.length;
  await talker.save(fixture, source, 'patched', file);
  assert.is((await talker.says(words)).pid, pid);
  return patchedSince(from);
}

test('the session says that there are slots', async () => {
  assert.is((await talker.ready()).redirect, 'slots');
  assert.ok(hasSlots());
  await talker.says('1122 1 same 0');
});

test('a function, also through a pointer in a static that another crate gave', async () => {
  assert.equal(await patched(library('2'), '1124 1 same 0', LIBRARY), ['tools::plain']);
});

test('a generic function of a library, in every instance that the program has', async () => {
  const from = talker.session.events.length;
  await patched(library('2', '20'), '1144 1 same 0', LIBRARY);
  // The program may say it before the session has told of the second patch.
  for (const end = Date.now() + 10_000; patchedSince(from).length < 2 && Date.now() < end;) await sleep(20);
  assert.equal(patchedSince(from), ['tools::generic', 'tools::generic']);
});

test('methods that are reached through a static trait object', async () => {
  await patched(library('2', '20', '200'), '1244 1 same 0', LIBRARY);
  await patched(program('2000'), '2244 1 same 0');
});

test('a function that has no room for a jump', async () => {
  assert.ok(
    (await patched(program('2000', ' WARM.fetch_add(1, Relaxed); '), '2244 1 same 0')).includes('talker::short'),
  );
});

test('a function that three threads call all the time', async () => {
  for (const [hot, said] of [
    ['2', 2],
    ['1', 1],
    ['2', 2],
  ] as const) {
    assert.ok((await patched(program('2000', '', hot), `2244 ${said} same 0`)).includes('talker::hot'));
  }
});

test('undo and redo', async () => {
  const act = async (what: string, n: number, words: string): Promise<void> => {
    const { session } = await talker.ready();
    const { status, output } = await ipbp(fixture.root, what, String(n), '--session', session);
    assert.is(status, 0, output);
    assert.is((await talker.says(words)).pid, pid);
  };
  const all = patches();
  await act('undo', 1, '2244 1 same 0');
  await act('undo', 1, '2244 2 same 0');
  await act('undo', all - 2, '1122 1 same 0');
  await act('redo', 1, '1124 1 same 0');
  await act('redo', all - 1, '2244 2 same 0');
});

test('no byte of the executable’s code was written', async () => {
  const file = readFileSync(executable());
  const segments = execFileSync('readelf', ['-lW', executable()], { encoding: 'utf8' });
  const [, offset = '', address = '', size = ''] =
    /LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+) 0x[0-9a-f]+ R E/.exec(segments) ?? [];
  const [base] = /^[0-9a-f]+(?=-.*talker)/m.exec(readFileSync(`/proc/${pid}/maps`, 'utf8')) ?? [];
  const [at, length] = [Number.parseInt(offset, 16), Number.parseInt(size, 16)];
  assert.ok(length > 10_000);
  const memory = execFileSync(
    'dd',
    [
      `if=/proc/${pid}/mem`,
      'iflag=skip_bytes,count_bytes',
      `skip=${Number.parseInt(base ?? '', 16) + Number.parseInt(address, 16)}`,
      `count=${length}`,
      'status=none',
      'bs=1M',
    ],
    { maxBuffer: 2 ** 30 },
  );
  assert.ok(memory.equals(file.subarray(at, at + length)));
});

test.run();

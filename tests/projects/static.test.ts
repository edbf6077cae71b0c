// Programs without a loader: the agent is linked into them, and they are patched like others.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { eventOf, ipbp, mappingsOf, startTalker, type Talker } from '../talker.js';
import { edit, type Edit } from './project.js';

/** Four threads call `step` all the time, and count; `main` starts one more for each line. */
const PROGRAM = `use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
static STEPS: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);
thread_local! {
    static OWN: Cell<u64> = const { Cell::new(0) };
}

#[inline(never)]
fn step(own: u64) -> u64 {
    own + 1
}

#[inline(never)]
fn word() -> String {
    String::from("hello")
}

fn main() {
    for _ in 0..4 {
        std::thread::spawn(|| loop {
            let before = OWN.get();
            OWN.set(step(before));
            if OWN.get() <= before {
                WRONG.fetch_add(1, Relaxed);
            }
            STEPS.fetch_add(1, Relaxed);
        });
    }
    let mut before = 0;
    for count in 0u64.. {
        let now = STEPS.load(Relaxed);
        assert!(count == 0 || now >= before);
        before = now;
        let word = std::thread::spawn(word).join().unwrap_or_else(|_| String::from("panicked"));
        println!("{} {count} {} {}", std::process::id(), word, WRONG.load(Relaxed));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
`;

const FILE = 'src/main.rs';

/** One after the other; each builds on those before. */
const EDITS: readonly Edit[] = [
  { file: FILE, from: '"hello"', to: '"bye"', says: 'bye 0' },
  { file: FILE, from: 'own + 1', to: 'own + 2', says: 'bye 0' },
  {
    // memcpy, which a static C library chooses by the processor, and std's code that the program has not used.
    file: FILE,
    from: 'String::from("bye")',
    to: 'format!("{:?}", std::collections::BTreeMap::from([(1u8, vec![7u8; 300].len())]))',
    says: '{1: 300} 0',
  },
  {
    file: FILE,
    from: '#[inline(never)]\nfn word() -> String {',
    to: `thread_local! {
    static NEW: Cell<u64> = const { Cell::new(40) };
}

#[inline(never)]
fn word() -> String {
    NEW.set(NEW.get() + 2);
    if NEW.get() == 42 {
        return String::from("fresh");
    }`,
    says: 'fresh 0',
  },
  // A panic in patched code, caught by the thread's end.
  { file: FILE, from: 'String::from("fresh")', to: 'panic!("patched")', says: 'panicked 0' },
  { file: FILE, from: 'panic!("patched")', to: 'String::from("calm")', says: 'calm 0' },
];

const test = suite('static programs');
let fixture: CargoFixture;
let talker: Talker | null = null;

test.before(() => {
  fixture = cargoFixture({
    'Cargo.toml': manifest('talker'),
    [FILE]: PROGRAM,
    '.cargo/config.toml': '[build]\nrustflags = ["-Ctarget-feature=+crt-static"]\n',
  });
});

test.after(async () => {
  await talker?.session.stop();
  fixture.remove();
});

async function start(...args: readonly string[]): Promise<Talker> {
  await talker?.session.stop();
  fixture.write(FILE, PROGRAM);
  talker = startTalker(fixture.root, args);
  await talker.ready();
  return talker;
}

for (const redirect of ['jump', 'slots'])
  test(`edits under load, a new thread-local, a panic, undo, by ${redirect}`, async () => {
    const running = await start('--redirect', redirect);
    const ready = await running.ready();
    assert.is(ready.redirect, redirect);
    const { pid } = await running.says('hello 0');
    const libraries = mappingsOf(pid).filter(({ path }) => /\.so(\.\d+)*$/.test(path));
    assert.equal(libraries, [], 'nothing is loaded into a static program');
    for (const one of EDITS) await edit(fixture, running, one);
    const { status, output } = await ipbp(fixture.root, 'undo', '--session', ready.session);
    assert.is(status, 0, output);
    await running.says('panicked 0');
    assert.is((await running.line()).pid, pid);
  });

test('it has no loader that opens patches which are shared libraries', async () => {
  await talker?.session.stop();
  fixture.write(FILE, PROGRAM);
  talker = startTalker(fixture.root, ['--deliver', 'dylib']);
  const { code, message } = await eventOf(talker, 0, 'note');
  assert.is(code, 'IPBP5902');
  assert.match(message, /a static program cannot open patches as shared libraries/);
  // It runs on, unpatched.
  await talker.line();
});

test.run();

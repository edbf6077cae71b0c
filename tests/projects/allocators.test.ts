// Programs with an allocator of their own: it serves all that patched code allocates, grows and frees, whoever allocated
// it, while threads allocate all the time.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest } from '../cargo-fixture.js';
import { ipbp, startTalker } from '../talker.js';
import { edit, type Edit } from './project.js';

const FILE = 'src/main.rs';

/** Each block holds its own size, so that one that was given out twice is seen when it is freed. */
const PROGRAM = `use std::alloc::{GlobalAlloc, Layout};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{mpsc, Mutex};
use std::time::Duration;

/// The published allocator, with a count: nothing of the program goes around it.
struct Counting;
static GIVEN: AtomicU64 = AtomicU64::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        GIVEN.fetch_add(1, Relaxed);
        mimalloc::MiMalloc.alloc(layout)
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        mimalloc::MiMalloc.dealloc(block, layout)
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        mimalloc::MiMalloc.realloc(block, layout, size)
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static STEPS: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);
/// Allocated before any edit.
static OLD: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

thread_local! {
    static HELD: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

#[inline(never)]
fn check(block: &[u8]) {
    if block.iter().any(|byte| *byte != block.len() as u8) {
        WRONG.fetch_add(1, Relaxed);
    }
}

#[inline(never)]
fn block(step: u64) -> Vec<u8> {
    let size = (step * 37 % 700) as usize + 1;
    vec![size as u8; size]
}

#[inline(never)]
fn step(step: u64, away: &mpsc::SyncSender<Vec<u8>>) {
    HELD.with_borrow_mut(|held| {
        held.push(block(step));
        if held.len() > 50 {
            let _ = away.send(held.swap_remove(step as usize % 50));
        }
    });
}

#[inline(never)]
fn word() -> String {
    String::from("hello")
}

fn main() {
    OLD.lock().unwrap().extend((0..100).map(block));
    let (away, blocks) = mpsc::sync_channel::<Vec<u8>>(100);
    for _ in 0..3 {
        let away = away.clone();
        std::thread::spawn(move || {
            for count in 0.. {
                step(count, &away);
                STEPS.fetch_add(1, Relaxed);
            }
        });
    }
    // Freed by another thread than the one that allocated it.
    std::thread::spawn(move || {
        for block in blocks {
            check(&block);
        }
    });
    let mut before = 0;
    for count in 0u64.. {
        println!("{} {count} {} {}", std::process::id(), word(), WRONG.load(Relaxed));
        std::thread::sleep(Duration::from_millis(10));
        if count % 100 == 99 {
            let now = STEPS.load(Relaxed);
            assert!(now > before, "the threads stand still");
            before = now;
        }
    }
}
`;

/** One after the other; each builds on those before. */
const EDITS: readonly Edit[] = [
  // What was allocated before the edit is freed by new code, in another thread than the one that did.
  {
    file: FILE,
    from: '    String::from("hello")',
    to: `    let freed = OLD.lock().unwrap().drain(..).inspect(|block| check(block)).count();
    let given = GIVEN.load(Relaxed);
    let word = Box::new(freed == 0);
    if *word && GIVEN.load(Relaxed) > given { String::from("freed") } else { String::from("freeing") }`,
    says: 'freed 0',
  },
  // Blocks that all threads allocate grow bit by bit in new code, and are freed by old code.
  {
    file: FILE,
    from: '    vec![size as u8; size]',
    to: `    let mut block = Vec::new();
    for _ in 0..size {
        block.push(size as u8);
    }
    block`,
    says: 'freed 0',
  },
  // And in the vectors that the threads had before.
  {
    file: FILE,
    from: 'held.push(block(step));',
    to: 'held.reserve(held.len() * 3 + 1);\n        held.push(block(step));\n        held.shrink_to_fit();',
    says: 'freed 0',
  },
  // A new thread-local with a destructor, in threads that run.
  {
    file: FILE,
    from: '#[inline(never)]\nfn word() -> String {',
    to: `thread_local! {
    static SAID: RefCell<Vec<String>> = RefCell::new(vec![String::from("first")]);
}

#[inline(never)]
fn word() -> String {
    let said = std::thread::spawn(|| SAID.with_borrow_mut(|said| { said.push(format!("{}", said.len())); said.join("-") }));
    return said.join().unwrap() + &SAID.with_borrow_mut(|said| { said.truncate(1); said.concat() });
}

#[allow(dead_code)]
fn word_before() -> String {`,
    says: 'first-1first 0',
  },
  // A function of the allocator itself that the program has not used.
  {
    file: FILE,
    from: 'return said.join().unwrap() +',
    to: `unsafe { libmimalloc_sys::mi_collect(true) };
    let zeroed = unsafe { libmimalloc_sys::mi_zalloc_aligned(300, 4096) } as *mut u8;
    let sum: u64 = (0..300).map(|at| unsafe { *zeroed.add(at) } as u64 + zeroed as u64 % 4096).sum();
    unsafe { libmimalloc_sys::mi_free(zeroed.cast()) };
    return sum.to_string() + &said.join().unwrap() +`,
    says: '0first-1first 0',
  },
];

const test = suite('allocators');

/** With `override` the C library's malloc is mimalloc's too: for the agent as well, which shares the process. */
for (const features of ['"extended"', '"extended", "override"'])
  test(`mimalloc with ${features}`, async () => {
    const fixture = cargoFixture({
      'Cargo.toml': manifest(
        'talker',
        `[dependencies]
mimalloc = { version = "=0.1.52", features = [${features}] }
libmimalloc-sys = { version = "=0.1.49", features = [${features}] }
`,
      ),
      [FILE]: PROGRAM,
    });
    const talker = startTalker(fixture.root);
    try {
      const { session } = await talker.ready();
      const { pid } = await talker.says('hello 0');
      for (const one of EDITS) await edit(fixture, talker, one);
      assert.is((await ipbp(fixture.root, 'undo', '--session', session)).status, 0);
      await talker.says('first-1first 0');
      assert.is((await ipbp(fixture.root, 'undo', '2', '--session', session)).status, 0);
      await talker.says('freed 0');
      assert.is((await talker.line()).pid, pid);
    } finally {
      await talker.session.stop();
      fixture.remove();
    }
  });

test.run();

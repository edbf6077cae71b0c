// Edits of functions in shared libraries of the workspace, one of which uses the other: their statics and thread-locals
// keep their values, what one edit changes in several modules goes live and comes back as one, and what other modules
// would not see is refused.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { darwinToolchain } from '../../conformance/setup/darwin-toolchain.js';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { startTalker, type Talker } from '../talker.js';
import { edit, speaker, type Edit } from './project.js';

const test = suite('shared-libraries');

const DEEP = `use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

pub static CALLS: AtomicU64 = AtomicU64::new(0);
pub static NAME: &str = "deep";

thread_local! {
    static OF_THREAD: Cell<u64> = const { Cell::new(100) };
    static LAZY: RefCell<Vec<u64>> = RefCell::new(vec![7]);
}

pub type Size = u64;

pub struct Thing {
    pub size: Size,
}

pub trait Shape {
    fn area(&self) -> u64;
}

impl Shape for Thing {
    fn area(&self) -> u64 {
        u64::from(self.size) * 2
    }
}

#[inline(never)]
fn next<T: TryFrom<u64> + Default>(by: u64) -> T {
    T::try_from(CALLS.fetch_add(by, Ordering::Relaxed)).unwrap_or_default()
}

#[inline(never)]
pub fn count() -> u64 {
    next(1)
}

#[inline(never)]
pub fn of_thread() -> String {
    OF_THREAD.set(OF_THREAD.get() + 1);
    LAZY.with(|lazy| {
        let mut lazy = lazy.borrow_mut();
        lazy.push(1);
        format!("t{}", lazy[0])
    })
}

#[inline(never)]
pub fn fails(deep: bool) -> u64 {
    if deep {
        std::panic::resume_unwind(Box::new(1));
    }
    1
}

pub fn seen_by_thread() -> u64 {
    OF_THREAD.get()
}
`;

const SHALLOW = `pub fn word() -> String {
    let thing: Box<dyn deep::Shape> = Box::new(deep::Thing { size: 3 });
    let caught = std::panic::catch_unwind(|| deep::fails(true)).is_err();
    deep::count();
    format!("hello {} {} {}", thing.area(), caught, deep::of_thread())
}
`;

const MEMBERS =
  '[dependencies]\nshallow = { path = "shallow" }\ndeep = { path = "deep" }\n[workspace]\nmembers = ["*"]\nexclude = ["src", "target"]\n';
const SHARED = '[lib]\ncrate-type = ["dylib"]\n';
const FILES: Readonly<Record<string, string>> = {
  'Cargo.toml': manifest('talker', MEMBERS),
  'src/main.rs': speaker(
    'text()',
    `#[inline(never)]
fn text() -> String {
    let of_new_thread = std::thread::spawn(|| (deep::of_thread(), deep::seen_by_thread()).1).join().ok();
    let calls = deep::CALLS.load(std::sync::atomic::Ordering::Relaxed);
    let steady = calls > 0 && deep::seen_by_thread() >= 100 + calls && of_new_thread == Some(101);
    format!("{} {}", shallow::word(), steady)
}
`,
  ),
  'shallow/Cargo.toml': manifest('shallow', `[dependencies]\ndeep = { path = "../deep" }\n${SHARED}`),
  'shallow/src/lib.rs': SHALLOW,
  'deep/Cargo.toml': manifest('deep', SHARED),
  'deep/src/lib.rs': DEEP,
};
const [MAIN, LOW, TOP] = ['src/main.rs', 'deep/src/lib.rs', 'shallow/src/lib.rs'];

async function withTalker(
  environment: Readonly<Record<string, string>>,
  body: (talker: Talker, fixture: CargoFixture, session: string) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const fixture = cargoFixture(FILES);
  const system = args.includes('--target') ? darwinToolchain('x86_64-apple-darwin').env : {};
  const talker = startTalker(fixture.root, args, { ...system, ...environment });
  try {
    const { session } = await talker.ready();
    const { pid } = await talker.says('hello 6 true t7 true');
    await body(talker, fixture, session);
    assert.is((await talker.line()).pid, pid);
  } finally {
    await talker.session.stop();
    fixture.remove();
  }
}

const BODIES: readonly Edit[] = [
  // A method behind a vtable, a function that a library calls in the other, one with thread-locals of both kinds.
  { file: LOW, from: '(self.size) * 2', to: '(self.size) * 3', says: 'hello 9 true t7 true' },
  { file: LOW, from: '"t{}"', to: '"u{}"', says: 'hello 9 true u7 true' },
  { file: TOP, from: '"hello ', to: '"bye ', says: 'bye 9 true u7 true' },
  { file: MAIN, from: '{} {}"', to: '{}, {}"', says: 'bye 9 true u7, true' },
  // Unwinding through three modules, out of new code.
  { file: LOW, from: 'Box::new(1)', to: 'Box::new(2)', says: 'bye 9 true u7, true' },
];

const AS_LIBRARIES = ['--deliver', 'dylib'] as const;

const MACOS = ['--target', 'x86_64-apple-darwin'] as const;
const IN_PLACE = [...MACOS, '--redirect', 'jump'] as const;

for (const [name, environment, args] of [
  ['debug', {}, []],
  ['optimised', { CARGO_PROFILE_DEV_OPT_LEVEL: '1' }, []],
  ['v0 names', { RUSTFLAGS: '-Csymbol-mangling-version=v0' }, []],
  ['patches that are libraries', {}, AS_LIBRARIES],
  ['slots', {}, ['--redirect', 'slots']],
  ['macOS', {}, MACOS],
  ['macOS, in place', {}, IN_PLACE],
] as const) {
  test(`bodies in two libraries and the program, ${name}`, () =>
    withTalker(
      environment,
      async (talker, fixture) => {
        for (const one of BODIES) await edit(fixture, talker, one);
      },
      args,
    ));
}

/** One edit in several modules, and what comes of it later. */
async function severalModules(talker: Talker, fixture: CargoFixture, session: string): Promise<void> {
  await edit(fixture, talker, {
    file: LOW,
    from: 'pub fn seen_by_thread',
    to: `pub static MADE: AtomicU64 = AtomicU64::new(40);

thread_local! {
    static FRESH: Cell<u64> = const { Cell::new(5) };
}

pub fn made() -> u64 {
    FRESH.set(FRESH.get() + 1);
    MADE.store(41, Ordering::Relaxed);
    FRESH.get().min(6)
}

pub fn seen_by_thread`,
    says: 'hello 6 true t7 true',
    verdict: 'unchanged',
  });
  fixture.write(
    TOP,
    fixture.read(TOP).replace('"hello {}', '"hello{} {}').replace('thing.area()', 'deep::made(), thing.area()'),
  );
  await talker.says('hello6 6 true t7 true');
  await edit(fixture, talker, {
    file: MAIN,
    from: 'shallow::word()',
    to: 'shallow::word() + &deep::MADE.load(std::sync::atomic::Ordering::Relaxed).to_string()',
    says: 'hello6 6 true t741 true',
  });
  assert.is((await talker.session.command(['undo'], session)).status, 0);
  await talker.says('hello6 6 true t7 true');
  assert.is((await talker.session.command(['undo'], session)).status, 0);
  await talker.says('hello 6 true t7 true');
  assert.is((await talker.session.command(['redo', '2'], session)).status, 0);
  await talker.says('hello6 6 true t741 true');
  // What came with the patch of a module that did not change is known by that module.
  await edit(fixture, talker, { file: LOW, from: '.min(6)', to: '.min(5)', says: 'hello5 6 true t741 true' });
  // An impl block before another: the method of that one has another name from now on, in all modules.
  const other = 'pub struct Other;\n\nimpl Shape for Other {\n    fn area(&self) -> u64 {\n        0\n    }\n}\n\n';
  const block = 'impl Shape for Thing';
  await edit(fixture, talker, { file: LOW, from: block, to: other + block, says: 'hello5 6 true t741 true' });
  await edit(fixture, talker, {
    file: LOW,
    from: '(self.size) * 2',
    to: '(self.size) * 4',
    says: 'hello5 12 true t741 true',
  });
}

for (const args of [[], AS_LIBRARIES, MACOS, IN_PLACE]) {
  const title = ['one edit in several modules is one patch, with what is new in a library, undone as one', ...args];
  test(title.join(' '), () => withTalker({}, severalModules, args));
}

test('what other modules would not see is refused', () =>
  withTalker({ RUSTFLAGS: '-Csymbol-mangling-version=v0' }, async (talker, fixture) => {
    const says = 'hello 6 true t7 true';
    const refused = async (file: string, from: string, to: string, code: string): Promise<void> => {
      const before = fixture.read(file);
      await edit(fixture, talker, { file, from, to, says, verdict: 'refused', code });
      const since = talker.session.events.length;
      fixture.write(file, before);
      await talker.session.waitFor((event) => event.event === 'unchanged' || event.event === 'patched', since, 60_000);
      await talker.says(says);
    };
    await refused(LOW, '"deep"', '"deeper"', 'IPBP5046');
    await refused(LOW, 'pub fn count() -> u64 {\n    ', 'pub fn count() -> u32 {\n    ', 'IPBP5046');
    await refused(LOW, 'Size = u64', 'Size = u32', 'IPBP3006');
  }));

test.run();

// What an edit brings to life besides functions: constructors run once, when the patch goes live and never again, and a
// thread-local's initial value may hold an address.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CargoFixture } from '../cargo-fixture.js';
import { startTalker, talkerFixture, talkerSource, type Talker } from '../talker.js';

const test = suite('what an edit brings to life');
let fixture: CargoFixture;
let talker: Talker;

test.before(async () => {
  fixture = talkerFixture();
  talker = startTalker(fixture.root);
  await talker.ready();
});

test.after(async () => {
  await talker.session.stop();
  fixture.remove();
});

async function patch(source: string): Promise<void> {
  await talker.save(fixture, source, 'patched');
}

const CONSTRUCTOR = `
static BORN: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(40);
extern "C" fn at_birth() {
    BORN.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
}
#[used]
#[link_section = ".init_array"]
static AT_BIRTH: extern "C" fn() = at_birth;
`;
const BORN = 'format!("born {}", crate::BORN.load(std::sync::atomic::Ordering::SeqCst))';

test('a new constructor runs once', async () => {
  const { pid } = await talker.line();
  await patch(talkerSource(BORN, CONSTRUCTOR));
  assert.is((await talker.says('born 41.')).pid, pid);
});

test('and not again at the next patch', async () => {
  await patch(talkerSource(BORN.replace('born', 'still'), CONSTRUCTOR));
  await talker.says('still 41.');
});

const WORDS = `
thread_local! {
    static WORDS: std::cell::Cell<&'static str> = const { std::cell::Cell::new("an address") };
}
`;

test('a thread-local is born with an address in it, in the running thread and in a later one', async () => {
  const there = 'std::thread::spawn(|| crate::WORDS.get()).join().unwrap()';
  await patch(talkerSource(`format!("{} {}", crate::WORDS.get(), ${there})`, CONSTRUCTOR + WORDS));
  await talker.says('an address an address.');
});

test.run();

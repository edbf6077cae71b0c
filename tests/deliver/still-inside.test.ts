// A thread that stays in a function of a patch which is a library, as seen from outside: addresses on its stack are where
// the loader has put the library.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NoteEvent, SessionEvent } from '../../src/host/events.js';
import type { CargoFixture } from '../cargo-fixture.js';
import { startTalker, talkerFixture, talkerSource, type Talker } from '../talker.js';

const test = suite('still inside');
let fixture: CargoFixture;
let talker: Talker;

/** A loop on a thread of its own, started when the word is asked for first. */
const source = (step: string): string =>
  talkerSource(
    `{ static ONCE: std::sync::Once = std::sync::Once::new(); ONCE.call_once(super::start); format!("steps {}", super::STEPS.load(std::sync::atomic::Ordering::SeqCst)) }`,
    `static STEPS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
#[inline(never)]
fn turns(count: u64) {
    for _ in 0..count {
        STEPS.fetch_max(${step}, std::sync::atomic::Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
    }
}
fn start() {
    std::thread::spawn(|| turns(std::hint::black_box(1_000_000)));
}
`,
  );

test.before(async () => {
  fixture = talkerFixture();
  talker = startTalker(fixture.root, ['--deliver', 'dylib']);
  await talker.ready();
  await talker.says('hello.');
});

test.after(async () => {
  await talker.session.stop();
  fixture.remove();
});

test('the function that a patch brought, by the next one', async () => {
  await talker.save(fixture, source('1'), 'patched');
  await talker.says('steps 1.');
  const since = talker.session.events.length;
  await talker.save(fixture, source('2'), 'patched');
  const isNote = (event: SessionEvent): event is NoteEvent => event.event === 'note' && event.code === 'IPBP3060';
  const { message } = await talker.session.waitFor(isNote, since, 20_000);
  assert.is(message, '1 thread is still inside talker::turns: it goes on with its old body until it returns');
  assert.is((await talker.line()).words, 'steps 1.');
});

test.run();

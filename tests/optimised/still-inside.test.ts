// A thread that is inside a changed function goes on with the old body: said a moment later, for the functions that it is
// really inside and for no others.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NoteEvent, SessionEvent } from '../../src/host/events.js';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { startTalker, talkerSource, type Talker } from '../talker.js';

for (const profile of ['opt-level = 0', 'opt-level = 3\ndebug = false']) {
  const test = suite(profile.split('\n')[0]);
  let fixture: CargoFixture;
  let talker: Talker;

  /** `step` is what each turn of a helper's loop does, `last` what it does after the loop. */
  const source = (word: string, step: string, ending = 'the end'): string =>
    talkerSource(
      `format!("${word} {}", crate::STEPS.load(std::sync::atomic::Ordering::SeqCst))`,
      `static STEPS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
#[inline(never)]
fn helper(turns: u64) {
    for _ in 0..turns {
        STEPS.fetch_max(${step}, std::sync::atomic::Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
pub fn start() {
    std::thread::spawn(|| {
        helper(std::hint::black_box(1_000_000));
        println!("${ending}");
    });
}
`,
    ).replace('fn main() {', 'fn main() {\n    start();');

  const notes = (): string[] =>
    talker.session.events
      .filter((event): event is NoteEvent => event.event === 'note' && event.code === 'IPBP3060')
      .map(({ message }) => message);

  test.before(async () => {
    fixture = cargoFixture({
      'Cargo.toml': manifest('talker', `[profile.dev]\n${profile}\n`),
      'src/main.rs': source('step', '1'),
    });
    talker = startTalker(fixture.root);
    await talker.ready();
    await talker.says('step 1.');
  });

  test.after(async () => {
    await talker.session.stop();
    fixture.remove();
  });

  test('not of functions that threads come through', async () => {
    await talker.save(fixture, source('turn', '1'), 'patched');
    await talker.says('turn 1.');
    await new Promise((done) => setTimeout(done, 1500));
    assert.equal(notes(), []);
  });

  test('of the function that a thread does not leave', async () => {
    await talker.save(fixture, source('turn', '2'), 'patched');
    const isNote = (event: SessionEvent): event is NoteEvent => event.event === 'note' && event.code === 'IPBP3060';
    await talker.session.waitFor(isNote, 0, 20_000);
    assert.equal(notes(), ['1 thread is still inside talker::helper: it goes on with its old body until it returns']);
    assert.match((await talker.line()).words, 'turn 1.');
  });

  test.run();
}

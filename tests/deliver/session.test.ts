// `ipbp run --deliver dylib`: edits come as shared libraries, opened by the program's own loader.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { ipbp, mappingsOf, startTalker, type Talker } from '../talker.js';

/** What the program's words are made of; each version of it is an edit. */
interface Version {
  readonly word: string;
  /** Functions beside. */
  readonly more?: string;
}

const source = ({ word, more = '' }: Version): string => `use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

static COUNT: AtomicU64 = AtomicU64::new(40);
static mut PLAIN: [u32; 4] = [1, 2, 3, 4];
thread_local!(static OWN: Cell<u64> = const { Cell::new(7) });

struct Guard;
impl Drop for Guard {
    fn drop(&mut self) {
        COUNT.fetch_add(1, SeqCst);
    }
}

#[inline(never)]
fn old_helper(number: u64) -> u64 {
    number + OWN.get()
}
${more}
#[inline(never)]
fn word() -> String {
    ${word}
}

fn main() {
    std::panic::set_hook(Box::new(|_| ()));
    // Behind a pointer that escapes: optimisers drop a static that is written and never read.
    unsafe { (*std::hint::black_box(&raw mut PLAIN))[1] = 5 };
    for count in 0u64.. {
        println!("{} {count} {}", std::process::id(), word());
        std::thread::sleep(Duration::from_millis(10));
    }
}
`;

const FIRST: Version = { word: 'format!("first {}", old_helper(COUNT.load(SeqCst)))' };

for (const [name, profile, args] of [
  ['debug', 'opt-level = 0', []],
  ['optimised', 'opt-level = 3', []],
  ['slots', 'opt-level = 0', ['--redirect', 'slots']],
] as const) {
  const test = suite(name);
  let fixture: CargoFixture;
  let talker: Talker;
  let pid = 0;
  let session = '';

  const edit = async (version: Version, says: string): Promise<void> => {
    const event = await talker.save(fixture, source(version), 'patched');
    // Optimised code of an edited function may lie in main, which never returns.
    assert.equal(
      event.warnings.filter(({ code }) => code !== 'IPBP3022'),
      [],
    );
    assert.is((await talker.says(says)).pid, pid);
  };
  const opened = (): readonly string[] => {
    const code = mappingsOf(pid).filter(({ protection, path }) => protection === 'r-xp' && path.includes('ipbp-patch'));
    return code.map(({ path }) => path);
  };

  test.before(async () => {
    fixture = cargoFixture({
      'Cargo.toml': manifest('talker', `[profile.dev]\n${profile}\ndebug = true\n`),
      'src/main.rs': source(FIRST),
    });
    talker = startTalker(fixture.root, ['--deliver', 'dylib', ...args]);
    ({ pid, session } = await talker.ready());
    await talker.says('first 47');
  });

  test.after(async () => {
    await talker.session.stop();
    fixture.remove();
  });

  test('a body that uses statics, thread-locals and functions of the program', async () => {
    const anonymous = (): number =>
      mappingsOf(pid).filter(({ protection, path }) => protection.includes('x') && path === '').length;
    const before = anonymous();
    await edit(
      {
        word: 'unsafe { PLAIN[0] += 1; PLAIN[0] -= 1; format!("second {} {} {}", old_helper(1), PLAIN[1], OWN.get()) }',
      },
      'second 8 5 7',
    );
    assert.is(opened().length, 1);
    assert.is(anonymous(), before, 'no code but what the loader has mapped');
  });

  const HELPER = `static BORN: AtomicU64 = AtomicU64::new(100);
thread_local!(static NEW: Cell<u64> = const { Cell::new(3) });
#[inline(never)]
fn helper(number: u64) -> u64 {
    std::hint::black_box(&BORN);
    number * 2 + BORN.load(SeqCst) + NEW.get()
}`;

  test('new functions, statics and thread-locals', async () => {
    await edit({ word: 'format!("third {}", helper(old_helper(1)))', more: HELPER }, 'third 119');
    assert.is(opened().length, 2);
  });

  test('a function that a patch brought is changed again, and so is its user', async () => {
    await edit(
      { word: 'format!("third {}", helper(old_helper(1)))', more: HELPER.replace('number * 2', 'number * 3') },
      'third 127',
    );
    await edit(
      { word: 'format!("fourth {}", helper(old_helper(1)))', more: HELPER.replace('number * 2', 'number * 4') },
      'fourth 135',
    );
  });

  test('undo and redo lead from one library to the other', async () => {
    const act = async (...command: string[]): Promise<void> => {
      const done = await ipbp(fixture.root, ...command, '--session', session);
      assert.is(done.status, 0, done.output);
    };
    await act('undo');
    await talker.says('third 127');
    await act('undo', '3');
    await talker.says('first 47');
    await act('redo', '4');
    await talker.says('fourth 135');
  });

  test('a panic goes through it: values are dropped, and it is caught', async () => {
    await edit(
      {
        word: `let caught = std::panic::catch_unwind(|| {
        let _guard = Guard;
        if old_helper(1) == 8 { panic!("as it should") }
    });
    format!("caught {} {}", caught.is_err(), COUNT.swap(40, SeqCst))`,
      },
      'caught true 41',
    );
  });

  test('backtraces name what is in it, also once std has listed the libraries', async () => {
    for (const name of ['named', 'again']) {
      const more = `#[inline(never)]\nfn ${name}() -> String {
    let trace = std::backtrace::Backtrace::force_capture().to_string();
    format!("${name} {} {}", trace.contains("talker::main"), trace.contains("talker::${name}"))
}\n`;
      await edit({ word: `${name}()`, more }, `${name} true true`);
    }
  });

  test.run();
}

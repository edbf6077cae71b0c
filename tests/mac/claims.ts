// What ipbp claims of a program that it patches by slots and signed libraries, each with what shows it. All run through
// one process of tests/mac/program.ts, in this order.
import * as assert from 'uvu/assert';
import type { PatchedEvent } from '../../src/host/events.js';
import type { CargoFixture } from '../cargo-fixture.js';
import { ipbp, type Talker } from '../talker.js';
import { programSource, type Version } from './program.js';

/** The running program. */
export interface Running {
  readonly fixture: CargoFixture;
  readonly talker: Talker;
  readonly pid: number;
  readonly session: string;
}

/** One claim; `show` throws where it does not hold, and gives what was seen. */
export interface Claim {
  readonly id: string;
  readonly claim: string;
  readonly show: (running: Running) => Promise<string>;
}

/** Saves a version and waits until the program says what it should. */
async function edit({ fixture, talker, pid }: Running, version: Version, says: string): Promise<PatchedEvent> {
  const event = await talker.save(fixture, programSource(version), 'patched');
  const line = await talker.says(says);
  assert.is(line.pid, pid, 'it is another process');
  return event;
}

function took({ ms, sinceSaveMs, bytes }: PatchedEvent): string {
  return `${bytes} bytes, ${Math.round(ms.total)} ms of ipbp, live ${Math.round(sinceSaveMs ?? 0)} ms after the save`;
}

/** A version whose words are `name` and the value of an expression. */
function saying(name: string, expression: string): Version {
  return { word: `format!("${name} {}", ${expression})` };
}

/** One claim that is shown by one edit. */
function byEdit(id: string, claim: string, version: Version, says: string): Claim {
  return { id, claim, show: async (running: Running) => took(await edit(running, version, says)) };
}

const TRACE = (name: string): Version => ({
  word: `${name}()`,
  more: `#[inline(never)]
fn ${name}() -> String {
    let trace = std::backtrace::Backtrace::force_capture().to_string();
    let mut lines = trace.lines().skip_while(|line| !line.ends_with("::${name}")).skip(1);
    format!("${name} {} {}", trace.contains("::main"), lines.next().is_some_and(|at| at.contains("main.rs:")))
}
`,
});

const TOGGLES = 60;

export const CLAIMS: readonly Claim[] = [
  byEdit('body', 'an edited body goes live, the process goes on', saying('second', 'helper(1)'), 'second 8'),
  byEdit(
    'static',
    'a static keeps its value from patch to patch',
    { word: 'if count % 2 < 2 { SAVED.store(41, Relaxed) }\n    String::from("stored")' },
    'stored',
  ),
  byEdit('static-kept', '… and is read by the next', saying('saved', 'SAVED.load(Relaxed)'), 'saved 41'),
  byEdit(
    'thread-local',
    'thread-locals of the program keep their values in patches',
    { word: 'if OWN.get() == 7 { OWN.set(9) }\n    format!("own {}", helper(0))' },
    'own 9',
  ),
  byEdit(
    'new-thread-local',
    'a thread-local that a patch brings starts with its value in a thread that runs already',
    {
      word: 'FRESH.set(FRESH.get().max(5) + 1 - u64::from(FRESH.get() > 5));\n    format!("fresh {}", FRESH.get())',
      more: 'thread_local!(static FRESH: Cell<u64> = const { Cell::new(5) });\n',
    },
    'fresh 6',
  ),
  byEdit(
    'panic',
    'a panic unwinds through patched frames, runs their destructors and is caught',
    {
      word: `let before = DROPPED.load(Relaxed);
    let caught = std::panic::catch_unwind(|| {
        let _guard = Guard;
        if helper(1) > 0 { panic!("as it should") }
    });
    format!("caught {} {}", caught.is_err(), DROPPED.load(Relaxed) - before)`,
    },
    'caught true 1',
  ),
  byEdit('backtrace', 'a backtrace names a patched function with file and line', TRACE('traced'), 'traced true true'),
  byEdit(
    'second-backtrace',
    'so does one in a patch that came after the first backtrace',
    TRACE('again'),
    'again true true',
  ),
  byEdit(
    'new-code',
    'the first use of more of the standard library works',
    saying(
      'sorted',
      '{ let mut set = std::collections::BTreeMap::new(); set.insert("b", 2); set.insert("a", 1); format!("{set:?}") }',
    ),
    'sorted {"a": 1, "b": 2}',
  ),
  byEdit(
    'large',
    'a patch of more than a megabyte works',
    {
      word: 'format!("large {}", LARGE[helper(1) as usize * 1000])',
      more: `const fn filled() -> [u32; 400_000] {
    let mut all = [0; 400_000];
    let mut at = 0;
    while at < all.len() {
        all[at] = at as u32 + 1;
        at += 1;
    }
    all
}
static LARGE: [u32; 400_000] = filled();
`,
    },
    'large 10001',
  ),
  {
    id: 'threads',
    claim: `${TOGGLES} patches of a function that other threads call all the time: every call did the old or the new thing`,
    async show(running: Running): Promise<string> {
      const versions = ['turn * 2', '(turn << 1) + helper(0) * 0', 'turn + turn'];
      let slowest = 0;
      for (let i = 1; i <= TOGGLES; i++) {
        const version = { work: versions[i % versions.length] ?? '', ...saying(`toggle ${i}`, 'WRONG.load(Relaxed)') };
        const { ms } = await edit(running, version, `toggle ${i} 0`);
        slowest = Math.max(slowest, ms.total);
      }
      return `0 calls wrong, ${Math.round(slowest)} ms at most`;
    },
  },
  {
    id: 'refusal',
    claim: 'a changed layout of a type whose values live is refused, and the program goes on',
    async show({ fixture, talker, pid }: Running): Promise<string> {
      const version = {
        fields: 'pub made: u64,\n    pub more: u64',
        ...saying('changed', 'KEPT.lock().unwrap().len()'),
      };
      const event = await talker.save(fixture, programSource(version), 'refused');
      assert.is((await talker.line()).pid, pid);
      return event.items.map(({ code, name }) => `${code} ${name}`).join(', ');
    },
  },
  byEdit(
    'children',
    'what the program starts does not inherit the agent',
    saying('inherits', 'std::env::vars_os().any(|(name, _)| name == "DYLD_INSERT_LIBRARIES" || name == "LD_PRELOAD")'),
    'inherits false',
  ),
  {
    id: 'undo',
    claim: 'a patch is taken back and put in again',
    async show(running: Running): Promise<string> {
      const { talker, fixture, session } = running;
      await edit(running, saying('before', '1'), 'before 1');
      await edit(running, saying('after', '2'), 'after 2');
      for (const [command, says] of [
        ['undo', 'before 1'],
        ['redo', 'after 2'],
      ] as const) {
        const { status, output } = await ipbp(fixture.root, command, '1', '--session', session);
        assert.is(status, 0, output);
        await talker.says(says);
      }
      return 'both ways';
    },
  },
];

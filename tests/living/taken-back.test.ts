// A change whose first part is live before its compile is over, and whose compile then fails: the program goes back to
// what it was, or the session says that it could not (IPBP5040), and the next save is compared with what runs.
import { chmodSync, closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SessionEvent } from '../../src/host/events.js';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { spoken, Workshop } from '../poisoning/workshop.js';
import { eventOf, mappingsOf, startTalker, type Talker } from '../talker.js';
import { speaker } from '../projects/project.js';

const test = suite('taken back');

/**
 * rustc; where there is a file `linker` beside it, that is its linker, whatever else it is told, and it does not end as
 * long as there is a file `hold`.
 */
const RUSTC = `#!/bin/sh
here=$(dirname "$0")
if [ -e "$here/linker" ]; then exec rustc "$@" -C linker="$here/linker"; fi
rustc "$@"
status=$?
while [ -e "$here/hold" ]; do sleep 0.02; done
exit $status
`;

/** Puts {@link RUSTC} into a project; returns the environment in which it is used. */
function ownRustc(fixture: CargoFixture): Readonly<Record<string, string>> {
  fixture.write('rustc.sh', RUSTC);
  chmodSync(fixture.path('rustc.sh'), 0o755);
  return { RUSTC: fixture.path('rustc.sh') };
}

/** Waits for a word, and ends as it says. rustc has finished its session when it calls it. */
const LINKER = `#!/bin/sh
here=$(dirname "$0")
until [ -e "$here/go-on" ]; do sleep 0.02; done
if [ "$(cat "$here/go-on")" = kill ]; then kill -9 $PPID; fi
exit 1
`;

const SOURCE = `#[inline(never)]
fn word() -> String {
    String::from("hello")
}

#[inline(never)]
fn seldom(word: &str) -> usize {
    word.len() + 1
}
${speaker('word()').replace('fn main() {', 'fn main() {\n    if std::env::args().len() > 5 { println!("{}", seldom("")); }')}`;

/** Both functions changed. */
function edited(word: string): string {
  return SOURCE.replace('"hello"', `"${word}"`).replace('word.len() + 1', 'word.len() + 2');
}

/** The project of {@link SOURCE} under a rustc whose linking can be made to fail. */
class Project {
  readonly fixture: CargoFixture = cargoFixture({
    'Cargo.toml': manifest('talker'),
    'src/main.rs': SOURCE,
  });
  readonly talker: Talker;

  constructor() {
    this.talker = startTalker(this.fixture.root, [], ownRustc(this.fixture));
  }

  /** From now on links wait and then fail. Returns what lets them: `kill` ends rustc itself without a word. */
  failing(): (how: 'fail' | 'kill') => void {
    this.fixture.write('linker', LINKER);
    chmodSync(this.fixture.path('linker'), 0o755);
    return (how) => this.fixture.write('go-on', how);
  }

  /** Links work again. */
  mended(): void {
    for (const file of ['linker', 'go-on']) rmSync(this.fixture.path(file));
  }

  async end(): Promise<void> {
    await this.talker.session.stop();
    this.fixture.remove();
  }
}

/** What is told from event `from` on, up to one of this kind. */
async function toldUntil(talker: Talker, from: number, kind: SessionEvent['event']): Promise<string[]> {
  const last = await eventOf(talker, from, kind);
  const { events } = talker.session;
  return events.slice(from, events.indexOf(last) + 1).map(({ event }) => event);
}

test('rustc fails after the patch went live: it is taken back, told, and the repair goes live', async () => {
  const project = new Project();
  const { talker, fixture } = project;
  try {
    await talker.ready();
    const { pid } = await talker.says('hello');
    for (const [how, ends] of [
      ['fail', 'compile-error'],
      ['kill', 'refused'],
    ] as const) {
      const goOn = project.failing();
      let from = talker.session.events.length;
      fixture.write('src/main.rs', edited(how));
      const early = await eventOf(talker, from, 'patched');
      assert.is(early.confirmed, false);
      await talker.says(how);
      goOn(how);
      assert.equal(await toldUntil(talker, from, ends), ['change', 'compiled', 'patched', 'undone', ends]);
      const undone = await eventOf(talker, from, 'undone');
      assert.is(undone.patch, early.patch);
      if (how === 'fail') assert.match((await eventOf(talker, from, 'compile-error')).rendered, /linking with/);
      else assert.is((await eventOf(talker, from, 'refused')).items[0]?.code, 'IPBP5010');
      await talker.says('hello');

      project.mended();
      from = talker.session.events.length;
      fixture.write('src/main.rs', edited(`${how}!`));
      await eventOf(talker, from, 'confirmed');
      await talker.says(`${how}!`);
      from = talker.session.events.length;
      fixture.write('src/main.rs', SOURCE);
      await eventOf(talker, from, 'confirmed');
      await talker.says('hello');
    }
    assert.is((await talker.line()).pid, pid);
  } finally {
    await project.end();
  }
});

test('a patch that the program does not give back: IPBP5040, and the next save is compared with what runs', async () => {
  const project = new Project();
  const { talker, fixture } = project;
  try {
    const { executable } = await talker.ready();
    const { pid } = await talker.says('hello');
    const goOn = project.failing();
    let from = talker.session.events.length;
    fixture.write('src/main.rs', edited('stays'));
    await eventOf(talker, from, 'patched');
    await talker.says('stays');
    // As a debugger does that has a breakpoint there. Nobody calls this function.
    const remove = breakpoint(pid, addressOf(executable, 'talker6seldom', pid));
    goOn('fail');
    assert.equal(await toldUntil(talker, from, 'compile-error'), [
      'change',
      'compiled',
      'patched',
      'note',
      'compile-error',
    ]);
    const note = await eventOf(talker, from, 'note');
    assert.is(note.code, 'IPBP5040');
    await talker.untouchedBy(async () => {
      assert.is((await talker.line()).words, 'stays');
    });

    remove();
    project.mended();
    from = talker.session.events.length;
    fixture.write('src/main.rs', edited('repaired'));
    const { functions } = await eventOf(talker, from, 'patched');
    // The other one runs already.
    assert.equal(
      functions.map(({ name }) => name),
      ['talker::word'],
    );
    await talker.says('repaired');
    assert.is((await talker.line()).pid, pid);
  } finally {
    await project.end();
  }
});

test('a library’s body goes live, and what uses it does not compile: it is taken back, and the repair goes live', async () => {
  const shop = new Workshop();
  const { fixture } = shop;
  const library = fixture.read('lib/src/lib.rs');
  const app = fixture.read('app/src/main.rs');
  // How long its own word is, and what the program thinks of it.
  const saveLibrary = (word: string): void =>
    fixture.write(
      'lib/src/lib.rs',
      `pub const fn length() -> usize {\n    ${word.length}\n}\n${library.replace('"p0"', `"${word}"`)}`,
    );
  const saveApp = (length: number): void =>
    fixture.write('app/src/main.rs', `const _: () = assert!(words::length() == ${length});\n${app}`);
  saveLibrary('p0');
  saveApp(2);
  const environment = ownRustc(fixture);
  const talker = startTalker(fixture.root, [], environment);
  try {
    await talker.ready();
    const { pid } = await talker.says(spoken(shop.words));
    fixture.write('hold', '');
    let from = talker.session.events.length;
    saveLibrary('longer');
    const { confirmed, patch } = await eventOf(talker, from, 'patched');
    assert.is(confirmed, false);
    await talker.says(spoken({ ...shop.words, plain: 'longer' }));
    rmSync(fixture.path('hold'));
    assert.equal(await toldUntil(talker, from, 'compile-error'), [
      'change',
      'compiled',
      'patched',
      'undone',
      'compile-error',
    ]);
    assert.is((await eventOf(talker, from, 'undone')).patch, patch);
    assert.match((await eventOf(talker, from, 'compile-error')).rendered, /words::length\(\) == 2/);
    await talker.says(spoken(shop.words));

    from = talker.session.events.length;
    saveApp(6);
    const repaired = await eventOf(talker, from, 'patched');
    await talker.says(spoken({ ...shop.words, plain: 'longer' }));
    if (repaired.confirmed === false) await eventOf(talker, from, 'confirmed');
    assert.is((await talker.line()).pid, pid);
    assert.is(
      shop.build(environment).says,
      spoken({ ...shop.words, plain: 'longer' }),
      'and cargo builds what the sources say',
    );
  } finally {
    await talker.session.stop();
    fixture.remove();
  }
});

/** Where a function whose mangled name holds `name` lies in the process. */
function addressOf(executable: string, name: string, pid: number): number {
  const line = execFileSync('nm', [executable], { encoding: 'utf8' })
    .split('\n')
    .find((one) => one.includes(name));
  const base = mappingsOf(pid).find(({ path }) => path === executable)?.start;
  assert.ok(line !== undefined && base !== undefined);
  return base + parseInt(line, 16);
}

/** Puts one in; returns what takes it out again. */
function breakpoint(pid: number, address: number): () => void {
  const memory = openSync(`/proc/${pid}/mem`, 'r+');
  const before = Buffer.alloc(1);
  assert.is(readSync(memory, before, 0, 1, address), 1);
  const put = (byte: Buffer): number => writeSync(memory, byte, 0, 1, address);
  put(Buffer.of(0xcc));
  return () => {
    put(before);
    closeSync(memory);
  };
}

test.run();

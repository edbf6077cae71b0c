// `ipbp init`, then a plain `cargo run`: the program changes as it runs, and terminal, input, signals and status are its
// own. And back: the project's configuration is as it was, byte for byte.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { ipbp, startTalker } from '../talker.js';
import { WORD, edit, speaker } from './project.js';

const test = suite('init');
const LIMIT_MS = 60_000;

/**
 * Says its word ten times a second, echoes a line of input, ends with a status that it is told; has no child to wait
 * for.
 */
const SOURCE = `extern "C" {
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
}

#[inline(never)]
fn word() -> String {
    String::from("hello")
}

fn main() {
    let mut status = 0;
    println!("children {}", unsafe { waitpid(-1, &mut status, 1) });
    println!("preload {:?} wrapped {:?}", std::env::var("LD_PRELOAD"), std::env::var("WRAPPED"));
    std::thread::spawn(|| loop {
        println!("{} {}", std::process::id(), word());
        std::thread::sleep(std::time::Duration::from_millis(100));
    });
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        if let Ok(status) = line.parse() {
            std::process::exit(status);
        }
        println!("heard {line}");
    }
}
`;

/** What the program of the workspace says: its library's word, its feature, its build script's, its argument. */
const SAID = `#[inline(never)]
fn said() -> String {
    let argument = std::env::args().nth(1).unwrap_or_default();
    let mark = if cfg!(feature = "loud") { "!" } else if cfg!(feature = "idle") { "?" } else { "." };
    format!("{}{} {}", words::word(), mark, env!("BUILT")) + " " + &argument
}
`;

/** A plain cargo in its own process group, with pipes. */
class Cargo {
  output = '';
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  readonly child: ChildProcess;
  constructor(fixture: CargoFixture, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    // What this machine tests in may be a CI, where init's scripts do nothing.
    const env = { ...process.env, CI: '', NO_COLOR: '1', ...environment };
    this.child = spawn('cargo', args, { cwd: fixture.root, env, detached: true });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    // 'close' comes when nobody holds the pipes any more: ipbp's own process has ended, too.
    this.ended = new Promise((fulfil) => this.child.on('close', (code, signal) => fulfil({ code, signal })));
  }

  async says(wanted: RegExp, since = 0): Promise<void> {
    for (const end = Date.now() + LIMIT_MS; Date.now() < end; await sleep(20)) {
      if (wanted.test(this.output.slice(since))) return;
    }
    // Not its count, of which there is much.
    const rest = this.output.split('\n').filter((line) => !/^\d+ \d+ /.test(line));
    throw new Error(`it did not say ${wanted}; the end of its output: ${rest.join('\n').slice(-2000)}`);
  }

  signalAll(signal: NodeJS.Signals): void {
    if (this.child.pid !== undefined) process.kill(-this.child.pid, signal);
  }
}

function files(more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return { 'Cargo.toml': manifest('speaker'), 'src/main.rs': SOURCE, ...more };
}

async function done(fixture: CargoFixture, ...args: readonly string[]): Promise<string> {
  const { status, output } = await ipbp(fixture.root, ...args);
  assert.is(status, 0, output);
  return output;
}

test('cargo run patches; input, status and pid are the program’s; undo leaves nothing', async () => {
  const fixture = cargoFixture(files());
  try {
    await done(fixture, 'init');
    const config = fixture.read('.cargo/config.toml');
    await done(fixture, 'init');
    assert.is(fixture.read('.cargo/config.toml'), config);
    const cargo = new Cargo(fixture, ['run']);
    try {
      await cargo.says(/ready/);
      await cargo.says(/preload Err/);
      assert.match(cargo.output, /children -1/);
      await cargo.says(new RegExp(`^${cargo.child.pid} hello$`, 'm'));
      fixture.write('src/main.rs', SOURCE.replace('"hello"', '"bye"'));
      await cargo.says(new RegExp(`^${cargo.child.pid} bye$`, 'm'));
      await cargo.says(/patched #1/);
      cargo.child.stdin?.write('so be it\n');
      await cargo.says(/heard so be it/);
      cargo.child.stdin?.write('42\n');
      assert.equal(await cargo.ended, { code: 42, signal: null });
    } finally {
      cargo.child.kill('SIGKILL');
    }
    const again = new Cargo(fixture, ['run']);
    try {
      await again.says(/ready/);
      await again.says(/ bye/);
      again.signalAll('SIGINT');
      assert.equal(await again.ended, { code: null, signal: 'SIGINT' });
    } finally {
      again.child.kill('SIGKILL');
    }
    await done(fixture, 'init', '--undo');
    assert.not.ok(existsSync(fixture.path('.cargo')));
  } finally {
    fixture.remove();
  }
});

test('a configuration with comments, a runner and a wrapper: both are called, and undo gives it back', async () => {
  const config = `# ours\n[build]\nrustc-wrapper = "tools/wrap.sh" # counts\n\n[target.'cfg(unix)']\nrunner = ["env", "WRAPPED=two words"]\n`;
  const fixture = cargoFixture(
    files({
      '.cargo/config.toml': config,
      'tools/wrap.sh': '#!/bin/sh\necho x >>"$(dirname "$0")/calls"\nexec "$@"\n',
    }),
  );
  try {
    chmodSync(fixture.path('tools/wrap.sh'), 0o755);
    await done(fixture, 'init');
    const cargo = new Cargo(fixture, ['run']);
    try {
      await cargo.says(/ready/);
      await cargo.says(/wrapped Ok\("two words"\)/);
      assert.ok(existsSync(fixture.path('tools/calls')));
      fixture.write('src/main.rs', SOURCE.replace('"hello"', '"bye"'));
      await cargo.says(/^\d+ bye$/m);
      // Through cargo: the arguments are those that the recorded command stands for.
      fixture.write('Cargo.toml', manifest('speaker', '[features]\nmore = []\n'));
      await cargo.says(/building with cargo/);
      await cargo.says(/unchanged|patched #2|refused/);
      cargo.child.stdin?.end();
      assert.equal(await cargo.ended, { code: 0, signal: null });
    } finally {
      cargo.child.kill('SIGKILL');
    }
    await done(fixture, 'init', '--undo');
    assert.is(fixture.read('.cargo/config.toml'), config);
    assert.not.ok(existsSync(fixture.path('.cargo/ipbp')));
  } finally {
    fixture.remove();
  }
});

test('a workspace, with features, a profile, a target and a target directory: the recorded command tells them all', async () => {
  const host = /^host: (.+)$/m.exec(execFileSync('rustc', ['-vV'], { encoding: 'utf8' }))?.[1] ?? '';
  const app = (rest = ''): string =>
    manifest(
      'app',
      `[features]\ndefault = ["idle"]\nidle = []\nloud = []\n[dependencies]\nwords = { path = "../words" }\n${rest}`,
    );
  const words = '#[inline(never)]\npub fn word() -> String {\n    String::from("hello")\n}\n';
  const fixture = cargoFixture({
    'Cargo.toml':
      '[workspace]\nmembers = ["app", "words"]\nresolver = "2"\n[profile.quick]\ninherits = "dev"\nopt-level = 1\n',
    'app/Cargo.toml': app(),
    'app/build.rs': 'fn main() { println!("cargo::rustc-env=BUILT=by-script"); }\n',
    'app/src/main.rs': speaker('said()', SAID),
    'words/Cargo.toml': manifest('words'),
    'words/src/lib.rs': words,
  });
  try {
    const inMember = { ...fixture, root: fixture.path('app') };
    await done(inMember, 'init');
    assert.ok(existsSync(fixture.path('.cargo/config.toml')));
    const args = ['--no-default-features', '--features', 'loud', '--profile', 'quick', '--target', host];
    const cargo = new Cargo(inMember, ['run', ...args, '--target-dir', fixture.path('out'), '--', 'argument']);
    try {
      await cargo.says(/ready/);
      await cargo.says(/ hello! by-script argument$/m);
      fixture.write('words/src/lib.rs', words.replace('hello', 'bye'));
      await cargo.says(/ bye! by-script argument$/m);
      fixture.write('app/src/main.rs', speaker('said()', SAID.replace('{}{} {}', '{}{} so {}')));
      await cargo.says(/ bye! so by-script argument$/m);
      // With cargo: a build of other arguments would be refused as another program.
      fixture.write('app/build.rs', 'fn main() { println!("cargo::rustc-env=BUILT=by-another"); }\n');
      await cargo.says(/ bye! so by-another argument$/m);
      assert.not.match(cargo.output, /refused/);
    } finally {
      cargo.signalAll('SIGKILL');
    }
  } finally {
    fixture.remove();
  }
});

test('ipbp run in a project with ipbp init: one session, and the configured runner and wrapper once', async () => {
  const fixture = cargoFixture({
    'Cargo.toml': manifest('talker'),
    'src/main.rs': speaker('word() + &std::env::var("WRAPPED").unwrap_or_default()', WORD),
    '.cargo/config.toml': `[build]\nrustc-wrapper = "tools/wrap.sh"\n[target.'cfg(unix)']\nrunner = "env WRAPPED=yes"\n`,
    'tools/wrap.sh': '#!/bin/sh\nexec "$@"\n',
  });
  try {
    chmodSync(fixture.path('tools/wrap.sh'), 0o755);
    await done(fixture, 'init');
    const talker = startTalker(fixture.root, [], { CI: '' });
    try {
      await talker.ready();
      await talker.says('helloyes');
      await edit(fixture, talker, { file: 'src/main.rs', from: '"hello"', to: '"bye"', says: 'byeyes' });
      assert.equal(talker.session.events.filter(({ event }) => event === 'ready').length, 1);
      assert.not.match(talker.session.output, /ipbp {2}/);
    } finally {
      await talker.session.stop();
    }
  } finally {
    fixture.remove();
  }
});

test('targets: each that can be patched has its runner, its own is still called, others are told and left alone', async () => {
  const config = [
    '[build]',
    'target = ["host-tuple", "aarch64-unknown-linux-gnu"]',
    '',
    '[target.x86_64-unknown-linux-musl]',
    'runner = ["env", "FOR=musl"]',
    "[target.'cfg(unix)']",
    'runner = "env FOR=unix"',
    '[target.aarch64-unknown-linux-gnu]',
    'runner = "emulator" # for the board',
    '',
  ].join('\n');
  const fixture = cargoFixture(files({ '.cargo/config.toml': config }));
  try {
    const output = await done(fixture, 'init');
    assert.match(output, /aarch64-unknown-linux-gnu cannot be patched.*IPBP1003/);
    const edited = fixture.read('.cargo/config.toml');
    assert.match(edited, /^runner = "emulator" # for the board$/m);
    assert.match(edited, /^runner = \["\.cargo\/ipbp\/runner-x86_64-unknown-linux-musl"\] # ipbp init$/m);
    assert.match(edited, /^runner = \["\.cargo\/ipbp\/runner"\] # ipbp init$/m);
    assert.match(fixture.read('.cargo/ipbp/runner-x86_64-unknown-linux-musl'), /exec env FOR=musl /);
    assert.match(fixture.read('.cargo/ipbp/runner'), /exec env FOR=unix /);
    await done(fixture, 'init');
    assert.is(fixture.read('.cargo/config.toml'), edited);
    await done(fixture, 'init', '--undo');
    assert.is(fixture.read('.cargo/config.toml'), config);
    assert.not.ok(existsSync(fixture.path('.cargo/ipbp')));

    fixture.write('.cargo/config.toml', config.replace(/^target.*$/m, 'target = "host-tuple"'));
    await done(fixture, 'init');
    const cargo = new Cargo(fixture, ['run']);
    try {
      await cargo.says(/ready/);
      fixture.write('src/main.rs', SOURCE.replace('"hello"', '"bye"'));
      await cargo.says(/^\d+ bye$/m);
      assert.match(cargo.output, /Running `.*\/\.cargo\/ipbp\/runner target/);
    } finally {
      cargo.signalAll('SIGKILL');
    }
  } finally {
    fixture.remove();
  }
});

test('a build directory apart from the target directory, also of a build from before', async () => {
  const config = '[build]\nbuild-dir = "made/of"\n';
  const fixture = cargoFixture(files({ '.cargo/config.toml': config }));
  try {
    fixture.cargo(['build']);
    await done(fixture, 'init');
    const first = new Cargo(fixture, ['run']);
    await first.says(/runs unpatched: .*IPBP5037/);
    first.child.stdin?.write('7\n');
    assert.equal(await first.ended, { code: 7, signal: null }, first.output);
    const cargo = new Cargo(fixture, ['run', '--target-dir', 'made/in']);
    try {
      await cargo.says(/ready/);
      fixture.write('src/main.rs', SOURCE.replace('"hello"', '"bye"'));
      await cargo.says(/^\d+ bye$/m);
      // Through cargo, with the same directories.
      fixture.write('Cargo.toml', manifest('speaker', '[features]\nmore = []\n'));
      await cargo.says(/building with cargo/);
      await cargo.says(/unchanged|patched #2|refused/);
      assert.not.match(cargo.output, /refused/);
    } finally {
      cargo.signalAll('SIGKILL');
    }
    assert.ok(existsSync(fixture.path('made/of/ipbp/units')));
    assert.not.ok(existsSync(fixture.path('ipbp')), 'nothing lies beside the target directory');
  } finally {
    fixture.remove();
  }
});

test('where nothing can be patched the program starts as ever', async () => {
  const fixture = cargoFixture(files({ 'tests/plain.rs': '#[test]\nfn plain() {}\n' }));
  try {
    // Built before init: not recorded, so the first run says so and the second is patched.
    fixture.cargo(['build']);
    await done(fixture, 'init');
    for (const [args, environment, said] of [
      [['run'], { IPBP: '0' }, null],
      [['run'], { CI: 'true' }, null],
      [['run'], {}, /runs unpatched: .*IPBP5037/],
      [['run'], {}, /ready/],
      [['run', '--release'], {}, /runs unpatched: .*IPBP5003/],
    ] as const) {
      const cargo = new Cargo(fixture, args, environment);
      await cargo.says(/ hello/);
      if (said !== null) await cargo.says(said);
      cargo.child.stdin?.write('7\n');
      assert.equal(await cargo.ended, { code: 7, signal: null }, cargo.output);
      if (said === null) assert.not.match(cargo.output, /ipbp {2}/);
    }
    const tests = new Cargo(fixture, ['test']);
    assert.equal(await tests.ended, { code: 0, signal: null }, tests.output);
    assert.not.match(tests.output, /ipbp {2}/);
  } finally {
    fixture.remove();
  }
});

test('a broken configuration is named, and nothing is written', async () => {
  const fixture = cargoFixture(files({ '.cargo/config.toml': '[build\njobs = 1\n' }));
  try {
    const { status, output } = await ipbp(fixture.root, 'init');
    assert.is(status, 1);
    assert.match(output, /IPBP5036/);
    assert.is(fixture.read('.cargo/config.toml'), '[build\njobs = 1\n');
    assert.not.ok(existsSync(fixture.path('.cargo/ipbp')));
  } finally {
    fixture.remove();
  }
});

test.run();

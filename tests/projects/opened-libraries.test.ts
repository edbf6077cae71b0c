// Libraries of the workspace, a cdylib and a dylib, that the program opens by itself (dlopen): their functions change while
// they run and keep their state, also where a library is made of a crate that the program is made of too; what is edited
// before one is opened is told and goes live when it is; one that was patched is not unloaded.
import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { darwinToolchain, type DarwinTarget } from '../../conformance/setup/darwin-toolchain.js';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { eventOf, startTalker, type Talker } from '../talker.js';
import { edit, speaker } from './project.js';

const test = suite('opened-libraries');

/** How the program is built, and where cargo puts it and what it opens. */
interface Build {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly folder: string;
}

const HERE: Build = { name: 'debug', environment: {}, args: [], folder: 'target/debug' };

/** A build for macOS, run in our loader. The toolchain is made when a test asks for it. */
function forMacos(target: DarwinTarget, ...redirect: readonly string[]): Build {
  const args = ['--target', target, ...redirect];
  const folder = `target/${target}/debug`;
  return {
    name: args.slice(1).join(' '),
    args,
    folder,
    get environment() {
      return darwinToolchain(target).env;
    },
  };
}

/** Opens a plugin of this folder when a file says so, and closes it when that is gone. */
const host = (folder: string): string => `use std::ffi::{c_char, c_int, c_void, CString};
use std::path::Path;
use std::sync::Mutex;

extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlclose(library: *mut c_void) -> c_int;
}

/// What a plugin says for the n-th call.
type Speak = extern "C" fn(call: u64, text: *mut u8, size: usize) -> usize;

struct Plugin {
    name: &'static str,
    library: usize,
    calls: u64,
}

static PLUGINS: Mutex<[Plugin; 2]> =
    Mutex::new([Plugin { name: "one", library: 0, calls: 0 }, Plugin { name: "two", library: 0, calls: 0 }]);

impl Plugin {
    #[inline(never)]
    fn speak(&mut self) -> String {
        let wanted = Path::new(&format!("open-{}", self.name)).exists();
        let open = self.library != 0;
        if open && !wanted {
            assert_eq!(unsafe { dlclose(self.library as *mut c_void) }, 0);
            self.library = 0;
        } else if !open && wanted {
            let path = CString::new(format!("${folder}/lib{}{}", self.name, std::env::consts::DLL_SUFFIX)).unwrap();
            self.library = unsafe { dlopen(path.as_ptr(), 2) } as usize;
            assert_ne!(self.library, 0);
        }
        if self.library == 0 {
            return String::from("-");
        }
        let speak = unsafe { std::mem::transmute::<*mut c_void, Speak>(dlsym(self.library as *mut c_void, c"speak".as_ptr())) };
        self.calls += 1;
        let mut text = [0; 64];
        let length = speak(self.calls, text.as_mut_ptr(), text.len());
        String::from_utf8_lossy(&text[..length]).into_owned()
    }
}

#[inline(never)]
fn text() -> String {
    let [one, two] = &mut *PLUGINS.lock().unwrap();
    format!("{} {} {}", common::word(), one.speak(), two.speak())
}
`;

/** It says its name, the crate's word, and in which call it was called first. */
const plugin = (name: string): string => `use std::sync::OnceLock;

static FIRST: OnceLock<u64> = OnceLock::new();

#[inline(never)]
fn text(call: u64) -> String {
    let first = FIRST.get_or_init(|| call);
    format!("${name}:{}:{first}", common::word())
}

#[no_mangle]
pub extern "C" fn speak(call: u64, text_at: *mut u8, size: usize) -> usize {
    let text = text(call);
    let length = text.len().min(size);
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), text_at, length) };
    length
}
`;

const [MAIN, COMMON, ONE, TWO] = ['src/main.rs', 'common/src/lib.rs', 'one/src/lib.rs', 'two/src/lib.rs'];
const library = (kind: string): string =>
  `[dependencies]\ncommon = { path = "../common" }\n[lib]\ncrate-type = ["${kind}"]\n`;
const files = (folder: string): Readonly<Record<string, string>> => ({
  'Cargo.toml': manifest(
    'talker',
    '[dependencies]\ncommon = { path = "common" }\n[workspace]\nmembers = ["common", "one", "two"]\n',
  ),
  [MAIN]: speaker('text()', host(folder)),
  'common/Cargo.toml': manifest('common'),
  [COMMON]: '#[inline(never)]\npub fn word() -> &\'static str {\n    "a"\n}\n',
  'one/Cargo.toml': manifest('one', library('cdylib')),
  [ONE]: plugin('one'),
  'two/Cargo.toml': manifest('two', library('dylib')),
  [TWO]: plugin('two'),
});

async function withTalker(
  { environment, args, folder }: Build,
  body: (talker: Talker, fixture: CargoFixture, session: string) => Promise<void>,
): Promise<void> {
  const fixture = cargoFixture(files(folder));
  // As a user does it: cargo run does not build them.
  fixture.cargo(['build', '--workspace', ...args.slice(0, 2)], environment);
  const talker = startTalker(fixture.root, args, environment);
  try {
    const { session } = await talker.ready();
    const { pid } = await talker.says('a - -');
    await body(talker, fixture, session);
    assert.is((await talker.line()).pid, pid);
  } finally {
    await talker.session.stop();
    fixture.remove();
  }
}

const OPTIMISED: Build = {
  ...HERE,
  name: 'optimised, v0 names',
  environment: { CARGO_PROFILE_DEV_OPT_LEVEL: '1', RUSTFLAGS: '-Csymbol-mangling-version=v0' },
};
const MACOS = [
  forMacos('x86_64-apple-darwin'),
  forMacos('x86_64-apple-darwin', '--redirect', 'jump'),
  forMacos('aarch64-apple-darwin'),
];

for (const build of [HERE, OPTIMISED, ...MACOS]) {
  test(`two libraries that were opened are patched, keep their state, and come back, ${build.name}`, () =>
    withTalker(build, async (talker, fixture, session) => {
      fixture.write('open-one', '');
      await talker.says('a one:a:1 -');
      await edit(fixture, talker, { file: ONE, from: '"one:', to: '"1st:', says: 'a 1st:a:1 -' });
      fixture.write('open-two', '');
      await talker.says('a 1st:a:1 two:a:1');
      // What is new: a function of std that the library did not have, a static, a thread-local.
      await edit(fixture, talker, {
        file: TWO,
        from: 'let first =',
        to: `thread_local!(static HERE: std::cell::Cell<u64> = const { std::cell::Cell::new(7) });
    static MORE: std::sync::Mutex<Vec<u64>> = std::sync::Mutex::new(Vec::new());
    MORE.lock().unwrap().push(call);
    let call = if HERE.get() == 7 && std::env::temp_dir().exists() { call } else { 0 };
    let first =`,
        says: 'a 1st:a:1 two:a:1',
      });
      // A crate that is in all three.
      await edit(fixture, talker, { file: COMMON, from: '"a"', to: '"b"', says: 'b 1st:b:1 two:b:1' });
      await edit(fixture, talker, { file: MAIN, from: '"{} {} {}"', to: '"{}, {} {}"', says: 'b, 1st:b:1 two:b:1' });
      for (const says of ['b 1st:b:1 two:b:1', 'a 1st:a:1 two:a:1']) {
        assert.is((await talker.session.command(['undo'], session)).status, 0);
        await talker.says(says);
      }
      assert.is((await talker.session.command(['redo', '1'], session)).status, 0);
      await talker.says('b 1st:b:1 two:b:1');
      // The exported function itself; what was undone in the program is still in its source.
      await edit(fixture, talker, {
        file: TWO,
        from: 'text(call);',
        to: 'text(call).to_uppercase();',
        says: 'b, 1st:b:1 TWO:B:1',
      });
    }));
}

for (const build of [HERE, ...MACOS]) {
  test(`what is edited before a library is opened is told, and is live when it is, ${build.name}`, () =>
    withTalker(build, async (talker, fixture, session) => {
      const from = talker.session.events.length;
      await edit(fixture, talker, { file: ONE, from: '"one:', to: '"1st:', says: 'a - -', verdict: 'unchanged' });
      assert.is((await eventOf(talker, from, 'note')).code, 'IPBP5047');
      await edit(fixture, talker, { file: COMMON, from: '"a"', to: '"b"', says: 'b - -' });
      const opened = talker.session.events.length;
      fixture.write('open-one', '');
      await talker.says('b 1st:b:1 -');
      assert.is((await eventOf(talker, opened, 'patched')).functions.length, 2);
      assert.is((await talker.session.command(['undo'], session)).status, 0);
      await talker.says('b one:a:1 -');
      assert.is((await talker.session.command(['redo'], session)).status, 0);
      await talker.says('b 1st:b:1 -');
    }));
}

for (const build of [HERE, ...MACOS]) {
  test(`a library that was patched stays when the program closes it, and is the same when it opens it again, ${build.name}`, () =>
    withTalker(build, async (talker, fixture) => {
      fixture.write('open-one', '');
      await talker.says('a one:a:1 -');
      await edit(fixture, talker, { file: ONE, from: '"one:', to: '"1st:', says: 'a 1st:a:1 -' });
      rmSync(fixture.path('open-one'));
      await talker.says('a - -');
      await edit(fixture, talker, { file: ONE, from: '"1st:', to: '"2nd:', says: 'a - -' });
      fixture.write('open-one', '');
      await talker.says('a 2nd:a:1 -');
    }));
}

for (const build of [HERE, ...MACOS]) {
  test(`a library of another build is refused, ${build.name}`, () =>
    withTalker(build, async (talker, fixture) => {
      fixture.write(ONE, fixture.read(ONE).replace('"one:', '"new:'));
      await eventOf(talker, 0, 'unchanged');
      fixture.cargo(['build', '-p', 'one', ...build.args.slice(0, 2)], build.environment);
      fixture.write('open-one', '');
      await talker.says('a new:a:1 -');
      await edit(fixture, talker, {
        file: ONE,
        from: '"new:',
        to: '"newer:',
        says: 'a new:a:1 -',
        verdict: 'refused',
        code: 'IPBP5020',
      });
    }));
}

test.run();

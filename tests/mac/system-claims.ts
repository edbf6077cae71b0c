// Claims that need more than the program: what the system's own tools say of it, and other ways to build it. Each says
// why it cannot be shown where that is so.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest } from '../cargo-fixture.js';
import { ipbp, mappingsOf, startTalker } from '../talker.js';
import type { Running } from './claims.js';
import { programSource } from './program.js';

/** How programs are built and run. */
export interface Place {
  /** Of the machine itself where it is not given. */
  readonly target: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Starts a program of the target; empty where the machine itself does. */
  readonly runner: readonly string[];
  /** Reports what processes of the target do is macOS's own. */
  readonly isMac: boolean;
}

/** What was seen, or why it cannot be shown here. */
export type Seen = string | { readonly notHere: string };

/** One claim; `show` throws where it does not hold. */
export interface SystemClaim {
  readonly id: string;
  readonly claim: string;
  readonly show: (place: Place, running: Running) => Promise<Seen>;
}

const NOT_A_MAC = { notHere: 'this is not macOS: its own tools and loader are asked' };
const LINKER = fileURLToPath(new URL('../../linker/ld64.lld', import.meta.url));
const ANSWER = 42;

/** What macOS says of a process's memory; why not, where it does not let us ask: that is no claim of ours. */
function vmmap(pid: number): string | { readonly notHere: string } {
  const { status, stdout, stderr } = spawnSync('vmmap', ['-w', String(pid)], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return status === 0 ? stdout : { notHere: `vmmap does not show the program's memory: ${stderr ?? ''}`.trim() };
}

function targetArguments({ target }: Place): readonly string[] {
  return target === undefined ? [] : ['--target', target];
}

export const SYSTEM_CLAIMS: readonly SystemClaim[] = [
  {
    id: 'protections',
    claim: 'no memory of the program is writable and executable at once',
    show: ({ isMac }: Place, { pid }: Running): Promise<Seen> => {
      const regions = isMac ? vmmap(pid) : '';
      if (typeof regions !== 'string') return Promise.resolve(regions);
      const both = isMac
        ? regions.match(/^.* rwx\/.*$/gm)
        : mappingsOf(pid)
            .filter(({ protection }) => /w.*x/.test(protection))
            .map(({ path }) => path);
      // An emulator's own translated code is none of the program's.
      const own = (both ?? []).filter((line) => line !== '' || isMac);
      assert.equal(own, []);
      return Promise.resolve(`${both?.length ?? 0} such mappings of others`);
    },
  },
  {
    id: 'signatures',
    claim: 'codesign accepts every patch that is open',
    show: ({ isMac }: Place, { pid }: Running): Promise<Seen> => {
      if (!isMac) return Promise.resolve(NOT_A_MAC);
      const regions = vmmap(pid);
      if (typeof regions !== 'string') return Promise.resolve(regions);
      const patches = [...new Set(regions.match(/\/\S*ipbp-patch\S*\.dylib/g) ?? [])];
      assert.ok(patches.length > 0, 'vmmap lists no patch');
      for (const path of patches) {
        const { status, stderr } = spawnSync('codesign', ['--verify', '--strict', path], { encoding: 'utf8' });
        assert.is(status, 0, `${path}: ${stderr}`);
      }
      return Promise.resolve(`${patches.length} patches`);
    },
  },
  {
    id: 'linker',
    claim: 'a cdylib that `ipbp link` linked for rustc is opened and called',
    async show(place: Place): Promise<Seen> {
      const triple = place.target ?? hostTriple();
      if (!triple.includes('-apple-')) return { notHere: `${triple} is none of Apple's` };
      const fixture = cargoFixture({
        'Cargo.toml': '[workspace]\nmembers = ["plugin", "opener"]\nresolver = "2"\n',
        'plugin/Cargo.toml': manifest('plugin', '[lib]\ncrate-type = ["cdylib"]\n'),
        'plugin/src/lib.rs': `use std::cell::Cell;
thread_local!(static OWN: Cell<u32> = const { Cell::new(${ANSWER - 2}) });
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> u32 {
    let caught = std::panic::catch_unwind(|| { if OWN.get() > 1 { panic!("as it should") } });
    OWN.get() + 1 + u32::from(caught.is_err())
}
`,
        'opener/Cargo.toml': manifest('opener'),
        'opener/src/main.rs': `use std::ffi::{CString, c_char, c_int, c_void};
unsafe extern "C" {
    fn dlopen(path: *const c_char, mode: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn dlerror() -> *const c_char;
}
fn main() {
    let path = CString::new(std::env::args().nth(1).unwrap()).unwrap();
    let library = unsafe { dlopen(path.as_ptr(), 2) };
    if library.is_null() {
        panic!("{}", unsafe { std::ffi::CStr::from_ptr(dlerror()) }.to_string_lossy());
    }
    let found = unsafe { dlsym(library, c"answer".as_ptr()) };
    let answer: extern "C" fn() -> u32 = unsafe { std::mem::transmute(found) };
    println!("{}", answer());
}
`,
      });
      try {
        const cargo = (...args: readonly string[]): string =>
          fixture.cargo(['build', ...args, ...targetArguments(place)], place.environment);
        cargo('-p', 'opener');
        const variable = `CARGO_TARGET_${triple.toUpperCase().replaceAll(/[-.]/g, '_')}`;
        fixture.cargo(['build', '-p', 'plugin', ...targetArguments(place)], {
          ...place.environment,
          [`${variable}_LINKER`]: LINKER,
          [`${variable}_RUSTFLAGS`]: '-Clinker-flavor=ld64.lld',
        });
        const made = join(fixture.root, 'target', place.target ?? '', 'debug');
        const library = ['libplugin.dylib', 'libplugin.so'].map((name) => join(made, name)).find(existsSync);
        assert.ok(library !== undefined, `no library in ${made}`);
        const words = [...place.runner, join(made, 'opener'), library];
        const [command = '', ...args] = words;
        const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
        assert.is(stdout.trim(), String(ANSWER), stderr);
        return 'its own thread-local and a caught panic';
      } finally {
        fixture.remove();
      }
    },
  },
  {
    id: 'in-place',
    claim:
      'with `--redirect jump` entries are changed in place where the probe finds that this works, else ipbp says why',
    async show(place: Place): Promise<Seen> {
      const fixture = cargoFixture({ 'Cargo.toml': manifest('talker'), 'src/main.rs': programSource() });
      const args = ['--redirect', 'jump', ...targetArguments(place)];
      const talker = startTalker(fixture.root, args, place.environment);
      try {
        const { session } = await talker.ready();
        await talker.line();
        const from = talker.session.events.length;
        writeFileSync(fixture.path('src/main.rs'), programSource({ word: 'format!("in place {}", count - count)' }));
        const event = await talker.session.waitFor(
          (one) => one.event === 'patched' || one.event === 'refused',
          from,
          60_000,
        );
        if (event.event === 'refused') {
          // Nothing else may be in the way than what the try at the start found.
          assert.ok(event.items.every(({ code, because }) => code === 'IPBP3016' && because.length > 1));
          return event.items.map(({ code, because }) => `${code}: ${because.at(-1)}`).join('; ');
        }
        await talker.says('in place 0');
        const changed = event.event === 'patched' ? event.functions : [];
        assert.ok(!changed.some(({ reason }) => reason?.includes('callers') === true), JSON.stringify(changed));
        const undone = await ipbp(fixture.root, 'undo', '--session', session);
        assert.is(undone.status, 0, undone.output);
        await talker.line();
        return 'it works, and comes back';
      } finally {
        await talker.session.stop();
        fixture.remove();
      }
    },
  },
  {
    id: 'no-thread',
    claim: 'with `--no-agent-thread` no thread of the agent is in the program, and edits go live all the same',
    async show(place: Place): Promise<Seen> {
      // There the agent stands before `pthread_create` by dyld's __interpose, which our loader does not do.
      if (!place.isMac) return NOT_A_MAC;
      const fixture = cargoFixture({ 'Cargo.toml': manifest('talker'), 'src/main.rs': programSource() });
      const talker = startTalker(fixture.root, ['--no-agent-thread', ...targetArguments(place)], place.environment);
      try {
        await talker.ready();
        const { pid } = await talker.says('first 7');
        await talker.save(fixture, programSource({ word: 'format!("no thread {}", count - count)' }), 'patched');
        assert.is((await talker.says('no thread 0')).pid, pid);
        return 'an edit went live';
      } finally {
        await talker.session.stop();
        fixture.remove();
      }
    },
  },
  {
    id: 'doctor',
    claim: '`ipbp doctor` finds nothing amiss',
    async show({ isMac }: Place, { fixture }: Running): Promise<Seen> {
      if (!isMac) return NOT_A_MAC;
      const { status, output } = await ipbp(fixture.root, 'doctor');
      assert.is(status, 0, output);
      return 'status 0';
    },
  },
];

function hostTriple(): string {
  return /^host: (.*)$/m.exec(execFileSync('rustc', ['-vV'], { encoding: 'utf8' }))?.[1] ?? '';
}

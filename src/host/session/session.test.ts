// Whole sessions: cargo, rustc, the agent and the engine on a small workspace, in one process that goes on running.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, LIBRARY, manifest, type CargoFixture } from '../../../tests/cargo-fixture.js';
import { askSession } from '../control/control-client.js';
import { listSessions } from '../control/control-socket.js';
import type { SessionEvent, SessionOptions } from '../events.js';
import { startSession, type Session } from './session.js';

/** Writes a line every 20 ms into the file it is given, until the file `stop` is there; ends with status 7. */
const MAIN = `mod line {
    #[inline(never)]
    pub fn line(n: u32) -> String {
        format!("hello {} {}", fixture_lib::plain(n) - n, fixture_lib::generic(1))
    }
}

fn main() {
    use std::io::Write;
    let path = std::env::args().nth(1).unwrap();
    let mut file = std::fs::File::create(&path).unwrap();
    for name in ["LD_PRELOAD", "RUSTC_WRAPPER", "IPBP_TOKEN", "IPBP_SESSION", "IPBP_UNITS", "IPBP_OWN_NAMES"] {
        if std::env::var_os(name).is_some() {
            writeln!(file, "environment {name}").unwrap();
        }
    }
    let mut n = 0;
    while !std::path::Path::new(&format!("{path}.stop")).exists() {
        writeln!(file, "{} {}", std::process::id(), line::line(n)).unwrap();
        n += 1;
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::process::exit(7);
}
`;

let fixture: CargoFixture;
let running: Session | null = null;

test.before(() => {
  fixture = cargoFixture({
    'Cargo.toml': '[workspace]\nmembers = ["lib", "app"]\nresolver = "2"\n',
    'lib/Cargo.toml': manifest('fixture-lib'),
    'lib/src/lib.rs': LIBRARY,
    'app/Cargo.toml': manifest('app', '[dependencies]\nfixture-lib = { path = "../lib" }\n'),
    'app/src/main.rs': MAIN,
  });
});

test.after.each(async () => {
  running?.stop('SIGKILL');
  await running?.done.catch(() => {});
  running = null;
});

test.after(() => fixture.remove());

/** A session whose events can be waited for. */
interface Watched {
  readonly session: Session;
  readonly events: SessionEvent[];
  /** The next event of a kind after those already waited for. Fails after 30 s. */
  next<K extends SessionEvent['event']>(kind: K): Promise<Extract<SessionEvent, { event: K }>>;
  lines(): string[];
  /** Waits until the program's newest line ends so. */
  seen(ending: string): Promise<void>;
  end(): Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

let runs = 0;

async function start(options: Partial<SessionOptions> = {}): Promise<Watched> {
  const events: SessionEvent[] = [];
  const output = fixture.path(`output-${runs++}`);
  writeFileSync(output, '');
  const session = await startSession(
    {
      directory: fixture.root,
      cargoArguments: ['--quiet'],
      programArguments: [output],
      onRefusal: 'continue',
      redirect: 'auto',
      deliver: 'auto',
      noBuild: false,
      json: true,
      color: false,
      ...options,
    },
    (event) => events.push(event),
  );
  running = session;
  let taken = 0;
  const lines = (): string[] => readFileSync(output, 'utf8').trimEnd().split('\n');
  return {
    session,
    events,
    lines,
    async next(kind) {
      for (const end = Date.now() + 30_000; Date.now() < end; await sleep(5)) {
        while (taken < events.length) {
          const event = events[taken++];
          if (event?.event === kind) return event as never;
        }
      }
      throw new Error(`no ${kind} event came; there were ${JSON.stringify(events)}`);
    },
    async seen(ending) {
      for (const end = Date.now() + 5_000; Date.now() < end; await sleep(10))
        if (lines().at(-1)?.endsWith(ending)) return;
      throw new Error(`"${ending}" was not seen; the last line is ${lines().at(-1)}`);
    },
    async end() {
      writeFileSync(`${output}.stop`, '');
      return session.done;
    },
  };
}

test('saves become patches of one running process; errors, undo, redo; its status is ours', async () => {
  const run = await start();
  const ready = await run.next('ready');
  assert.equal(ready.crates, ['fixture_lib', 'app']);
  assert.ok(ready.functions > 100);
  await run.seen('hello 1 1!');

  fixture.write('app/src/main.rs', MAIN.replace('"hello', '"howdy'));
  const first = await run.next('patched');
  assert.ok(first.functions.some(({ name, verdict }) => name.includes('line::line') && verdict === 'redirected'));
  assert.ok(first.sinceSaveMs !== null && first.sinceSaveMs > first.ms.total);
  await run.seen('howdy 1 1!');

  fixture.write('app/src/main.rs', MAIN.replace('"hello', '"howdy {}'));
  assert.match((await run.next('compile-error')).rendered, 'error: ');
  await run.seen('howdy 1 1!');
  fixture.write('app/src/main.rs', MAIN.replace('"hello', '"salve'));
  await run.next('patched');
  await run.seen('salve 1 1!');

  // Live before its user is compiled too, which leaves nothing to be added.
  fixture.write('lib/src/lib.rs', LIBRARY.replace('x + 1', 'x + 5'));
  assert.equal((await run.next('compiled')).crates, ['fixture_lib']);
  const early = await run.next('patched');
  assert.is(early.confirmed, false);
  await run.seen('salve 5 1!');
  assert.equal((await run.next('compiled')).crates, ['app']);
  assert.equal((await run.next('confirmed')).patches, [early.patch]);

  fixture.write('app/src/main.rs', `${MAIN.replace('"hello', '"salve')}\n// a comment\n`);
  await run.next('unchanged');

  assert.equal(await listSessions().then((ids) => ids.includes(run.session.id)), true);
  const undone = await askSession(run.session.id, { command: 'undo', count: 2 });
  assert.is(undone.kind, 'events');
  await run.seen('howdy 1 1!');
  await askSession(run.session.id, { command: 'redo', count: 2 });
  await run.seen('salve 5 1!');
  const nothing = await askSession(run.session.id, { command: 'redo', count: 1 });
  assert.is(nothing.kind === 'error' && nothing.code, 'IPBP5013');
  const status = await askSession(run.session.id, { command: 'status' });
  assert.is(status.kind === 'status' && status.status.pid, ready.pid);
  assert.ok(status.kind === 'status' && status.status.patches.every(({ live }) => live));

  assert.equal(await run.end(), { code: 7, signal: null });
  assert.equal([...new Set(run.lines().map((line) => line.split(' ')[0]))], [String(ready.pid)]);
  assert.is(run.events.at(-1)?.event, 'exit');
  assert.not.ok((await listSessions()).includes(run.session.id));
  fixture.cargo(['build']);
});

test('a body of a library is taken back when a crate that uses it does not compile, and comes with the repair', async () => {
  fixture.write('lib/src/lib.rs', LIBRARY);
  fixture.write('app/src/main.rs', MAIN);
  const run = await start();
  await run.next('ready');
  await run.seen('hello 1 1!');
  const renamed = LIBRARY.replace('x + 1', 'x + 9').replace('fn generic', 'fn renamed');
  fixture.write('lib/src/lib.rs', renamed);
  const { patch } = await run.next('patched');
  await run.seen('hello 9 1!');
  assert.is((await run.next('undone')).patch, patch);
  assert.match((await run.next('compile-error')).rendered, 'generic');
  await run.seen('hello 1 1!');
  const nothing = await askSession(run.session.id, { command: 'redo', count: 1 });
  assert.is(nothing.kind === 'error' && nothing.code, 'IPBP5013');
  fixture.write('app/src/main.rs', MAIN.replace('generic', 'renamed').replace('hello', 'again'));
  await run.next('patched');
  await run.seen('again 9 1!');
  await run.end();
  fixture.write('lib/src/lib.rs', LIBRARY);
  fixture.write('app/src/main.rs', MAIN);
});

test('a project that was built before without ipbp is followed too, libraries included', async () => {
  const run = await start({ cargoArguments: ['--quiet', '--target-dir', fixture.path('other-target')] });
  await run.next('ready');
  await run.end();
  // As if ipbp had never been there: no recordings, all fresh.
  rmSync(fixture.path('other-target/ipbp'), { recursive: true });
  const again = await start({ cargoArguments: ['--quiet', '--target-dir', fixture.path('other-target')] });
  assert.equal((await again.next('ready')).crates, ['fixture_lib', 'app']);
  assert.equal(await again.end(), { code: 7, signal: null });
});

test('what only cargo can build goes through cargo; where it does not fit it is refused, or restarts the program', async () => {
  const dependencies = '[dependencies]\nfixture-lib = { path = "../lib" }\n';
  const bin = (name: string): string =>
    manifest('app', `${dependencies}[[bin]]\nname = "${name}"\npath = "src/main.rs"\n`);
  const careful = await start();
  await careful.next('ready');
  fixture.write('app/Cargo.toml', manifest('app', `${dependencies}# changed\n`));
  assert.is((await careful.next('note')).code, 'IPBP5011');
  await careful.next('unchanged');
  fixture.write('app/Cargo.toml', bin('other'));
  const refused = await careful.next('refused');
  assert.is(refused.items[0]?.code, 'IPBP5022');
  assert.is(refused.restarting, false);
  await careful.end();

  const restarting = await start({ onRefusal: 'restart' });
  const { pid } = await restarting.next('ready');
  fixture.write('app/Cargo.toml', bin('another'));
  assert.is((await restarting.next('refused')).restarting, true);
  assert.is.not((await restarting.next('restarted')).pid, pid);
  await restarting.next('ready');
  assert.equal(await restarting.end(), { code: 7, signal: null });
  fixture.write('app/Cargo.toml', manifest('app', dependencies));
});

test('a restart whose build fails leaves the program running; the next save is taken as ever', async () => {
  const run = await start({ onRefusal: 'restart' });
  const { pid } = await run.next('ready');
  const source = readFileSync(fixture.path('app/src/main.rs'), 'utf8');
  fixture.write(
    'app/src/main.rs',
    `extern "C" {\n    fn no_such_function();\n}\n${source.replace('format!("hello', 'unsafe { crate::no_such_function() };\n        format!("hello')}`,
  );
  assert.is((await run.next('refused')).restarting, true);
  assert.match((await run.next('compile-error')).rendered, 'no_such_function');
  assert.ok(run.lines().at(-1)?.startsWith(`${pid} `));
  fixture.write('app/src/main.rs', source.replace('"hello', '"bye'));
  await run.next('patched');
  await run.seen('bye 1 1!');
  fixture.write('app/src/main.rs', source);
  await run.next('patched');
  assert.equal(await run.end(), { code: 7, signal: null });
});

test('a build that is not incremental is not started', async () => {
  const run = await start({ cargoArguments: ['--quiet', '--config', 'profile.dev.incremental=false'] });
  const error = await run.session.done.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.match(String(error), 'IPBP5003');
  assert.equal(run.lines(), ['']);
});

test('a build that fails ends as cargo does', async () => {
  fixture.write('app/src/main.rs', 'fn main() { nonsense }');
  const run = await start();
  assert.equal(await run.session.done, { code: 101, signal: null });
});

test.run();

// Recording and replaying with real cargo projects: what the rest of the host stands on.
import { existsSync, mkdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LIBRARY, MAIN, workspaceFixture, type CargoFixture } from '../../../tests/cargo-fixture.js';
import { readCaptures, unitGraph, unitOfExecutable, type UnitGraph } from '../cargo/capture-store.js';
import { createCompiler } from './compile.js';
import { sourceFiles } from '../cargo/dep-info.js';
import { makeUnrecordedStale } from '../cargo/freshness.js';
import { compareSets, incrementalDirectory, scanObjects, type ObjectSet } from '../cargo/incremental.js';
import { keepObjects } from '../session/kept-files.js';
import type { ReplayContext } from './replay.js';
import { sessionName } from './replay-watch.js';
import { writeScripts } from '../cargo/scripts.js';
import { filesOfRustc, readThrough } from './warm-files.js';
import { startSpawner, type Spawner } from './spawner.js';
import { outputsOf, type Unit } from '../cargo/unit.js';

let fixture: CargoFixture;
let spawner: Spawner;
let graph: UnitGraph;
let lib: Unit;
let app: Unit;
let context: ReplayContext;
let environment: Record<string, string>;

test.before(() => {
  fixture = workspaceFixture();
  const scripts = writeScripts(fixture.path('target/ipbp/bin'));
  const units = fixture.path('target/ipbp/units');
  environment = {
    RUSTC_WRAPPER: scripts.rustcWrapper,
    IPBP_UNITS: units,
    IPBP_OWN_NAMES: Object.keys(process.env).join(' '),
  };
  fixture.cargo(['build'], { ...environment, SECRET_TOKEN: 'hidden' });
  spawner = startSpawner(fixture.path('target/ipbp/jobs'));
  const captures = readCaptures(units);
  const root = unitOfExecutable(captures, fixture.path('target/debug/app'));
  assert.ok(root, 'the executable has a unit');
  graph = unitGraph(captures, root, new Set(['fixture_lib']));
  [lib, app] = graph.units as [Unit, Unit];
  context = { spawner, units, recorder: scripts.recorder, directory: fixture.path('target/ipbp/jobs'), color: false };
});

test.after(() => {
  void spawner.stop();
  fixture.remove();
});

let kept = 0;

/** The newest objects of a unit, kept safe. */
function objects(unit: Unit): ObjectSet {
  const directory = incrementalDirectory(unit);
  assert.ok(directory);
  const safe = fixture.path(`target/ipbp/kept-${kept++}`);
  mkdirSync(safe);
  return keepObjects(scanObjects(unit, directory), null, safe);
}

function run(): string {
  return execFileSync(fixture.path('target/debug/app'), { encoding: 'utf8' }).trim();
}

/** Symbols that the named objects define, as nm prints them. */
function definedIn(set: ObjectSet, names: readonly string[]): string {
  return execFileSync('nm', ['--defined-only', ...names.map((name) => set.get(name)?.path ?? '')], {
    encoding: 'utf8',
  });
}

test('a capture holds arguments and what cargo set, and no secrets', () => {
  assert.equal(
    graph.units.map(({ crate }) => crate),
    ['fixture_lib', 'app'],
  );
  assert.equal(graph.missing, []);
  assert.equal([...graph.dependants], [[lib.key, [app.key]]]);
  assert.equal(app.kind, 'bin');
  assert.equal(app.env['CARGO_PKG_NAME'], 'app');
  assert.equal(app.env['SECRET_TOKEN'], undefined);
  assert.equal(app.env['CARGO_MAKEFLAGS'], undefined);
  const capture = fixture.path(`target/ipbp/units/${app.key}/capture`);
  assert.is(statSync(capture).mode & 0o777, 0o600);
  assert.not.match(readFileSync(capture, 'utf8'), 'hidden');
  assert.equal(sourceFiles(lib), [fixture.path('lib/src/lib.rs')]);
});

test('a body edit changes one object, the executable stays, the rlibs are named, and cargo build works after it', async () => {
  const compiler = createCompiler({ graph }, context, () => false);
  const before = objects(app);
  const executable = statSync(outputsOf(app).executable);
  fixture.write('app/src/main.rs', MAIN.replace('"hello"', '"howdy"'));
  compiler.markChanged([app.key]);
  const result = await compiler.compile();
  assert.is(result.kind, 'ok');
  const { changed, removed } = compareSets(before, objects(app));
  assert.is(changed.length, 1);
  assert.equal(removed, []);
  assert.match(definedIn(objects(app), changed), 'greet');
  assert.is(statSync(outputsOf(app).executable).ino, executable.ino);
  assert.is(statSync(outputsOf(app).executable).mtimeMs, executable.mtimeMs);
  assert.is(run(), 'hello 6 3!');
  const archives = compiler.linkInputs()?.archives ?? [];
  assert.ok(archives.includes(outputsOf(lib).rlib));
  assert.ok(archives.some((path) => /libstd-[0-9a-f]+\.rlib$/.test(path)));
  fixture.cargo(['build']);
  assert.is(run(), 'howdy 6 3!');
});

test('an edit and its return leave the same bytes in a new inode', async () => {
  const compiler = createCompiler({ graph }, context, () => false);
  const before = objects(app);
  fixture.write('app/src/main.rs', MAIN.replace('"hello"', '"other"'));
  compiler.markChanged([app.key]);
  await compiler.compile();
  fixture.write('app/src/main.rs', MAIN.replace('"hello"', '"howdy"'));
  compiler.markChanged([app.key]);
  await compiler.compile();
  const { changed, sameBytes } = compareSets(before, objects(app));
  assert.equal(changed, []);
  assert.is(sameBytes.length, 1);
});

test('objects are told when they are closed, with the bytes that the finished session holds, and before rustc ends', async () => {
  const compiler = createCompiler({ graph }, context, () => false);
  const before = objects(app);
  const directory = incrementalDirectory(app);
  assert.ok(directory);
  const told = new Map<string, Uint8Array>();
  const order: string[] = [];
  fixture.write('app/src/main.rs', MAIN.replace('"hello"', '"early"'));
  compiler.markChanged([app.key]);
  const result = await compiler.compile({
    directories: new Map([[app.key, directory]]),
    onObject(unit, name, { bytes }) {
      assert.is(unit.key, app.key);
      told.set(name, bytes);
    },
    onObjectsFinal({ remaining, crates }) {
      order.push('final');
      assert.is(remaining, 'nothing');
      assert.equal(crates, ['app']);
      const { changed } = compareSets(before, objects(app));
      assert.is(changed.length, 1);
      for (const name of changed) {
        assert.equal(readFileSync(objects(app).get(name)?.path ?? ''), Buffer.from(told.get(name) ?? []), name);
      }
      return Promise.resolve();
    },
  });
  order.push('ended');
  assert.is(result.kind, 'ok');
  assert.equal(order, ['final', 'ended']);
});

test('what rustc reads is found, its own libraries first, and read until nobody wants it any more', async () => {
  const directory = incrementalDirectory(app);
  assert.ok(directory);
  const files = await filesOfRustc(graph, new Map([[app.key, directory]]), spawner);
  assert.match(files[0] ?? '', /\/lib\/lib(LLVM|rustc_driver).*\.so/);
  assert.ok(files.some((path) => path.startsWith(directory) && path.endsWith('/dep-graph.bin')));
  assert.ok(files.some((path) => /\/libstd-[0-9a-f]+\.rlib$/.test(path)));
  assert.ok(files.includes(outputsOf(lib).rmeta));
  const own = files.filter((path) => path.startsWith(directory));
  const size = own.reduce((sum, path) => sum + statSync(path).size, 0);
  assert.is(await readThrough([...own, fixture.path('missing')], () => true), size);
  assert.is(await readThrough(own, () => false), 0);
});

test('an output file is told from others by its name', () => {
  const unit = { key: 'app-00aa' };
  assert.is(sessionName(unit, 'app-00aa.1x2y3z.0wm340d.rcgu.o'), '1x2y3z.o');
  assert.is(sessionName(unit, 'app-00aa.1x2y3z.rcgu.o'), '1x2y3z.o');
  for (const other of ['app-00aa.d', 'app-00ab.1x2y3z.rcgu.o', 'app-00aa.1x2y3z.rcgu.bc', 'app-00aa..rcgu.o']) {
    assert.is(sessionName(unit, other), null, other);
  }
});

test('a compile error is told as rustc prints it, and stays pending until repaired', async () => {
  const compiler = createCompiler({ graph }, context, () => false);
  fixture.write('app/src/main.rs', MAIN.replace('"hello"', '17'));
  compiler.markChanged([app.key]);
  const result = await compiler.compile();
  assert.is(result.kind, 'errors');
  assert.match(result.rendered, /^error\[E0308\]: mismatched types\n +--> app\/src\/main\.rs/);
  assert.ok(compiler.pending());
  fixture.write('app/src/main.rs', MAIN);
  assert.is((await compiler.compile()).kind, 'ok');
  assert.not(compiler.pending());
});

test('a plain body of a library changes one of its objects and none of the binary; both are compiled', async () => {
  const compiler = createCompiler({ graph }, context, () => false);
  const before = { lib: objects(lib), app: objects(app) };
  fixture.write('lib/src/lib.rs', LIBRARY.replace('x + 1', 'x + 10'));
  compiler.markChanged([lib.key]);
  const result = await compiler.compile();
  assert.equal(
    result.units.map(({ crate }) => crate),
    ['fixture_lib', 'app'],
  );
  assert.is(compareSets(before.lib, objects(lib)).changed.length, 1);
  assert.equal(compareSets(before.app, objects(app)).changed, []);
});

test('a generic body of a library changes the object of the binary that holds its instance', async () => {
  const compiler = createCompiler({ graph }, context, () => false);
  const before = objects(app);
  fixture.write('lib/src/lib.rs', LIBRARY.replace('x + 1', 'x + 10').replace('{:?}!', '{:?}?'));
  compiler.markChanged([lib.key]);
  await compiler.compile();
  assert.is(compareSets(before, objects(app)).changed.length, 1);
});

test('a replay does not poison cargo: the file restored with its old time is built again', async () => {
  fixture.write('lib/src/lib.rs', LIBRARY);
  fixture.write('app/src/main.rs', MAIN);
  fixture.cargo(['build']);
  const file = fixture.path('lib/src/lib.rs');
  const { atime, mtime } = statSync(file);
  const compiler = createCompiler({ graph }, context, () => false);
  fixture.write('lib/src/lib.rs', LIBRARY.replace('x + 1', 'x + 100'));
  compiler.markChanged([lib.key]);
  await compiler.compile();
  fixture.write('lib/src/lib.rs', LIBRARY);
  utimesSync(file, atime, mtime);
  fixture.cargo(['build']);
  assert.is(run(), 'hello 6 3!');
});

test('where all is fresh and nothing was recorded, ageing makes cargo run just that unit again', () => {
  const units = fixture.path('target/ipbp/units-of-another');
  const env = { ...environment, IPBP_UNITS: units };
  fixture.cargo(['build'], env);
  assert.not(existsSync(join(units, app.key)));
  assert.ok(makeUnrecordedStale(fixture.path('target/debug'), app.key));
  fixture.cargo(['build'], env);
  assert.equal(
    readCaptures(units).map(({ key }) => key),
    [app.key],
  );
});

test('another build of the same crate does not mislead the choice of the incremental directory', () => {
  const right = incrementalDirectory(app);
  fixture.cargo(['test', '--no-run'], environment);
  assert.is(incrementalDirectory(app), right);
});

test.run();

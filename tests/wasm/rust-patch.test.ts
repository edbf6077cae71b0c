// Edits of a Rust program in a module: rustc's own objects before and after, linked into a module by the engine, brought
// into the running instance in this Node; statics keep their values.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { prepareModule } from '../../src/host/web/base-facts.js';
import { engine, runModule, type RunningModule } from '../web-assembly.js';
import { readPatch } from '../../src/patch/image/library.js';
import { wasmToolchain } from '../../conformance/setup/wasm-toolchain.js';
import { scratch } from '../format-inputs.js';
import { ownObjects, stdObjects } from './linked-inputs.js';
import { moduleProject } from './modules.js';

const SOURCE = readFileSync(fileURLToPath(new URL('rust-program.rs', import.meta.url)), 'utf8');
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const TARGET = 'wasm32-unknown-unknown';
const ARENA_PAGES = 16;
/** rustc leaves the objects that it has linked. */
const KEEP_OBJECTS = '[target.wasm32-unknown-unknown]\nrustflags = ["-Csave-temps"]\n';

const project = moduleProject(TARGET, SOURCE, { files: { '.cargo/config.toml': KEEP_OBJECTS } });
const tools = wasmToolchain(TARGET);
const libraries = join(dirname(tools.rustc), 'usr', 'lib', 'rustlib', TARGET, 'lib');
const archives = execFileSync('ls', [libraries], { encoding: 'utf8' })
  .split('\n')
  .filter((name) => name.endsWith('.rlib'))
  .map((name) => join(libraries, name));

/** The crate's objects of a text, in a folder; and the module. */
function compile(source: string, name: string): { readonly folder: string; readonly module: Uint8Array } {
  writeFileSync(project.fixture.path('src/lib.rs'), source);
  execFileSync('sh', ['-c', 'rm -rf target/*/debug/deps'], { cwd: project.fixture.path('.') });
  const module = project.build();
  const folder = join(scratch(), name);
  mkdirSync(folder);
  for (const { name: object, bytes } of ownObjects(join(dirname(project.module), 'deps'))) {
    writeFileSync(join(folder, object), bytes);
  }
  return { folder, module };
}

const base = compile(SOURCE, 'base');
const own = ownObjects(base.folder);
const prepared = prepareModule({ name: 'page.wasm', bytes: base.module }, [...own, ...stdObjects(TARGET)], (name) =>
  /page|^(?:step|calls|run)$/.test(name),
);
const BASE = join(scratch(), 'page.wasm');
writeFileSync(BASE, prepared.bytes);

let edits = 0;

/** Builds a patch by the command line; its outcome. */
function buildPatch(
  source: string,
  ...more: string[]
): { readonly status: number | null; readonly said: string; readonly file: string } {
  const name = `edit-${edits++}`;
  const { folder } = compile(source, name);
  const file = join(scratch(), `${name}.wasm`);
  const args = ['build-patch', '--base', BASE, '--old', base.folder, '--new', folder, '--emit', 'wasm', '-o', file];
  const ended = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'src/cli/main.ts', ...args, '--lib', ...archives, ...more],
    { cwd: ROOT, encoding: 'utf8' },
  );
  return { status: ended.status, said: ended.stdout + ended.stderr, file };
}

const start = (): RunningModule => runModule(prepared.bytes, {}, ARENA_PAGES, ['__stack_pointer']);

function apply(running: RunningModule, source: string): readonly string[] {
  const { status, said, file } = buildPatch(source);
  assert.is(status, 0, said);
  const bytes = new Uint8Array(readFileSync(file));
  assert.ok(engine.validate(bytes));
  const { code } = readPatch(bytes, file).image;
  running.apply(bytes, code?.slotsEnd ?? 0);
  return code?.functions.map(({ name }) => name) ?? [];
}

test('the body of a function: live for all callers, an atomic keeps its value', () => {
  const running = start();
  assert.is(running.call('step', 1), 4);
  const before = running.call('run', 4);
  const brought = apply(running, SOURCE.replace('x + 3', 'x + 1003'));
  assert.equal(brought, ['step'], "std's functions are called where the program has them");
  assert.is(running.call('step', 1), 1004);
  assert.is(running.call('calls'), 43, '40 at the start, and three calls');
  assert.ok(running.call('run', 4) > 0 && before > 0);
});

test('a method behind a trait object, new text, a new static, more of std', () => {
  const running = start();
  running.call('run', 1);
  const source = SOURCE.replace(
    'format!("circle {}", self.0)',
    'format!("a circle of {:?} and more", Some(self.0))',
  ).replace(
    'CALLS.fetch_add(1, Ordering::Relaxed);',
    'static NEW: Mutex<Vec<u32>> = Mutex::new(Vec::new());\n    let mut all = NEW.lock().unwrap();\n    all.push(x);\n    all.sort_by(|a, b| b.cmp(a));\n    CALLS.fetch_add(all.len() as u32 * 100, Ordering::Relaxed);',
  );
  apply(running, source);
  assert.ok(running.call('run', 1) > 0);
  running.call('step', 9);
  assert.is(running.call('calls'), 41 + 100 + 200);
});

test('a closure put before others, an edit of a generic function', () => {
  const running = start();
  const closure = 'let doubled: f64 = shapes.iter().map(|shape| 2.0 * shape.area()).sum();';
  const source = SOURCE.replace('let area: f64 =', `${closure}\n    let area: f64 =`).replace(
    'once as u32 +',
    'once as u32 + doubled as u32 * 100 +',
  );
  const plain = running.call('run', 2);
  apply(running, source);
  assert.ok(running.call('run', 2) > plain + 2000);
});

test('diff names what changed, and why', () => {
  const { folder } = compile(SOURCE.replace('x + 3', 'x + 4'), 'compared');
  const args = ['diff', '--json', '--old', base.folder, '--new', folder];
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const [item] = stdout.split('\n').map((line) => JSON.parse(line || '{}') as Record<string, unknown>);
  assert.equal([item?.name, item?.change], ['step', 'body']);
});

test('a changed layout is refused', () => {
  const { status, said } = buildPatch(
    SOURCE.replace('struct Square(f64);', 'struct Square(f64, u8);').replace('Square(2.0)', 'Square(2.0, 1)'),
  );
  assert.is(status, 1, said);
  assert.match(said, /IPBP3006/);
});

test.after(() => project.fixture.remove());
test.run();

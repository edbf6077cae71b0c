// diff and build-patch on objects whose debug information rustc split off: they find the .dwo files beside the objects.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { objectsAt } from '../host/files/object-paths.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'ipbp-split-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

const BEFORE = `
struct Fish { hp: u32, age: u32 }
static POND: std::sync::Mutex<Vec<Fish>> = std::sync::Mutex::new(Vec::new());
#[inline(never)]
fn feed(more: u32) -> String {
    let mut pond = POND.lock().unwrap();
    pond.push(Fish { hp: 1, age: 2 });
    format!("fish {} {}", pond[0].hp, pond[0].age + more)
}
fn main() { println!("{}", feed(std::env::args().count() as u32)); }
`;

/** Compiles a text as cargo does, and keeps what the incremental directory holds then. */
function compile(text: string, kept: string): void {
  writeFileSync(join(FOLDER, 'demo.rs'), text);
  const flags = ['-g', '-Csplit-debuginfo=unpacked', '-Cincremental=inc', '--crate-name', 'demo', '-o', 'demo'];
  execFileSync('rustc', [...flags, 'demo.rs'], { cwd: FOLDER });
  cpSync(join(FOLDER, 'inc'), join(FOLDER, kept), { recursive: true });
}

compile(BEFORE, 'old');
cpSync(join(FOLDER, 'demo'), join(FOLDER, 'base'));
compile(BEFORE.replace('"fish', '"crab'), 'body');
compile(BEFORE.replace('hp: u32', 'hp: u64'), 'wider');

function ipbp(...args: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const options = { cwd: FOLDER, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } } as const;
  return spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args], options);
}

const buildPatch = (now: string): ReturnType<typeof ipbp> =>
  ipbp('build-patch', '--json', '--base', 'base', '--old', 'old', '--new', now, '-o', `${now}.ipbp`);

test('every object of a session comes with the file beside it', () => {
  const objects = objectsAt([join(FOLDER, 'old')]);
  assert.is.not(objects.length, 0);
  for (const { name, debugFile } of objects) {
    assert.ok(debugFile !== undefined, name);
    assert.ok(debugFile.read().length > 0);
  }
});

test('a body is patched, without a warning', () => {
  const { status, stdout } = buildPatch('body');
  assert.is(status, 0, stdout);
  assert.equal((JSON.parse(stdout) as { warnings: unknown }).warnings, []);
});

test('a field that got another type is named', () => {
  const message = 'field `hp` of `demo::Fish` was u32 at offset 0, is u64';
  const { stdout } = ipbp('diff', '--old', 'old', '--new', 'wider');
  assert.ok(stdout.includes(message), stdout);
  const built = buildPatch('wider');
  assert.is.not(built.status, 0);
  const { items } = JSON.parse(built.stdout) as { items: { code: string; message: string }[] };
  assert.equal(
    items.map((item) => [item.code, item.message]),
    [['IPBP3006', message]],
  );
});

test('when a file beside an object is gone, that is said', () => {
  for (const name of readdirSync(join(FOLDER, 'old'), { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.dwo')) rmSync(join(FOLDER, 'old', name));
  }
  const reason =
    /layouts of types (?:are not compared|cannot be checked): \w+\.o has its debug information in a \.dwo file/;
  assert.match(ipbp('diff', '--old', 'old', '--new', 'wider').stderr, reason);
  const { warnings } = JSON.parse(buildPatch('body').stdout) as { warnings: { code: string; message: string }[] };
  const [warning, ...more] = warnings;
  assert.equal(more, []);
  assert.is(warning?.code, 'IPBP3007');
  assert.match(warning?.message ?? '', reason);
});

test.run();

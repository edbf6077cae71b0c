// diff, build-patch and dump as processes, on what rustc makes of one small program before and after an edit.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const FOLDER = mkdtempSync(join(tmpdir(), 'ipbp-offline-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

const BEFORE = `
mod tank { #[inline(never)] pub fn paint(n: u32) -> String { format!("fish {n}") } }
fn main() { println!("{}", tank::paint(std::env::args().count() as u32)); }
`;

/** Compiles a text with incremental compilation, as cargo does. */
function compile(text: string): void {
  writeFileSync(join(FOLDER, 'demo.rs'), text);
  const flags = ['-g', '-C', 'incremental=incremental', '--crate-name', 'demo', '-o', 'demo', 'demo.rs'];
  execFileSync('rustc', flags, { cwd: FOLDER });
}

compile(BEFORE);
cpSync(join(FOLDER, 'incremental'), join(FOLDER, 'old'), { recursive: true });
cpSync(join(FOLDER, 'demo'), join(FOLDER, 'base'));
compile(BEFORE.replace('fish {n}', 'crab {n}'));
const OBJECTS = ['--old', 'old', '--new', 'incremental'];

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ipbp(...args: string[]): Ended {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const options = { cwd: FOLDER, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } } as const;
  return spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args], options);
}

/** The lines of stdout, each of which must be a JSON object. */
function records(stdout: string): Record<string, unknown>[] {
  assert.ok(stdout.endsWith('\n'));
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('diff --json prints an object per changed item and last the summary', () => {
  const { status, stdout, stderr } = ipbp('diff', '--json', ...OBJECTS);
  assert.is(status, 0);
  assert.is(stderr, '');
  const [item, last, ...more] = records(stdout);
  assert.equal(more, []);
  assert.equal(Object.keys(item!), ['name', 'mangled', 'kind', 'change', 'objects', 'because']);
  assert.is(item!.name, 'demo::tank::paint');
  assert.is(item!.kind, 'function');
  assert.is(item!.change, 'body');
  assert.match(String(item!.mangled), /paint/);
  const summary = last!.summary as Record<string, unknown>;
  assert.is(summary.functions, 1);
  assert.is(summary.changed, 1);
});

test('diff says to a person what changed and why', () => {
  const { status, stdout } = ipbp('diff', ...OBJECTS);
  assert.is(status, 0);
  assert.match(stdout, /^body {2}function {2}paint\n {4}because .*"fish \{\}" → "crab \{\}"/);
  assert.match(stdout, /\n1 function and 0 statics differ: 1 changed, 0 added, 0 removed\n$/);
});

test('build-patch that is to change slots only refuses a function that has none', () => {
  const file = 'slots.ipbp';
  const ended = ipbp('build-patch', '--json', '--base', 'base', ...OBJECTS, '--redirect', 'slots', '-o', file);
  assert.is(ended.status, 1);
  const [refused] = records(ended.stdout) as { items?: { code: string; because: string[] }[] }[];
  assert.equal(
    refused?.items?.map(({ code, because }) => [code, because.at(-1)]),
    [['IPBP3016', 'only slots are to be changed (--redirect slots)']],
  );
  assert.not.ok(existsSync(join(FOLDER, file)));
});

test('build-patch writes the file it speaks of, the same bytes each time; dump reads it', () => {
  const built = ipbp('build-patch', '--json', '--base', 'base', ...OBJECTS, '-o', 'one.ipbp');
  assert.is(built.status, 0, built.stdout + built.stderr);
  assert.is(built.stderr, '');
  const [record, ...more] = records(built.stdout);
  assert.equal(more, []);
  assert.is(record!.event, 'patched');
  assert.is(record!.patch, 1);
  const [first] = record!.functions as Record<string, unknown>[];
  assert.is(first!.name, 'demo::tank::paint');
  assert.is(first!.verdict, 'redirected');
  assert.equal(Object.keys(record!.ms as object), ['scan', 'diff', 'link', 'total']);
  assert.is(
    record!.sha256,
    createHash('sha256')
      .update(readFileSync(join(FOLDER, 'one.ipbp')))
      .digest('hex'),
  );

  const again = ipbp('build-patch', '--base', 'base', ...OBJECTS, '-o', 'two.ipbp', '--explain');
  assert.is(again.status, 0);
  assert.match(again.stderr, /because .*crab/);
  assert.match(again.stderr, /ipbp {2}built {2}paint /);
  assert.ok(again.stdout.startsWith('two.ipbp '), again.stdout);
  assert.ok(readFileSync(join(FOLDER, 'one.ipbp')).equals(readFileSync(join(FOLDER, 'two.ipbp'))));

  const dumped = records(ipbp('dump', '--json', 'one.ipbp').stdout);
  assert.is((dumped[0]!.file as Record<string, unknown>).format, 'patch');
  assert.is(dumped.filter((line) => 'cell' in line).length, 1);
  assert.match(ipbp('dump', 'one.ipbp').stdout, /redirected function demo::tank::paint/);
});

test('a patch that follows another names it, and one that does not follow is refused', () => {
  compile(BEFORE.replace('fish {n}', 'whale {n}'));
  const files = ['--old', 'old', '--new', 'incremental'];
  const next = ipbp('build-patch', '--json', '--base', 'base', ...files, '--after', 'one.ipbp', '-o', 'three.ipbp');
  assert.is(next.status, 0, next.stdout);
  assert.is(records(next.stdout)[0]!.patch, 2);
  const wrong = ipbp('build-patch', '--json', '--base', 'base', ...files, '--after', 'three.ipbp', '-o', 'four.ipbp');
  assert.is(wrong.status, 1);
  assert.is(records(wrong.stdout)[0]!.code, 'IPBP3011');
  assert.not.ok(existsSync(join(FOLDER, 'four.ipbp')));
});

test('with nothing to patch nothing is written', () => {
  const ended = ipbp('build-patch', '--json', '--base', 'base', '--old', 'old', '--new', 'old', '-o', 'none.ipbp');
  assert.is(ended.status, 0);
  assert.is(records(ended.stdout)[0]!.event, 'unchanged');
  assert.not.ok(existsSync(join(FOLDER, 'none.ipbp')));
});

test('a symbol that nobody defines is refused with its chain', () => {
  const text = BEFORE.replace('format!("fish {n}")', 'unsafe { crate::nowhere() }; String::new()');
  writeFileSync(join(FOLDER, 'bad.rs'), `extern "C" { fn nowhere(); }\n${text}`);
  const flags = ['-A', 'warnings', '-C', 'codegen-units=1', '--emit', 'obj', '--crate-name', 'demo'];
  execFileSync('rustc', [...flags, '-o', 'bad.o', 'bad.rs'], { cwd: FOLDER });
  const ended = ipbp('build-patch', '--json', '--base', 'base', '--old', 'old', '--new', 'bad.o', '-o', 'bad.ipbp');
  assert.is(ended.status, 1);
  const [record] = records(ended.stdout);
  assert.is(record!.event, 'refused', ended.stdout);
  assert.is(record!.restarting, false);
  assert.match(JSON.stringify(record!.items), /IPBP2003.*nowhere/);
  assert.not.ok(existsSync(join(FOLDER, 'bad.ipbp')));
});

test('dump shows an executable, and a damaged patch file is refused', () => {
  const lines = records(ipbp('dump', '--json', 'base').stdout);
  const file = lines[0]!.file as Record<string, unknown>;
  assert.is(file.kind, 'executable');
  const kinds = new Set(lines.flatMap((line) => Object.keys(line)));
  for (const kind of ['segment', 'section', 'symbol', 'fde']) assert.ok(kinds.has(kind), kind);
  const bytes = readFileSync(join(FOLDER, 'one.ipbp'));
  bytes[40] = bytes[40]! ^ 1;
  writeFileSync(join(FOLDER, 'broken.ipbp'), bytes);
  const broken = ipbp('dump', 'broken.ipbp');
  assert.is(broken.status, 1);
  assert.ok(broken.stderr.startsWith('ipbp: error IPBP1011 '), broken.stderr);
});

test.run();

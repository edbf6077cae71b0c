// `ipbp doctor`: its lines, that every check is documented, and three live runs: in a project, in none, in a broken one.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Finding } from '../host/doctor/finding.js';
import { doctorLines } from './doctor.js';

const test = suite('ipbp doctor');
const TSX = import.meta.resolve('tsx');
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const ROOM = fileURLToPath(new URL('../host/doctor/', import.meta.url));
const MANUAL = fileURLToPath(new URL('../../docs/doctor.md', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'ipbp-doctor-test-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

function doctor(directory: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  // What surrounds the test must not decide: no settings of cargo but the project's own.
  const own = Object.entries(process.env).filter(([name]) => !/^(CARGO_(?!HOME)|RUSTFLAGS|RUSTC_)/.test(name));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', TSX, MAIN, 'doctor', ...args], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...Object.fromEntries(own), NO_COLOR: '1', ...env },
  });
  return { status, stdout, stderr };
}

type Line = Finding | { readonly summary: { readonly ok: number; readonly warning: number; readonly missing: number } };

/** The records, by check; the summary is the last. */
function records(stdout: string): { readonly findings: ReadonlyMap<string, Finding>; readonly last: Line | undefined } {
  const lines = stdout.split('\n').slice(0, -1);
  const parsed = lines.map((line) => JSON.parse(line) as Line);
  const findings = parsed.flatMap((line) => ('check' in line ? [[line.check, line] as const] : []));
  return { findings: new Map(findings), last: parsed.at(-1) };
}

function project(name: string, manifest: string): string {
  const root = join(FOLDER, name);
  mkdirSync(join(root, 'src'), { recursive: true });
  writeFileSync(join(root, 'Cargo.toml'), manifest);
  writeFileSync(join(root, 'src', 'main.rs'), 'fn main() {}\n');
  return root;
}

const PACKAGE = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n';

const FINDINGS: readonly Finding[] = [
  { check: 'machine.node', status: 'ok', message: 'Node 20.1.0' },
  { check: 'project.lto', status: 'missing', message: 'fat', remedy: 'Set lto = false.', code: 'IPBP5004' },
];

test('lines are aligned, a group apart, the remedy below its fault', () => {
  assert.equal(doctorLines(FINDINGS, { color: false, quiet: false }), [
    'ok       machine.node  Node 20.1.0',
    '',
    'missing  project.lto   fat (IPBP5004)',
    '                       Set lto = false.',
    '',
    '1 thing to mend before ipbp run can work here.',
  ]);
});

test('quiet says faults only; colours only where they are wanted', () => {
  const quiet = doctorLines(FINDINGS, { color: false, quiet: true });
  assert.ok(quiet.every((line) => !line.includes('machine.node')));
  assert.equal(doctorLines(FINDINGS.slice(0, 1), { color: false, quiet: true }), []);
  assert.ok(doctorLines(FINDINGS, { color: true, quiet: false }).some((line) => line.includes('\u001b[31m')));
});

test('docs/doctor.md has every check, and no other', () => {
  const sources = readdirSync(ROOM).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  const text = sources.map((name) => readFileSync(join(ROOM, name), 'utf8')).join('');
  const checks = new Set([...text.matchAll(/'((?:machine|toolchain|project)\.[a-z-]+)'/g)].map(([, id]) => id));
  const documented = [...readFileSync(MANUAL, 'utf8').matchAll(/^\| `([a-z.-]+)`/gm)].map(([, id]) => id);
  assert.ok(checks.size > 20);
  assert.equal([...documented].sort(), [...checks].sort());
});

test('in a project: nothing is missing; what the options ask for is looked at; nothing is written', () => {
  const root = project('good', `${PACKAGE}\n[profile.release]\nlto = "thin"\ndebug = true\n`);
  const dev = doctor(root, ['--json']);
  assert.is(dev.stderr, '');
  const { findings, last } = records(dev.stdout);
  assert.is(dev.status, 0, dev.stdout);
  assert.is(findings.get('project.incremental')?.status, 'ok');
  assert.match(findings.get('project.crates')?.message ?? '', /app/);
  assert.ok(last !== undefined && 'summary' in last && last.summary.missing === 0);
  const release = doctor(root, ['--json', '--release']);
  assert.is(release.status, 1);
  const { findings: inRelease } = records(release.stdout);
  assert.is(inRelease.get('project.lto')?.code, 'IPBP5004');
  assert.is(inRelease.get('project.incremental')?.code, 'IPBP5003');
  assert.equal(readdirSync(root).sort(), ['Cargo.toml', 'src']);
});

test('without a project machine and toolchain are checked', () => {
  const empty = join(FOLDER, 'empty');
  mkdirSync(empty);
  const { status, stdout } = doctor(empty, []);
  assert.is(status, 0, stdout);
  assert.match(stdout, /^warning {2}project\.manifest +no cargo project here/m);
  assert.not.ok(stdout.includes('\u001b'));
});

test('a manifest that cargo cannot read, and a machine without cargo', () => {
  const root = project('broken', '[package\n');
  const broken = doctor(root, ['--json']);
  assert.is(broken.status, 1);
  assert.is(records(broken.stdout).findings.get('project.manifest')?.status, 'missing');
  const without = doctor(root, ['--json'], { PATH: '/usr/bin:/bin', RUSTC: 'no-such-rustc' });
  assert.is(without.status, 1);
  assert.is(records(without.stdout).findings.get('toolchain.rustc')?.code, 'IPBP5001');
});

test.run();

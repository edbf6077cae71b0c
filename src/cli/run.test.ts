// `ipbp run` as a process on a real project: what it passes on, and how it ends.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { outcomeOf } from './run.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'ipbp-run-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

const MAIN_RS = `
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("heard {}", words.join(" "));
    if words.first().is_some_and(|word| word == "stay") {
        loop { std::thread::sleep(std::time::Duration::from_millis(20)); }
    }
    std::process::exit(3);
}
`;

mkdirSync(join(FOLDER, 'src'));
writeFileSync(join(FOLDER, 'Cargo.toml'), '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n');
writeFileSync(join(FOLDER, 'src', 'main.rs'), MAIN_RS);

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `ipbp run`; `signal` is sent once when `when` has been written to stdout. */
function ipbpRun(args: readonly string[], when?: RegExp, signal?: NodeJS.Signals): Promise<Ended> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, 'run', ...args], {
    cwd: FOLDER,
    env: { ...process.env, NO_COLOR: '1', XDG_RUNTIME_DIR: FOLDER },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let sent = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (sent || when === undefined || signal === undefined || !when.test(stdout)) return;
    sent = true;
    child.kill(signal);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) =>
    child.on('close', (status, died) => resolve({ status, signal: died, stdout, stderr })),
  );
}

test("the program's arguments, output and status are its own", async () => {
  const { status, stdout, stderr } = await ipbpRun(['--quiet', '--', '--json', 'x']);
  assert.is(status, 3, stderr);
  assert.is(stdout, 'heard --json x\n');
});

test('with --json stdout holds events alone, and the last is the exit', async () => {
  const { status, stdout, stderr } = await ipbpRun(['--json', '--', 'once']);
  const events = stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.is(status, 3, stderr);
  const { event, code, signal, at } = events.at(-1)!;
  assert.equal({ event, code, signal }, { event: 'exit', code: 3, signal: null });
  assert.type(at, 'number');
  assert.match(stderr, /heard once\n/);
});

test('SIGTERM ends the program, and ipbp as the program ended', async () => {
  const { signal, stdout } = await ipbpRun(['--json', '--', 'stay'], /"event":"ready"/, 'SIGTERM');
  assert.is(signal, 'SIGTERM');
  assert.match(stdout, /"event":"exit","code":null,"signal":"SIGTERM"/);
});

test('a build that fails shows what rustc says and is no success', async () => {
  writeFileSync(join(FOLDER, 'src', 'main.rs'), 'fn main() { nowhere() }\n');
  const { status, stdout, stderr } = await ipbpRun([]);
  assert.is(status, 101);
  assert.is(stdout, '');
  assert.match(stderr, /error\[E0425\]/);
});

test('the outcome is the status of the program, or its signal as shells count it', () => {
  assert.equal(outcomeOf({ code: 3, signal: null }), { kind: 'status', status: 3 });
  assert.equal(outcomeOf({ code: null, signal: 'SIGSEGV' }), { kind: 'signal', signal: 'SIGSEGV', status: 139 });
  assert.equal(outcomeOf({ code: null, signal: 'SIGTERM' }), { kind: 'signal', signal: 'SIGTERM', status: 143 });
});

test.run();

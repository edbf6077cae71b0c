// `ipbp run` for a WASI program in Node, whose main never returns to an event loop: patched at its calls of the system, its
// output, arguments and exit status its own.
import { existsSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CargoFixture, cargoFixture, manifest } from '../cargo-fixture.js';
import { type ServedSession, servedSession } from './served-session.js';

const MAIN = `use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

static TICKS: AtomicU32 = AtomicU32::new(100);

#[inline(never)]
fn line(n: u32) -> String {
    format!("plain {n}")
}

fn main() {
    let name = std::env::args().nth(1).unwrap();
    let mut file = std::fs::File::create(&name).unwrap();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("IPBP_")) {
        writeln!(file, "environment {name}").unwrap();
    }
    loop {
        writeln!(file, "{}", line(TICKS.fetch_add(1, Ordering::Relaxed))).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        if std::path::Path::new("stop").exists() {
            std::process::exit(7);
        }
    }
}
`;

let fixture: CargoFixture;
let served: ServedSession | null = null;

test.before(() => {
  fixture = cargoFixture({ 'Cargo.toml': `${manifest('ticker')}[workspace]\n`, 'src/main.rs': MAIN });
});

test.after.each(async () => {
  served?.session.stop('SIGKILL');
  await served?.session.done.catch(() => {});
  served = null;
});

test.after(() => fixture.remove());

async function seen(pattern: RegExp): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(10)) {
    if (existsSync(fixture.path('output')) && pattern.test(fixture.read('output'))) return;
  }
  throw new Error(`${String(pattern)} was not seen in ${fixture.read('output').slice(-500)}`);
}

test('edits, an undo, and its own end', async () => {
  const options = { programArguments: ['output'] };
  served = await servedSession(fixture, options, 'wasm32-wasip1');
  const { next, session } = served;
  const ready = await next('ready');
  assert.equal([ready.target, ready.redirect, ready.url], ['wasm32-wasip1', 'slots', undefined]);
  assert.is((await next('page')).kind, 'node');
  await seen(/^plain \d+$/m);
  fixture.write('src/main.rs', MAIN.replace('plain {n}', 'patched {n}'));
  const patched = await served.patched();
  assert.ok(patched.functions.some(({ name }) => name === 'ticker::line'));
  assert.equal(patched.warnings, []);
  await seen(/^patched \d+$/m);
  await session.undo();
  await seen(/patched \d+\nplain \d+\n/);
  await session.redo();
  await seen(/plain \d+\npatched \d+\n/);
  const lines = fixture.read('output').trimEnd().split('\n');
  assert.equal(
    lines.map((line) => Number(line.split(' ')[1])),
    lines.map((_, i) => 100 + i),
    'the count went on',
  );
  fixture.write('stop', '');
  assert.equal(await session.done, { code: 7, signal: null });
  rmSync(fixture.path('stop'));
});

test('a panic ends it as an abort does, with its message', async () => {
  fixture.write(
    'src/main.rs',
    MAIN.replace('format!("plain {n}")', 'if n > 110 { panic!("too many") } else { n.to_string() }'),
  );
  served = await servedSession(fixture, { programArguments: ['output'] }, 'wasm32-wasip1');
  assert.equal(await served.session.done, { code: 134, signal: null });
  await seen(/^110$/m);
});

test.run();

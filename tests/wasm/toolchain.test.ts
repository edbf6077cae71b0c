// The toolchain that is made for tests of WebAssembly: each std links, and what it makes runs in Node and in a browser.
import { WASI } from 'node:wasi';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chromium } from '../../conformance/setup/chromium.js';
import { moduleProject } from './modules.js';
import { servePages } from './page-server.js';

/** Formats, allocates, and has a static. */
const SOURCE = `
use std::sync::atomic::{AtomicU32, Ordering};
static CALLS: AtomicU32 = AtomicU32::new(40);

#[unsafe(no_mangle)]
pub extern "C" fn length(number: u32) -> usize {
    let calls = CALLS.fetch_add(1, Ordering::Relaxed);
    let mut list: Vec<String> = (0..number).map(|each| format!("{each}-{calls}")).collect();
    list.sort();
    list.join(" ").len()
}
`;

interface Exports {
  length(number: number): number;
}

async function instance(module: BufferSource, imports = {}): Promise<Exports> {
  const { instance: made } = await WebAssembly.instantiate(module, imports);
  return made.exports as unknown as Exports;
}

test('a module with std runs in Node and in Chromium', async () => {
  const project = moduleProject('wasm32-unknown-unknown', SOURCE);
  const module = project.build();
  project.fixture.remove();
  assert.is((await instance(module)).length(10), 49);
  const pages = await servePages({ '/index.html': '<!doctype html><title>page</title>', '/page.wasm': module });
  const browser = await chromium();
  try {
    const page = await browser.open(`${pages.origin}/`);
    const text = `WebAssembly.instantiateStreaming(fetch('/page.wasm')).then((all) => all.instance.exports.length(10))`;
    assert.is(await page.evaluate(text), 49);
    assert.is(await page.evaluate('crossOriginIsolated'), true);
    assert.is(page.loads(), 1);
  } finally {
    browser.close();
    pages.close();
  }
});

test('a threaded module has its memory from outside, shared', async () => {
  const project = moduleProject('wasm32-threads', SOURCE);
  const module = project.build();
  project.fixture.remove();
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 16384, shared: true });
  const [first, second] = [await instance(module, { env: { memory } }), await instance(module, { env: { memory } })];
  // Data is written by the first instance alone, so the counter goes on.
  assert.is(first.length(1), 4);
  assert.is(second.length(1), 4);
  const counters = new Uint32Array(memory.buffer).filter((word) => word === 42);
  assert.is.not(counters.length, 0);
});

test('a program for WASI runs in Node', async () => {
  const project = moduleProject('wasm32-wasip1', `${SOURCE}\n${LINE}`);
  const module = project.build();
  project.fixture.remove();
  const wasi = new WASI({ version: 'preview1', env: { GREETING: 'hello' } });
  const { instance: made } = await WebAssembly.instantiate(module, wasi.getImportObject() as WebAssembly.Imports);
  wasi.initialize(made);
  const exports = made.exports as unknown as Exports & { greeting(): number };
  assert.is(exports.length(10), 49);
  assert.is(exports.greeting(), 5);
});

const LINE = `
#[unsafe(no_mangle)]
pub extern "C" fn greeting() -> usize {
    std::env::var("GREETING").map_or(0, |text| text.len())
}
`;

test.run();

// examples/page, as a person starts it: `ipbp run` in its folder, an edit while the page is open, Ctrl-C.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chromium } from '../../conformance/setup/chromium.js';
import { wasmToolchain } from '../../conformance/setup/wasm-toolchain.js';
import type { SessionEvent } from '../../src/host/events.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/page', import.meta.url));
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** The colour of the light in the first lantern, as the canvas has it. */
const LIGHT = `(() => {
  const { width, height } = document.querySelector('canvas');
  const pixels = document.querySelector('canvas').getContext('2d').getImageData(0, 0, width, height).data;
  let [red, blue] = [0, 0];
  for (let at = 0; at < pixels.length; at += 4) {
    if (pixels[at] > 200 && pixels[at + 2] < 120) red++;
    if (pixels[at + 2] > 200 && pixels[at] < 120) blue++;
  }
  return red > blue ? 'flame' : blue > 0 ? 'sea' : 'none';
})()`;

test('the page of lanterns: an edit changes their colour, and no lantern is lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ipbp-example-'));
  cpSync(EXAMPLE, folder, { recursive: true, filter: (path) => !path.endsWith('/target') });
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, 'run', '--json'], {
    cwd: folder,
    env: { ...process.env, ...wasmToolchain('wasm32-unknown-unknown').env, XDG_RUNTIME_DIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<unknown>((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async <K extends SessionEvent['event']>(kind: K): Promise<Extract<SessionEvent, { event: K }>> => {
    for (;;) {
      const line: IteratorResult<string, unknown> = await lines.next();
      if (line.done === true) throw new Error(`ipbp ended before ${kind}`);
      const event = JSON.parse(line.value) as SessionEvent;
      if (event.event === kind) return event as never;
    }
  };
  const browser = await chromium();
  try {
    const page = await browser.open((await next('ready')).url ?? '');
    const until = (what: string): Promise<unknown> =>
      page.evaluate(`new Promise((done) => { const look = () => (${what}) ? done() : setTimeout(look, 20); look(); })`);
    await until(`${LIGHT} === 'flame'`);
    await page.evaluate(
      `document.querySelector('canvas').dispatchEvent(new MouseEvent('click', { clientX: 50, clientY: 50 }))`,
    );
    await until(`document.querySelector('output').textContent === '13'`);
    const source = join(folder, 'src', 'lantern.rs');
    writeFileSync(source, readFileSync(source, 'utf8').replace('30.0 + (number % 5)', '220.0 + (number % 5)'));
    assert.ok((await next('patched')).functions.some(({ name }) => name === 'page::lantern::hue'));
    await until(`${LIGHT} === 'sea'`);
    assert.is(await page.evaluate(`document.querySelector('output').textContent`), '13');
    assert.equal([page.loads(), page.console], [1, []]);
    child.kill('SIGINT');
    assert.is(await ended, 'SIGINT');
  } finally {
    child.kill('SIGKILL');
    browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();

// A program of more than ten thousand functions, most of them from published crates: patched in Node and in a browser.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readWasm } from '../../src/formats/wasm/read.js';
import { buildProgram } from './built-program.js';
import { patchChain } from './edited-module.js';
import { openInstances } from './open-instances.js';

const FOLDER = fileURLToPath(new URL('large', import.meta.url));
const SOURCE = readFileSync(`${FOLDER}/src/lib.rs`, 'utf8');
const LIBRARY = readFileSync(`${FOLDER}/parts/src/lib.rs`, 'utf8');

const FRESH = `
static SEEN: AtomicU32 = AtomicU32::new(1000);

#[inline(never)]
fn fresh(x: u32) -> u32 {
    x + SEEN.fetch_add(1, Ordering::Relaxed)
}
`;
const BODY = SOURCE.replace('names() + n', 'names() * 2 + n');
const NEW_FUNCTION = BODY.replace('.sum::<u32>() + n', '.sum::<u32>() + fresh(n)') + FRESH;
const WEIGHT = LIBRARY.replace('words as u32 * 2', 'words as u32 * 200');

test('ten thousand functions: a body, a new function and an edit of a library', async () => {
  const built = buildProgram({ folder: FOLDER, crates: ['large', 'parts'] });
  const functions = readWasm(built.module.bytes, built.module.name).wasm.bodies().length;
  assert.ok(functions >= 10_000, `${functions} functions`);
  const chain = patchChain(built, (name) => /5large|large\.\.|5parts|^(?:syntax|text|pictures?)$/.test(name));
  const open = await openInstances(chain.prepared);
  try {
    const all = async (): Promise<readonly (readonly number[])[]> => {
      return [await open.call('syntax', 1), await open.call('text', 1), await open.call('picture', 1)];
    };
    const edit = async (files: Readonly<Record<string, string>>): Promise<readonly string[]> => {
      const { patch, bytes } = chain.to(built.compile(files));
      const results = await open.host.add(patch, bytes);
      assert.equal(
        results.map(({ error }) => error),
        [null, null],
      );
      return patch.slots.map(({ name }) => name);
    };
    const answers = (...values: readonly number[]): unknown => values.map((value) => [value, value]);
    // Eight names, each found twice; JSON of 33 letters and two words; sixteen pixels of 7.
    assert.equal(await all(), answers(17, 38, 113));
    assert.ok((await edit({ 'src/lib.rs': BODY })).includes('syntax'));
    assert.equal(await all(), answers(33, 38, 113));
    const brought = await edit({ 'src/lib.rs': NEW_FUNCTION });
    assert.ok(brought.some((name) => name.includes('5large5fresh')));
    assert.equal(await all(), answers(33, 38, 1113));
    assert.equal(await all(), answers(33, 38, 1114));
    await edit({ 'parts/src/lib.rs': WEIGHT });
    assert.equal(await all(), answers(33, 434, 1115));
    assert.equal(await open.call('pictures', 0), [5, 5], 'a static from before the first edit');
    await open.host.undo();
    chain.undone();
    assert.equal(await all(), answers(33, 38, 1116));
    assert.equal([open.page.loads(), open.page.console], [1, []]);
  } finally {
    await open.close();
    built.remove();
  }
});

test.run();

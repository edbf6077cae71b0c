// `npm start` without a terminal: it must see its own edit go live, end with 0, and leave its source as it was.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT } from './matrix/program.js';
import { runToEnd } from './matrix/session.js';

test('npm start ends with 0 after its edit went live in the same process', async () => {
  const source = join(ROOT, 'examples', 'garden', 'src', 'paint.rs');
  const before = await readFile(source, 'utf8');
  const { status, output } = await runToEnd([process.execPath, join(ROOT, 'scripts', 'start.js')], ROOT);
  assert.is(status, 0, output);
  assert.match(output, /^checked: pid \d+ as before, tick \d+ → \d+/m);
  assert.is(await readFile(source, 'utf8'), before);
});

test.run();

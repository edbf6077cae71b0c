// Saves as editors do them, against the real file system.
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watchSources, type SourceWatcher } from './sources.js';

interface Context {
  directory: string;
  watcher: SourceWatcher;
  /** Files of each report. */
  reports: string[][];
  /** Milliseconds from the first event to the report. */
  delays: number[];
}

const saves = suite<Context>('saves');

saves.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ipbp-sources-'));
  for (const name of ['main.rs', 'other.rs', 'text.txt']) writeFileSync(join(context.directory, name), `// ${name}\n`);
  context.reports = [];
  context.delays = [];
  context.watcher = watchSources((files, firstEventAt) => {
    context.reports.push([...files].map((file) => file.slice(context.directory.length + 1)).sort());
    context.delays.push(performance.now() - firstEventAt);
  });
  context.watcher.follow(['main.rs', 'other.rs', 'text.txt'].map((name) => join(context.directory, name)));
});

saves.after.each((context) => {
  context.watcher.stop();
  rmSync(context.directory, { recursive: true });
});

const SOON = 80;

saves('a save in place is reported within a few milliseconds', async ({ directory, reports, delays }) => {
  writeFileSync(join(directory, 'main.rs'), '// new\n');
  await sleep(SOON);
  assert.equal(reports, [['main.rs']]);
  assert.ok((delays[0] ?? Infinity) < 20, `took ${delays[0]} ms`);
});

saves('a save by rename is reported, again and again', async ({ directory, reports }) => {
  for (let round = 0; round < 5; round++) {
    writeFileSync(join(directory, '.main.rs.swp'), `// round ${round}\n`);
    renameSync(join(directory, '.main.rs.swp'), join(directory, 'main.rs'));
    await sleep(SOON);
  }
  assert.equal(reports, Array(5).fill(['main.rs']));
});

saves(
  'a backup that moves the file away first is one report, and none of a missing file',
  async ({ directory, reports }) => {
    const path = join(directory, 'main.rs');
    renameSync(path, `${path}~`);
    await sleep(10);
    writeFileSync(path, '// new\n');
    await sleep(SOON);
    assert.equal(reports, [['main.rs']]);
  },
);

saves('a save without a change is none', async ({ directory, reports }) => {
  writeFileSync(join(directory, 'main.rs'), '// main.rs\n');
  utimesSync(join(directory, 'other.rs'), new Date(), new Date());
  await sleep(SOON);
  assert.equal(reports, []);
});

saves('files saved together are one report', async ({ directory, reports }) => {
  writeFileSync(join(directory, 'main.rs'), '// a\n');
  writeFileSync(join(directory, 'other.rs'), '// b\n');
  await sleep(SOON);
  assert.equal(reports, [['main.rs', 'other.rs']]);
});

saves('an included text counts, a neighbour that nobody reads does not', async ({ directory, reports }) => {
  writeFileSync(join(directory, 'notes.md'), 'x');
  writeFileSync(join(directory, 'text.txt'), 'x');
  await sleep(SOON);
  assert.equal(reports, [['text.txt']]);
});

saves('a new module, also in a new directory, is reported', async ({ directory, reports }) => {
  writeFileSync(join(directory, 'fresh.rs'), '// x\n');
  mkdirSync(join(directory, 'inner'));
  await sleep(SOON);
  writeFileSync(join(directory, 'inner', 'mod.rs'), '// y\n');
  await sleep(SOON);
  assert.equal(reports, [['fresh.rs'], ['inner/mod.rs']]);
});

saves('a deleted source is reported once', async ({ directory, reports }) => {
  rmSync(join(directory, 'other.rs'));
  await sleep(SOON);
  assert.equal(reports, [['other.rs']]);
});

saves.run();

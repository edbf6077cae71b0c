// When a plan that was made ahead is used, and when it is made again. The engine is a stand-in that notes what it is
// asked; the real one is behind session.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { InputFile, PlanResult } from '../../patch/engine.js';
import type { EngineDiff, LiveEngine } from '../../patch/live-engine.js';
import type { LinkInputs } from '../cargo/link-arguments.js';
import type { LiveObjects } from './session-store.js';
import type { ClosedObject } from '../compile/replay-watch.js';
import { splitStaged } from './split-objects.js';
import { ArchivesNotKnown, changesOnlyBodies, createStaging, type Staging, type StagedRequest } from './staging.js';

const folder = mkdtempSync(join(tmpdir(), 'ipbp-staging-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** A file with this text; its path. */
function file(text: string): string {
  const path = join(folder, String(files++));
  writeFileSync(path, text);
  return path;
}

function objects(texts: Readonly<Record<string, string>>): LiveObjects {
  const set = Object.entries(texts).map(
    ([name, text]) =>
      [name, { name, path: file(text), inode: files, size: text.length, mtimeMs: 0, debugPath: null }] as const,
  );
  return new Map([['app-1', new Map(set)]]);
}

const text = (input: InputFile): string => Buffer.from(input.read()).toString();
const bytes = (content: string): Uint8Array => Buffer.from(content);
const closed = (content: string): ClosedObject => ({ bytes: bytes(content), debugBytes: null });
const LINK: LinkInputs = { archives: [], objects: [] };

interface Rig {
  readonly staging: Staging;
  /** What the engine was asked, in order. */
  readonly asked: string[];
  request(changed: Readonly<Record<string, string>>, more?: Partial<StagedRequest>): StagedRequest;
}

/** `missing`: the engine asks the archives for a name that none of them has. */
function rig(live: LiveObjects, missing = false): Rig {
  const asked: string[] = [];
  const plan: PlanResult = { kind: 'unchanged', reason: 'stand-in', went: [] };
  const engine: Pick<LiveEngine, 'diff' | 'link'> = {
    diff(before, after) {
      asked.push(`diff ${before.map(text).join('+')} → ${after.map(text).join('+')}`);
      return {} as EngineDiff;
    },
    link(_diff, { onAbsent }) {
      asked.push('link');
      if (missing) onAbsent?.('nowhere');
      return plan;
    },
  };
  const split = (staged: ReadonlyMap<string, ClosedObject>): ReturnType<typeof splitStaged> =>
    splitStaged(live, staged, new Map());
  const staging = createStaging({
    engine,
    current: () => live,
    split,
    archives: () => [],
    knownLink: () => LINK,
    declarations: () => [],
  });
  return {
    staging,
    asked,
    request(changed, more = {}) {
      const entries = Object.entries(changed).map(([name, content]) => [`app-1/${name}`, content] as const);
      return {
        files: split(new Map(entries.map(([id, content]) => [id, closed(content)]))),
        changed: new Map(entries.map(([id, content]) => [id, file(content)])),
        removed: false,
        link: LINK,
        linkIsFinal: true,
        ...more,
      };
    },
  };
}

test('what was planned ahead is used when the finished objects are the same', async () => {
  const { staging, asked, request } = rig(objects({ 'a.o': 'old', 'b.o': 'other' }));
  staging.add('app-1', 'a.o', closed('new'));
  await nextTurn();
  assert.equal(asked, ['diff old → new', 'link']);
  assert.ok(staging.plan(request({ 'a.o': 'new' })).ahead);
  assert.equal(asked, ['diff old → new', 'link']);
});

test('objects that come together are planned once, and the newest bytes of each count', async () => {
  const { staging, asked, request } = rig(objects({ 'a.o': 'old', 'b.o': 'other' }));
  staging.add('app-1', 'a.o', closed('half'));
  staging.add('app-1', 'a.o', closed('new'));
  staging.add('app-1', 'b.o', closed('newer'));
  await nextTurn();
  assert.equal(asked, ['diff old+other → new+newer', 'link']);
  assert.ok(staging.plan(request({ 'a.o': 'new', 'b.o': 'newer' })).ahead);
});

test('a plan is made again when what was split off of an object was gone before it was seen', async () => {
  for (const debugBytes of [null, bytes('types')]) {
    const { staging, request } = rig(objects({ 'a.o': 'old' }));
    staging.add('app-1', 'a.o', { bytes: bytes('new'), debugBytes });
    await nextTurn();
    const whole = request({ 'a.o': 'new' });
    const debugFile: InputFile = { name: 'a.dwo', read: () => bytes('types') };
    const files = { ...whole.files, after: whole.files.after.map((file) => ({ ...file, debugFile })) };
    assert.is(staging.plan({ ...whole, files }).ahead, debugBytes !== null);
  }
});

test('a plan is made again when the finished objects are not just those', async () => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, Partial<StagedRequest>])[] = [
    [{ 'a.o': 'neu' }, {}],
    [{ 'a.o': 'new', 'b.o': 'more' }, {}],
    [{ 'b.o': 'more' }, {}],
    [{ 'a.o': 'new' }, { removed: true }],
  ];
  for (const [changed, more] of cases) {
    const { staging, asked, request } = rig(objects({ 'a.o': 'old', 'b.o': 'other' }));
    staging.add('app-1', 'a.o', closed('new'));
    await nextTurn();
    assert.not(staging.plan(request(changed, more)).ahead, JSON.stringify(changed));
    assert.is(asked.filter((what) => what === 'link').length, 2);
  }
});

test('an object with the bytes of the one that runs is no change', async () => {
  const { staging, asked, request } = rig(objects({ 'a.o': 'old', 'b.o': 'other' }));
  staging.add('app-1', 'a.o', closed('old'));
  await nextTurn();
  assert.equal(asked, []);
  staging.add('app-1', 'b.o', closed('mine'));
  await nextTurn();
  assert.ok(staging.plan(request({ 'b.o': 'mine' })).ahead);
});

test('an output that is in no session does not spoil the plan', async () => {
  const { staging, request } = rig(objects({ 'a.o': 'old' }));
  staging.add('app-1', 'shim.o', closed('shim'));
  staging.add('app-1', 'a.o', closed('new'));
  await nextTurn();
  assert.ok(staging.plan(request({ 'a.o': 'new' })).ahead);
});

test('a name that no known archive has waits for those that rustc names; the comparison is kept', async () => {
  const { staging, asked, request } = rig(objects({ 'a.o': 'old' }), true);
  staging.add('app-1', 'a.o', closed('new'));
  await nextTurn();
  assert.throws(
    () => staging.plan(request({ 'a.o': 'new' }, { linkIsFinal: false })),
    (error: unknown) => error instanceof ArchivesNotKnown,
  );
  const { plan, ahead } = staging.plan(request({ 'a.o': 'new' }));
  assert.is(plan.kind, 'unchanged');
  assert.not(ahead);
  assert.equal(asked, ['diff old → new', 'link', 'link', 'link']);
});

test('a plan that is asked for again is made once; one that had to wait for archives keeps its comparison', () => {
  for (const [missing, links] of [
    [false, 1],
    [true, 2],
  ] as const) {
    const { staging, asked, request } = rig(objects({ 'a.o': 'old' }), missing);
    const first = request({ 'a.o': 'new' }, { linkIsFinal: false });
    try {
      staging.plan(first);
    } catch (error) {
      assert.instance(error, ArchivesNotKnown);
    }
    staging.plan({ ...first, linkIsFinal: true });
    assert.equal(asked, ['diff old → new', ...Array<string>(links).fill('link')]);
    staging.clear();
    staging.plan({ ...first, linkIsFinal: true });
    assert.is(asked.filter((what) => what.startsWith('diff')).length, 2);
  }
});

test('a compile that writes very many objects is not planned before its end', async () => {
  const names = Array.from({ length: 65 }, (_, i) => `${i}.o`);
  const { staging, asked } = rig(objects(Object.fromEntries(names.map((name) => [name, 'old']))));
  for (const name of names.slice(1)) staging.add('app-1', name, closed('new'));
  await nextTurn();
  assert.is(asked.length, 2);
  staging.add('app-1', '0.o', closed('new'));
  await nextTurn();
  assert.is(asked.length, 2);
});

test('what was cleared is forgotten', async () => {
  const { staging, asked, request } = rig(objects({ 'a.o': 'old' }));
  staging.add('app-1', 'a.o', closed('new'));
  staging.clear();
  await nextTurn();
  assert.equal(asked, []);
  assert.not(staging.plan(request({ 'a.o': 'new' })).ahead);
});

test('only bodies changed: nothing moved to another name, and nothing was forked', () => {
  const bodies = {
    items: [],
    constructors: [],
    registrations: [],
    back: new Set(),
    moved: new Set(),
    forked: new Map(),
    refused: [],
  };
  const is = (more: object): boolean => changesOnlyBodies({ ...bodies, ...more } as unknown as EngineDiff);
  assert.ok(is({}));
  assert.not(is({ moved: new Set(['_RNCNvCs1_3app1f0']) }));
  assert.not(is({ forked: new Map([['_RNCNvCs1_3app1f0.ipbp.1', 'it holds other things']]) }));
  assert.ok(is({ items: [{ change: 'body', storage: 'code' }] }));
  assert.not(is({ items: [{ change: 'removed', storage: 'code' }] }));
});

test.run();

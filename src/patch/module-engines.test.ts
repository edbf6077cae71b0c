// Several engines as one: objects go to the module they were linked into, and what changes in several is one step of the
// history. The engines here plan nothing; they write down what they are asked.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { InputFile, PlanResult } from './engine.js';
import type { PatchImage } from './image/image.js';
import type { EngineDiff, LinkInputFiles, LiveEngine, OneModuleEngine } from './live-engine.js';
import { combineEngines, type ModuleEngine } from './module-engines.js';
import type { AgentOp } from './wire/frames.js';

interface Fake {
  readonly engine: OneModuleEngine;
  readonly heard: string[];
  readonly history: { readonly live: PatchImage[]; readonly undone: PatchImage[] };
}

interface Behaviour {
  /** Names that its objects define and other modules cannot find. */
  readonly defines?: readonly string[];
  readonly exports?: readonly string[];
  /** What comes of a link; `needs` asks for a name of another module. */
  readonly plan?: (diff: EngineDiff, inputs: LinkInputFiles) => Exclude<PlanResult, { kind: 'patch' }> | null;
}

const op = (name: string): AgentOp => ({ op: 'init', at: name.length });

/** Of a diff and an image only what is looked at is there. */
function fake(name: string, { defines = [], exports = [], plan = () => null }: Behaviour = {}): Fake {
  const heard: string[] = [];
  const history: Fake['history'] = { live: [], undone: [] };
  let images = 0;
  const diff = (before: readonly InputFile[], after: readonly InputFile[]): EngineDiff =>
    ({
      items: [...before, ...after].map((file) => ({ name: file.name, storage: 'code', change: 'body' })),
      constructors: [],
      registrations: [],
      back: new Set(),
      before: [],
      after: [],
      names: new Map(after.flatMap((file) => (file.name.endsWith('moved') ? [['moved', 'moved.1']] : []))),
      moved: new Set(),
      forked: new Map(),
      warnings: [],
      refused: [],
      count: after.length,
    }) as unknown as EngineDiff;
  const step = (image: PatchImage | undefined): { image: PatchImage; ops: readonly AgentOp[] } | null =>
    image === undefined ? null : { image, ops: [op(name)] };
  const engine: OneModuleEngine = {
    delivery: 'map',
    hasLoader: true,
    buildId: name,
    functions: 1,
    slots: 0,
    exports: (one) => exports.includes(one),
    hiddenItem: (one, planned) =>
      planned?.symbols.some((symbol) => symbol.name === one) === true
        ? { module: { name, kind: 'build-id', id: new Uint8Array(1) }, address: 7 }
        : null,
    defined: (names) => names.filter((one) => defines.includes(one)),
    attach: () => void heard.push('attach'),
    warmUp: (objects) => void heard.push(`warm ${objects.map((file) => file.name).join()}`),
    diff(before, after) {
      heard.push(`diff ${[...before, ...after].map((file) => file.name).join()}`);
      return diff(before, after);
    },
    link(its, inputs) {
      const wanted = inputs.wanted ?? [];
      heard.push(
        `link ${[...inputs.others, ...inputs.archives].map((file) => file.name).join()} ${wanted.join()}`.trim(),
      );
      const other = plan(its, inputs);
      if (other !== null) return other;
      const symbols = wanted.map((one) => ({ name: one, kind: 'function', address: 7, size: 1, moved: false }));
      const items = [{ name, mangled: name, kind: 'function', verdict: 'redirected' }];
      const image = { number: ++images, symbols, items, segments: [], bodies: [], warnings: [] };
      return { kind: 'patch', image: image as unknown as PatchImage, items: [], went: [] };
    },
    readPatch: () => {
      throw new Error('not here');
    },
    transaction: () => [op(name)],
    framesInside: () => [],
    applied(image, its) {
      heard.push(`applied ${its === null ? 'file' : its.count}`);
      history.live.push(image);
      history.undone.length = 0;
    },
    taken: () => void heard.push('taken'),
    undoStep: () => step(history.live.at(-1)),
    undone() {
      history.undone.push(history.live.pop() as PatchImage);
    },
    forgetUndone: () => void history.undone.pop(),
    redoStep: () => step(history.undone.at(-1)),
    redone() {
      history.live.push(history.undone.pop() as PatchImage);
    },
  };
  return { engine, heard, history };
}

const file = (name: string): InputFile => ({ name, read: () => new Uint8Array(0) });
const INPUTS: LinkInputFiles = { others: [file('main/o'), file('low/o')], archives: [file('archive')] };

interface Process {
  readonly all: LiveEngine;
  readonly main: Fake;
  readonly low: Fake;
  readonly top: Fake;
}

/** An executable and two libraries; objects are called `<module>/<object>`. */
function process(main: Behaviour = {}, low: Behaviour = {}, top: Behaviour = {}): Process {
  const fakes = { main: fake('main', main), low: fake('low', low), top: fake('top', top) };
  const modules: Record<string, ModuleEngine> = Object.fromEntries(
    (['low', 'top'] as const).map((name) => [
      name,
      { engine: fakes[name].engine, toProcess: (ops: readonly AgentOp[]) => [...ops, op(`to ${name}`)] },
    ]),
  );
  const ownersOf = (object: string): readonly (ModuleEngine | null)[] =>
    (object.split('/')[0] ?? '').split('+').map((name) => modules[name] ?? null);
  return { all: combineEngines(fakes.main.engine, { libraries: () => Object.values(modules), ownersOf }), ...fakes };
}

function patchOf(plan: PlanResult): PatchImage {
  assert.is(plan.kind, 'patch', JSON.stringify(plan));
  return (plan as Extract<PlanResult, { kind: 'patch' }>).image;
}

test('each module sees its own objects, and archives are for the executable', () => {
  const { all, main, low, top } = process();
  const diff = all.diff([file('main/a')], [file('main/a'), file('low/b')]);
  assert.is(diff.count, 2);
  all.link(diff, INPUTS);
  assert.equal(main.heard, ['diff main/a,main/a', 'link main/o,archive']);
  assert.equal(low.heard, ['diff low/b', 'link low/o']);
  assert.equal(top.heard, []);
});

test('a patch of two modules is applied, undone and redone as one', () => {
  const { all, main, low, top } = process();
  const diff = all.diff([], [file('main/a'), file('low/b')]);
  const image = patchOf(all.link(diff, INPUTS));
  assert.equal(
    image.items.map(({ name }) => name),
    ['low', 'main'],
  );
  assert.equal(all.transaction(image), [op('low'), op('to low'), op('main')]);
  all.applied(image, diff);
  const second = all.diff([], [file('top/c')]);
  all.applied(patchOf(all.link(second, INPUTS)), second);
  assert.equal(all.undoStep()?.ops, [op('top'), op('to top')]);
  all.undone();
  assert.equal(all.undoStep()?.ops, [op('low'), op('to low'), op('main')]);
  all.undone();
  assert.is(all.undoStep(), null);
  assert.equal([low.history.undone.length, main.history.undone.length, top.history.undone.length], [1, 1, 1]);
  assert.equal(all.redoStep()?.ops, [op('low'), op('to low'), op('main')]);
  all.redone();
  assert.equal([low.history.live.length, main.history.live.length, top.history.live.length], [1, 1, 0]);
  // A new patch ends what could be redone, also in a module that it does not touch.
  const third = all.diff([], [file('main/d')]);
  all.applied(patchOf(all.link(third, INPUTS)), third);
  assert.is(all.redoStep(), null);
  assert.is(top.history.undone.length, 0);
});

test('a library that the program opens later has its part from then on: objects of both, archives and names of its own', () => {
  const [main, late] = [fake('main'), fake('late', { defines: ['fresh'] })];
  const libraries: ModuleEngine[] = [];
  const apart = { archives: () => [file('own archive')] };
  const all = combineEngines(main.engine, {
    libraries: () => libraries,
    ownersOf: (object) => (object.startsWith('both') ? [null, ...libraries] : [null]),
  });
  const first = all.diff([], [file('both/a')]);
  all.applied(patchOf(all.link(first, INPUTS)), first);
  libraries.push({ engine: late.engine, toProcess: (ops) => ops, apart });
  const second = all.diff([], [file('both/b')]);
  all.applied(patchOf(all.link(second, { ...INPUTS, others: [file('both/o')] })), second);
  assert.equal(late.heard, ['diff both/b', 'link both/o,own archive', 'applied 1']);
  assert.equal(main.heard.slice(-3), ['diff both/b', 'link both/o,archive', 'applied 1']);
  all.undone();
  all.undone();
  assert.equal([main.history.undone.length, late.history.undone.length], [2, 1]);
  // Nobody else is given its names.
  const needs = fake('main', {
    plan: (_, inputs) =>
      inputs.elsewhere?.('fresh') == null ? { kind: 'unchanged', reason: 'absent', went: [] } : null,
  });
  const other = combineEngines(needs.engine, { libraries: () => libraries, ownersOf: () => [null] });
  assert.is(other.link(other.diff([], [file('main/a')]), INPUTS).kind, 'unchanged');
});

test('what is taken back is forgotten in its modules only', () => {
  const { all, main, low } = process();
  const diff = all.diff([], [file('low/b')]);
  all.applied(patchOf(all.link(diff, INPUTS)), diff);
  all.undone();
  all.forgetUndone();
  assert.is(all.redoStep(), null);
  assert.equal([low.history.live.length, low.history.undone.length, main.history.undone.length], [0, 0, 0]);
});

test('one module refuses: nothing of the change is done; one that has nothing to do only takes the objects', () => {
  const refused = { kind: 'refused', items: [{ code: 'IPBP3001', name: 'f', message: '', because: [] }] } as const;
  const { all } = process({ plan: () => refused });
  assert.is(all.link(all.diff([], [file('main/a'), file('low/b')]), INPUTS).kind, 'refused');
  const unchanged = { kind: 'unchanged', reason: 'nothing', went: [] } as const;
  const other = process({ plan: () => unchanged });
  const diff = other.all.diff([], [file('main/a'), file('low/b')]);
  other.all.applied(patchOf(other.all.link(diff, INPUTS)), diff);
  assert.equal(other.main.heard.slice(-1), ['taken']);
  assert.equal(other.low.heard.slice(-1), ['applied 1']);
});

test('what a library exports and a patch would move is refused', () => {
  const { all } = process({}, { exports: ['moved'] });
  const plan = all.link(all.diff([], [file('low/moved')]), INPUTS);
  assert.is(plan.kind === 'refused' && plan.items[0]?.code, 'IPBP5046');
  assert.is(all.link(all.diff([], [file('main/moved')]), INPUTS).kind, 'patch');
  assert.is(all.link(all.diff([], [file('top/moved')]), INPUTS).kind, 'patch');
});

test('a name that an unchanged library hides is asked of its objects, and comes with its patch', () => {
  const unresolved = {
    kind: 'refused',
    items: [{ code: 'IPBP2003', name: 'fresh', message: '', because: [] }],
  } as const;
  const needs: Behaviour['plan'] = (_, inputs) => (inputs.elsewhere?.('fresh') == null ? unresolved : null);
  const { all, low, top } = process({ plan: needs }, { defines: ['fresh'] });
  const diff = all.diff([], [file('main/a')]);
  const image = patchOf(all.link(diff, INPUTS));
  assert.equal(
    image.items.map(({ name }) => name),
    ['low', 'main'],
  );
  assert.equal(low.heard, ['diff ', 'link low/o fresh']);
  assert.equal(top.heard, []);
  // Nobody defines it: as ever.
  assert.is(process({ plan: needs }).all.link(diff, INPUTS).kind, 'refused');
});

test.run();

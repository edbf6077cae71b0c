// The engine for a program of several modules: the executable and libraries of the workspace that it has loaded. Each has
// an engine of its own that knows nothing of the others; here objects are sorted to the modules that they were linked
// into, and what an edit changes in several of them is planned, applied, undone and redone as one. Pure.
import { demangle } from '../formats/symbols/demangle.js';
import type { InputFile, PlanResult, RefusedItem } from './engine.js';
import type { PatchImage } from './image/image.js';
import type { HistoryStep } from './image/transaction.js';
import type { EngineDiff, LinkInputFiles, LiveEngine, OneModuleEngine } from './live-engine.js';
import type { ForeignItem } from './program/surroundings.js';
import type { AgentOp } from './wire/frames.js';

/** One module's engine. */
export interface ModuleEngine {
  readonly engine: OneModuleEngine;
  /** What this engine says, in the space of the process. */
  toProcess(ops: readonly AgentOp[]): readonly AgentOp[];
  /**
   * Of a library that the program opened: no other module finds a name in it, nor it in libraries of the workspace, and
   * what it newly needs is in archives of its own.
   */
  readonly apart?: { readonly archives: () => readonly InputFile[] };
}

/** The libraries of a program. More may come while it runs. */
export interface ModuleEngines {
  /** Those that can be patched, each before the ones that use it. */
  readonly libraries: () => readonly ModuleEngine[];
  /** What an object was linked into, by the object's name: libraries, and null for the executable. */
  readonly ownersOf: (object: string) => readonly (ModuleEngine | null)[];
}

/** One module's part of something. */
interface Part<T> {
  readonly module: ModuleEngine;
  readonly it: T;
}

/** What is to be remembered when a plan becomes live: the images, and the diffs that came to nothing. */
interface Planned {
  readonly images: readonly Part<PatchImage>[];
  readonly unchanged: readonly Part<EngineDiff>[];
}

/** A patch's images by module, in the order in which they are applied. */
type Images = readonly Part<PatchImage>[];

/** What came of one module's part of an edit. */
interface ModulePlan extends Part<EngineDiff> {
  readonly plan: PlanResult;
  /** Names that it needs and that nobody has. */
  readonly absent: ReadonlySet<string>;
}

/** Many diffs, for who asks what changed. */
function mergedDiff(diffs: readonly EngineDiff[], first: EngineDiff): EngineDiff {
  return {
    ...first,
    items: diffs.flatMap(({ items }) => items),
    constructors: diffs.flatMap(({ constructors }) => constructors),
    registrations: diffs.flatMap(({ registrations }) => registrations),
    before: diffs.flatMap(({ before }) => before),
    after: diffs.flatMap(({ after }) => after),
    moved: new Set(diffs.flatMap(({ moved }) => [...moved])),
    forked: new Map(diffs.flatMap(({ forked }) => [...forked])),
    warnings: diffs.flatMap(({ warnings }) => warnings),
    refused: diffs.flatMap(({ refused }) => refused),
    count: diffs.reduce((sum, { count }) => sum + count, 0),
  };
}

/** Many images, for who asks what was done. It is told apart from those it is made of by being another value. */
function mergedImage(images: readonly PatchImage[], first: PatchImage): PatchImage {
  return {
    ...first,
    segments: images.flatMap(({ segments }) => segments),
    bodies: images.flatMap(({ bodies }) => bodies),
    items: images.flatMap(({ items }) => items),
    warnings: images.flatMap(({ warnings }) => warnings),
  };
}

/**
 * What other modules know by its name and would miss, as they refer to it where it was: another item under one name (a
 * function has other parameters, an async one other locals), or read-only data of other content.
 */
function missedElsewhere({ engine }: ModuleEngine, { names, items }: EngineDiff): readonly RefusedItem[] {
  const otherwise = [...names].flatMap(([name, identity]) => (name === identity ? [] : [name]));
  const constants = items.filter(
    ({ storage, change }) => storage === 'readonly' && change !== 'added' && change !== 'removed',
  );
  return missed(engine, [...otherwise, ...constants.map(({ name }) => name)], []);
}

/** The same of a patch: functions that got a place of their own, as what they shared their body with did not change. */
function partedExports({ engine }: ModuleEngine, { symbols }: PatchImage): readonly RefusedItem[] {
  const moved = symbols.flatMap((symbol) => (symbol.moved ? [symbol.name] : []));
  return missed(engine, moved, ['it shares its body with a function that did not change']);
}

function missed(engine: OneModuleEngine, names: readonly string[], because: readonly string[]): readonly RefusedItem[] {
  const message = 'other modules of the process would go on to use what it was';
  const known = [...new Set(names)].filter((name) => engine.exports(name)).sort();
  return known.map((name) => ({ code: 'IPBP5046', name: demangle(name), message, because }));
}

/** The engine of a program of several modules. */
export interface CombinedEngine extends LiveEngine {
  /** As `diff`, of one module alone, whatever else these objects were linked into. */
  diffIn(module: ModuleEngine, before: readonly InputFile[], after: readonly InputFile[]): EngineDiff;
}

/** One engine of those of the executable and of its libraries. */
export function combineEngines(executable: OneModuleEngine, { libraries, ownersOf }: ModuleEngines): CombinedEngine {
  const main: ModuleEngine = { engine: executable, toProcess: (ops) => ops };
  const allModules = (): readonly ModuleEngine[] => [...libraries(), main];
  /** Libraries whose names this module's objects may mean. */
  const usedBy = (module: ModuleEngine): readonly ModuleEngine[] => {
    const before = module === main ? libraries() : libraries().slice(0, libraries().indexOf(module));
    return module.apart === undefined ? before.filter(({ apart }) => apart === undefined) : [];
  };
  const partsOfDiff = new WeakMap<EngineDiff, readonly Part<EngineDiff>[]>();
  const plannedAs = new WeakMap<PatchImage, Planned>();
  const live: Images[] = [];
  const undone: Images[] = [];

  const ofModule = (files: readonly InputFile[], module: ModuleEngine): readonly InputFile[] =>
    files.filter(({ name }) => ownersOf(name).includes(module === main ? null : module));
  const diffsOf = (diff: EngineDiff): readonly Part<EngineDiff>[] =>
    partsOfDiff.get(diff) ?? [{ module: main, it: diff }];
  const plannedOf = (image: PatchImage): Planned =>
    plannedAs.get(image) ?? { images: [{ module: main, it: image }], unchanged: [] };
  const merged = (images: Images): PatchImage => {
    const [first] = images;
    if (first === undefined) throw new Error('internal: a patch without images');
    return images.length === 1
      ? first.it
      : mergedImage(
          images.map(({ it }) => it),
          first.it,
        );
  };
  /** One step of each of these modules' histories, as one. */
  const stepOf = (images: Images | undefined, take: (engine: LiveEngine) => HistoryStep | null): HistoryStep | null => {
    if (images === undefined) return null;
    const ops = images.flatMap(({ module }) => module.toProcess(take(module.engine)?.ops ?? []));
    return { image: merged(images), ops };
  };
  /** Takes the newest patch off a list and tells its modules; null when there is none. */
  const take = (from: Images[], tell: (engine: LiveEngine) => void): Images | null => {
    const images = from.pop() ?? null;
    for (const { module } of images ?? []) tell(module.engine);
    return images;
  };

  /** A plan for each module that has a diff, in the modules' order. */
  const planAll = (
    diffs: ReadonlyMap<ModuleEngine, EngineDiff>,
    inputs: LinkInputFiles,
    wanted: ReadonlyMap<ModuleEngine, ReadonlySet<string>>,
  ): readonly ModulePlan[] => {
    const done: ModulePlan[] = [];
    for (const module of allModules()) {
      const it = diffs.get(module);
      if (it === undefined) continue;
      const absent = new Set<string>();
      const elsewhere = (name: string): ForeignItem | null => {
        for (const { engine } of usedBy(module)) {
          const now = done.find((one) => one.module.engine === engine);
          const planned = now?.plan.kind === 'patch' ? now.plan.image : null;
          const found = engine.hiddenItem(name, planned, now?.it.names ?? null);
          if (found !== null) return found;
        }
        absent.add(name);
        return null;
      };
      // rustc puts a shared library's archives into it whole: what is not in there is in none of them.
      const { archives, onAbsent, ...rest } = inputs;
      const its = module === main ? archives : module.apart?.archives();
      const own =
        its === undefined ? { archives: [] } : { archives: its, ...(onAbsent === undefined ? {} : { onAbsent }) };
      const others = ofModule(inputs.others, module);
      const names = { elsewhere, wanted: [...(wanted.get(module) ?? [])] };
      done.push({ module, it, absent, plan: module.engine.link(it, { ...rest, ...own, ...names, others }) });
    }
    return done;
  };

  /** Adds what modules miss and the objects of libraries before them define; false when there is nothing new. */
  const wantMore = (
    done: readonly ModulePlan[],
    inputs: LinkInputFiles,
    wanted: Map<ModuleEngine, Set<string>>,
  ): boolean => {
    let more = false;
    for (const { module, absent } of done) {
      for (const library of absent.size === 0 ? [] : usedBy(module)) {
        const its = done.find((one) => one.module === library)?.it ?? null;
        for (const name of library.engine.defined([...absent], its, ofModule(inputs.others, library))) {
          const names = wanted.get(library) ?? new Set();
          more ||= !names.has(name);
          wanted.set(library, names.add(name));
        }
      }
    }
    return more;
  };

  return {
    buildId: executable.buildId,
    get functions() {
      return allModules().reduce((sum, { engine }) => sum + engine.functions, 0);
    },
    slots: executable.slots,
    warmUp(objects) {
      for (const module of allModules()) {
        const own = ofModule(objects, module);
        if (own.length > 0) module.engine.warmUp(own);
      }
    },
    diffIn(module, before, after) {
      const it = module.engine.diff(before, after);
      partsOfDiff.set(it, [{ module, it }]);
      return it;
    },
    diff(before, after) {
      const parts = allModules().flatMap((module) => {
        const [old, now] = [ofModule(before, module), ofModule(after, module)];
        return old.length + now.length === 0 ? [] : [{ module, it: module.engine.diff(old, now) }];
      });
      const [first] = parts;
      if (first === undefined) return executable.diff([], []);
      const diff =
        parts.length === 1
          ? first.it
          : mergedDiff(
              parts.map(({ it }) => it),
              first.it,
            );
      partsOfDiff.set(diff, parts);
      return diff;
    },
    link(diff, inputs) {
      const diffs = new Map(diffsOf(diff).map(({ module, it }) => [module, it]));
      const unseen = [...diffs].flatMap(([module, it]) => (module === main ? [] : missedElsewhere(module, it)));
      if (unseen.length > 0) return { kind: 'refused', items: unseen };
      const wanted = new Map<ModuleEngine, Set<string>>();
      let done = planAll(diffs, inputs, wanted);
      // What a module newly needs of a library is in that one's objects, and in its patch when it is asked for.
      while (wantMore(done, inputs, wanted)) {
        for (const module of wanted.keys()) if (!diffs.has(module)) diffs.set(module, module.engine.diff([], []));
        done = planAll(diffs, inputs, wanted);
      }
      const [only] = done;
      const refused = done.flatMap(({ module, plan }) => {
        if (plan.kind === 'refused') return plan.items;
        return plan.kind === 'patch' && module !== main ? partedExports(module, plan.image) : [];
      });
      if (refused.length > 0) return { kind: 'refused', items: refused };
      const images = done.flatMap(({ module, plan }) => (plan.kind === 'patch' ? [{ module, it: plan.image }] : []));
      if (images.length === 0 && only !== undefined) return only.plan;
      const went = done.flatMap(({ plan }) => (plan.kind === 'refused' ? [] : plan.went));
      const image = merged(images);
      const unchanged = done.flatMap(({ module, it, plan }) => (plan.kind === 'unchanged' ? [{ module, it }] : []));
      plannedAs.set(image, { images, unchanged });
      return { kind: 'patch', image, items: image.items, went } satisfies PlanResult;
    },
    readPatch: (file) => executable.readPatch(file),
    transaction: (image, objectPath) =>
      plannedOf(image).images.flatMap(({ module, it }) => module.toProcess(module.engine.transaction(it, objectPath))),
    framesInside: (image, stacks, read) =>
      plannedOf(image).images.flatMap(({ module, it }) => module.engine.framesInside(it, stacks, read)),
    applied(image, diff, moved) {
      const { images, unchanged } = plannedOf(image);
      const diffs = diff === null ? [] : diffsOf(diff);
      for (const { module, it } of images) {
        module.engine.applied(it, diffs.find((part) => part.module === module)?.it ?? null, moved);
      }
      for (const { module, it } of unchanged) module.engine.taken(it);
      live.push(images);
      for (const before of undone.splice(0)) for (const { module } of before) module.engine.forgetUndone();
    },
    taken(diff) {
      for (const { module, it } of diffsOf(diff)) module.engine.taken(it);
    },
    undoStep: () => stepOf(live.at(-1), (engine) => engine.undoStep()),
    undone() {
      const images = take(live, (engine) => engine.undone());
      if (images !== null) undone.push(images);
    },
    forgetUndone: () => void take(undone, (engine) => engine.forgetUndone()),
    redoStep: () => stepOf(undone.at(-1), (engine) => engine.redoStep()),
    redone() {
      const images = take(undone, (engine) => engine.redone());
      if (images !== null) live.push(images);
    },
  };
}

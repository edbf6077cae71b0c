// A module of Rust that is edited: rustc's objects before and after each edit become patches, one upon the other, as a
// session makes them.
import type { LinkedInput } from '../../src/formats/wasm/known-places.js';
import { type PreparedModule, prepareModule } from '../../src/host/web/base-facts.js';
import { pagePatch } from '../../src/host/web/page-patch.js';
import type { InputFile } from '../../src/patch/engine.js';
import { openLiveEngine } from '../../src/patch/live-engine.js';
import type { PagePatch } from '../../src/patch/wire/page-frames.js';
import { type BuiltProgram, builtFile } from './built-program.js';

/** What pages are sent, and how long it took to make, without compiling, in ms. */
export interface MadePatch {
  readonly patch: PagePatch;
  readonly bytes: Uint8Array;
  readonly ms: { readonly diff: number; readonly link: number; readonly encode: number };
}

/** The patches of a module, one upon the other. */
export interface PatchChain {
  readonly prepared: PreparedModule;
  /** From what the last patch was made of to these objects. Throws with what was refused. */
  to(objects: readonly LinkedInput[]): MadePatch;
  /** The last patch was taken back; the next one is compared with what was before it. */
  undone(): void;
}

/** A module of one file of Rust. */
export interface EditedModule {
  readonly prepared: PreparedModule;
  /** Compiles the source anew and makes the patch. Throws with what was refused. */
  edit(source: string): MadePatch;
  undone(): void;
  remove(): void;
}

const toFile = ({ name, bytes }: LinkedInput): InputFile => ({ name, read: () => bytes });

/** The objects that differ and those that do not, as a session tells its engine. */
function split(
  before: readonly LinkedInput[],
  after: readonly LinkedInput[],
): Readonly<Record<'before' | 'after' | 'others', readonly InputFile[]>> {
  const old = new Map(before.map(({ name, bytes }) => [name, bytes]));
  const same = new Set<string>();
  for (const { name, bytes } of after) {
    const was = old.get(name);
    if (was !== undefined && Buffer.compare(was, bytes) === 0) same.add(name);
  }
  const files = (objects: readonly LinkedInput[], wanted: boolean): InputFile[] =>
    objects.filter(({ name }) => same.has(name) === wanted).map(toFile);
  return { before: files(before, false), after: files(after, false), others: files(after, true) };
}

/** Prepares a program's module; `isOwn` says which functions can be patched. */
export function patchChain(built: BuiltProgram, isOwn: (name: string) => boolean): PatchChain {
  const { module, own, others, archives } = built;
  const prepared = prepareModule(module, [...own, ...others], isOwn);
  const target = { format: 'wasm', facts: prepared.facts } as const;
  const engine = openLiveEngine({ name: module.name, read: () => prepared.bytes });
  const history = [own];
  let number = 0;
  return {
    prepared,
    to(objects) {
      const start = performance.now();
      const files = split(history.at(-1) ?? [], objects);
      const diff = engine.diff(files.before, files.after);
      const compared = performance.now();
      const plan = engine.link(diff, { others: files.others, archives });
      if (plan.kind !== 'patch') throw new Error(JSON.stringify(plan));
      const linked = performance.now();
      const made = pagePatch(++number, plan.image, target);
      const encoded = performance.now();
      engine.applied(plan.image, diff);
      history.push(objects);
      return { ...made, ms: { diff: compared - start, link: linked - compared, encode: encoded - linked } };
    },
    undone() {
      engine.undone();
      history.pop();
    },
  };
}

/** Builds the module and prepares it; `isOwn` says which functions can be patched. */
export function editedModule(source: string, isOwn: (name: string) => boolean): EditedModule {
  const built = builtFile(source);
  const { prepared, to, undone } = patchChain(built, isOwn);
  return {
    prepared,
    edit: (text) => to(built.compile({ 'src/lib.rs': text })),
    undone,
    remove: () => built.remove(),
  };
}

// A module of Rust that is edited: rustc's objects before and after each edit become patches, one upon the other, as a
// session makes them.
import type { LinkedInput } from '../../src/formats/wasm/known-places.js';
import { readWasm } from '../../src/formats/wasm/read.js';
import { type PreparedModule, prepareModule } from '../../src/host/web/base-facts.js';
import { pagePatch } from '../../src/host/web/page-patch.js';
import { diffFiles } from '../../src/patch/diff/diff-files.js';
import type { InputFile } from '../../src/patch/engine.js';
import { encodePatchFile } from '../../src/patch/image/image-file.js';
import { DEFAULT_ROOM, planPatch } from '../../src/patch/plan.js';
import { archivesSource } from '../../src/patch/program/archive-source.js';
import { freshProgram, isTaken, withPatch, withoutLast } from '../../src/patch/program/program.js';
import { openTabledProgram } from '../../src/patch/program/tabled-program.js';
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

function inputs(objects: readonly LinkedInput[]): InputFile[] {
  return objects.map(({ name, bytes }) => ({ name, read: () => bytes }));
}

/** Prepares a program's module; `isOwn` says which functions can be patched. */
export function patchChain(built: BuiltProgram, isOwn: (name: string) => boolean): PatchChain {
  const { module, own, others, archives } = built;
  const prepared = prepareModule(module, [...own, ...others], isOwn);
  const target = { format: 'wasm', facts: prepared.facts } as const;
  let program = freshProgram(openTabledProgram(readWasm(prepared.bytes, module.name), prepared.facts));
  const history = [own];
  let number = 0;
  return {
    prepared,
    to(objects) {
      const start = performance.now();
      const diff = diffFiles(inputs(history.at(-1) ?? []), inputs(objects), (name) => isTaken(program, name));
      const compared = performance.now();
      const plan = planPatch({
        ...{ program, diff, identity: diff, before: diff.replaced, after: diff.changed },
        others: () => diff.unchanged(diff.names),
        ...{ archives: archivesSource(archives), room: DEFAULT_ROOM, delivery: 'map' },
      });
      if (plan.kind !== 'patch') throw new Error(JSON.stringify(plan));
      const { image } = plan;
      const linked = performance.now();
      const made = pagePatch(++number, image, target);
      const encoded = performance.now();
      program = withPatch(program, { image, digest: encodePatchFile(image).digest });
      history.push(objects);
      return { ...made, ms: { diff: compared - start, link: linked - compared, encode: encoded - linked } };
    },
    undone() {
      program = withoutLast(program);
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

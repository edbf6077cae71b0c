// A module of Rust that is edited: rustc's objects before and after each edit become patches, one upon the other, as a
// session makes them.
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { wasmToolchain } from '../../conformance/setup/wasm-toolchain.js';
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
import { ownObjects, stdObjects } from './linked-inputs.js';
import { moduleProject } from './modules.js';

const TARGET = 'wasm32-unknown-unknown';
/** rustc leaves the objects that it has linked. */
const KEEP_OBJECTS = `[target.${TARGET}]\nrustflags = ["-Csave-temps"]\n`;

/** The module, and edits of it. */
export interface EditedModule {
  readonly prepared: PreparedModule;
  /** Compiles the whole source anew and makes the patch. Throws with what was refused. */
  edit(source: string): { readonly patch: PagePatch; readonly bytes: Uint8Array };
  /** The last edit was taken back; the next one is compared with what was before it. */
  undone(): void;
  remove(): void;
}

function inputs(objects: readonly { readonly name: string; readonly bytes: Uint8Array }[]): InputFile[] {
  return objects.map(({ name, bytes }) => ({ name, read: () => bytes }));
}

/** Builds the module and prepares it; `isOwn` says which functions can be patched. */
export function editedModule(source: string, isOwn: (name: string) => boolean): EditedModule {
  const project = moduleProject(TARGET, source, { files: { '.cargo/config.toml': KEEP_OBJECTS } });
  const folder = join(dirname(project.module), 'deps');
  const compile = (text: string): ReturnType<typeof ownObjects> => {
    writeFileSync(project.fixture.path('src/lib.rs'), text);
    rmSync(folder, { recursive: true, force: true });
    project.build();
    return ownObjects(folder);
  };
  const objects = compile(source);
  const linked = { name: 'page.wasm', bytes: new Uint8Array(readFileSync(project.module)) };
  const prepared = prepareModule(linked, [...objects, ...stdObjects(TARGET)], isOwn);
  const target = { format: 'wasm', facts: prepared.facts } as const;
  const libraries = join(dirname(wasmToolchain(TARGET).rustc), 'usr', 'lib', 'rustlib', TARGET, 'lib');
  const archives = readdirSync(libraries)
    .filter((name) => name.endsWith('.rlib'))
    .map((name) => ({ name, read: () => new Uint8Array(readFileSync(join(libraries, name))) }));
  let program = freshProgram(openTabledProgram(readWasm(prepared.bytes, 'page.wasm'), prepared.facts));
  const history = [objects];
  let number = 0;
  return {
    prepared,
    edit(text) {
      const now = compile(text);
      const diff = diffFiles(inputs(history.at(-1) ?? []), inputs(now), (name) => isTaken(program, name));
      const plan = planPatch({
        ...{ program, diff, identity: diff, before: diff.replaced, after: diff.changed },
        others: () => diff.unchanged(diff.names),
        ...{ archives: archivesSource(archives), room: DEFAULT_ROOM, delivery: 'map' },
      });
      if (plan.kind !== 'patch') throw new Error(JSON.stringify(plan));
      const { image } = plan;
      program = withPatch(program, { image, digest: encodePatchFile(image).digest });
      history.push(now);
      return pagePatch(++number, image, target);
    },
    undone() {
      program = withoutLast(program);
      history.pop();
    },
    remove: () => project.fixture.remove(),
  };
}

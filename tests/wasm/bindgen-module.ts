// A program of wasm-bindgen's that is edited: linked, prepared, gone over by wasm-bindgen; rustc's objects before and after
// each edit become patches, one upon the other, as a session makes them.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  BINDGEN_DEPENDENCIES,
  KEEP_OBJECTS,
  wasmBindgen,
  withBindgenDependencies,
} from '../../conformance/setup/wasm-bindgen.js';
import { run } from '../../conformance/setup/run.js';
import type { LinkedInput } from '../../src/formats/wasm/known-places.js';
import { readWasm } from '../../src/formats/wasm/read.js';
import { definedIn, objectsIn, type PreparedModule, prepareModule } from '../../src/host/web/base-facts.js';
import { finishModule } from '../../src/host/web/finish-module.js';
import { pagePatch } from '../../src/host/web/page-patch.js';
import { diffFiles } from '../../src/patch/diff/diff-files.js';
import type { InputFile, RefusedItem } from '../../src/patch/engine.js';
import { encodePatchFile } from '../../src/patch/image/image-file.js';
import { DEFAULT_ROOM, planPatch } from '../../src/patch/plan.js';
import { archivesSource } from '../../src/patch/program/archive-source.js';
import { freshProgram, isTaken, withPatch } from '../../src/patch/program/program.js';
import { openTabledProgram } from '../../src/patch/program/tabled-program.js';
import type { PagePatch } from '../../src/patch/wire/page-frames.js';
import { manifest } from '../cargo-fixture.js';
import { standardArchives } from './linked-inputs.js';
import { moduleProject } from './modules.js';

const TARGET = 'wasm32-unknown-unknown';
const PARTS = new URL('bindgen-app/parts.rs', import.meta.url);

/** Which kind of glue. */
export type GlueTarget = 'web' | 'nodejs' | 'bundler' | 'no-modules';

export type Edited =
  | {
      readonly kind: 'patch';
      readonly patch: PagePatch;
      readonly bytes: Uint8Array;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'unchanged'; readonly reason: string }
  | { readonly kind: 'refused'; readonly items: readonly RefusedItem[] };

/** The program, and edits of it. */
export interface BindgenModule {
  readonly prepared: PreparedModule;
  /** Runs wasm-bindgen as a user does, and makes of its module a base again. */
  glue(target: GlueTarget, ...options: readonly string[]): { readonly folder: string; readonly base: PreparedModule };
  /** Compiles the whole source anew and makes the patch. */
  edit(source: string): Edited;
  remove(): void;
}

const inputs = (objects: readonly LinkedInput[]): InputFile[] =>
  objects.map(({ name, bytes }) => ({ name, read: () => bytes }));

const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

/** Builds and prepares it. */
export function bindgenModule(source: string): BindgenModule {
  const dependencies = `${BINDGEN_DEPENDENCIES}page-parts = { path = "parts" }\n\n`;
  const project = moduleProject(TARGET, source, {
    files: {
      'Cargo.toml': manifest('page', `[lib]\ncrate-type = ["cdylib"]\n\n${dependencies}[workspace]\n`),
      'parts/Cargo.toml': manifest('page-parts', BINDGEN_DEPENDENCIES),
      'parts/src/lib.rs': readFileSync(PARTS, 'utf8'),
      '.cargo/config.toml': KEEP_OBJECTS,
    },
  });
  const { fixture } = project;
  withBindgenDependencies(fixture.root);
  const folder = join(dirname(project.module), 'deps');
  const isOwn = (name: string): boolean => /^page[-_.].*\.rcgu\.o$/.test(name);
  const compile = (text: string): LinkedInput[] => {
    writeFileSync(fixture.path('src/lib.rs'), text);
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) if (isOwn(name)) rmSync(join(folder, name));
    project.build();
    const names = readdirSync(folder).filter(isOwn);
    return names.map((name) => ({ name, bytes: bytesOf(join(folder, name)) }));
  };
  const objects = compile(source);
  const archived = readdirSync(folder).filter((name) => name.endsWith('.rlib'));
  const archives = [...standardArchives(TARGET), ...archived.map((name) => join(folder, name))];
  const others = archives.flatMap((path) => objectsIn({ name: path, bytes: bytesOf(path) }));
  const defined = definedIn(objects);
  const linked = { name: 'page.wasm', bytes: bytesOf(project.module) };
  const prepared = prepareModule(linked, [...objects, ...others], (name) => defined.has(name));
  mkdirSync(fixture.path('prepared'));
  writeFileSync(fixture.path('prepared/page.wasm'), prepared.bytes);
  const target = { format: 'wasm', facts: prepared.facts } as const;
  const rlibs = archivesSource(archives.map((name) => ({ name, read: () => bytesOf(name) })));
  let program = freshProgram(openTabledProgram(readWasm(prepared.bytes, 'page.wasm'), prepared.facts));
  let known = objects;
  let number = 0;
  return {
    prepared,
    glue(kind, ...options) {
      const to = fixture.path(`glue-${kind}`);
      const args = ['--target', kind, '--out-dir', to, ...options, fixture.path('prepared/page.wasm')];
      run(join(wasmBindgen(), 'wasm-bindgen'), args);
      const module = join(to, 'page_bg.wasm');
      const base = finishModule(prepared, { name: module, bytes: bytesOf(module) });
      writeFileSync(module, base.bytes);
      return { folder: to, base };
    },
    edit(text) {
      const now = compile(text);
      const diff = diffFiles(inputs(known), inputs(now), (name) => isTaken(program, name));
      const plan = planPatch({
        ...{ program, diff, identity: diff, before: diff.replaced, after: diff.changed },
        others: () => diff.unchanged(diff.names),
        ...{ archives: rlibs, room: DEFAULT_ROOM, delivery: 'map' },
      });
      if (plan.kind !== 'patch') return plan;
      const { image } = plan;
      program = withPatch(program, { image, digest: encodePatchFile(image).digest });
      known = now;
      const warnings = image.warnings.map(({ code }) => code);
      return { kind: 'patch', ...pagePatch(++number, image, target), warnings };
    },
    remove: () => fixture.remove(),
  };
}

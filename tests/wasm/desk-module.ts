// The order desk as a module: its sources are copied, edited and compiled as cargo does it for a user, and what rustc makes
// of them is compared and linked by the engine of a session.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type WasmTarget, wasmToolchain } from '../../conformance/setup/wasm-toolchain.js';
import { objectsAt } from '../../src/host/files/object-paths.js';
import { type PreparedModule, definedIn, prepareModule } from '../../src/host/web/base-facts.js';
import { pagePatch } from '../../src/host/web/page-patch.js';
import { openLiveEngine } from '../../src/patch/live-engine.js';
import type { InputFile, PlanResult } from '../../src/patch/engine.js';
import type { PagePatch } from '../../src/patch/wire/page-frames.js';
import type { Action } from '../matrix/row.js';
import { ROOT } from '../matrix/program.js';
import { standardArchives, stdObjects } from './linked-inputs.js';

/** How cargo builds it. */
export interface DeskBuild {
  readonly target: WasmTarget;
  /** A profile of its manifest. */
  readonly profile: 'dev' | 'release' | 'units';
}

/** What an edit came to. */
export type DeskOutcome =
  | Exclude<PlanResult, { kind: 'patch' }>
  | { readonly kind: 'compile-error'; readonly rendered: string }
  | {
      readonly kind: 'patch';
      readonly items: Extract<PlanResult, { kind: 'patch' }>['items'];
      readonly patch: PagePatch;
      readonly bytes: Uint8Array;
    };

/** The desk's module, and edits of it, one upon the other. */
export interface DeskModule {
  readonly prepared: PreparedModule;
  /** Saves, compiles, plans; what comes of it is taken to be live. */
  edit(action: Exclude<Action, { kind: 'command' }>): DeskOutcome;
  undo(): void;
  redo(): void;
  remove(): void;
}

const COPIED = [
  ['tests/wasm/desk', '.'],
  ['examples/server/src/desk', 'src/desk'],
  ['examples/server/pricing', 'pricing'],
] as const;

/** Sources of the copy, by path. */
function sourcesIn(folder: string): Map<string, string> {
  const paths = ['src', 'src/desk', 'pricing/src'].flatMap((below) =>
    readdirSync(join(folder, below)).map((name) => join(below, name)),
  );
  const sources = paths.filter((path) => path.endsWith('.rs'));
  return new Map(sources.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

function standardLibrary(target: WasmTarget): InputFile[] {
  return standardArchives(target).map((path) => ({ name: path, read: () => new Uint8Array(readFileSync(path)) }));
}

/** Without what is the same on both sides. */
function differing(files: readonly InputFile[], from: readonly InputFile[]): readonly InputFile[] {
  const known = new Map(from.map((file) => [file.name, file.read()]));
  return files.filter((file) => {
    const other = known.get(file.name);
    return other === undefined || Buffer.compare(other, file.read()) !== 0;
  });
}

/**
 * Where all is compiled anew, a static of which one unit sees all uses is taken apart into its fields in one build and not in
 * the next, and edits that do so are refused (IPBP3017, guard/split-state.ts). Here its address is known outside.
 */
const WHOLE = ['NEXT.lock()', 'std::hint::black_box(&NEXT).lock()'] as const;

function keepWhole(folder: string): void {
  const path = join(folder, 'src/desk/counters.rs');
  const text = readFileSync(path, 'utf8');
  if (!text.includes(WHOLE[0])) throw new Error(`${path} has no ${WHOLE[0]}`);
  writeFileSync(path, text.replace(...WHOLE));
}

/** Copies, builds and prepares. */
export function deskModule({ target, profile }: DeskBuild): DeskModule {
  const folder = mkdtempSync(join(tmpdir(), 'ipbp-desk-'));
  for (const [from, to] of COPIED) {
    mkdirSync(join(folder, to), { recursive: true });
    const filter = (path: string): boolean => !path.includes('/target');
    cpSync(join(ROOT, from), join(folder, to), { recursive: true, filter });
  }
  if (profile === 'units') keepWhole(folder);
  const first = sourcesIn(folder);
  const sources = new Map(first);
  const tools = wasmToolchain(target);
  const output = join(folder, 'target', tools.target, profile === 'dev' ? 'debug' : profile);
  const isIncremental = profile !== 'units';

  /** The objects as they are now; what was wrong with the sources, in rustc's words. */
  const compile = (): readonly InputFile[] | string => {
    // rustc leaves what it linked only if it is told to, and only of what it compiles.
    if (!isIncremental) rmSync(output, { recursive: true, force: true });
    const flags = isIncremental ? [] : ['--config', `target.${tools.target}.rustflags=["-Csave-temps"]`];
    const args = ['build', '-q', '--offline', '--target', tools.target, '--profile', profile, ...flags];
    const built = spawnSync('cargo', args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...tools.env, RUSTFLAGS: undefined },
    });
    if (built.status !== 0) return built.stderr;
    const files = isIncremental
      ? objectsAt([join(output, 'incremental')])
      : objectsAt([join(output, 'deps')]).filter(({ name }) => name.endsWith('.rcgu.o'));
    // They are read again when later ones lie in their place.
    return files.map(({ name, read }) => {
      const bytes = read().slice();
      return { name, read: () => bytes };
    });
  };

  let objects = expectObjects(compile());
  const linked = { name: 'order_desk.wasm', bytes: new Uint8Array(readFileSync(join(output, 'order_desk.wasm'))) };
  const inputs = objects.map(({ name, read }) => ({ name, bytes: read() }));
  const own = definedIn(inputs);
  const prepared = prepareModule(linked, [...inputs, ...stdObjects(target)], (name) => own.has(name));
  const engine = openLiveEngine({ name: 'order_desk.wasm', read: () => prepared.bytes });
  const archives = standardLibrary(target);
  const [history, undone]: [(readonly InputFile[])[], (readonly InputFile[])[]] = [[], []];
  let patches = 0;

  const save = (action: Exclude<Action, { kind: 'command' }>): void => {
    const now = new Map(action.kind === 'revert' ? first : sources);
    if (action.kind === 'edit') {
      for (const { file, apply } of action.edits) now.set(file, apply(now.get(file) ?? ''));
    }
    for (const [path, text] of now) {
      if (text !== sources.get(path)) writeFileSync(join(folder, path), text);
      sources.set(path, text);
    }
  };
  return {
    prepared,
    edit(action) {
      save(action);
      const compiled = compile();
      if (typeof compiled === 'string') return { kind: 'compile-error', rendered: compiled };
      const diff = engine.diff(differing(objects, compiled), differing(compiled, objects));
      const changed = new Set(differing(compiled, objects));
      const plan = engine.link(diff, { others: compiled.filter((file) => !changed.has(file)), archives });
      if (plan.kind === 'refused') return plan;
      if (plan.kind === 'unchanged') {
        engine.taken(diff);
        objects = compiled;
        return plan;
      }
      engine.applied(plan.image, diff);
      history.push(objects);
      objects = compiled;
      undone.length = 0;
      const sent = pagePatch(++patches, plan.image, { format: 'wasm', facts: prepared.facts });
      return { kind: 'patch', items: plan.items, ...sent };
    },
    undo() {
      engine.undone();
      undone.push(objects);
      objects = history.pop() ?? objects;
    },
    redo() {
      engine.redone();
      history.push(objects);
      objects = undone.pop() ?? objects;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function expectObjects(compiled: readonly InputFile[] | string): readonly InputFile[] {
  if (typeof compiled === 'string') throw new Error(compiled);
  return compiled;
}

// Follows the sources of one running program: a save becomes a compile, a compile a patch, each told as an event.
// One thing at a time; what is saved meanwhile is done next. Starting and ending programs is session.ts.
import { existsSync } from 'node:fs';
import { IpbpError } from '../../codes/error.js';
import type { RefusedItem } from '../../patch/engine.js';
import type { Held } from './held.js';
import type { CompileResult, Compiler } from '../compile/compile.js';
import { sourceFiles } from '../cargo/dep-info.js';
import type { Untimed } from '../events.js';
import { earlyPatches, type EarlyPatches } from './early-patches.js';
import type { Patcher, PatchOutcome } from './patcher.js';
import type { Rebuilt } from './rebuild.js';
import { watchSources } from '../compile/sources.js';
import { tellInlined } from './inlined-away.js';

export interface Follower {
  readonly directories: readonly string[];
  /** Where the program could not be patched until now (the agent came late): look whether anything was saved since. */
  catchUp(): void;
  stop(): void;
}

export interface FollowContext {
  readonly held: Held;
  readonly compiler: Compiler;
  /** Null while the program has no agent: changes are compiled when it comes. */
  readonly patcher: () => Patcher | null;
  readonly emit: (event: Untimed) => void;
  /** Runs one thing after the other, and tells what goes wrong: undo, redo and apply use the same queue. */
  readonly exclusively: (work: () => Promise<void>) => void;
  /** Has cargo build, for a change that rustc alone does not see. */
  readonly rebuild: () => Promise<Rebuilt>;
  /** A change was not taken: decides on a restart, and tells it. */
  readonly refuse: (items: readonly RefusedItem[]) => Promise<void>;
}

/** Starts to watch. */
export function followSources(context: FollowContext): Follower {
  const { held, compiler } = context;
  const inlined = tellInlined(context.emit, held.graph.units.length === 1);
  const { emit } = inlined;
  const tell = outcomeTeller({ ...context, emit });
  let changed = new Set<string>();
  let since: number | null = null;
  let stopped = false;
  let owners = sourceOwners(held);
  /** A build by cargo failed: what is saved next goes through cargo, too. */
  let viaCargo = false;
  const watcher = watchSources((files, firstEventAt) => {
    for (const file of files) changed.add(file);
    since ??= firstEventAt;
    context.exclusively(step);
  });
  const follow = (): void => {
    owners = sourceOwners(held);
    watcher.follow([...owners.keys(), ...held.cargoOnly]);
    inlined.follow(owners.keys());
  };
  follow();

  const step = async (): Promise<void> => {
    if (stopped || changed.size === 0 || context.patcher() === null) return;
    const files = [...changed];
    const savedAt = since;
    changed = new Set();
    since = null;
    const units = files.flatMap((file) => owners.get(file) ?? []);
    const cargoOnly = files.filter((file) => held.cargoOnly.has(file));
    // A source that no unit names may be the module whose absence the last compile complained about.
    if (units.length === 0 && cargoOnly.length === 0 && !viaCargo && !compiler.pending()) return;
    emit({ event: 'change', files });
    requireKept(held);
    inlined.begin(files);
    viaCargo ||= cargoOnly.length > 0;
    if (viaCargo) {
      const replay = await throughCargo(cargoOnly);
      if (replay === null) return;
      viaCargo = false;
      for (const unit of held.graph.units) context.patcher()?.compiled(unit);
      compiler.markChanged(replay);
    }
    compiler.markChanged(units);
    const before = context.patcher();
    if (before === null || stopped) return;
    for (const outcome of await before.followOpened(units)) await tell(outcome, null);
    if (stopped) return;
    const early = earlyPatches({
      directories: held.incremental,
      patcher: before,
      link: compiler.linkInputs,
      savedAt,
      emit,
    });
    try {
      await finish(early, await compiler.compile(early.watch), savedAt);
    } catch (error) {
      if (!stopped) await early.takeBack();
      throw error;
    } finally {
      inlined.end();
    }
  };

  /** All is compiled, or rustc found errors: patches what is not live yet and tells of it. */
  const finish = async (early: EarlyPatches, compiled: CompileResult, savedAt: number | null): Promise<void> => {
    const endedAt = performance.now();
    follow();
    for (const unit of compiled.units) context.patcher()?.compiled(unit);
    if (stopped) return;
    if (compiled.kind === 'errors') {
      await early.takeBack();
      return emit({ event: 'compile-error', rendered: compiled.rendered });
    }
    const patcher = context.patcher();
    if (patcher === null) return;
    if (early.complete()) return early.confirm(compiled.ms, endedAt);
    const scan = patcher.scan();
    // Told while the program answers: whoever listens would run just when the patch is made.
    const patching = patcher.patch(scan, compiler.linkInputs());
    early.tellCompiled({ ...compiled, crates: compiled.units.map(({ crate }) => crate) }, scan.changed);
    const outcome = await patching;
    if (outcome.kind === 'refused') await early.takeBack();
    // A library's early patch was all of the change.
    if (outcome.kind !== 'unchanged' || early.pending.length === 0) await tell(outcome, savedAt);
    early.confirm(compiled.ms, endedAt);
  };

  /** The units to compile after cargo's build; null when the change ends there. */
  const throughCargo = async (files: readonly string[]): Promise<readonly string[] | null> => {
    const what = files.length === 0 ? 'the last build by cargo failed' : `rustc alone does not see ${files.join(', ')}`;
    emit({ event: 'note', code: 'IPBP5011', message: `${what}: building with cargo` });
    const rebuilt = await context.rebuild();
    if (stopped) return null;
    forgetGenerated();
    switch (rebuilt.kind) {
      case 'errors':
        emit({ event: 'compile-error', rendered: rebuilt.rendered });
        return null;
      case 'refused':
        viaCargo = false;
        await context.refuse(rebuilt.items);
        return null;
      case 'ok':
        return rebuilt.replay;
    }
  };

  /** What build scripts wrote while cargo built was compiled by it. */
  const forgetGenerated = (): void => {
    const outputs = held.graph.units.flatMap(({ env }) => (env['OUT_DIR'] === undefined ? [] : [`${env['OUT_DIR']}/`]));
    const generated = [...owners.keys()].filter((file) => outputs.some((output) => file.startsWith(output)));
    watcher.known(generated);
    for (const file of generated) changed.delete(file);
  };

  return {
    get directories() {
      return watcher.directories();
    },
    catchUp: () => context.exclusively(step),
    stop() {
      stopped = true;
      watcher.stop();
    },
  };
}

/** Tells what became of a change. `savedAt`: when it was saved (`performance.now()`), where that is known. */
export function outcomeTeller(
  context: Pick<FollowContext, 'emit' | 'refuse'>,
): (outcome: PatchOutcome, savedAt: number | null) => Promise<void> {
  return async (outcome, savedAt) => {
    switch (outcome.kind) {
      case 'unchanged':
        return context.emit({ event: 'unchanged', reason: outcome.reason });
      case 'refused':
        return context.refuse(outcome.items);
      case 'patched':
        return context.emit({
          event: 'patched',
          ...outcome.event,
          sinceSaveMs: savedAt === null ? null : performance.now() - savedAt,
        });
    }
  };
}

/** Throws IPBP5031 when what the session keeps of the program is gone. */
export function requireKept({ keptExecutable }: Held): void {
  if (existsSync(keptExecutable)) return;
  throw new IpbpError('IPBP5031', 'the target directory was cleaned while the program runs', { where: keptExecutable });
}

/** Source file → keys of the units that read it. */
function sourceOwners(held: Held): Map<string, string[]> {
  const owners = new Map<string, string[]>();
  for (const unit of held.graph.units) {
    for (const file of sourceFiles(unit)) owners.set(file, [...(owners.get(file) ?? []), unit.key]);
  }
  return owners;
}

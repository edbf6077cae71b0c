// The patches of one change that go live before its compile is over: that of the last crate as soon as its objects are
// final, and that of a library whose functions' bodies changed while the crates that use it are still compiled. When
// all is compiled they are confirmed; when something fails they are taken back. What is told of the rest of a change
// is follow.ts.
import type { Untimed } from '../events.js';
import type { CompileWatch, EarlyObjects } from '../compile/compile.js';
import type { LinkInputs } from '../cargo/link-arguments.js';
import type { Patcher } from './patcher.js';

export interface EarlyPatches {
  readonly watch: CompileWatch;
  /** Tells what was compiled since this was last told, if anything. `objects` are those that differ now. */
  tellCompiled(compiled: Compiled, objects: number): void;
  /** Numbers of the patches that are live and not confirmed, oldest first. */
  readonly pending: readonly number[];
  /** The last crate's objects are live: when its rustc ends well, nothing is left to do. Throws what went wrong. */
  complete(): boolean;
  /** All was compiled and is live: says so of the patches that were early. */
  confirm(ms: number, endedAt: number): void;
  /** Takes them back, newest first: some of the change did not compile, or was refused. */
  takeBack(): Promise<void>;
}

/** All that was compiled for a change until now. */
type Compiled = Pick<EarlyObjects, 'ms' | 'rendered' | 'crates'>;

export interface EarlyContext {
  readonly directories: ReadonlyMap<string, string>;
  readonly patcher: Patcher;
  readonly link: () => LinkInputs | null;
  /** `performance.now()` of the first save. */
  readonly savedAt: number | null;
  readonly emit: (event: Untimed) => void;
}

/** For one change. */
export function earlyPatches({ directories, patcher, link, savedAt, emit }: EarlyContext): EarlyPatches {
  const pending: number[] = [];
  let told: Compiled = { ms: 0, rendered: '', crates: [] };
  let complete = false;
  let failure: { readonly error: unknown } | null = null;

  const tellCompiled = ({ ms, rendered, crates }: Compiled, objects: number): void => {
    if (crates.length === told.crates.length) return;
    emit({
      event: 'compiled',
      ms: ms - told.ms,
      objects,
      crates: crates.slice(told.crates.length),
      // What rustc says is only ever added to.
      rendered: rendered.slice(told.rendered.length),
    });
    told = { ms, rendered, crates };
  };

  const commit = async ({ unit, remaining, ...compiled }: EarlyObjects): Promise<void> => {
    patcher.compiled(unit);
    // A crate that was edited too may fit only with what it itself becomes.
    if (remaining === 'changed') return;
    const last = remaining === 'nothing';
    const scan = patcher.scan();
    const patching = patcher.patchEarly(scan, link(), !last);
    if (patching === null) return;
    // Told while the program answers: whoever listens would run just when the patch is made.
    tellCompiled(compiled, scan.changed);
    const outcome = await patching;
    // What the program did not take is tried once more, and told, when all is compiled.
    if (outcome.kind !== 'patched') return;
    const sinceSaveMs = savedAt === null ? null : performance.now() - savedAt;
    emit({ event: 'patched', ...outcome.event, sinceSaveMs, confirmed: false });
    pending.push(outcome.event.patch);
    complete = last;
  };

  return {
    watch: {
      directories,
      onObject: (unit, name, object) => patcher.stage(unit.key, name, object),
      async onObjectsFinal(objects) {
        try {
          await commit(objects);
        } catch (error) {
          failure = { error };
        }
      },
    },
    tellCompiled,
    pending,
    complete() {
      if (failure !== null) throw failure.error;
      return complete;
    },
    confirm(ms, endedAt) {
      if (pending.length === 0) return;
      const sinceSaveMs = savedAt === null ? null : endedAt - savedAt;
      emit({ event: 'confirmed', patches: pending.splice(0), ms, sinceSaveMs });
    },
    async takeBack() {
      patcher.unstage();
      while (pending.pop() !== undefined) {
        const outcome = await patcher.takeBack();
        if (outcome === null) return;
        if ('patch' in outcome) {
          emit({ event: 'undone', ...outcome });
          continue;
        }
        // It stays, and with it all before it: the next change is compared with what runs.
        pending.length = 0;
        const why = outcome.items.map(({ message }) => message).join('; ');
        const message = `a patch that went live before its change was compiled could not be taken back: ${why}`;
        emit({ event: 'note', code: 'IPBP5040', message });
      }
    },
  };
}

// Runs a recorded rustc command again with a recorder for a linker: the incremental directory is new afterwards, what
// cargo wrote is as it was; a library's rlib and rmeta are kept apart (own-outputs.ts). `-C linker` is not tracked by
// rustc, so nothing is recompiled for it; any other changed argument could be, so none is changed. The order of units
// is in compile.ts.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { readDiagnostics } from './diagnostics.js';
import { cargoBuilds, cargoChecks, makeStale, profileLock, waitForCargo } from '../cargo/freshness.js';
import { readLinkInputs, type LinkInputs } from '../cargo/link-arguments.js';
import type { Around, OwnOutputs } from './own-outputs.js';
import { watchReplay, type ClosedObject } from './replay-watch.js';
import type { FileLock, Spawner } from './spawner.js';
import { idleToolsBeside } from '../cargo/scripts.js';
import { isApple } from '../cargo/target-triple.js';
import { optionValues, type Unit } from '../cargo/unit.js';

export interface ReplayContext {
  readonly spawner: Spawner;
  readonly recorder: string;
  /** `<target>/ipbp/units`. */
  readonly units: string;
  /** For recordings. */
  readonly directory: string;
  readonly color: boolean;
}

/** What a compiler adds. */
export interface ReplayOutputs extends ReplayContext {
  readonly outputs: OwnOutputs;
  /** The units before this one: what it uses is among them. */
  readonly earlier: readonly Unit[];
}

export type ReplayResult =
  | {
      readonly kind: 'ok';
      readonly ms: number;
      /** Warnings as rustc prints them. */
      readonly rendered: string;
      /** What rustc would have linked; null for what is not linked, or for crates to link against. */
      readonly link: LinkInputs | null;
    }
  | { readonly kind: 'errors'; readonly ms: number; readonly rendered: string };

/** Told of a replay before it ends, where the system lets directories be watched. See replay-watch.ts. */
export interface EarlyNews {
  /** The unit's `incremental/<crate>-<id>`. */
  readonly directory: string;
  onObject(name: string, object: ClosedObject): void;
  /** All objects are final; rustc has yet to call its linker and to end. */
  onFinished(finished: FinishedObjects): void;
}

/** What is known of a replay when its objects are final. */
export interface FinishedObjects {
  /** rustc's time until now. */
  readonly ms: number;
  readonly rendered: string;
}

/** Variables of the session that must not reach rustc: cargo's jobserver is not there, and the wrapper is ours. */
const NOT_FOR_RUSTC = ['CARGO_MAKEFLAGS', 'MAKEFLAGS', 'RUSTC_WRAPPER'];

/** Replays one unit. Throws IPBP5010 when rustc fails without an error message of its own. */
export async function replay(unit: Unit, context: ReplayOutputs, news: EarlyNews | null = null): Promise<ReplayResult> {
  const recording = join(context.directory, `link-${unit.key}`);
  rmSync(recording, { force: true });
  const around = context.outputs.around(unit, context.earlier);
  // Metadata of a dylib is in the library itself: what depends on it needs that linked.
  const isRecorded = !unit.crateTypes.includes('dylib');
  const start = performance.now();
  let messages = (): string => '';
  const watching =
    news === null
      ? null
      : watchReplay(unit, news.directory, {
          onObject: (name, object) => news.onObject(name, object),
          onFinished() {
            const ms = performance.now() - start;
            const { rendered, hasErrors } = readDiagnostics(messages(), context.color);
            if (!hasErrors) news.onFinished({ ms, rendered });
          },
        });
  const job = context.spawner.start({
    program: unit.rustc,
    args: isRecorded ? [...unit.args, '-C', `linker=${context.recorder}`, ...unstripped(unit)] : unit.args,
    cwd: unit.cwd,
    env: { ...unit.env, ...pathOf(isRecorded, context), IPBP_LINK_ARGUMENTS: recording },
    unset: NOT_FOR_RUSTC,
    locks: locksOf(unit, context.units, around !== null),
    ...(around === null ? {} : { around }),
  });
  messages = () => job.messages();
  const result = await job.ended.finally(() => watching?.stop());
  const ms = performance.now() - start;
  if (around?.wasUnlocked() === true) reclaim(around);
  const link = readLinkInputs(recording, unit.cwd, unit.crate);
  const { rendered, hasErrors, other } = readDiagnostics(result.stderr, context.color);
  // Once the linker is called all is compiled; what fails after it (packing debug information) misses its output.
  if (result.status !== 0 && link === null) {
    if (hasErrors) return { kind: 'errors', ms, rendered };
    throw new IpbpError('IPBP5010', `rustc ended with status ${result.status}`, {
      where: `crate ${unit.crate}`,
      ...(other === '' ? {} : { because: [other.trim()] }),
    });
  }
  return {
    kind: 'ok',
    ms,
    rendered: result.status === 0 ? rendered : '',
    link: unit.kind === 'bin' || unit.crateTypes.includes('cdylib') ? link : null,
  };
}

/**
 * Where stripping is no matter of the linker (macOS) rustc does it afterwards, to the user's own file of before. Not tracked
 * by rustc either.
 */
function unstripped(unit: Unit): readonly string[] {
  const [target] = optionValues(unit.args, '--target');
  const apple = target === undefined ? process.platform === 'darwin' : isApple(target);
  return apple ? ['-C', 'strip=none'] : [];
}

function pathOf(isRecorded: boolean, { recorder }: ReplayContext): Readonly<Record<string, string>> {
  return isRecorded ? { PATH: `${idleToolsBeside(recorder)}:${process.env['PATH'] ?? ''}` } : {};
}

/** Libraries are written in place: nobody else may do so at the same time, nor read them half written or ours. */
function locksOf(unit: Unit, units: string, touchesLibraries: boolean): FileLock[] {
  return [
    // Other sessions' replays may use the same libraries.
    { file: `${units}.lock`, shared: !touchesLibraries, wait: true },
    // Another session may follow the same unit.
    { file: join(units, unit.key, 'lock'), shared: false, wait: true },
    // No cargo begins to build while a library is in place that it would link. One that only checks may hold the lock
    // for long, and does no harm.
    ...(touchesLibraries ? [{ file: profileLock(unit), shared: true, wait: !cargoChecks(unit) }] : []),
  ];
}

/**
 * A cargo that began to build in spite of the lock (there was no flock(1), or one that only checked held it) may take
 * our library for its own: it gets another chance.
 */
function reclaim({ units }: Around): void {
  for (const unit of units) {
    if (!cargoBuilds(unit)) continue;
    void waitForCargo([unit], () => false).then(() => {
      makeStale(unit);
    });
  }
}

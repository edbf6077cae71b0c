// Runs a recorded rustc command again with a recorder for a linker: the incremental directory and (for libraries)
// rlib and rmeta are new afterwards, the executable is untouched. `-C linker` is not tracked by rustc, so nothing is
// recompiled for it; any other changed argument could be, so none is changed. The order of units is in compile.ts.
import { readFileSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { readDiagnostics } from './diagnostics.js';
import { ageDepInfo } from '../cargo/freshness.js';
import { readLinkInputs, type LinkInputs } from '../cargo/link-arguments.js';
import { watchReplay } from './replay-watch.js';
import type { Spawner } from './spawner.js';
import { outputsOf, type Unit } from '../cargo/unit.js';

export interface ReplayContext {
  readonly spawner: Spawner;
  readonly recorder: string;
  /** For recordings. */
  readonly directory: string;
  readonly color: boolean;
}

export type ReplayResult =
  | {
      readonly kind: 'ok';
      readonly ms: number;
      /** Warnings as rustc prints them. */
      readonly rendered: string;
      /** What rustc would have linked; null for libraries. */
      readonly link: LinkInputs | null;
      /** A library's metadata is other than before: what depends on it has to be compiled again. */
      readonly interfaceChanged: boolean;
    }
  | { readonly kind: 'errors'; readonly ms: number; readonly rendered: string };

/** Told of a replay before it ends, where the system lets directories be watched. See replay-watch.ts. */
export interface EarlyNews {
  /** The unit's `incremental/<crate>-<id>`. */
  readonly directory: string;
  onObject(name: string, bytes: Uint8Array): void;
  /** All objects are final; rustc has yet to call its linker and to end. */
  onFinished(finished: FinishedObjects): void;
}

/** What is known of a replay when its objects are final. */
export interface FinishedObjects {
  /** rustc's time until now. */
  readonly ms: number;
  readonly rendered: string;
  readonly interfaceChanged: boolean;
}

/** Variables of the session that must not reach rustc: cargo's jobserver is not there, and the wrapper is ours. */
const NOT_FOR_RUSTC = ['CARGO_MAKEFLAGS', 'MAKEFLAGS', 'RUSTC_WRAPPER'];

/** Replays one unit. Throws IPBP5010 when rustc fails without an error message of its own. */
export async function replay(unit: Unit, context: ReplayContext, news: EarlyNews | null = null): Promise<ReplayResult> {
  const recording = join(context.directory, `link-${unit.key}`);
  rmSync(recording, { force: true });
  const before = interfaceHash(unit);
  ageDepInfo(unit);
  // Metadata of a dylib is in the library itself: what depends on it needs that linked.
  const isRecorded = !unit.crateTypes.includes('dylib');
  const interfaceChanged = (): boolean => unit.kind === 'lib' && (before === null || interfaceHash(unit) !== before);
  const start = performance.now();
  let messages = (): string => '';
  const watching =
    news === null || !isRecorded
      ? null
      : watchReplay(unit, news.directory, {
          onObject: (name, bytes) => news.onObject(name, bytes),
          onFinished() {
            const ms = performance.now() - start;
            const { rendered, hasErrors } = readDiagnostics(messages(), context.color);
            if (!hasErrors) news.onFinished({ ms, rendered, interfaceChanged: interfaceChanged() });
          },
        });
  const job = context.spawner.start({
    program: unit.rustc,
    args: isRecorded ? [...unit.args, '-C', `linker=${context.recorder}`] : unit.args,
    cwd: unit.cwd,
    env: { ...unit.env, IPBP_LINK_ARGUMENTS: recording },
    unset: NOT_FOR_RUSTC,
  });
  messages = () => job.messages();
  const result = await job.ended.finally(() => watching?.stop());
  const ms = performance.now() - start;
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
    link: unit.kind === 'bin' ? link : null,
    interfaceChanged: interfaceChanged(),
  };
}

/** Of what dependants are compiled against: the metadata, or where cargo asked for none of its own, the library. */
function interfaceHash(unit: Unit): string | null {
  if (unit.kind !== 'lib') return null;
  const { rmeta, rlib, sharedLibrary } = outputsOf(unit);
  return contentHash(rmeta) ?? contentHash(rlib) ?? contentHash(sharedLibrary);
}

function contentHash(path: string): string | null {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return null;
  }
}

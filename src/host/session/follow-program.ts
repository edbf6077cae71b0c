// One program that runs: its sources are followed, patches get into it (reach.ts) and it is ready. What
// becomes of it then is the session's. Loaded while cargo builds, and with it all of the engine.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IpbpError } from '../../codes/error.js';
import type { RefusedItem } from '../../patch/engine.js';
import type { CargoProject } from '../cargo/cargo-project.js';
import { slotProblems } from '../cargo/slot-environment.js';
import { createCompiler } from '../compile/compile.js';
import { knownArchives } from '../compile/known-archives.js';
import type { Spawner } from '../compile/spawner.js';
import { filesOfRustc, keepWarm } from '../compile/warm-files.js';
import type { SessionOptions, Untimed } from '../events.js';
import { inBackground, type Report } from './background.js';
import type { Held } from './held.js';
import { followBuilds } from './follow-builds.js';
import { followSources, outcomeTeller, type Follower } from './follow.js';
import { whenOpened } from './opened-libraries.js';
import { createPatcher, type Patcher } from './patcher.js';
import type { Expected } from './reach.js';
import type { Rebuilt } from './rebuild.js';
import { refusedBy, unpatchedBecause } from './refused-by.js';
import type { SessionDirectories } from './session-store.js';

/** A program of a session. */
export interface FollowedProgram {
  readonly held: Held;
  readonly follower: Follower;
  /** Null before it is ready, and when it cannot be patched any more. */
  patcher: Patcher | null;
  buildId: string | null;
  readonly close: () => void;
}

/** What a program has of its session. */
export interface ProgramContext {
  readonly held: Held;
  readonly expected: Expected;
  /** The session's. */
  readonly id: string;
  readonly project: CargoProject;
  readonly options: SessionOptions;
  readonly directories: SessionDirectories;
  /** The script that stands in for the linker. */
  readonly recorder: string;
  readonly spawner: Spawner;
  readonly emit: (event: Untimed) => void;
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
  readonly refuse: (items: readonly RefusedItem[]) => Promise<void>;
  readonly rebuild: () => Promise<Rebuilt>;
  /** Numbers go on through restarts. */
  readonly nextPatch: () => number;
  readonly stopping: () => boolean;
  /** False when it has ended. */
  readonly isCurrent: (program: FollowedProgram) => boolean;
}

/** The program's own start comes first. */
const WARM_UP_AFTER_MS = 200;

/** Follows a program that was let go. */
export function followProgram(context: ProgramContext): FollowedProgram {
  const { held, expected, project, options, directories, spawner, emit, exclusively } = context;
  const { session: directory, units } = directories;
  const report: Report = (error) => {
    const { code, message } = refusedBy(error);
    emit({ event: 'note', code, message });
  };
  const compiling = { spawner, recorder: context.recorder, units, directory, color: options.color };
  let opening: NodeJS.Timeout | null = null;
  const warm = keepWarm(() => filesOfRustc(held.graph, held.incremental, spawner), WARM_UP_AFTER_MS);
  const following = {
    held,
    patcher: () => current.patcher,
    emit,
    exclusively(work: () => Promise<void>) {
      const refusing = async (): Promise<void> => {
        warm.rest();
        await work().catch((error: unknown) => context.refuse([refusedBy(error)]));
      };
      inBackground(() => exclusively(refusing), report);
    },
    refuse: context.refuse,
  };
  const compiler = options.noBuild ? null : createCompiler(held, compiling, context.stopping);
  const follower =
    compiler === null
      ? followBuilds({ ...following, archives: knownArchives(held.root, spawner), report })
      : followSources({ ...following, compiler, rebuild: context.rebuild });
  const current: FollowedProgram = {
    held,
    follower,
    patcher: null,
    buildId: null,
    close() {
      follower.stop();
      warm.stop();
      if (opening !== null) clearInterval(opening);
      expected.close();
    },
  };
  const ready = async (): Promise<void> => {
    const { modules, link, told } = await expected.open(held, compiler);
    const { engine } = modules;
    current.buildId = engine.buildId;
    current.patcher = createPatcher(held, modules, link, context.nextPatch, {
      stillInside: (message) => emit({ event: 'note', code: 'IPBP3060', message }),
      report,
      notOpened: (message) => emit({ event: 'note', code: 'IPBP5047', message }),
    });
    emit({
      event: 'ready',
      session: context.id,
      pid: link.pid,
      executable: held.executable,
      buildId: engine.buildId,
      target: project.targetTriple,
      functions: engine.functions,
      ...told,
      crates: held.graph.units.map(({ crate }) => crate),
      watching: follower.directories,
    });
    for (const message of slotProblems(join(directories.units, held.root.key))) {
      emit({ event: 'note', code: 'IPBP2020', message });
    }
    follower.catchUp();
    const { patcher } = current;
    setTimeout(() => inBackground(() => warmUp(patcher), report), WARM_UP_AFTER_MS).unref();
    const tell = outcomeTeller(following);
    opening = whenOpened(
      () => patcher.awaitsLibrary(),
      held,
      link.pid,
      () =>
        following.exclusively(async () => {
          for (const outcome of await patcher.followOpened()) await tell(outcome, null);
        }),
    );
    await link.closed;
    // A program that ends closes its connection a moment before.
    await Promise.race([held.run.exited, sleep(500, undefined, { ref: false })]);
    if (held.run.hasEnded()) return;
    if (!context.isCurrent(current) || context.stopping()) return;
    current.patcher = null;
    emit({
      event: 'note',
      code: 'IPBP4006',
      message: 'the agent closed its connection: the program cannot be patched any more',
    });
  };
  inBackground(ready, (error) => {
    if (!context.isCurrent(current) && error instanceof IpbpError) return;
    emit({ event: 'note', code: refusedBy(error).code, message: unpatchedBecause(error) });
  });
  return current;
}

/** What a warm-up cannot open, the first edit will: it is for that to say so. */
function warmUp(patcher: Patcher): void {
  try {
    patcher.warmUp();
  } catch (error) {
    if (!(error instanceof IpbpError)) throw error;
  }
}

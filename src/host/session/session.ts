// A session: cargo builds the program, it starts with the agent in it, saves become patches until it ends. This file
// owns the life of programs within a session (start, restart, end) and what may be asked of it from outside; a program
// that runs is in follow-program.ts, the way of a change in follow.ts and patcher.ts.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IpbpError } from '../../codes/error.js';
import type { RefusedItem } from '../../patch/engine.js';
import { buildAndHold, type BuildContext } from './build-start.js';
import { readProject, type CargoProject } from '../cargo/cargo-project.js';
import type { CargoRun } from '../cargo/cargo-run.js';
import { openControl, type Control, type ControlledSession } from '../control/control.js';
import type {
  PatchedEvent,
  ProgramExit,
  RefusedEvent,
  SessionEvent,
  SessionOptions,
  UndoneEvent,
  Untimed,
} from '../events.js';
import type { FollowedProgram } from './follow-program.js';
import type { PatchOutcome, Patcher } from './patcher.js';
import { refusedBy } from './refused-by.js';
import { writeScripts } from '../cargo/scripts.js';
import { wantSlots } from '../cargo/slot-environment.js';
import { isApple } from '../cargo/target-triple.js';
import { createQueue } from './queue.js';
import { makeSessionDirectories, openSessionDirectories, removeSession } from './session-store.js';
import { startSpawner } from '../compile/spawner.js';
import { rebuildWithCargo } from './rebuild.js';
import type { Held } from './held.js';
import { chooseReach } from './choose-reach.js';
import type { Expected, ReachContext } from './reach.js';
import { readsTerminal } from './terminal-use.js';

/** A session from its start to its program's end. */
export interface Session extends ControlledSession {
  /** The program's end; where cargo started none, cargo's. Rejects when the build cannot be followed (IPBP5xxx). */
  readonly done: Promise<ProgramExit>;
  /** Ctrl-C came: where nobody but us has got it, all ends. */
  interrupt(): void;
  /** Ends the program (SIGTERM, then SIGKILL after two seconds) or the build; `done` follows. */
  stop(signal?: NodeJS.Signals): void;
}

const KILL_AFTER_MS = 2_000;

/**
 * Reads the project, then builds and runs in the background: the promise resolves when the session can be asked and
 * stopped. Throws IPBP5001, IPBP5002, IPBP5014.
 * @param reading the project of these options, where it is being read already
 */
export async function startSession(
  options: SessionOptions,
  emitEvent: (event: SessionEvent) => void,
  reading: Promise<CargoProject> = readProject(options.directory, options.cargoArguments),
): Promise<Session> {
  const startedAt = performance.now();
  const at = (): number => Math.round((performance.now() - startedAt) * 1000) / 1000;
  const emit = (event: Untimed): void => emitEvent({ ...event, at: at() });
  const told = <E extends SessionEvent>(event: E): E => {
    emitEvent(event);
    return event;
  };
  const project = await reading;
  const id = randomBytes(4).toString('hex');
  const directories = openSessionDirectories(project.buildDirectory, id);
  const scripts = writeScripts(directories.scripts);
  const spawner = startSpawner(directories.session);
  const exclusively = createQueue();

  let run: CargoRun | null = null;
  let program: FollowedProgram | null = null;
  let restarting = false;
  let stopping = false;
  const ending = new AbortController();
  const reachContext: ReachContext = {
    id,
    project,
    options,
    scripts,
    directories,
    note: (code, message) => void emit({ event: 'note', code, message }),
    emit,
  };
  const reach = chooseReach(reachContext);
  const buildContext: BuildContext = { ...reachContext, building: reach, onRun: (started) => (run = started) };
  let generation = 0;
  let patches = 0;

  const killRun = async (signal: NodeJS.Signals): Promise<void> => {
    if (run === null || run.hasEnded()) return;
    run.kill(signal);
    const exited = await Promise.race([run.exited.then(() => true), sleep(KILL_AFTER_MS, false, { ref: false })]);
    if (!exited) run?.kill('SIGKILL');
  };

  /** After `cargo clean`, what builds need of ours has to be there again. */
  const prepareBuild = (): void => {
    makeSessionDirectories(directories);
    writeScripts(directories.scripts);
  };

  /** Builds, starts and follows one program; resolves with its end. */
  const life = async (restartReason: string | null): Promise<ProgramExit> => {
    prepareBuild();
    const expecting = reach.expect();
    expecting.catch(() => {}); // Awaited below, when the program stands ready.
    let held: Held | ProgramExit;
    // The engine is loaded while cargo works: that takes as long as Node's own start.
    const loading = import('./follow-program.js');
    loading.catch(() => {}); // Awaited below.
    try {
      held = await buildAndHold(buildContext, ++generation);
    } catch (error) {
      await closeWhenThere(expecting);
      throw error;
    }
    if (!('graph' in held)) {
      await closeWhenThere(expecting);
      return held;
    }
    let expected: Expected;
    let environment: Readonly<Record<string, string>>;
    try {
      expected = await expecting;
      environment = await expected.admit(held);
    } catch (error) {
      await held.run.turnAway(1);
      throw error;
    }
    await held.run.go(environment);
    if (restartReason !== null) emit({ event: 'restarted', pid: held.pid, reason: restartReason });
    const { followProgram } = await loading;
    const current = followProgram({
      held,
      expected,
      id,
      project,
      options,
      directories,
      recorder: scripts.recorder,
      spawner,
      emit,
      exclusively,
      refuse: async (items) => void (await refuse(held, items)),
      rebuild: () => rebuildWithCargo(buildContext, held, ending.signal),
      nextPatch: () => ++patches,
      stopping: () => stopping,
      isCurrent: (one) => program === one,
    });
    program = current;
    const exit = await held.run.exited;
    current.close();
    program = null;
    return exit;
  };

  const refuse = async (held: Held, items: readonly RefusedItem[]): Promise<RefusedEvent> => {
    const noJump = options.redirect === 'auto' && items.some(({ code }) => code === 'IPBP3001');
    // Where all programs have slots, this function can have none.
    if (noJump && !isApple(project.targetTriple) && wantSlots(join(directories.units, held.root.key))) {
      const message = 'when it is built again, this program gets slots where no jump fits, and takes such edits then';
      emit({ event: 'note', code: 'IPBP3001', message });
    }
    const wanted = await wantsRestart(held, items);
    const event = told<RefusedEvent>({ event: 'refused', at: at(), items, restarting: wanted });
    if (wanted && (await builds())) {
      restarting = true;
      await killRun('SIGTERM');
    }
    return event;
  };

  /** Before a restart, so that a build that fails leaves the program as it is, and the next save is looked at as ever. */
  const builds = async (): Promise<boolean> => {
    prepareBuild();
    const built = await reach.build(ending.signal);
    if (stopping) return false;
    if (built.kind === 'errors') emit({ event: 'compile-error', rendered: built.rendered });
    return built.kind === 'built';
  };

  const wantsRestart = async (held: Held, items: readonly RefusedItem[]): Promise<boolean> => {
    const { onRefusal, askRestart } = options;
    if (stopping || onRefusal === 'continue') return false;
    if (onRefusal === 'restart') return true;
    // A page has to be loaded anew for them in any case.
    if (onRefusal === 'default' && items.every(({ code }) => code === 'IPBP3050')) return true;
    if (askRestart === undefined || !process.stdin.isTTY || readsTerminal(held.pid)) return false;
    return askRestart(items);
  };

  const lives = async (): Promise<ProgramExit> => {
    let reason: string | null = null;
    for (;;) {
      restarting = false;
      const exit: ProgramExit = await life(reason);
      if (!restarting || stopping) {
        emit({ event: 'exit', ...exit });
        return exit;
      }
      reason = 'a change was refused';
    }
  };

  /** Runs `work` on the program in the queue. Throws IPBP5013 where there is none to patch. */
  const onProgram = async <T>(work: (patcher: Patcher, held: Held) => Promise<T>): Promise<T> =>
    exclusively(async () => {
      const current = program;
      if (current?.patcher == null) throw new IpbpError('IPBP5013', 'no program is ready to be patched');
      return work(current.patcher, current.held);
    });

  const tellPatched = async (held: Held, outcome: PatchOutcome): Promise<PatchedEvent | RefusedEvent> => {
    switch (outcome.kind) {
      case 'patched':
        return told<PatchedEvent>({ event: 'patched', at: at(), ...outcome.event, sinceSaveMs: null });
      case 'refused':
        return told<RefusedEvent>({ event: 'refused', at: at(), items: outcome.items, restarting: false });
      case 'unchanged':
        return refuse(held, [{ code: 'IPBP5013', name: '', message: outcome.reason, because: [] }]);
    }
  };

  const stop = (signal: NodeJS.Signals = 'SIGTERM'): void => {
    stopping = true;
    ending.abort();
    // What prevents it ends the session: `done` tells of it.
    killRun(signal).catch(() => {});
  };

  const session: Omit<Session, 'done'> = {
    id,
    apply: (file) => onProgram(async (patcher, held) => tellPatched(held, await patcher.applyFile(file))),
    undo: (n = 1) =>
      onProgram(async (patcher) => {
        const events: (UndoneEvent | RefusedEvent)[] = [];
        for (let i = 0; i < n; i++) {
          const undone = await patcher.undo();
          if (undone === null) break;
          if ('items' in undone) {
            events.push(told<RefusedEvent>({ event: 'refused', at: at(), items: undone.items, restarting: false }));
            break;
          }
          events.push(told<UndoneEvent>({ event: 'undone', at: at(), ...undone }));
        }
        if (events.length === 0) throw new IpbpError('IPBP5013', 'there is no patch to undo');
        return events;
      }),
    redo: (n = 1) =>
      onProgram(async (patcher, held) => {
        const events: (PatchedEvent | RefusedEvent)[] = [];
        for (let i = 0; i < n; i++) {
          const outcome = await patcher.redo();
          if (outcome === null) break;
          events.push(await tellPatched(held, outcome));
          if (outcome.kind !== 'patched') break;
        }
        if (events.length === 0) throw new IpbpError('IPBP5013', 'there is no patch to redo');
        return events;
      }),
    status: () => ({
      id,
      directory: options.directory,
      pid: program?.held.pid ?? null,
      executable: program?.held.executable ?? null,
      buildId: program?.buildId ?? null,
      target: project.targetTriple,
      crates: program?.held.graph.units.map(({ crate }) => crate) ?? [],
      patches: program?.patcher?.records() ?? [],
      at: at(),
    }),
    interrupt() {
      if (!reach.hasProcess) stop('SIGINT');
    },
    stop,
  };
  let control: Control | null = null;
  try {
    control = await openControl(session);
  } catch (error) {
    // The program runs without it; only `ipbp apply` and its like do not find it.
    const { code, message } = refusedBy(error);
    emit({ event: 'note', code, message });
  }
  const done = lives().finally(async () => {
    ending.abort();
    control?.close();
    await reach.close();
    await spawner.stop();
    removeSession(directories.session);
  });
  return { ...session, done };
}

/** A build that came to nothing needs none of it; that this has its own trouble does not matter then. */
async function closeWhenThere(expecting: Promise<Expected>): Promise<void> {
  await expecting.then(
    (expected) => expected.close(),
    () => {},
  );
}

// A session: cargo builds the program, it starts with the agent in it, saves become patches until it ends. This file
// owns the life of programs within a session (start, restart, end) and what may be asked of it from outside; the way of a
// change is in follow.ts and patcher.ts.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IpbpError } from '../../codes/error.js';
import { CODES } from '../../codes/table.js';
import type { RefusedItem } from '../../patch/engine.js';
import { openLiveEngine } from '../../patch/live-engine.js';
import type { AgentConnection } from '../agent/agent-connection.js';
import { expectAgent, type AgentExpected } from '../agent/agent-start.js';
import { buildAndHold, type BuildContext, type Held } from './build-start.js';
import { cargoBuild } from '../cargo/cargo-build.js';
import { readProject } from '../cargo/cargo-project.js';
import type { CargoRun } from '../cargo/cargo-run.js';
import { createCompiler } from '../compile/compile.js';
import { knownArchives } from '../compile/known-archives.js';
import { openControl, type Control, type ControlledSession } from '../control/control.js';
import type { PatchedEvent, ProgramExit, RefusedEvent, SessionEvent, SessionOptions, UndoneEvent } from '../events.js';
import { createQueue } from './queue.js';
import { followBuilds } from './follow-builds.js';
import { followSources, refusedBy, type Follower, type Untimed } from './follow.js';
import { inputFile, mappedLibrary } from './kept-files.js';
import { createPatcher, type PatchOutcome, type Patcher } from './patcher.js';
import { writeScripts } from '../cargo/scripts.js';
import { slotProblems, wantSlots } from '../cargo/slot-environment.js';
import { makeSessionDirectories, openSessionDirectories, removeSession } from './session-store.js';
import { startSpawner } from '../compile/spawner.js';
import { filesOfRustc, keepWarm } from '../compile/warm-files.js';
import { rebuildWithCargo } from './rebuild.js';
import { isStaticProgram } from './static-program.js';
import { readsTerminal } from './terminal-use.js';

/** A session from its start to its program's end. */
export interface Session extends ControlledSession {
  /** The program's end; where cargo started none, cargo's. Rejects when the build cannot be followed (IPBP5xxx). */
  readonly done: Promise<ProgramExit>;
  /** Ends the program (SIGTERM, then SIGKILL after two seconds) or the build; `done` follows. */
  stop(signal?: NodeJS.Signals): void;
}

/** One program of a session. */
interface Program {
  readonly held: Held;
  readonly follower: Follower;
  patcher: Patcher | null;
  buildId: string | null;
  readonly close: () => void;
}

const AGENT_TIMEOUT_MS = 10_000;
/** The program's own start comes first. */
const WARM_UP_AFTER_MS = 200;
const KILL_AFTER_MS = 2_000;

/**
 * Reads the project, then builds and runs in the background: the promise resolves when the session can be asked and
 * stopped. Throws IPBP5001, IPBP5002, IPBP5014.
 */
export async function startSession(
  options: SessionOptions,
  emitEvent: (event: SessionEvent) => void,
): Promise<Session> {
  const startedAt = performance.now();
  const at = (): number => Math.round((performance.now() - startedAt) * 1000) / 1000;
  const emit = (event: Untimed): void => emitEvent({ ...event, at: at() });
  const told = <E extends SessionEvent>(event: E): E => {
    emitEvent(event);
    return event;
  };
  const project = await readProject(options.directory, options.cargoArguments);
  const id = randomBytes(4).toString('hex');
  const directories = openSessionDirectories(project.targetDirectory, id);
  const scripts = writeScripts(directories.scripts);
  const spawner = startSpawner(directories.session);
  const exclusively = createQueue();

  let run: CargoRun | null = null;
  let program: Program | null = null;
  let restarting = false;
  let stopping = false;
  const ending = new AbortController();
  const buildContext: BuildContext = { project, options, scripts, directories, onRun: (started) => (run = started) };
  let generation = 0;
  let patches = 0;

  const killRun = async (signal: NodeJS.Signals): Promise<void> => {
    if (run === null || run.hasEnded()) return;
    run.kill(signal);
    const exited = await Promise.race([run.exited.then(() => true), sleep(KILL_AFTER_MS, false, { ref: false })]);
    if (exited !== true) run?.kill('SIGKILL');
  };

  /** After `cargo clean`, what builds need of ours has to be there again. */
  const prepareBuild = (): void => {
    makeSessionDirectories(directories);
    writeScripts(directories.scripts);
  };

  /** Builds, starts and follows one program; resolves with its end. */
  const life = async (restartReason: string | null): Promise<ProgramExit> => {
    prepareBuild();
    const listening = expectAgent({
      id,
      target: project.targetTriple,
      withFirstThread: options.noAgentThread === true,
      onBuild: () => emit({ event: 'note', code: null, message: 'building the agent (once per rustc)' }),
    });
    listening.catch(() => {}); // Awaited below, when the program stands ready.
    let held: Held | ProgramExit;
    try {
      held = await buildAndHold(buildContext, ++generation);
    } catch (error) {
      await closeWhenListening(listening);
      throw error;
    }
    if (!('graph' in held)) {
      await closeWhenListening(listening);
      return held;
    }
    let listener: AgentExpected;
    try {
      listener = await listening;
    } catch (error) {
      await held.run.turnAway(1);
      throw error;
    }
    // A static program would only hand the agent's environment on to its children.
    const agentless = isStaticProgram(held, project.targetTriple);
    await held.run.go(agentless ? {} : listener.environment);
    if (restartReason !== null) emit({ event: 'restarted', pid: held.pid, reason: restartReason });
    const current = follow(held, listener, agentless);
    program = current;
    const exit = await held.run.exited;
    current.close();
    program = null;
    return exit;
  };

  const follow = (held: Held, listener: AgentExpected, agentless: boolean): Program => {
    const { session: directory, units } = directories;
    const context = { spawner, recorder: scripts.recorder, units, directory, color: options.color };
    let link: AgentConnection | null = null;
    const warm = keepWarm(() => filesOfRustc(held.graph, held.incremental, spawner), WARM_UP_AFTER_MS);
    const following = {
      held,
      patcher: () => current.patcher,
      emit,
      exclusively: (work: () => Promise<void>) =>
        exclusively(() => {
          warm.rest();
          return work().catch(async (error: unknown) => {
            await refuse(held, [refusedBy(error)]);
          });
        }),
      refuse: async (items: readonly RefusedItem[]) => {
        await refuse(held, items);
      },
    };
    const follower = options.noBuild
      ? followBuilds({ ...following, archives: knownArchives(held.root, spawner) })
      : followSources({
          ...following,
          compiler: createCompiler(held, context, () => stopping),
          rebuild: () => rebuildWithCargo(buildContext, held, ending.signal),
        });
    const late = setTimeout(() => {
      const seconds = (options.agentTimeoutMs ?? AGENT_TIMEOUT_MS) / 1000;
      const error = new IpbpError('IPBP5006', `the agent did not connect within ${seconds} s`, {
        where: held.executable,
      });
      emit({ event: 'note', code: error.code, message: error.message });
    }, options.agentTimeoutMs ?? AGENT_TIMEOUT_MS);
    const current: Program = {
      held,
      follower,
      patcher: null,
      buildId: null,
      close() {
        clearTimeout(late);
        follower.stop();
        warm.stop();
        listener.close();
        link?.close();
      },
    };
    const ready = async (): Promise<void> => {
      if (agentless) throw new IpbpError('IPBP5023', 'the executable is linked statically', { where: held.executable });
      // Reading the executable takes as long as the program needs to start: both at once.
      const indexStart = performance.now();
      const engine = openLiveEngine(inputFile(held.executable, held.keptExecutable));
      const indexMs = performance.now() - indexStart;
      link = await listener.connected;
      clearTimeout(late);
      engine.attach(link.program, (path) => mappedLibrary(link?.program.pid ?? 0, path));
      current.buildId = engine.buildId;
      current.patcher = createPatcher(
        held,
        engine,
        link,
        () => ++patches,
        (message) => emit({ event: 'note', code: 'IPBP3060', message }),
      );
      emit({
        event: 'ready',
        session: id,
        pid: link.program.pid,
        executable: held.executable,
        buildId: engine.buildId,
        target: project.targetTriple,
        functions: engine.functions,
        redirect: engine.slots > 0 ? 'slots' : 'jump',
        indexMs,
        crates: held.graph.units.map(({ crate }) => crate),
        watching: follower.directories,
      });
      for (const message of slotProblems(join(directories.units, held.root.key))) {
        emit({ event: 'note', code: 'IPBP2020', message });
      }
      follower.catchUp();
      const { patcher } = current;
      setTimeout(() => warmUp(patcher), WARM_UP_AFTER_MS).unref();
      await link.closed;
      // A program that ends closes its connection a moment before.
      await Promise.race([held.run.exited, sleep(500, undefined, { ref: false })]);
      if (held.run.hasEnded()) return;
      if (program !== current || stopping) return;
      current.patcher = null;
      emit({
        event: 'note',
        code: 'IPBP4006',
        message: 'the agent closed its connection: the program cannot be patched any more',
      });
    };
    ready().catch((error: unknown) => {
      clearTimeout(late);
      if (program !== current && error instanceof IpbpError) return;
      emit({ event: 'note', code: refusedBy(error).code, message: unpatchedBecause(error) });
    });
    return current;
  };

  const refuse = async (held: Held, items: readonly RefusedItem[]): Promise<RefusedEvent> => {
    const noJump = options.redirect === 'auto' && items.some(({ code }) => code === 'IPBP3001');
    if (noJump && wantSlots(join(directories.units, held.root.key))) {
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
    const built = await cargoBuild(project, options, scripts, directories, ending.signal);
    if (stopping) return false;
    if (built.kind === 'errors') emit({ event: 'compile-error', rendered: built.rendered });
    return built.kind === 'built';
  };

  const wantsRestart = async (held: Held, items: readonly RefusedItem[]): Promise<boolean> => {
    const { onRefusal, askRestart } = options;
    if (stopping || onRefusal === 'continue') return false;
    if (onRefusal === 'restart') return true;
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
    stop(signal = 'SIGTERM') {
      stopping = true;
      ending.abort();
      void killRun(signal);
    },
  };
  let control: Control | null = null;
  try {
    control = await openControl(session);
  } catch (error) {
    // The program runs without it; only `ipbp apply` and its like do not find it.
    const { code, message } = refusedBy(error);
    emit({ event: 'note', code, message });
  }
  const done = lives().finally(() => {
    ending.abort();
    control?.close();
    spawner.stop();
    removeSession(directories.session);
  });
  return { ...session, done };
}

/** A build that came to nothing needs no agent; that the agent has its own trouble does not matter then. */
async function closeWhenListening(listening: Promise<AgentExpected>): Promise<void> {
  await listening.then(
    (listener) => listener.close(),
    () => {},
  );
}

/** Why a program that runs cannot be patched, and what would help. */
function unpatchedBecause(error: unknown): string {
  if (!(error instanceof IpbpError)) return refusedBy(error).message;
  const { code, message } = error;
  return `the program runs unpatched: ${message.slice(`${code}: `.length)}. ${CODES[code].remedy}`;
}

/** What a warm-up cannot open, the first edit will: it is for that to say so. */
function warmUp(patcher: Patcher): void {
  try {
    patcher.warmUp();
  } catch (error) {
    if (!(error instanceof IpbpError)) throw error;
  }
}

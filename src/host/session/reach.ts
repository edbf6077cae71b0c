// What differs between kinds of programs in a session's life: how they are built and started, what has to be there
// before they go on, and how patches get into them. Types only; with-agent.ts has programs that are processes,
// with-pages.ts those that are modules for pages, with-wasi.ts those that a runtime starts; choose-reach.ts chooses.
import type { CargoBuilt } from '../cargo/cargo-build.js';
import type { CargoProject } from '../cargo/cargo-project.js';
import type { CargoRun } from '../cargo/cargo-run.js';
import type { Scripts } from '../cargo/scripts.js';
import type { Unit } from '../cargo/unit.js';
import type { Compiler } from '../compile/compile.js';
import type { ReadyEvent, SessionOptions, Untimed } from '../events.js';
import type { Held } from './held.js';
import type { FollowedModules } from './library-engines.js';
import type { ProgramLink } from './program-link.js';
import type { SessionDirectories } from './session-store.js';

/** What a way to reach programs has of its session. */
export interface ReachContext {
  /** The session's. */
  readonly id: string;
  readonly project: CargoProject;
  readonly options: SessionOptions;
  readonly scripts: Scripts;
  readonly directories: SessionDirectories;
  /** Tells what does not keep the program from being started. */
  readonly note: (code: string | null, message: string) => void;
  readonly emit: (event: Untimed) => void;
}

/** How builds come about, and whether one is as it has to be. */
export interface Building {
  /** Builds, and holds what was built until it is let go. */
  start(): CargoRun;
  /** Builds beside the program that runs. `signal` ends it. Throws IPBP5001. */
  build(signal: AbortSignal): Promise<CargoBuilt>;
  /** False where cargo has to link it again, our way. `root` is the unit that was linked. */
  isLinkedRight(executable: string, root: Unit): boolean;
}

/** A way to reach programs, the same for all that a session starts. */
export interface Reach extends Building {
  /** Its programs are processes of their own: Ctrl-C in a terminal reaches them by itself. */
  readonly hasProcess: boolean;
  /** Makes ready for one program, while cargo builds it. */
  expect(): Promise<Expected>;
  /** At the session's end. */
  close(): Promise<void>;
}

/** One program, before it goes on and after. */
export interface Expected {
  /** Gets all ready that the program needs when it goes on; what its environment must hold. */
  admit(held: Held): Promise<Readonly<Record<string, string>>>;
  /** Opens the engine for it, and waits until patches get in. `compiler` is null where others compile. */
  open(held: Held, compiler: Compiler | null): Promise<Reached>;
  close(): void;
}

/** A program that patches get into. */
export interface Reached {
  readonly modules: FollowedModules;
  readonly link: ProgramLink;
  /** What `ready` tells of it. */
  readonly told: Pick<ReadyEvent, 'redirect' | 'indexMs' | 'url'>;
}

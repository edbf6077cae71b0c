// A program that a session follows, and what it is compiled from. Types only; build-start.ts makes it.
import type { UnitGraph } from '../cargo/capture-store.js';
import type { CargoRun } from '../cargo/cargo-run.js';
import type { Unit } from '../cargo/unit.js';
import type { LiveSources } from './live-sources.js';
import type { LiveObjects } from './session-store.js';

/** What a program is compiled from, and how. */
export interface Composition {
  readonly root: Unit;
  readonly graph: UnitGraph;
  /** Unit key → its incremental directory. */
  readonly incremental: ReadonlyMap<string, string>;
  /** Files whose change only cargo can build. */
  readonly cargoOnly: ReadonlySet<string>;
}

/** A program that stands at the gate, and later runs. A build by cargo may change how it is compiled. */
export interface Held extends Composition {
  readonly run: CargoRun;
  readonly pid: number;
  /**
   * The system shows what the process runs, and its threads: Linux does, of its own programs. Of an emulator's process
   * all that would be the emulator's.
   */
  readonly isShown: boolean;
  /** As cargo named it. */
  readonly executable: string;
  /** The session's copy. */
  readonly keptExecutable: string;
  /** The workspace's shared libraries, as cargo named them → the session's copies. */
  readonly keptLibraries: ReadonlyMap<string, string>;
  /** Of each library that the program may open by itself, as cargo named it: its sources when it was built. */
  readonly pluginSources: ReadonlyMap<string, LiveSources>;
  /** What it was linked from. */
  readonly objects: LiveObjects;
  readonly sources: LiveSources;
  /** From now on it is compiled so. */
  follow(composition: Composition): void;
}

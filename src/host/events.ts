// What a session tells whoever watches it, and what it is started with. Types only: the command line prints them
// (as JSON lines they are the contract of docs/cli.md), session.ts makes them.
import type { ItemReport } from '../patch/image/image.js';
import type { RefusedItem } from '../patch/engine.js';

/** A program's way out, as Node reports it: just one of the two is set; neither where it is not our child. */
export interface ProgramExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** How a program's bytes are redirected, and how new ones come in; `auto` is what the machine does best. */
export type RedirectMode = 'jump' | 'slots' | 'auto';
export type DeliverMode = 'map' | 'dylib' | 'auto';

/** What happens when a change cannot be patched in. */
export type RefusalPolicy = 'ask' | 'restart' | 'continue';

/** One function of a patch. */
export interface PatchedFunction {
  /** Demangled; of what was inlined, as the source calls it. */
  readonly name: string;
  /** `inlined`: it was edited and has no code of its own; `reason` names the functions of the patch that hold it. */
  readonly verdict: 'redirected' | 'added' | 'forked' | 'inlined';
  readonly reason?: string;
}

/** One static or thread-local of a patch. */
export interface PatchedDatum {
  /** Demangled. */
  readonly name: string;
  readonly verdict: 'added' | 'kept' | 'initialiser-changed';
  readonly reason?: string;
}

/**
 * Milliseconds per phase; `total` is from the objects on disk to the answer of the program. Less than the sum of the
 * phases where `diff` and `link` were done while rustc still worked.
 */
export interface PatchTimes {
  readonly scan: number;
  readonly diff: number;
  readonly link: number;
  readonly apply: number;
  readonly total: number;
}

export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** What every event carries: milliseconds since the session was started. */
interface At {
  readonly at: number;
}

/** The program runs and can be patched. */
export interface ReadyEvent extends At {
  readonly event: 'ready';
  /** Session's id, as `--session` takes it. */
  readonly session: string;
  /** Of a program that runs in pages: the process that serves them. */
  readonly pid: number;
  readonly executable: string;
  /** Hex; a content hash where the executable has no build id. */
  readonly buildId: string;
  /** Target triple. */
  readonly target: string;
  /** Functions that the index of the executable knows. */
  readonly functions: number;
  /** How changed functions are redirected: through slots where the executable was linked with them. */
  readonly redirect: 'jump' | 'slots';
  readonly indexMs: number;
  /** Where the page is that runs it; of a program that runs in pages. */
  readonly url?: string;
  /** Crates that are followed. */
  readonly crates: readonly string[];
  /** Directories that are watched. */
  readonly watching: readonly string[];
}

/** Sources of a followed crate changed their content. */
export interface ChangeEvent extends At {
  readonly event: 'change';
  readonly files: readonly string[];
}

/** A library whose new code goes live while the crates that use it are compiled has an event of its own. */
export interface CompiledEvent extends At {
  readonly event: 'compiled';
  /** Of rustc until its objects were final (it may still have to end), all these crates together. */
  readonly ms: number;
  /** Object files that differ from what the program runs. */
  readonly objects: number;
  readonly crates: readonly string[];
  /** rustc's warnings as it prints them. */
  readonly rendered: string;
}

export interface CompileErrorEvent extends At {
  readonly event: 'compile-error';
  /** As rustc prints it, colours included when they are wanted. */
  readonly rendered: string;
}

export interface UnchangedEvent extends At {
  readonly event: 'unchanged';
  readonly reason: string;
}

export interface PatchedEvent extends At {
  readonly event: 'patched';
  /** 1, 2, … */
  readonly patch: number;
  readonly functions: readonly PatchedFunction[];
  readonly data: readonly PatchedDatum[];
  /** Of memory that the patch takes in the program. */
  readonly bytes: number;
  readonly ms: PatchTimes;
  /** From the first save of this change; null for `apply` and `redo`. */
  readonly sinceSaveMs: number | null;
  readonly warnings: readonly Warning[];
  /**
   * False when the patch is live although rustc has not ended, or crates that use the changed one are still to be
   * compiled. Then a `confirmed` follows; or an `undone`, when that fails.
   */
  readonly confirmed?: false;
}

/** All of rustc's work for the change of these patches has ended well. */
export interface ConfirmedEvent extends At {
  readonly event: 'confirmed';
  readonly patches: readonly number[];
  /** Of rustc, from its start to its exit, all replays of this change together. */
  readonly ms: number;
  /** From the first save of this change to rustc's exit. */
  readonly sinceSaveMs: number | null;
}

export interface RefusedEvent extends At {
  readonly event: 'refused';
  readonly items: readonly RefusedItem[];
  readonly restarting: boolean;
}

export interface UndoneEvent extends At {
  readonly event: 'undone';
  /** The patch that was taken back. */
  readonly patch: number;
  /** The patch that is the newest live one now; 0 is the program as it was built. */
  readonly now: number;
}

export interface RestartedEvent extends At {
  readonly event: 'restarted';
  readonly pid: number;
  readonly reason: string;
}

/** An instance of a program that runs in pages has come, or has gone. */
export interface PageSeenEvent extends At {
  readonly event: 'page';
  /** Its path, or what it calls itself. */
  readonly name: string;
  readonly kind: 'page' | 'worker' | 'node';
  readonly connected: boolean;
}

/** Something that the person should know and that stops nothing. */
export interface NoteEvent extends At {
  readonly event: 'note';
  readonly code: string | null;
  readonly message: string;
}

export interface ExitEvent extends At, ProgramExit {
  readonly event: 'exit';
}

export type SessionEvent =
  | ReadyEvent
  | ChangeEvent
  | CompiledEvent
  | CompileErrorEvent
  | UnchangedEvent
  | PatchedEvent
  | ConfirmedEvent
  | RefusedEvent
  | UndoneEvent
  | RestartedEvent
  | PageSeenEvent
  | NoteEvent
  | ExitEvent;

/** The item lists of a {@link PatchedEvent} from the engine's one list. */
export type PatchedItems = Pick<PatchedEvent, 'functions' | 'data'>;

/** What {@link SessionEvent}s of a patch say about the engine's items. Verdicts that a kind cannot have are left out. */
export function patchedItems(items: readonly ItemReport[]): PatchedItems {
  const functions: PatchedFunction[] = [];
  const data: PatchedDatum[] = [];
  for (const { name, kind, verdict, reason } of items) {
    const why = reason === undefined ? {} : { reason };
    switch (verdict) {
      case 'redirected':
      case 'forked':
        functions.push({ name, verdict, ...why });
        break;
      case 'kept':
      case 'initialiser-changed':
        data.push({ name, verdict, ...why });
        break;
      case 'added':
        if (kind === 'function') functions.push({ name, verdict, ...why });
        else data.push({ name, verdict, ...why });
        break;
    }
  }
  return { functions, data };
}

/** A program that plain `cargo run` is about to start. */
export interface AttachedProgram {
  readonly pid: number;
  /** Absolute. */
  readonly program: string;
  /** Directory with the fifo `gate` that its runner reads. */
  readonly gate: string;
}

/** What `ipbp run` was told. */
export interface SessionOptions {
  /** Where cargo is run. */
  readonly directory: string;
  /** `cargo run`'s own arguments, as the user gave them (`--release`, `-p`, `--bin`, `--features` …). */
  readonly cargoArguments: readonly string[];
  /** What follows `--`. */
  readonly programArguments: readonly string[];
  readonly onRefusal: RefusalPolicy | 'default';
  readonly redirect: RedirectMode;
  readonly deliver: DeliverMode;
  /** After the start, only follow what others build. */
  readonly noBuild: boolean;
  /** The agent starts its thread with the program's own first one only. */
  readonly noAgentThread?: boolean;
  /** Our stdout carries JSON lines: the program's stdout goes to our stderr. */
  readonly json: boolean;
  /** rustc's diagnostics in colour. */
  readonly color: boolean;
  /** Asked when the policy is `ask`: true to restart. Not called when the program reads the terminal. */
  readonly askRestart?: (items: readonly RefusedItem[]) => Promise<boolean>;
  /** A program that cargo started without us and that waits at its gate (attached-run.ts), instead of one to build. */
  readonly attached?: AttachedProgram;
  /** Of a program that runs in pages: the folder with its page; where it is not given, where projects have it. */
  readonly serve?: string;
  /** A line of shell that makes the page of the module: `trunk build`. */
  readonly buildPage?: string;
  /** The port of its pages; any where it is not given. */
  readonly port?: number;
  /** Of a module: crates of the workspace whose functions can be patched; all where it is not given. */
  readonly patchable?: readonly string[];
  /** How long to wait for the agent after the program started; default 10 000 ms. */
  readonly agentTimeoutMs?: number;
}

/** An event before it gets its time. */
export type Untimed<E extends SessionEvent = SessionEvent> = E extends SessionEvent ? Omit<E, 'at'> : never;

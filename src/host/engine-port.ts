// The engine as a session uses it: one object per running program, so that a session knows nothing of how programs,
// diffs and images are represented. engine-binding.ts makes it from src/patch; tests may make their own.
import type { InputFile, PlanResult } from '../patch/engine.js';
import type { AgentOp, ProgramInfo } from '../patch/frames.js';
import type { PatchImage } from '../patch/image.js';

/** What a patch may take from besides the changed objects. All are read when needed only. */
export interface LinkInputFiles {
  /** Objects of the followed crates that did not change. */
  readonly others: readonly InputFile[];
  /** rlibs, in the linker's order. */
  readonly archives: readonly InputFile[];
}

/** A step of the program's history: what to send, and which patch it is about. */
export interface HistoryStep {
  readonly image: PatchImage;
  readonly ops: readonly AgentOp[];
}

/** A diff, opaque to the session. */
export interface EngineDiff {
  /** Items that differ. */
  readonly count: number;
}

/** One running program and the patches in it. Nothing is live for the engine before it is told so. */
export interface LiveEngine<Diff extends EngineDiff = EngineDiff> {
  /** Hex. */
  readonly buildId: string;
  /** Functions that a patch could redirect. */
  readonly functions: number;
  /**
   * Takes what the agent says of its process. Throws IPBP5007 when that process runs another build.
   * @param library opens a shared library of the process by the path its loader knows
   */
  attach(info: ProgramInfo, library: (path: string) => InputFile): void;
  diff(before: readonly InputFile[], after: readonly InputFile[]): Diff;
  link(diff: Diff, inputs: LinkInputFiles): PlanResult;
  /** A patch file's image. Throws IPBP1xxx when it is malformed, IPBP3xxx when it is for another build. */
  readPatch(file: InputFile): PatchImage;
  transaction(image: PatchImage): readonly AgentOp[];
  /** The process applied it. */
  applied(image: PatchImage): void;
  /** The newest live patch, or null; `undone` after the process took it back. */
  undoStep(): HistoryStep | null;
  undone(): void;
  /** The patch that was undone last, or null. */
  redoStep(): HistoryStep | null;
  redone(): void;
}

/** Opens the executable that runs. Reads all of it. Throws IPBP1xxx and IPBP3xxx. */
export type OpenEngine = (executable: InputFile) => LiveEngine;

// What other programs can import: the pure engine, an explicit list. It needs no Node and runs in a browser too; what
// touches the operating system is the command line's. Nothing inside the project imports this file.

export { CODES, type Code, type CodeEntry } from './codes/table.js';
export { IpbpError, type ErrorDetails } from './codes/error.js';

// Readers: bytes of objects, executables, libraries and archives → one model.
export type {
  Binding,
  FileKind,
  Format,
  LinkedInfo,
  MachineName,
  ObjectFile,
  ObjectSymbol,
  Relocation,
  Section,
  SectionKind,
  Segment,
  SymbolKind,
  TlsTemplate,
  Visibility,
} from './formats/object-file.js';
export { detectFormat, type DetectedFormat } from './formats/detect.js';
export { readObjectFile } from './formats/read-object.js';
export { openArchive, type Archive, type ArchiveMember } from './formats/archive.js';
export { demangle, demangleWithHash } from './formats/symbols/demangle.js';
export {
  describeArchive,
  describeObject,
  type ArchiveDescription,
  type DescribeOptions,
  type ObjectDescription,
} from './formats/describe.js';

// Diff: which functions and data differ between two sets of files, and why.
export type { ChangedItem, InputFile, PlanResult, RefusedItem } from './patch/engine.js';
export { diffFiles, type FileDiff } from './patch/diff/diff-files.js';
export { toChangedItem, type ObjectDiff } from './patch/diff/diff.js';
export type { DiffItem } from './patch/diff/items.js';
export { compareLayouts, toChangedType, type LayoutChange, type LayoutVerdict } from './patch/guard/guard.js';

// Plan: a diff linked against a program → a patch image or a refusal. `openLiveEngine` does all of it for one program;
// the parts serve who has no running program, as build-patch does.
export {
  openLiveEngine,
  type EngineDiff,
  type LinkInputFiles,
  type LiveEngine,
  type OneModuleEngine,
} from './patch/live-engine.js';
export { openBaseProgram, type BaseProgram, type Library } from './patch/program/base-program.js';
export { freshProgram, withPatch, type AppliedPatch, type Program } from './patch/program/program.js';
export { archivesSource } from './patch/program/archive-source.js';
export { DEFAULT_ROOM, planPatch, type PlanRequest, type Room } from './patch/plan.js';

// Patch files, and what an agent is told of one.
export { decodePatchFile, encodePatchFile, isPatchFile, type PatchFile } from './patch/image/image-file.js';
export type { ItemReport, PatchImage } from './patch/image/image.js';
export type { AgentOp, ProgramInfo } from './patch/wire/frames.js';

// What `ipbp run --json` prints, for programs that read it.
export type { SessionEvent } from './host/events.js';

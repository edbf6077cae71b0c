// What other programs can import: the pure engine, an explicit list. It needs no Node and runs in a browser too; what
// touches the operating system is the command line's. Nothing inside the project imports this file.

export { CODES, type Code, type CodeEntry } from './codes/table.js';
export { IpbpError, type ErrorDetails } from './codes/error.js';

export type { LinkedInfo, ObjectFile, ObjectSymbol, Relocation, Section, Segment } from './formats/object-file.js';
export { readObjectFile } from './formats/read-object.js';
export { openArchive, type Archive, type ArchiveMember } from './formats/archive.js';
export { demangle } from './formats/symbols/demangle.js';

export type { ChangedItem, InputFile, PlanResult, RefusedItem } from './patch/engine.js';
export { diffFiles, type FileDiff } from './patch/diff-files.js';
export { toChangedItem, type ObjectDiff } from './patch/diff.js';
export { openLiveEngine, type EngineDiff, type LinkInputFiles, type LiveEngine } from './patch/live-engine.js';
export { decodePatchFile, encodePatchFile } from './patch/image-file.js';
export type { PatchImage } from './patch/image.js';
export type { AgentOp, ProgramInfo } from './patch/frames.js';

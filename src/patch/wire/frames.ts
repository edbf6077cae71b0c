// The messages between host and agent as plain data (docs/protocol.md). Their encoding is in frame-codec.ts, who checks
// tags and order is the connection (host/agent/agent-connection.ts).
import type { Cell, Import, Rebase, SlotCell, TlsInit } from '../image/image.js';

/** Version of the protocol in every frame. */
export const PROTOCOL_VERSION = 3;
/** Most bytes that a frame's length may announce. */
export const MAX_FRAME_LENGTH = 256 * 1024 * 1024;
export const NONCE_LENGTH = 32;
export const TAG_LENGTH = 32;

/** Numbers of the frame types. */
export const FRAME_TYPES = {
  hello: 1,
  challenge: 2,
  proof: 3,
  program: 4,
  transaction: 16,
  done: 17,
  bye: 18,
  reserve: 19,
  reserved: 20,
  look: 21,
  opened: 22,
} as const;
export type FrameType = keyof typeof FRAME_TYPES;

/** One step of a transaction; `at` is relative to the base of module 0 unless a module is named. */
export type AgentOp =
  | { readonly op: 'map'; readonly at: number; readonly length: number }
  /** The bytes of a shared library that stands for `length` bytes at `at`. */
  | { readonly op: 'library'; readonly at: number; readonly length: number; readonly bytes: Uint8Array }
  | { readonly op: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | ({ readonly op: 'word' } & Rebase)
  | { readonly op: 'tls'; readonly at: number; readonly size: 4 | 8; readonly value: number }
  /** `scope`: the module whose scope comes behind the program's, where one does. */
  | ({ readonly op: 'import'; readonly scope?: number } & Import)
  | { readonly op: 'protect'; readonly at: number; readonly length: number; readonly protection: 'r' | 'rw' | 'rx' }
  | ({ readonly op: 'tls-init' } & TlsInit)
  | { readonly op: 'check'; readonly module: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly op: 'unwind'; readonly at: number }
  | ({ readonly op: 'cell' } & Cell)
  | { readonly op: 'init'; readonly at: number }
  | ({ readonly op: 'slot' } & SlotCell)
  /** 8 bytes as they are. */
  | { readonly op: 'renew'; readonly module: number; readonly at: number; readonly word: Uint8Array };

/** A module (executable or library) as the agent sees it in the process. Module 0 is the executable. */
export interface ProgramModule {
  /** The slide: address in memory minus address in the file. */
  readonly base: number;
  readonly identity: { readonly kind: 'build-id' | 'text-sha256'; readonly id: Uint8Array };
  /** As the loader knows it; for messages, and for finding the file, never for identity. */
  readonly path: string;
}

/** What a transaction may hold in a process, beside words of data. */
export interface Abilities {
  /** Pages beside the program (`map`), and frame records in them (`unwind`). */
  readonly pages: boolean;
  readonly libraries: boolean;
  /** Cells over the program's code; without it functions are reached through slots only. */
  readonly code: boolean;
}

/** A range of addresses kept for patches; `at` relative to a module's base. `size` 0: none could be had. */
export interface KeptRange {
  readonly at: number;
  readonly size: number;
}

/** What the agent says of its process once both sides are known to each other. */
export interface ProgramInfo {
  readonly pid: number;
  /** Address space kept free for patches, from module 0's base. */
  readonly reservation: KeptRange;
  /** Where no pages can be mapped in there: others near the program, for what its jumps lead through. */
  readonly beside: KeptRange;
  /** The agent's thread-local room: its offset from the thread pointer (may be negative), size and alignment. */
  readonly tls: { readonly offset: number; readonly size: number; readonly align: number };
  readonly modules: readonly ProgramModule[];
  readonly abilities: Abilities;
  /** What pages of the process are multiples of. */
  readonly pageSize: number;
  /** How many of them were there at the start: the others the program opened by itself. All where it is not given. */
  readonly atStart?: number;
}

/** What the agent keeps for patches of one library, and where that has its thread-locals. */
export interface ModuleRoom {
  /** As those of the executable, from the library's own base. */
  readonly reservation: KeptRange;
  readonly beside: KeptRange;
  /** Offset of the library's thread-locals from the thread pointer; null where it is not known to be one in all threads. */
  readonly threadLocals: number | null;
}

/** Why a transaction was not applied, by the protocol's status numbers; index 0 is success. */
export const TRANSACTION_STATUSES = [
  'applied',
  'bad-frame',
  'mapping-failed',
  'bytes-differ',
  'symbol-not-found',
  'threads-busy',
  'no-tls-room',
  'protection-refused',
] as const;
export type TransactionStatus = (typeof TRANSACTION_STATUSES)[number];

/** A range of the process's addresses that a library stands for, and how much further that lies. */
export interface Moved {
  readonly start: number;
  readonly length: number;
  readonly by: number;
}

/** The agent's answer to a transaction. Anything but `applied` means: nothing was changed. */
export interface TransactionResult {
  readonly patch: number;
  readonly status: TransactionStatus;
  /** How often the threads had to be looked at again because one stood where bytes were to change. */
  readonly retries: number;
  /** For how long a thread that came to a changed entry would have had to wait. */
  readonly heldNanoseconds: number;
  /** What was wrong and where; empty when applied. */
  readonly message: string;
  /** Where the libraries that the transaction brought lie. */
  readonly moved: readonly Moved[];
}

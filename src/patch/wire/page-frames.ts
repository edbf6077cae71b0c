// The messages between host and the agent of a page, a worker or Node (docs/protocol.md, "Pages") as plain data, and
// their frames. One message of a WebSocket is one frame. Who checks tags and order is page-channel.ts.
import { decodeText, encodeText } from '../../bytes/text.js';
import { IpbpError } from '../../codes/error.js';
import { TAG_LENGTH } from './frames.js';

/** In every frame, apart from the version of the other protocol. */
const PAGE_PROTOCOL_VERSION = 0x101;
/** Version, type, sequence number. */
const HEADER_LENGTH = 8;

/**
 * In front of what patches have in memory, 32-bit words at these offsets: a mark, the number of the group, the number of
 * the last patch whose data is there, and the end of it all in pages of 64 KiB.
 */
export const ARENA_HEADER = { length: 16, mark: 0x69706270, group: 4, written: 8, end: 12 } as const;

/** Numbers of the frame types; those of the handshake are the other protocol's. */
const PAGE_FRAME_TYPES = {
  hello: 1,
  challenge: 2,
  proof: 3,
  page: 32,
  ready: 33,
  patch: 34,
  undo: 35,
  done: 36,
  reserve: 37,
  reserved: 38,
  trap: 39,
  reload: 40,
  redo: 41,
} as const;
export type PageFrameType = keyof typeof PAGE_FRAME_TYPES;
const TYPE_NAMES = new Map<number, PageFrameType>(
  Object.entries(PAGE_FRAME_TYPES).map(([name, number]) => [number, name as PageFrameType]),
);

/** Bytes of memory from `at` to `end`. */
export interface MemoryRange {
  readonly at: number;
  readonly end: number;
}

/** What the agent says of the instance that it is in. */
export interface PageInfo {
  readonly kind: 'page' | 'worker' | 'node';
  /** How messages call it. */
  readonly name: string;
  /** Of the module, as it stands in the module. */
  readonly base: string;
  /** How many steps, patches, undos and redos, it has done: the host goes on from there. */
  readonly steps: number;
  /** What is kept for patches, `ARENA_HEADER` not counted. */
  readonly arena: MemoryRange;
  readonly tableLength: number;
  /** The memory's, that other instances have too: who shares it is in one group. null where it is not shared. */
  readonly group: number | null;
}

/** A patch. Behind it in the frame comes its module. */
export interface PagePatch {
  readonly patch: number;
  readonly base: string;
  /** Slots of the table that the module's active elements fill, and the functions that are then in them. */
  readonly slots: readonly { readonly slot: number; readonly name: string }[];
  /** So long must the table be. */
  readonly tableLength: number;
  /** Where in memory it has data, all of it in the arena; empty for none. */
  readonly memory: MemoryRange;
}

/** The answer to `patch`, `undo` and `redo`. */
export interface PageDone {
  readonly patch: number;
  /** Code and text of what stood in the way; nothing has changed then. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** From the frame's arrival, in ms. */
  readonly ms: number;
}

/** The page runs on after this. */
export interface PageTrap {
  /** The newest patch that has the function; null when no patch has. */
  readonly patch: number | null;
  readonly function: string;
  readonly message: string;
  readonly stack: string;
}

/** What each message carries beside bytes. */
export interface PageMessages {
  readonly page: PageInfo;
  /** The instance has all patches that there are. */
  readonly ready: Record<string, never>;
  readonly patch: PagePatch;
  readonly undo: { readonly patch: number };
  readonly redo: { readonly patch: number };
  readonly done: PageDone;
  /** Room for more data: up to an address in an instance that has just begun, or so many bytes wherever there are some. */
  readonly reserve: { readonly end: number } | { readonly size: number };
  /** null: none could be had. */
  readonly reserved: { readonly range: MemoryRange | null };
  readonly trap: PageTrap;
  readonly reload: { readonly reason: string };
}

/** A frame, opened. In the handshake `text` is null and all is in `bytes`. */
export interface PageFrame {
  readonly type: PageFrameType;
  readonly sequence: number;
  /** The header, not yet read: nothing of a frame is until its tag is known to be right. */
  readonly text: Uint8Array | null;
  readonly bytes: Uint8Array;
  /** What the tag is computed over. */
  readonly signed: Uint8Array;
  readonly tag: Uint8Array;
}

const isHandshake = (type: PageFrameType): boolean => PAGE_FRAME_TYPES[type] < PAGE_FRAME_TYPES.page;

/** A frame up to its tag. Frames of the handshake have no header. */
export function encodePageFrame(
  type: PageFrameType,
  sequence: number,
  header: object | null,
  bytes: Uint8Array,
): Uint8Array {
  const text = header === null ? new Uint8Array(0) : encodeText(JSON.stringify(header));
  const start = isHandshake(type) ? HEADER_LENGTH : HEADER_LENGTH + 4;
  const frame = new Uint8Array(start + text.length + bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint16(0, PAGE_PROTOCOL_VERSION, true);
  view.setUint16(2, PAGE_FRAME_TYPES[type], true);
  view.setUint32(4, sequence, true);
  if (!isHandshake(type)) view.setUint32(HEADER_LENGTH, text.length, true);
  frame.set(text, start);
  frame.set(bytes, start + text.length);
  return frame;
}

function malformed(what: string, expected: string, actual: number): never {
  throw new IpbpError('IPBP4001', `a message is malformed: ${what}`, { expected, actual: `${actual}` });
}

/**
 * Opens a frame.
 * @throws IpbpError IPBP4001 when it is malformed, IPBP4002 when it is of another version.
 */
export function decodePageFrame(frame: Uint8Array): PageFrame {
  if (frame.length < HEADER_LENGTH) malformed('it is too short', `at least ${HEADER_LENGTH} bytes`, frame.length);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const version = view.getUint16(0, true);
  if (version !== PAGE_PROTOCOL_VERSION) {
    const facts = { expected: `${PAGE_PROTOCOL_VERSION}`, actual: `${version}` };
    throw new IpbpError('IPBP4002', 'the other side speaks another version of the protocol', facts);
  }
  const number = view.getUint16(2, true);
  const type = TYPE_NAMES.get(number) ?? malformed('unknown type', 'one of the protocol', number);
  const sequence = view.getUint32(4, true);
  if (isHandshake(type)) {
    const bytes = frame.subarray(HEADER_LENGTH);
    return { type, sequence, text: null, bytes, signed: frame, tag: new Uint8Array(0) };
  }
  const start = HEADER_LENGTH + 4;
  const end = frame.length - TAG_LENGTH;
  if (end < start) malformed('it is too short', `at least ${start + TAG_LENGTH} bytes`, frame.length);
  const length = view.getUint32(HEADER_LENGTH, true);
  if (length > end - start) malformed('its header is longer than it is', `at most ${end - start}`, length);
  const text = frame.subarray(start, start + length);
  const bytes = frame.subarray(start + length, end);
  return { type, sequence, text, bytes, signed: frame.subarray(0, end), tag: frame.subarray(end) };
}

/**
 * The header of a frame.
 * @throws IpbpError IPBP4001 when it is none.
 */
export function decodePageHeader(text: Uint8Array): object {
  try {
    const header: unknown = JSON.parse(decodeText(text));
    if (typeof header === 'object' && header !== null) return header;
  } catch (cause) {
    throw new IpbpError('IPBP4001', 'a message is malformed: its header is no JSON', { cause });
  }
  throw new IpbpError('IPBP4001', 'a message is malformed: its header is no object');
}

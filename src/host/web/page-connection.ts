// The host's end of the connection to one page, worker or program in Node: asks for one thing after the other and takes
// the answers (docs/protocol.md, "Pages"). What is asked for is page-host.ts's.
import { IpbpError } from '../../codes/error.js';
import { demangle } from '../../formats/symbols/demangle.js';
import type { PageMessage } from '../../patch/wire/page-channel.js';
import { PageChannel } from '../../patch/wire/page-channel.js';
import type {
  MemoryRange,
  PageDone,
  PageInfo,
  PageMessages,
  PagePatch,
  PageTrap,
} from '../../patch/wire/page-frames.js';
import { createHmac, randomBytes } from 'node:crypto';

/** Who is at the other end, after both sides have proven the token. */
export interface PageConnection {
  readonly info: PageInfo;
  /** Rejects with IPBP4006 when the connection ends before the answer. Calls wait for one another. */
  patch(patch: PagePatch, bytes: Uint8Array): Promise<PageDone>;
  undo(patch: number): Promise<PageDone>;
  redo(patch: number): Promise<PageDone>;
  reserve(wanted: PageMessages['reserve']): Promise<MemoryRange | null>;
  /** It has all that there is. */
  ready(): void;
  reload(reason: string): void;
  close(): void;
}

/** What carries the messages. */
export interface PageSocket {
  send(frame: Uint8Array): void;
  close(): void;
}

/** What the connection tells. */
export interface ConnectionEvents {
  readonly opened: (connection: PageConnection) => void;
  readonly trapped: (trap: PageTrap) => void;
  /** Once; `error` where what came was wrong. */
  readonly ended: (error: IpbpError | null) => void;
}

interface Waiting {
  readonly type: 'done' | 'reserved';
  readonly resolve: (header: never) => void;
  readonly reject: (error: IpbpError) => void;
}

/** The ends of a connection that messages and its end are given to. */
export interface PageInput {
  message(data: Uint8Array): void;
  ended(): void;
}

/** Speaks with an agent that has just connected. */
export function welcomePage(socket: PageSocket, token: Uint8Array, events: ConnectionEvents): PageInput {
  const waiting: Waiting[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  let info: PageInfo | null = null;
  let isOver = false;

  const end = (error: IpbpError | null): void => {
    if (isOver) return;
    isOver = true;
    channel.end();
    socket.close();
    const ended = new IpbpError('IPBP4006', 'the connection to the page has ended');
    for (const { reject } of waiting.splice(0)) reject(ended);
    events.ended(error);
  };
  /** In its turn: one question is answered before the next is asked. */
  const ask = <T>(type: Waiting['type'], send: () => void): Promise<T> => {
    const mine = turn.then(
      () =>
        new Promise<T>((resolve, reject) => {
          if (isOver) return reject(new IpbpError('IPBP4006', 'the connection to the page has ended'));
          waiting.push({ type, resolve, reject });
          send();
        }),
    );
    turn = mine.catch(() => undefined);
    return mine;
  };
  const received = ({ type, header }: PageMessage): void => {
    if (type === 'trap') return events.trapped(checkedTrap(header));
    if (type === 'page' && info === null) {
      info = checkedInfo(header);
      return events.opened(connection(info));
    }
    const next = waiting[0];
    if (next?.type !== type) throw new IpbpError('IPBP4004', 'a page sent what nobody asked for', { actual: type });
    waiting.shift();
    next.resolve((type === 'done' ? checkedDone(header) : checkedRange(header)) as never);
  };
  const parts = {
    send: (frame: Uint8Array) => socket.send(frame),
    hmac: (key: Uint8Array, text: Uint8Array): Promise<Uint8Array> => {
      return Promise.resolve(new Uint8Array(createHmac('sha256', key).update(text).digest()));
    },
    token,
    nonce: new Uint8Array(randomBytes(32)),
  };
  const channel = new PageChannel('host', parts, { opened: () => undefined, received, failed: end });
  const connection = (of: PageInfo): PageConnection => ({
    info: of,
    patch: (patch, bytes) => ask('done', () => channel.send('patch', patch, bytes)),
    undo: (patch) => ask('done', () => channel.send('undo', { patch })),
    redo: (patch) => ask('done', () => channel.send('redo', { patch })),
    reserve: (wanted) => ask('reserved', () => channel.send('reserve', wanted)),
    ready: () => channel.send('ready', {}),
    reload: (reason) => channel.send('reload', { reason }),
    close: () => end(null),
  });
  return { message: (data) => channel.receive(data), ended: () => end(null) };
}

function malformed(what: string): never {
  throw new IpbpError('IPBP4001', `a message of the page is malformed: ${what}`);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 100_000;

function isRange(value: unknown): value is MemoryRange {
  const { at, end } = (value ?? {}) as Partial<MemoryRange>;
  return isCount(at) && isCount(end) && at <= end;
}

function checkedInfo(header: PageInfo): PageInfo {
  const { kind, name, base, steps, arena, tableLength, group } = header as Partial<PageInfo>;
  if (kind !== 'page' && kind !== 'worker' && kind !== 'node') malformed('its kind');
  if (!isText(name) || !isText(base)) malformed('its name');
  if (!isCount(steps) || !isRange(arena) || !isCount(tableLength)) malformed('its state');
  if (group !== null && !Number.isInteger(group)) malformed('its group');
  return { kind, name, base, steps, arena, tableLength, group: group ?? null };
}

function checkedDone({ patch, error, ms }: PageDone): PageDone {
  if (!isCount(patch) || typeof ms !== 'number') malformed('an answer');
  if (error === null) return { patch, error, ms };
  if (!isText(error.code) || !isText(error.message)) malformed('an error');
  return { patch, error: { code: error.code, message: error.message }, ms };
}

function checkedRange({ range }: PageMessages['reserved']): MemoryRange | null {
  return range === null || isRange(range) ? range : malformed('a range');
}

function checkedTrap(header: PageTrap): PageTrap {
  const { patch, message, stack } = header;
  if ((patch !== null && !isCount(patch)) || ![header.function, message, stack].every(isText)) malformed('a trap');
  return { patch, function: demangle(header.function), message, stack };
}

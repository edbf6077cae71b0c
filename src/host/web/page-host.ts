// The host of pages: listens for WebSockets on the loopback interface, keeps all that was done, and has every instance that
// connects, also again, do what it has not done yet. Undone patches are part of that: a later one may use their data. Who shares a memory gets a patch one after the other, since the
// first of them writes its data.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { IpbpError } from '../../codes/error.js';
import type { PageDone, PageInfo, PagePatch, PageTrap } from '../../patch/wire/page-frames.js';
import { namesLoopback } from './loopback.js';
import { type PageConnection, welcomePage } from './page-connection.js';

/** How long who connects may take to prove the token, and an instance to answer before it is named, in ms. */
const HANDSHAKE_LIMIT = 10_000;
const ANSWER_LIMIT = 2000;
const LATE = 'IPBP4025';
/** Who is cut off has answered nothing, and gets what it has not when it is back. */
const CUT = 'IPBP4006';
/** Agents send short messages: a stack is the longest part of any. */
const LONGEST_MESSAGE = 1024 * 1024;

/** What an instance made of a patch or an undo. */
export interface PageResult {
  readonly page: PageInfo;
  /** null when it is done. */
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly ms: number | null;
}

/** What goes on. */
export type PageEvent =
  | { readonly event: 'connected' | 'disconnected'; readonly page: PageInfo }
  /** It has all patches, or the first that it does not take. */
  | { readonly event: 'ready'; readonly page: PageInfo; readonly error: PageResult['error'] }
  | { readonly event: 'trapped'; readonly page: PageInfo; readonly trap: PageTrap }
  /** Somebody connected and was sent away. */
  | { readonly event: 'rejected'; readonly error: IpbpError };

/** How to listen. */
export interface PageHostOptions {
  /** 32 bytes that only the pages get to know. */
  readonly token: Uint8Array;
  /** May a page of this origin connect? Programs that are no browsers have none (null). */
  readonly origin: (origin: string | null) => boolean;
  readonly onEvent?: (event: PageEvent) => void;
  /** 0 for any. */
  readonly port?: number;
}

/** The host. */
export interface PageHost {
  /** For the agents. */
  readonly url: string;
  /** Instances that are connected. */
  readonly pages: readonly PageInfo[];
  /**
   * Adds a patch and brings it to all instances; one that has not answered in time is named, and gets it all the same. If
   * there are some and none of them takes it, it is not kept for others.
   */
  add(patch: PagePatch, bytes: Uint8Array): Promise<readonly PageResult[]>;
  /** Takes the last patch back, everywhere; nothing where there is none. */
  undo(): Promise<readonly PageResult[]>;
  /** Brings back what `undo` took back last, with what its statics hold by now; nothing where there is none. */
  redo(): Promise<readonly PageResult[]>;
  /** More room for data in all instances; IPBP4021 where they have none in common. */
  reserve(size: number): Promise<{ readonly at: number; readonly end: number }>;
  /** @param which all where it is not given */
  reload(reason: string, which?: readonly PageInfo[]): void;
  close(): Promise<void>;
}

type Step =
  | { readonly kind: 'patch'; readonly patch: PagePatch; readonly bytes: Uint8Array }
  | { readonly kind: 'undo' | 'redo'; readonly patch: number };

interface Live {
  readonly connection: PageConnection;
  readonly info: PageInfo;
  /** How many steps it has done. */
  steps: number;
  /** The way to the newest state, one thing at a time. */
  work: Promise<PageResult['error']>;
  /** How long the last answer took. */
  ms: number | null;
}

/** Listens. IPBP4009 where the port cannot be had. */
export async function startPageHost(options: PageHostOptions): Promise<PageHost> {
  const steps: Step[] = [];
  const applied: number[] = [];
  const undone: number[] = [];
  const live = new Set<Live>();
  const tell = (event: PageEvent): void => options.onEvent?.(event);
  const server = createServer((_, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LONGEST_MESSAGE, perMessageDeflate: false });
  server.on('upgrade', (request, socket, head) => {
    const why = unwelcome(request, options.origin);
    if (why === null) return sockets.handleUpgrade(request, socket, head, (one) => connected(one));
    tell({ event: 'rejected', error: why });
    socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
  });

  const connected = (socket: WebSocket): void => {
    let mine: Live | null = null;
    const limit = setTimeout(() => socket.terminate(), HANDSHAKE_LIMIT);
    const wire = { send: (frame: Uint8Array) => socket.send(frame), close: () => socket.close() };
    const input = welcomePage(wire, options.token, {
      opened(connection) {
        clearTimeout(limit);
        const { info } = connection;
        mine = { connection, info, steps: info.steps, work: Promise.resolve(null), ms: null };
        live.add(mine);
        tell({ event: 'connected', page: info });
        const one = mine;
        void bringUp(one, steps).then((error) => {
          if (!live.has(one)) return;
          connection.ready();
          tell({ event: 'ready', page: info, error });
        });
      },
      trapped: (trap) => mine !== null && tell({ event: 'trapped', page: mine.info, trap }),
      ended(error) {
        clearTimeout(limit);
        if (error !== null) tell({ event: 'rejected', error });
        if (mine !== null && live.delete(mine)) tell({ event: 'disconnected', page: mine.info });
      },
    });
    socket.on('message', (data, isBinary) => {
      if (isBinary && Buffer.isBuffer(data)) input.message(new Uint8Array(data));
      else socket.terminate();
    });
    // The reason is in 'close', which always follows.
    socket.on('error', () => undefined);
    socket.on('close', () => input.ended());
  };

  const everywhere = async (): Promise<readonly PageResult[]> => {
    const groups = new Map<number | Live, Live[]>();
    for (const one of live) {
      const key = one.info.group ?? one;
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    const results = [...groups.values()].map(async ([first, ...others]) => {
      const led = first === undefined ? [] : [await inTime(first, bringUp(first, steps))];
      return [...led, ...(await Promise.all(others.map((one) => inTime(one, bringUp(one, steps)))))];
    });
    return (await Promise.all(results)).flat();
  };

  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/`,
    get pages() {
      return [...live].map(({ info }) => info);
    },
    async add(patch, bytes) {
      steps.push({ kind: 'patch', patch, bytes });
      applied.push(patch.patch);
      const results = await everywhere();
      if (results.length > 0 && results.every(isRefusal)) {
        steps.pop();
        applied.pop();
      } else undone.length = 0;
      return results;
    },
    undo() {
      const last = applied.pop();
      if (last === undefined) return Promise.resolve([]);
      undone.push(last);
      steps.push({ kind: 'undo', patch: last });
      return everywhere();
    },
    redo() {
      const next = undone.pop();
      if (next === undefined) return Promise.resolve([]);
      applied.push(next);
      steps.push({ kind: 'redo', patch: next });
      return everywhere();
    },
    async reserve(size) {
      const ranges = await Promise.all([...live].map(({ connection }) => connection.reserve({ size })));
      const [first] = ranges;
      if (first !== undefined && first !== null && ranges.every((range) => range?.at === first.at)) return first;
      throw new IpbpError('IPBP4021', 'the pages have no more room at the same addresses');
    },
    reload(reason, which) {
      for (const { connection, info } of live) if (which?.includes(info) !== false) connection.reload(reason);
    },
    close() {
      for (const { connection } of live) connection.close();
      for (const socket of sockets.clients) socket.terminate();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Behind what it is doing: all that it has not done yet, until it does one thing not. */
function bringUp(one: Live, steps: readonly Step[]): Promise<PageResult['error']> {
  one.work = one.work.then(() => follow(one, steps)).catch((error: unknown) => asError(error));
  return one.work;
}

async function follow(one: Live, steps: readonly Step[]): Promise<PageResult['error']> {
  const { connection, info } = one;
  if (one.steps > steps.length)
    return { code: 'IPBP4024', message: 'the page has patches that are not of this session' };
  for (;;) {
    const step = steps[one.steps];
    if (step === undefined) return null;
    const { error, ms } = await (step.kind === 'patch'
      ? bring(connection, info, step)
      : connection[step.kind](step.patch));
    one.ms = ms;
    if (error !== null) return error;
    one.steps++;
  }
}

async function bring(
  connection: PageConnection,
  { arena }: PageInfo,
  { patch, bytes }: Step & { kind: 'patch' },
): Promise<PageDone> {
  if (patch.memory.end > arena.end) await connection.reserve({ end: patch.memory.end });
  return connection.patch(patch, bytes);
}

async function inTime(one: Live, work: Promise<PageResult['error']>): Promise<PageResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<PageResult['error']>((resolve) => {
    const message = `${one.info.name} has not answered in ${ANSWER_LIMIT} ms; it takes the patch when it can`;
    timer = setTimeout(() => resolve({ code: LATE, message }), ANSWER_LIMIT);
  });
  const error = await Promise.race([work, late]);
  clearTimeout(timer);
  return { page: one.info, error, ms: error === null ? one.ms : null };
}

/** One that has not answered yet will take it. */
export function isRefusal({ error }: PageResult): boolean {
  return error !== null && error.code !== LATE && error.code !== CUT;
}

function asError(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof IpbpError) return { code: error.code, message: error.message };
  return { code: 'IPBP4001', message: String(error) };
}

/** A page of somebody else's, in the same browser, can reach the loopback interface, too. */
function unwelcome(request: IncomingMessage, allowed: (origin: string | null) => boolean): IpbpError | null {
  const { origin, host } = request.headers;
  if (!namesLoopback(host)) {
    return new IpbpError('IPBP4003', 'a connection under another name was sent away', { actual: host ?? 'none' });
  }
  if (allowed(origin ?? null)) return null;
  return new IpbpError('IPBP4003', 'a page of another origin was sent away', { actual: origin ?? 'none' });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new IpbpError('IPBP4009', `cannot listen for pages: ${cause.message}`, { cause }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

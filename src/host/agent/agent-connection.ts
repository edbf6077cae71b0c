// The host's end of the wire to one program's agent: listens, makes both sides prove the token, numbers and
// authenticates frames, and hands out transactions (docs/protocol.md). What a transaction holds is not its business.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { IpbpError } from '../../codes/error.js';
import {
  decodeDone,
  decodeFrame,
  decodeFrameLength,
  decodeHello,
  decodeOpened,
  decodeProgram,
  decodeProof,
  decodeReserved,
  encodeChallenge,
  encodeFrame,
  encodeReserve,
  encodeTransaction,
} from '../../patch/wire/frame-codec.js';
import {
  NONCE_LENGTH,
  type AgentOp,
  type FrameType,
  type ModuleRoom,
  type ProgramInfo,
  type TransactionResult,
} from '../../patch/wire/frames.js';

/** How long who connects may take to prove the token, in ms. */
const HANDSHAKE_LIMIT = 10_000;
/** Before the token is proven no frame is longer than this: nobody makes the host keep more. */
const MAX_HANDSHAKE_FRAME = 4096;
/** `sun_path` of unix(7) holds 108 bytes with its end; that of macOS 104. */
const MAX_SOCKET_PATH = process.platform === 'darwin' ? 103 : 107;

/** Why a connection ended: the program or its agent went away, we closed it, or what came was wrong (`error`). */
export interface AgentClosed {
  readonly reason: 'program-ended' | 'closed' | 'protocol-error';
  readonly error: IpbpError | null;
}

/** One program's agent, after both sides have proven the token. */
export interface AgentConnection {
  /** Its modules grow with every look. */
  readonly program: ProgramInfo;
  /** Has the agent look for libraries that the program has opened since. Throws as `transact`. */
  look(): Promise<void>;
  /**
   * Has the agent apply `ops` as one transaction; calls made meanwhile wait for their turn. Resolves also when the agent
   * refuses (see `status`: then nothing was changed).
   * @throws IpbpError IPBP4006 when the connection ends first, IPBP4001/4002/4004/4005 when what comes is wrong (the
   * connection is then closed), IPBP4007 when a value cannot be sent.
   */
  transact(patchNumber: number, ops: readonly AgentOp[]): Promise<TransactionResult>;
  /**
   * Has the agent keep address space for patches of a library, and the library itself if the program opened it. Throws as
   * `transact`.
   * @param module its number in `program.modules`
   */
  reserve(module: number): Promise<ModuleRoom>;
  /** Says goodbye; the program goes on as it is. */
  close(): void;
  /** Resolves once, when the connection has ended. */
  readonly closed: Promise<AgentClosed>;
}

/** Where agents connect. */
export interface AgentListener {
  /** The next agent that proves the token, in order of arrival. Rejects with IPBP4006 when the listener is closed. */
  accept(): Promise<AgentConnection>;
  /** Stops listening; connections that were accepted stay. */
  close(): void;
}

export interface ListenOptions {
  /** Of a Unix socket that does not exist yet, at most 107 bytes. */
  readonly socketPath: string;
  /** 32 bytes that only the program gets to know. */
  readonly token: Uint8Array;
  /** Told of each one that connected and was sent away; the listener goes on. */
  readonly onRejected?: (error: IpbpError) => void;
}

/**
 * Listens on a Unix socket for agents that know the token.
 * @throws IpbpError IPBP4009 when the socket cannot be made.
 */
export async function listenForAgent(options: ListenOptions): Promise<AgentListener> {
  const waiting: { resolve(connection: AgentConnection): void; reject(error: IpbpError): void }[] = [];
  const ready: AgentConnection[] = [];
  const candidates = new Set<Socket>();
  let isClosed = false;
  const server = createServer((socket) => {
    candidates.add(socket);
    welcome(socket, options.token)
      .then((connection) => {
        // No longer one that closing the listener ends.
        candidates.delete(socket);
        const next = waiting.shift();
        if (isClosed) connection.close();
        else if (next === undefined) ready.push(connection);
        else next.resolve(connection);
      })
      .catch((error: unknown) => {
        candidates.delete(socket);
        socket.destroy();
        options.onRejected?.(asIpbpError(error));
      });
  });
  await open(server, options.socketPath);
  return {
    accept: () =>
      new Promise((resolve, reject) => {
        const next = ready.shift();
        if (next !== undefined) resolve(next);
        else if (isClosed) reject(noLongerListening());
        else waiting.push({ resolve, reject });
      }),
    close: () => {
      isClosed = true;
      server.close();
      for (const socket of candidates) socket.destroy();
      for (const connection of ready.splice(0)) connection.close();
      for (const { reject } of waiting.splice(0)) reject(noLongerListening());
    },
  };
}

function open(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(new IpbpError('IPBP4009', `cannot listen for the program: ${cause.message}`, { where: path, cause }));
    };
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
      fail(new Error(`the path has more than ${MAX_SOCKET_PATH} bytes`));
      return;
    }
    server.once('error', fail);
    server.listen(path, () => {
      server.off('error', fail);
      chmodSync(path, 0o600);
      resolve();
    });
  });
}

/** The handshake, then what the agent says of its program. */
async function welcome(socket: Socket, token: Uint8Array): Promise<AgentConnection> {
  const stream = new FrameStream(socket);
  const limit = setTimeout(() => {
    stream.end(new IpbpError('IPBP4003', 'what connected did not prove the token in time'));
  }, HANDSHAKE_LIMIT);
  try {
    const agentNonce = decodeHello(await stream.receive('hello'));
    const hostNonce = randomBytes(NONCE_LENGTH);
    stream.send('challenge', encodeChallenge(hostNonce, hmac(token, 'ipbp host', agentNonce, hostNonce)));
    const proof = decodeProof(await stream.receive('proof'));
    if (!timingSafeEqual(proof, hmac(token, 'ipbp agent', agentNonce, hostNonce))) {
      throw new IpbpError('IPBP4003', 'what connected does not know the token of this session');
    }
    stream.authenticate(hmac(token, 'ipbp session', agentNonce, hostNonce));
    return connectionOf(stream, decodeProgram(await stream.receive('program')));
  } finally {
    clearTimeout(limit);
  }
}

function connectionOf(stream: FrameStream, started: ProgramInfo): AgentConnection {
  let program: ProgramInfo = { ...started, atStart: started.modules.length };
  let last: Promise<unknown> = Promise.resolve();
  stream.acceptOnlyAnswers();
  const exchange = async <T>(send: () => void, answer: () => Promise<T>): Promise<T> => {
    send();
    try {
      return await answer();
    } catch (error) {
      throw stream.end(asIpbpError(error));
    }
  };
  const inTurn = <T>(send: () => void, answer: () => Promise<T>): Promise<T> => {
    const mine = last.then(() => exchange(send, answer));
    last = mine.catch(() => undefined);
    return mine;
  };
  const done = async (patchNumber: number): Promise<TransactionResult> => {
    const result = decodeDone(await stream.receive('done'));
    if (result.patch === patchNumber) return result;
    throw new IpbpError('IPBP4004', 'the agent answered for another patch', {
      expected: `${patchNumber}`,
      actual: `${result.patch}`,
    });
  };
  return {
    get program() {
      return program;
    },
    look: () =>
      inTurn(
        () => stream.send('look', new Uint8Array(0)),
        async () => {
          const opened = decodeOpened(await stream.receive('opened'));
          if (opened.length > 0) program = { ...program, modules: [...program.modules, ...opened] };
        },
      ),
    transact: (patchNumber, ops) =>
      inTurn(
        () => stream.send('transaction', encodeTransaction(patchNumber, ops)),
        () => done(patchNumber),
      ),
    reserve: (module) =>
      inTurn(
        () => stream.send('reserve', encodeReserve(module)),
        async () => decodeReserved(await stream.receive('reserved')),
      ),
    close: () => {
      stream.close();
    },
    closed: stream.closed,
  };
}

/** Frames over a socket: order, tags, and the one reason for which it ended. */
class FrameStream {
  readonly closed: Promise<AgentClosed>;
  private readonly socket: Socket;
  private key: Uint8Array | null = null;
  private sent = 0;
  private received = 0;
  private chunks: Buffer[] = [];
  private buffered = 0;
  private waiting: { resolve(frame: Buffer): void; reject(error: IpbpError): void } | null = null;
  /** Nothing may come unless it is awaited. */
  private onlyAnswers = false;
  private ended: AgentClosed | null = null;
  private resolveClosed: (closed: AgentClosed) => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.chunks.push(chunk);
      this.buffered += chunk.length;
      this.deliver();
    });
    // The reason is in 'close', which always follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.finish({ reason: 'program-ended', error: null });
    });
  }

  /** From now on every frame has a tag, in both directions. */
  authenticate(key: Uint8Array): void {
    this.key = key;
  }

  /** From now on whatever is not awaited ends the connection. */
  acceptOnlyAnswers(): void {
    this.onlyAnswers = true;
    this.deliver();
  }

  send(type: FrameType, payload: Uint8Array): void {
    const { length, signed } = encodeFrame(type, this.sent, payload, this.key !== null);
    if (this.ended !== null) throw connectionEnded(this.ended);
    this.sent += 1;
    this.socket.cork();
    this.socket.write(length);
    this.socket.write(signed);
    if (this.key !== null) this.socket.write(hmac(this.key, 'H', signed));
    this.socket.uncork();
  }

  /** The payload of the next frame, which must be of this type. */
  async receive(type: FrameType): Promise<Uint8Array> {
    const bytes = await this.next();
    const frame = decodeFrame(bytes, this.key !== null);
    if (this.key !== null && !timingSafeEqual(frame.tag, hmac(this.key, 'A', frame.signed))) {
      throw new IpbpError('IPBP4005', 'a message of the agent is not authentic');
    }
    if (frame.type !== type || frame.sequence !== this.received) {
      throw new IpbpError('IPBP4004', 'a message of the agent is out of order', {
        expected: `${type} with number ${this.received}`,
        actual: `${frame.type} with number ${frame.sequence}`,
      });
    }
    this.received += 1;
    return frame.payload;
  }

  /** Ends the connection because of an error; the error for the caller to throw. */
  end(error: IpbpError): IpbpError {
    this.finish({ reason: 'protocol-error', error });
    this.socket.destroy();
    return error;
  }

  close(): void {
    if (this.ended !== null) return;
    this.send('bye', new Uint8Array(0));
    this.finish({ reason: 'closed', error: null });
    this.socket.end();
    // The agent closes its end in turn; one that does not must not keep this process alive.
    this.socket.unref();
  }

  private finish(closed: AgentClosed): void {
    if (this.ended !== null) return;
    this.ended = closed;
    this.waiting?.reject(closed.error ?? connectionEnded(closed));
    this.waiting = null;
    this.resolveClosed(closed);
  }

  private next(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.deliver();
      // What had come before the end is still read.
      if (this.waiting !== null && this.ended !== null) {
        this.waiting = null;
        reject(this.ended.error ?? connectionEnded(this.ended));
      }
    });
  }

  /** Hands a whole frame to who waits for one. */
  private deliver(): void {
    if (this.waiting === null && this.onlyAnswers && this.buffered > 0) {
      this.end(new IpbpError('IPBP4004', 'the agent sent a message that nobody asked for'));
    }
    if (this.waiting === null || this.buffered < 4) return;
    try {
      const head = this.join().subarray(0, 4);
      const length = decodeFrameLength(head, this.key !== null);
      if (this.key === null && length > MAX_HANDSHAKE_FRAME) {
        throw new IpbpError('IPBP4001', 'a message before the proof is too long', { actual: `${length} bytes` });
      }
      if (this.buffered < 4 + length) return;
      const all = this.join();
      this.chunks = all.length > 4 + length ? [all.subarray(4 + length)] : [];
      this.buffered = all.length - 4 - length;
      const { resolve } = this.waiting;
      this.waiting = null;
      resolve(all.subarray(4, 4 + length));
      this.deliver();
    } catch (error) {
      this.end(asIpbpError(error));
    }
  }

  private join(): Buffer {
    const all = this.chunks.length === 1 && this.chunks[0] !== undefined ? this.chunks[0] : Buffer.concat(this.chunks);
    this.chunks = [all];
    return all;
  }
}

function hmac(key: Uint8Array, text: string, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac('sha256', key).update(text, 'latin1');
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function asIpbpError(error: unknown): IpbpError {
  if (error instanceof IpbpError) return error;
  return new IpbpError('IPBP4001', `the connection failed: ${String(error)}`, { cause: error });
}

function connectionEnded(closed: AgentClosed): IpbpError {
  const who = closed.reason === 'closed' ? 'it was closed here' : 'the program ended or closed it';
  return new IpbpError('IPBP4006', `the connection to the agent has ended: ${who}`);
}

function noLongerListening(): IpbpError {
  return new IpbpError('IPBP4006', 'nobody listens for the program any more');
}

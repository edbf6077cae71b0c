// One end of a connection between host and the agent of a page: both sides prove the token by HMAC challenge before
// anything else is said, then frames are numbered and authenticated (docs/protocol.md, "Pages"). The same code on both
// sides. It knows neither WebSocket nor cryptography: both are given.
import { encodeText } from '../../bytes/text.js';
import { IpbpError } from '../../codes/error.js';
import { NONCE_LENGTH, TAG_LENGTH } from './frames.js';
import {
  decodePageFrame,
  decodePageHeader,
  encodePageFrame,
  type PageFrame,
  type PageFrameType,
  type PageMessages,
} from './page-frames.js';

/** What carries the frames, and what proves the token. */
export interface ChannelParts {
  /** Hands one message to the connection. */
  send(frame: Uint8Array): void;
  /** HMAC-SHA256. */
  hmac(key: Uint8Array, text: Uint8Array): Promise<Uint8Array>;
  readonly token: Uint8Array;
  /** 32 random bytes, never used before. */
  readonly nonce: Uint8Array;
}

/** A message that came, by its type. */
export type PageMessage = {
  readonly [T in keyof PageMessages]: {
    readonly type: T;
    readonly header: PageMessages[T];
    readonly bytes: Uint8Array;
  };
}[keyof PageMessages];

/** What the channel tells its owner. */
export interface ChannelEvents {
  /** Both sides know the token. */
  readonly opened: () => void;
  /** Called one after the other; the next message waits until the promise is settled. */
  readonly received: (message: PageMessage) => void | Promise<void>;
  /** What came was wrong: nothing more is read or sent. IPBP4001 to IPBP4005. */
  readonly failed: (error: IpbpError) => void;
}

function joined(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const pieces = parts.map((part) => (typeof part === 'string' ? encodeText(part) : part));
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** In a time that does not tell where they differ. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let differing = a.length === b.length ? 0 : 1;
  for (let index = 0; index < a.length; index++) differing += a[index] === b[index] ? 0 : 1;
  return differing === 0;
}

/** One end. The owner gives it every message of the connection, in order. */
export class PageChannel {
  private readonly role: 'host' | 'agent';
  private readonly parts: ChannelParts;
  private readonly events: ChannelEvents;
  private key: Uint8Array | null = null;
  private sent = 0;
  private expected = 0;
  private otherNonce = new Uint8Array(0);
  private isOver = false;
  private incoming: Promise<void> = Promise.resolve();
  private outgoing: Promise<void> = Promise.resolve();

  constructor(role: 'host' | 'agent', parts: ChannelParts, events: ChannelEvents) {
    this.role = role;
    this.parts = parts;
    this.events = events;
    if (role === 'agent') this.put('hello', parts.nonce);
  }

  /** A message that came. */
  receive(data: Uint8Array): void {
    this.incoming = this.incoming
      .then(() => (this.isOver ? undefined : this.open(data)))
      .catch((error: unknown) => {
        if (this.isOver) return;
        this.isOver = true;
        const text = 'a message could not be read';
        this.events.failed(error instanceof IpbpError ? error : new IpbpError('IPBP4001', text, { cause: error }));
      });
  }

  /** Sends a message, once the handshake is over; those before are in order. */
  send<T extends keyof PageMessages>(type: T, header: PageMessages[T], bytes: Uint8Array = new Uint8Array(0)): void {
    this.outgoing = this.outgoing.then(async () => {
      const { key } = this;
      if (key === null || this.isOver) return;
      const frame = encodePageFrame(type, this.sent, header, bytes);
      this.sent += 1;
      this.parts.send(joined(frame, await this.tag(this.role, frame, key)));
    });
  }

  /** Reads and sends nothing from now on. */
  end(): void {
    this.isOver = true;
  }

  private put(type: PageFrameType, ...parts: readonly Uint8Array[]): void {
    this.parts.send(encodePageFrame(type, this.sent, null, joined(...parts)));
    this.sent += 1;
  }

  private tag(sender: 'host' | 'agent', frame: Uint8Array, key: Uint8Array): Promise<Uint8Array> {
    return this.parts.hmac(key, joined(sender === 'host' ? 'H' : 'A', frame));
  }

  private async open(data: Uint8Array): Promise<void> {
    const frame = decodePageFrame(data);
    const { type, sequence, text, bytes, signed, tag } = frame;
    const wanted = this.key === null ? this.handshake() : null;
    if (sequence !== this.expected || (wanted === null ? text === null : type !== wanted)) {
      throw new IpbpError('IPBP4004', 'a message is out of order', {
        expected: `${wanted ?? 'a message'} with number ${this.expected}`,
        actual: `${type} with number ${sequence}`,
      });
    }
    this.expected += 1;
    if (this.key === null || text === null) return this.shake(frame);
    const other = this.role === 'host' ? 'agent' : 'host';
    if (!equal(tag, await this.tag(other, signed, this.key))) {
      throw new IpbpError('IPBP4005', 'a message is not authentic');
    }
    await this.events.received({ type, header: decodePageHeader(text), bytes } as PageMessage);
  }

  private handshake(): PageFrameType {
    if (this.role === 'agent') return 'challenge';
    return this.expected === 0 ? 'hello' : 'proof';
  }

  /** Step by step as of the other protocol: hello, challenge, proof. */
  private async shake({ type, bytes }: PageFrame): Promise<void> {
    const { hmac, token, nonce } = this.parts;
    const length = { hello: NONCE_LENGTH, challenge: NONCE_LENGTH + TAG_LENGTH }[type as string] ?? TAG_LENGTH;
    if (bytes.length !== length) {
      const facts = { expected: `${length} bytes`, actual: `${bytes.length}` };
      throw new IpbpError('IPBP4001', `a message is malformed: ${type}`, facts);
    }
    if (type !== 'proof') this.otherNonce = bytes.slice(0, NONCE_LENGTH);
    const nonces = this.role === 'agent' ? joined(nonce, this.otherNonce) : joined(this.otherNonce, nonce);
    const proofOf = (who: string): Promise<Uint8Array> => hmac(token, joined(`ipbp ${who}`, nonces));
    if (type === 'hello') return this.put('challenge', nonce, await proofOf('host'));
    const given = type === 'proof' ? bytes : bytes.subarray(NONCE_LENGTH);
    if (!equal(given, await proofOf(type === 'proof' ? 'agent' : 'host'))) {
      throw new IpbpError('IPBP4003', 'the other side does not know the token of this session');
    }
    if (type === 'challenge') this.put('proof', await proofOf('agent'));
    this.key = await proofOf('session');
    this.events.opened();
  }
}

// The connection of one instance to the host: begins again whenever it is cut, says which patches the instance has, and
// does what the host asks for, one thing after the other, so that no patch is lost and none comes twice.
import { IpbpError } from '../../src/codes/error.js';
import { PageChannel, type PageMessage } from '../../src/patch/wire/page-channel.js';
import type { MemoryRange, PageMessages, PagePatch, PageTrap } from '../../src/patch/wire/page-frames.js';
import type { InstanceState } from './patched-instance.js';

/** The part of a WebSocket that is used; a browser's is one, and that of the package ws. */
export interface SocketLike {
  binaryType: string;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onopen: ((event: never) => void) | null;
}

/** The instance at this end. It may be in another thread, which does what is asked for when it can. */
export interface Patchable {
  state(): InstanceState;
  apply(patch: PagePatch, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  undo(patch: number): void | Promise<void>;
  redo(patch: number): void | Promise<void>;
  reserve(wanted: PageMessages['reserve']): MemoryRange | null | Promise<MemoryRange | null>;
}

/** Where the host is, and how the instance is called. */
export interface SessionOptions {
  readonly url: string;
  /** 32 bytes in hexadecimal. */
  readonly token: string;
  readonly kind: 'page' | 'worker' | 'node';
  readonly name: string;
  readonly open: (url: string) => SocketLike;
  readonly reload: (reason: string) => void;
  /** Told of all that goes on, for whoever wants to show it. */
  readonly told: (event: SessionEvent) => void;
}

/** What goes on. */
export type SessionEvent =
  | { readonly event: 'patched' | 'undone'; readonly patch: number }
  | { readonly event: 'failed'; readonly patch: number; readonly code: string; readonly message: string }
  | { readonly event: 'trapped'; readonly trap: PageTrap }
  | { readonly event: 'disconnected'; readonly reason: string };

/** A connection, over all its cuts. */
export interface Session {
  /** Resolves when the instance has all patches that there are, or when no host answers. */
  readonly ready: Promise<void>;
  tell(trap: PageTrap): void;
  end(): void;
}

const FIRST_WAIT = 100;
const LONGEST_WAIT = 5000;
/** A page does not wait for a host that is not there. */
const READY_LIMIT = 3000;
/** A message that the host could not read, or a host that could not be read: nothing would be different the next time. */
const IN_VAIN = ['IPBP4002', 'IPBP4003'];

async function hmac(key: Uint8Array, text: Uint8Array): Promise<Uint8Array> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', new Uint8Array(key), algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, new Uint8Array(text)));
}

function bytesOf(hexadecimal: string): Uint8Array {
  return Uint8Array.from(hexadecimal.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Connects, and goes on until it is ended. */
export function startSession(patched: Patchable, options: SessionOptions): Session {
  let channel: PageChannel | null = null;
  let socket: SocketLike | null = null;
  let wait = FIRST_WAIT;
  let isOver = false;
  let settle: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (settle = resolve));
  const limit = setTimeout(settle, READY_LIMIT);

  const answer = async ({ type, header, bytes }: PageMessage, began: number, to: PageChannel): Promise<void> => {
    if (type === 'ready') settle();
    else if (type === 'reload') options.reload(header.reason);
    else if (type === 'reserve') {
      to.send('reserved', { range: await patched.reserve(header) });
    } else if (type === 'patch' || type === 'undo' || type === 'redo') {
      const { patch } = header;
      let error: { code: string; message: string } | null = null;
      try {
        if (type === 'undo') await patched.undo(patch);
        else if (type === 'redo') await patched.redo(patch);
        else await patched.apply(header, new Uint8Array(bytes));
        options.told({ event: type === 'undo' ? 'undone' : 'patched', patch });
      } catch (thrown) {
        error = thrown instanceof IpbpError ? thrown : { code: 'IPBP4023', message: String(thrown) };
        error = { code: error.code, message: error.message };
        options.told({ event: 'failed', patch, ...error });
      }
      to.send('done', { patch, error, ms: performance.now() - began });
    }
  };

  const connect = (): void => {
    const current = options.open(options.url);
    socket = current;
    current.binaryType = 'arraybuffer';
    const cut = (reason: string): void => {
      if (socket !== current) return;
      socket = null;
      channel?.end();
      channel = null;
      current.close();
      if (isOver) return;
      options.told({ event: 'disconnected', reason });
      setTimeout(() => {
        if (!isOver) connect();
      }, wait);
      wait = Math.min(LONGEST_WAIT, wait * 2);
    };
    current.onclose = () => cut('the connection was closed');
    // What follows is a close.
    current.onerror = () => undefined;
    current.onopen = () => {
      const parts = {
        send: (frame: Uint8Array) => current.send(new Uint8Array(frame)),
        hmac,
        token: bytesOf(options.token),
        nonce: crypto.getRandomValues(new Uint8Array(32)),
      };
      const own: PageChannel = new PageChannel('agent', parts, {
        opened() {
          wait = FIRST_WAIT;
          const { kind, name } = options;
          own.send('page', { kind, name, ...patched.state() });
        },
        received: (message) => answer(message, performance.now(), own),
        failed(error) {
          if (IN_VAIN.includes(error.code)) isOver = true;
          if (isOver) settle();
          cut(error.message);
        },
      });
      channel = own;
    };
    current.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) channel?.receive(new Uint8Array(data));
    };
  };
  connect();
  void ready.then(() => clearTimeout(limit));
  return {
    ready,
    tell(trap) {
      options.told({ event: 'trapped', trap });
      channel?.send('trap', trap);
    },
    end() {
      isOver = true;
      settle();
      socket?.close();
    },
  };
}

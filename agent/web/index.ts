// What pages, workers and programs for Node use of the agent: `install()` before anything is instantiated, or `attach()`
// for one instance. It makes its connection to the host that `ipbp run` names, and listens on nothing.
import { adopt, hookWebAssembly } from './hook.js';
import type { PatchedInstance } from './patched-instance.js';
import { type Session, type SessionEvent, type SocketLike, startSession } from './session.js';

/** Where the host is; `ipbp run` says it. */
export interface AgentOptions {
  /** `ws://127.0.0.1:PORT/`. */
  readonly url: string;
  /** 64 hexadecimal digits that only the pages of this session know. */
  readonly token: string;
  /** How messages call this instance; the page's path where it is not given. */
  readonly name?: string;
  /** Opens a connection where there is no global WebSocket, as in Node 20: `(url) => new WebSocket(url)` of the package ws. */
  readonly open?: (url: string) => unknown;
  /** Called instead of loading the page anew. */
  readonly reload?: (reason: string) => void;
  /** Told of all that goes on. */
  readonly told?: (event: AgentEvent) => void;
}

/** What goes on in an instance. */
export interface AgentEvent {
  readonly event: 'patched' | 'undone' | 'failed' | 'trapped' | 'disconnected';
  readonly patch?: number;
  readonly code?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly trap?: { readonly patch: number | null; readonly function: string; readonly message: string };
}

/** An instance with an agent. */
export interface Attached {
  /** The same, with exports that put the stack pointer back when a function traps. */
  readonly instance: WebAssembly.Instance;
  /** Resolves when all patches that there are have come, or no host answers. */
  readonly ready: Promise<void>;
  /** Ends the connection; patches stay. */
  detach(): void;
}

interface Surroundings {
  readonly document?: object;
  readonly location?: { readonly pathname: string; reload(): void };
  readonly name?: string;
}

function begin(options: AgentOptions): (patched: PatchedInstance) => Session {
  const around = globalThis as unknown as Surroundings;
  const kind = around.document !== undefined ? 'page' : around.location !== undefined ? 'worker' : 'node';
  const own = kind === 'worker' && around.name ? around.name : (around.location?.pathname ?? kind);
  const { url, token, name = own, told } = options;
  return (patched) =>
    startSession(patched, {
      ...{ url, token, kind, name },
      open: (to) => (options.open === undefined ? new WebSocket(to) : options.open(to)) as SocketLike,
      reload: options.reload ?? (() => around.location?.reload()),
      told: (event: SessionEvent) => told?.(event),
    });
}

/** Gives every instance an agent whose module went through ipbp; for pages that are otherwise as they were. */
export function install(options: AgentOptions): void {
  hookWebAssembly(begin(options));
}

/** Gives one instance an agent, right after it was made. Null where its module did not go through ipbp. */
export function attach(
  module: WebAssembly.Module,
  instance: WebAssembly.Instance,
  imports: WebAssembly.Imports,
  options: AgentOptions,
): Attached | null {
  const adopted = adopt(module, instance, imports, begin(options));
  if (adopted === null) return null;
  return { instance: adopted.instance, ready: adopted.session.ready, detach: () => adopted.session.end() };
}

// A session of `ipbp run` for a module: its events, and instances that connect to it as pages do.
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type Attached, attach } from '../../agent/web/index.js';
import { wasmToolchain, type WasmTarget } from '../../conformance/setup/wasm-toolchain.js';
import type { PatchedEvent, SessionEvent, SessionOptions } from '../../src/host/events.js';
import { type Session, startSession } from '../../src/host/session/session.js';
import type { CargoFixture } from '../cargo-fixture.js';

/** A session that serves. */
export interface ServedSession {
  readonly session: Session;
  readonly events: readonly SessionEvent[];
  /** The next event of a kind after those already waited for. Fails after 60 s. */
  next<K extends SessionEvent['event']>(kind: K): Promise<Extract<SessionEvent, { event: K }>>;
  /** The next patch, and that all of its change is compiled. */
  patched(): Promise<PatchedEvent>;
  /** Events of these kinds end a change: the next one. */
  outcome(): Promise<SessionEvent>;
  /** An instance in this process, attached to the session that is ready at `url`, with all patches that there are. */
  instance(url: string, module: string, imports?: WebAssembly.Imports): Promise<Attached>;
}

const OUTCOMES: readonly SessionEvent['event'][] = ['patched', 'unchanged', 'refused', 'compile-error'];

/** Starts it. */
export async function servedSession(
  fixture: CargoFixture,
  options: Partial<SessionOptions> = {},
  target: WasmTarget = 'wasm32-unknown-unknown',
): Promise<ServedSession> {
  const tools = wasmToolchain(target);
  Object.assign(process.env, tools.env);
  const events: SessionEvent[] = [];
  const session = await startSession(
    {
      directory: fixture.root,
      cargoArguments: ['--quiet', '--target', tools.target],
      programArguments: [],
      onRefusal: 'continue',
      redirect: 'auto',
      deliver: 'auto',
      noBuild: false,
      json: true,
      color: false,
      ...options,
    },
    (event) => events.push(event),
  );
  let taken = 0;
  const next = async (wanted: (event: SessionEvent) => boolean, what: string): Promise<SessionEvent> => {
    for (const end = Date.now() + 60_000; Date.now() < end; await sleep(5)) {
      while (taken < events.length) {
        const event = events[taken++];
        if (event !== undefined && wanted(event)) return event;
      }
    }
    throw new Error(`no ${what} event came; there were ${JSON.stringify(events)}`);
  };
  return {
    session,
    events,
    next: async (kind) => (await next(({ event }) => event === kind, kind)) as never,
    async patched() {
      const event = (await next(({ event: kind }) => kind === 'patched', 'patched')) as PatchedEvent;
      if (event.confirmed === false) await next(({ event: kind }) => kind === 'confirmed', 'confirmed');
      return event;
    },
    outcome: () => next(({ event }) => OUTCOMES.includes(event), OUTCOMES.join(' or ')),
    async instance(url, module, imports = {}) {
      const script = await (await fetch(new URL('ipbp/agent.js', url))).text();
      const [, settings = ''] = /ipbpAgent\.install\((.*)\);\n$/.exec(script) ?? [];
      const { url: host, token } = JSON.parse(settings) as { readonly url: string; readonly token: string };
      const compiled = new WebAssembly.Module(await (await fetch(new URL(module, url))).arrayBuffer());
      const made = new WebAssembly.Instance(compiled, imports);
      const open = (to: string): WebSocket => new WebSocket(to);
      const attached = attach(compiled, made, imports, { url: host, token, name: 'node', open });
      if (attached === null) throw new Error('what is served was not prepared');
      await attached.ready;
      return attached;
    },
  };
}

// Stands in for the ways to instantiate a module, so that a page needs no change: an instance of a module that went
// through the engine gets an agent, and patches that there are, before the page has it. All other modules pass by.
import { readBase } from './base.js';
import { guardExports } from './traps.js';
import { PatchedInstance } from './patched-instance.js';
import type { Session } from './session.js';
import type { PageTrap } from '../../src/patch/wire/page-frames.js';

/** Begins the connection of an instance. */
type Begin = (patched: PatchedInstance) => Session;

/** The instance with guarded exports: for everyone else it is the instance. */
function withExports(instance: WebAssembly.Instance, exports: WebAssembly.Exports): WebAssembly.Instance {
  return new Proxy(instance, {
    get: (target, name) => (name === 'exports' ? exports : (Reflect.get(target, name) as unknown)),
  });
}

/** Gives an instance its agent; null where its module did not go through the engine. */
export function adopt(
  module: WebAssembly.Module,
  instance: WebAssembly.Instance,
  imports: WebAssembly.Imports,
  begin: Begin,
): { readonly instance: WebAssembly.Instance; readonly session: Session } | null {
  const base = readBase(module);
  if (base === null) return null;
  const patched = new PatchedInstance(base, instance.exports, imports);
  const session = begin(patched);
  const exports = guardExports(patched, instance.exports, (trap: PageTrap) => session.tell(trap));
  return { instance: withExports(instance, exports), session };
}

/** From now on; to be called before the page's own scripts. */
export function hookWebAssembly(begin: Begin): void {
  const real = { ...{ instantiate: WebAssembly.instantiate, Instance: WebAssembly.Instance } };
  const ready = async (
    module: WebAssembly.Module,
    imports: WebAssembly.Imports = {},
  ): Promise<WebAssembly.Instance> => {
    const plain = await real.instantiate(module, imports);
    const adopted = adopt(module, plain, imports, begin);
    await adopted?.session.ready;
    return adopted?.instance ?? plain;
  };
  const whole = async (module: WebAssembly.Module, imports?: WebAssembly.Imports) => {
    return { module, instance: await ready(module, imports) };
  };
  const instantiate = async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    if (source instanceof WebAssembly.Module) return ready(source, imports);
    return whole(await WebAssembly.compile(source), imports);
  };
  const instantiateStreaming = async (source: Response | PromiseLike<Response>, imports?: WebAssembly.Imports) => {
    return whole(await WebAssembly.compileStreaming(source), imports);
  };
  // Here nothing can be waited for: patches come in a later turn.
  const Instance = function (module: WebAssembly.Module, imports: WebAssembly.Imports = {}) {
    const plain = new real.Instance(module, imports);
    return adopt(module, plain, imports, begin)?.instance ?? plain;
  };
  Instance.prototype = real.Instance.prototype as unknown;
  Object.assign(WebAssembly, { instantiate, instantiateStreaming, Instance });
}

// Calls from JavaScript into the module, guarded: a trap leaves the module's stack pointer where it was when the
// function trapped, and every later call would begin there. The exported functions are replaced by ones that put it back
// and say which patch and function it was.
import type { PageTrap } from '../../src/patch/wire/page-frames.js';
import type { PatchedInstance } from './patched-instance.js';

type AnyFunction = (...args: readonly unknown[]) => unknown;

/** A line of a stack that is in a module, as V8 and as the other engines write it. */
const FRAME = /^\s*(?:at (.+?) \(|(?!at )(\S+?)@).*wasm-function\[/;

/** The functions of modules in a stack, the innermost first. */
export function functionsIn(stack: string): string[] {
  return stack.split('\n').flatMap((line) => {
    const frame = FRAME.exec(line);
    const name = frame?.[1] ?? frame?.[2];
    // V8 puts the name of the module first.
    return name === undefined ? [] : [name.replace(/^(?:ipbp patch|[\w-]+\.wasm)\./, '')];
  });
}

function describe(patched: PatchedInstance, error: WebAssembly.RuntimeError): PageTrap {
  const stack = error.stack ?? '';
  const names = functionsIn(stack);
  // What a panic goes through first are functions of std: the first one of a patch is nearer to what was edited.
  const patch = names.map((name) => patched.patchOf(name)).find((number) => number !== null) ?? null;
  const culprit = names.find((name) => patched.patchOf(name) !== null) ?? names[0];
  return { patch, function: culprit ?? '', message: error.message, stack };
}

/**
 * What a panic goes through in std, hook and all, are more frames than the ten that V8 keeps: the function that panicked
 * would not be among them.
 */
const DEEP = 64;

/** V8's own; other engines keep all frames. */
const kept = Error as { stackTraceLimit?: unknown };

/** The exports with guarded functions; everything else is the same. */
export function guardExports(
  patched: PatchedInstance,
  exports: WebAssembly.Exports,
  trapped: (trap: PageTrap) => void,
): WebAssembly.Exports {
  const { stackPointer } = patched.parts;
  /** Through how many exported functions it passes on its way out does not matter. */
  const told = new WeakSet<WebAssembly.RuntimeError>();
  const guard =
    (inner: AnyFunction): AnyFunction =>
    (...args) => {
      const before = stackPointer.value;
      const limit = kept.stackTraceLimit;
      const isShort = typeof limit === 'number' && limit < DEEP;
      if (isShort) kept.stackTraceLimit = DEEP;
      try {
        return inner(...args);
      } catch (error) {
        stackPointer.value = before;
        if (error instanceof WebAssembly.RuntimeError && !told.has(error)) {
          told.add(error);
          trapped(describe(patched, error));
        }
        throw error;
      } finally {
        if (isShort) kept.stackTraceLimit = limit;
      }
    };
  const guarded = Object.entries(exports).map(([name, value]) => {
    return [name, typeof value === 'function' ? guard(value as AnyFunction) : value] as const;
  });
  return Object.freeze(Object.assign(Object.create(null) as WebAssembly.Exports, Object.fromEntries(guarded)));
}

// Patches that are made by hand, for tests of what comes before and after the engine's: modules whose functions call out
// to JavaScript, put into the slots of a base by their active elements.
import { constantExpr } from '../../src/formats/wasm/const-expr.js';
import * as wasm from '../../src/formats/wasm/constants.js';
import { encodeModule } from '../../src/formats/wasm/encode-sections.js';
import { encodeNames } from '../../src/formats/wasm/names.js';
import type { ModuleSection } from '../../src/formats/wasm/module.js';
import type { RewrittenBase } from '../../src/formats/wasm/rewrite-base.js';

type Numeric = (x: number) => number;

/** Where a function of a hand-made module goes, and which import it calls. */
export interface HandMade {
  readonly name: string;
  readonly slots: readonly number[];
  /** `module.name` of a function of one number. */
  readonly calls: { readonly module: string; readonly name: string };
}

type WithoutWidth<T> = T extends unknown ? Omit<T, 'lengthWidth'> : never;

/** A module with one function for each, of one i32 with one i32; `data` is for the agent to write. */
export function handModule(
  functions: readonly HandMade[],
  name = 'patch',
  data: Uint8Array | null = null,
): Uint8Array<ArrayBuffer> {
  const [i32, body] = [wasm.TYPE_I32, functions.length];
  const name_ = { offset: 0, size: 0 };
  const names = [
    { kind: 'module' as const, name, lengthWidth: 0 },
    {
      ...{ kind: 'function' as const, lengthWidth: 0 },
      names: functions.map((one, index) => ({ index: body + index, name: one.name })),
    },
  ];
  const sections: readonly WithoutWidth<ModuleSection>[] = [
    { id: 'type', types: [{ params: [i32], results: [i32] }] },
    {
      id: 'import',
      imports: [
        ...functions.map(({ calls }) => {
          return { kind: 'function' as const, type: 0, module: calls.module, field: calls.name, name: name_ };
        }),
        {
          kind: 'table' as const,
          table: {
            element: wasm.TYPE_FUNCREF,
            limits: { shared: false, wide: false, minimum: 0, maximum: null, pageExponent: null },
          },
          ...{ module: 'env', field: '__indirect_function_table', name: name_ },
        },
      ],
    },
    { id: 'function', types: functions.map(() => 0) },
    {
      id: 'element',
      segments: functions.flatMap(({ slots }, index) =>
        slots.map((slot) => ({
          place: { index: 0, offset: constantExpr(slot), explicit: false },
          ...{ declared: false, type: wasm.TYPE_FUNCREF },
          items: { kind: 'functions' as const, functions: [body + index] },
        })),
      ),
    },
    {
      id: 'code',
      bodies: functions.map((_, index) => {
        return {
          bytes: Uint8Array.of(0, wasm.OP_LOCAL_GET, 0, wasm.OP_CALL, index, wasm.OP_END),
          start: 0,
          lengthWidth: 0,
        };
      }),
    },
    ...(data === null ? [] : [{ id: 'custom' as const, name: 'ipbp.data', nameWidth: 0, bytes: data }]),
    { id: 'custom', name: 'name', nameWidth: 0, bytes: encodeNames(names) },
  ];
  return encodeModule(sections.map((section) => ({ ...section, lengthWidth: 0 })));
}

/** Puts functions of JavaScript into the slots of the base's functions of these names. */
export function handPatch(
  { functions, description }: RewrittenBase,
  { exports }: WebAssembly.Instance,
  bodies: Readonly<Record<string, Numeric>>,
): void {
  const made = Object.keys(bodies).map((name): HandMade => {
    const found = functions.find((each) => each.name === name);
    if (found === undefined) throw new Error(`the base has no ${name}`);
    return { name, slots: found.slots, calls: { module: 'test', name } };
  });
  const module = new WebAssembly.Module(handModule(made));
  const table = exports[description.table] as WebAssembly.Table;
  new WebAssembly.Instance(module, { test: bodies, env: { __indirect_function_table: table } });
}

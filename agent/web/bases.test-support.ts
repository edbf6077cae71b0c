// Bases for tests of the agent: a module made by clang and lld, then by the engine, and patches made by hand.
import { ByteWriter } from '../../src/bytes/writer.js';
import { bytesOf } from '../../tests/format-inputs.js';
import { wasmModule, wasmObject } from '../../tests/wasm-inputs.js';
import { type HandMade, handModule } from '../../tests/wasm/hand-patch.js';
import { type RewrittenBase, rewriteBase } from '../../src/formats/wasm/rewrite-base.js';
import type { PagePatch } from '../../src/patch/wire/page-frames.js';

const SOURCE = `
__attribute__((import_module("page"), import_name("twice"))) int twice(int);
__attribute__((import_module("page"), import_name("deep"))) int deep(int);
static volatile int sink;
__attribute__((noinline)) int step(int x) { return x + 1; }
__attribute__((noinline)) int other(int x) { return x * 3; }
__attribute__((export_name("run"))) int run(int x) { return step(x) + other(x); }
__attribute__((export_name("through"))) int through(int x) {
  volatile char room[256];
  room[x & 255] = 1;
  return deep(x) + step(x);
}
__attribute__((export_name("crash"))) int crash(int x) { if (x) __builtin_trap(); return x; }
__attribute__((export_name("read"))) int read(int *at) { return *at; }
__attribute__((export_name("imported"))) int imported(int x) { return twice(x); }
`;

/** Chosen are `step` and `other`. */
export function madeBase(...flags: string[]): RewrittenBase {
  const module = wasmModule(
    [wasmObject('c', SOURCE, '-O1', ...flags.filter((each) => each.startsWith('-m')))],
    ...flags.filter((each) => !each.startsWith('-m')),
  );
  return rewriteBase(bytesOf(module), 'base', (name) => name === 'step' || name === 'other', 'calls');
}

/** A patch whose functions call what the page imports to the base; `data` is put at the start of its memory. */
export function madePatch(
  base: RewrittenBase,
  number: number,
  functions: Readonly<Record<string, HandMade['calls']>>,
  changes: Partial<PagePatch> & { readonly extraSlots?: readonly number[] } = {},
  data: Uint8Array | null = null,
): { readonly patch: PagePatch; readonly bytes: Uint8Array<ArrayBuffer> } {
  const made = Object.entries(functions).map(([name, calls]) => {
    const slots = base.functions.find((each) => each.name === name)?.slots ?? changes.extraSlots ?? [];
    return { name, slots, calls };
  });
  const { extraSlots: _, ...rest } = changes;
  const patch: PagePatch = {
    ...{ patch: number, base: base.description.identity },
    slots: made.flatMap(({ name, slots }) => slots.map((slot) => ({ slot, name }))),
    ...{ tableLength: base.tableLength, memory: { at: 0, end: 0 } },
    ...rest,
  };
  const list = data === null ? null : new ByteWriter(16).u32(patch.memory.at).u32(data.length).raw(data).finish();
  return { patch, bytes: handModule(made, 'ipbp patch', list) };
}

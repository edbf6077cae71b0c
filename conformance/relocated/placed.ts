// One object linked by wasm-ld alone, with everything in it kept: where the linker put what its symbols name, by the symbols
// that the linker leaves in the module (`--emit-relocs`).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constantOf } from '../../src/formats/wasm/const-expr.js';
import * as wasm from '../../src/formats/wasm/constants.js';
import { namesIn } from '../../src/formats/wasm/names.js';
import { type WasmFile, readWasm } from '../../src/formats/wasm/read.js';
import { linkingSymbols } from '../../src/formats/wasm/symbols.js';
import { functionTypeText } from '../../src/formats/wasm/value-types.js';
import { tryRun } from '../setup/run.js';

/** The module, and where things are in it, by the names of symbols. */
export interface Placed {
  readonly module: WasmFile;
  readonly functions: ReadonlyMap<string, number>;
  /** Element of the table by the function's index. */
  readonly slots: ReadonlyMap<number, number>;
  /** Addresses; of thread-locals, offsets in the template. */
  readonly data: ReadonlyMap<string, number>;
  readonly threadLocals: ReadonlyMap<string, number>;
  readonly globals: ReadonlyMap<string, number>;
  readonly types: ReadonlyMap<string, number>;
}

const UNDEFINED_WEAK = 'undefined_weak:';
const FLAGS = ['--no-entry', '--no-gc-sections', '--allow-undefined', '--emit-relocs', '-O0', '--no-demangle'];

/** Links it. Throws what the linker says. */
export function linkAlone(linker: readonly string[], object: Uint8Array, folder: string): Placed {
  const [input, output] = [join(folder, 'alone.o'), join(folder, 'alone.wasm')];
  writeFileSync(input, object);
  const [program = '', ...first] = linker;
  const { status, stderr } = tryRun(program, [...first, ...FLAGS, input, '-o', output]);
  if (status !== 0) throw new Error(`wasm-ld: ${stderr.slice(0, 500)}`);
  return placedIn(readWasm(new Uint8Array(readFileSync(output)), output));
}

function placedIn(module: WasmFile): Placed {
  const { wasm: facts } = module;
  const [functions, data, threadLocals, globals] = [0, 1, 2, 3].map(() => new Map<string, number>()) as [
    Map<string, number>,
    Map<string, number>,
    Map<string, number>,
    Map<string, number>,
  ];
  const starts = facts.dataSegments().map(({ place }) => (place === null ? 0 : (constantOf(place.offset) ?? 0)));
  linkingSymbols(facts)?.forEach((symbol, index) => {
    const name = module.symbols[1 + index]?.name ?? '';
    if (symbol.kind === 'function') functions.set(name, symbol.index);
    if (symbol.kind === 'global') globals.set(name, symbol.index);
    if (symbol.kind !== 'data' || symbol.place === null) return;
    const { segment, offset } = symbol.place;
    const absolute = (symbol.flags & wasm.WASM_SYM_ABSOLUTE) !== 0;
    if ((symbol.flags & wasm.WASM_SYM_TLS) !== 0) threadLocals.set(name, offset);
    else data.set(name, absolute ? offset : (starts[segment] ?? 0) + offset);
  });
  // Calling a weak function that nobody defines leads to one that traps, under a name of the linker's.
  for (const { index, name } of namesIn(facts.names(), 'function')) {
    if (name.startsWith(UNDEFINED_WEAK)) functions.set(name.slice(UNDEFINED_WEAK.length), index);
  }
  const slots = new Map<number, number>();
  for (const { place, items } of facts.elementSegments()) {
    const start = place === null ? 0 : (constantOf(place.offset) ?? 0);
    if (items.kind === 'functions') items.functions.forEach((index, at) => slots.set(index, start + at));
  }
  const types = new Map(facts.types().map((type, index) => [functionTypeText(type), index]));
  return { module, functions, slots, data, threadLocals, globals, types };
}

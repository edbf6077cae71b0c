// This Node's engine for WebAssembly, as far as tests need it: TypeScript knows it only together with a browser's names.

/** A table of functions. */
interface Table {
  readonly length: number;
  get(index: number): ((...values: number[]) => number) | null;
  set(index: number, value: unknown): void;
  grow(count: number): number;
}

interface Engine {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports?: object) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** The engine. */
export const engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;

/** A program that runs, into which patches can be brought. */
export interface RunningModule {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly table: Table;
  /** Calls an export. */
  call(name: string, ...values: number[]): number;
  /** Brings a patch in; `slots`: what the table has to have. */
  apply(patch: Uint8Array, slots: number): void;
}

/** Starts a module whose functions are entered through a table, with room for patches behind its memory. */
export function runModule(
  bytes: Uint8Array,
  imports: object,
  arenaPages: number,
  globals: readonly string[],
): RunningModule {
  const { exports } = new engine.Instance(new engine.Module(bytes), imports);
  const memory = exports.memory as RunningModule['memory'];
  const table = exports.__indirect_function_table as Table;
  memory.grow(arenaPages);
  const env = { memory, __indirect_function_table: table, ...Object.fromEntries(globals.map((n) => [n, exports[n]])) };
  return {
    memory,
    table,
    call: (name, ...values) => (exports[name] as (...given: number[]) => number)(...values),
    apply(patch, slots) {
      if (slots > table.length) table.grow(slots - table.length);
      new engine.Instance(new engine.Module(patch), {
        ...imports,
        env: { ...('env' in imports ? (imports.env as object) : {}), ...env },
      });
    },
  };
}

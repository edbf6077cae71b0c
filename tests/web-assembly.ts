// This Node's engine for WebAssembly, as far as tests need it: TypeScript knows it only together with a browser's names.

interface Engine {
  validate(bytes: Uint8Array): boolean;
}

/** The engine. */
export const engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;

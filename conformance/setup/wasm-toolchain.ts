// All that cargo needs to build for WebAssembly here: a compiler with std, and lld.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.js';
import { rustWithStd } from './rust-std.js';

/** A target of rustc; `wasm32-threads` is wasm32-unknown-unknown with atomics, whose std is another. */
export type WasmTarget = 'wasm32-unknown-unknown' | 'wasm32-wasip1' | 'wasm32-threads';

/** What is there for one target. */
export interface WasmToolchain {
  /** What `cargo build --target` is given. */
  readonly target: string;
  readonly rustc: string;
  /** lld; called with `-flavor wasm` first. */
  readonly linker: string;
  /** With it in the environment, `cargo build --target TARGET` works. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What makes a threaded module, as the documents of wasm-bindgen's threads have it: memory that is shared comes from
 * outside and has a limit.
 */
const THREADS = [
  '-Ctarget-feature=+atomics,+bulk-memory,+mutable-globals',
  ...['--shared-memory', '--import-memory', '--max-memory=1073741824'].map((each) => `-Clink-arg=${each}`),
  ...['__wasm_init_tls', '__tls_size', '__tls_align', '__tls_base'].map((each) => `-Clink-arg=--export=${each}`),
].join(' ');

/** lld as rustup has it. Throws where rustup is not there. */
function lld(): string {
  const sysroot = run('rustc', ['--print', 'sysroot']).trim();
  const own = join(sysroot, 'lib', 'rustlib', 'x86_64-unknown-linux-gnu', 'bin', 'rust-lld');
  if (!existsSync(own)) throw new Error(`${own} is not there: rustup's toolchain brings it`);
  return own;
}

/** The toolchain; what is not in the cache is downloaded and built, which takes about two minutes for a target. */
export function wasmToolchain(name: WasmTarget): WasmToolchain {
  const { rustc } = rustWithStd(name);
  const linker = lld();
  const target = name === 'wasm32-threads' ? 'wasm32-unknown-unknown' : name;
  const variable = `CARGO_TARGET_${target.toUpperCase().replaceAll('-', '_')}`;
  const env = {
    RUSTC: rustc,
    [`${variable}_LINKER`]: linker,
    ...(name === 'wasm32-threads' ? { [`${variable}_RUSTFLAGS`]: THREADS } : {}),
  };
  return { target, rustc, linker, env };
}

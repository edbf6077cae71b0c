// What cargo is given to build static programs with musl. The toolchain is made by conformance/setup/rust-std.ts.
import { rustWithStd } from '../../conformance/setup/rust-std.js';

const TARGET = 'x86_64-unknown-linux-musl';

/** For `cargo build` and `cargo run`; makes the toolchain once. */
export function muslEnvironment(): Readonly<Record<string, string>> {
  return { RUSTC: rustWithStd(TARGET).rustc, CARGO_BUILD_TARGET: TARGET };
}

// WebAssembly modules of the tests: built by cargo, as a user would, with the toolchain that is made for it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type WasmTarget, wasmToolchain } from '../../conformance/setup/wasm-toolchain.js';
import { type CargoFixture, cargoFixture, manifest } from '../cargo-fixture.js';

/** A crate that is built as a module. */
export interface ModuleProject {
  readonly fixture: CargoFixture;
  /** Builds and reads the module. */
  build(): Uint8Array<ArrayBuffer>;
  /** Path of the module. */
  readonly module: string;
}

/** A `cdylib` of one file, and further files by their path. */
export function moduleProject(
  target: WasmTarget,
  source: string,
  options: { readonly release?: boolean; readonly files?: Readonly<Record<string, string>> } = {},
): ModuleProject {
  const tools = wasmToolchain(target);
  const fixture = cargoFixture({
    'Cargo.toml': manifest('page', '[lib]\ncrate-type = ["cdylib"]\n\n[workspace]\n'),
    'src/lib.rs': source,
    ...options.files,
  });
  const profile = options.release === true ? 'release' : 'debug';
  const folder = join('target', tools.target, profile);
  const module = fixture.path(join(folder, 'page.wasm'));
  return {
    fixture,
    module,
    build() {
      const flags = options.release === true ? ['--release'] : [];
      fixture.cargo(['build', '-q', '--target', tools.target, ...flags], tools.env);
      return new Uint8Array(readFileSync(module));
    },
  };
}

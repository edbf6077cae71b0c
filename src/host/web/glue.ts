// The bindings of a module between Rust and JavaScript: wasm-bindgen, as the user has it, goes over the prepared module, and
// what it makes of that is a base again.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { bindgenVersion } from '../../formats/wasm/bindgen.js';
import { factsOf } from '../../formats/wasm/facts.js';
import type { PreparedModule } from './base-facts.js';
import { findBindgen, runBindgen } from './bindgen-command.js';
import { finishModule } from './finish-module.js';

/** The module and its bindings. */
export interface Glue {
  readonly module: PreparedModule;
  /** All that wasm-bindgen wrote, the module as it is now too, by paths with `/` from the folder that all is in. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** How pages load the bindings. */
export type GlueKind = 'web' | 'no-modules';

/**
 * Makes the bindings. Null for a module without any.
 * @param name of the module, without its ending: what the files are called
 * @param folder what is in it is overwritten
 * @throws IpbpError IPBP5054, IPBP5055, IPBP2041
 */
export async function makeGlue(
  prepared: PreparedModule,
  name: string,
  folder: string,
  kind: GlueKind = 'web',
): Promise<Glue | null> {
  const version = bindgenVersion(factsOf(prepared.bytes, name));
  if (version === null) return null;
  const command = await findBindgen(version);
  rmSync(folder, { recursive: true, force: true });
  const input = join(folder, 'prepared');
  mkdirSync(input, { recursive: true });
  writeFileSync(join(input, `${name}.wasm`), prepared.bytes);
  const output = join(folder, 'glue');
  // With the names as rustc has them a trap is told by the same name as a patch.
  const options = ['--target', kind, '--no-demangle', '--keep-debug', '--out-dir', output, '--out-name', name];
  await runBindgen({ command, args: [...options, join(input, `${name}.wasm`)] });
  const files = new Map(filesBelow(output).map((path) => [path, bytesOf(join(output, path))]));
  const changed = `${name}_bg.wasm`;
  const module = finishModule(prepared, { name: changed, bytes: files.get(changed) ?? new Uint8Array() });
  files.set(changed, module.bytes);
  return { module, files };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => path.replaceAll(sep, '/'));
}

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

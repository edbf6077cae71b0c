// What the benchmark of links gives to every linker: real links of shared libraries, captured from builds, from one object
// to a server with all of its dependencies and their debug information.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CapturedLink } from '../conformance/cases/capture.js';
import { captureCpp } from '../conformance/cases/cpp.js';
import { captureCargo, captureCrate } from '../conformance/cases/crates.js';
import { cacheFolder } from '../conformance/setup/cache.js';
import { copyExample } from './project.js';

export interface LinkSubject {
  readonly name: string;
  readonly link: () => CapturedLink;
}

export const LINK_SUBJECTS: readonly LinkSubject[] = [
  { name: 'C++, two objects', link: () => captureCpp('x86_64', 'cpp-clang-plain') },
  { name: 'garden (debug)', link: () => captureExample('garden') },
  { name: 'regex + serde_json (release)', link: () => captureCrate('x86_64', 'text') },
  { name: 'server (debug)', link: () => captureExample('server') },
];

/** Builds an example as a library whose one function runs it. */
function captureExample(example: string): CapturedLink {
  const name = `bench_${example}`;
  const source = cacheFolder('bench-examples', example);
  copyExample(example, source);
  const manifest = join(source, 'Cargo.toml');
  const library = `[lib]\nname = "${name}"\ncrate-type = ["cdylib"]\npath = "src/main.rs"\n`;
  writeFileSync(manifest, `${readFileSync(manifest, 'utf8')}\n${library}`);
  const main = join(source, 'src', 'main.rs');
  const entry = '#[unsafe(no_mangle)]\npub extern "C" fn bench_entry() {\n    let _ = main();\n}\n';
  writeFileSync(main, `${readFileSync(main, 'utf8')}\n${entry}`);
  return captureCargo({
    machine: 'x86_64',
    source,
    args: ['--locked', '--lib'],
    into: cacheFolder('captured', 'bench'),
    name,
  });
}

/** How many bytes the input files have that the command line names. */
export function inputBytes({ args }: CapturedLink): number {
  const files = args.filter((arg) => !arg.startsWith('-') && existsSync(arg) && statSync(arg).isFile());
  return files.reduce((sum, file) => sum + statSync(file).size, 0);
}

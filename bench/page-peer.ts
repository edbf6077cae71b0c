// The peer's way with modules (Dioxus subsecond, `dx serve --hotpatch` for the web), by its own code: it links the base with
// everything in it, gives every function an element of the table, and makes of each edit a module of all objects of the
// crate, by wasm-ld, which it then rewrites. Owns the command lines, which are those of its sources (dioxus-cli 0.7.10,
// src/build/request.rs and link.rs), and the program around those sources (bench/programs/web-peer).
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { run } from '../conformance/setup/run.js';
import { wasmToolchain } from '../conformance/setup/wasm-toolchain.js';
import { openArchive } from '../src/formats/archive.js';
import { type BuiltProgram, TARGET } from '../tests/wasm/built-program.js';
import { ownObjects } from '../tests/wasm/linked-inputs.js';
import { ROOT } from './record.js';

const LINKER = `CARGO_TARGET_${TARGET.toUpperCase().replaceAll('-', '_')}_LINKER`;

/** Of both of its builds; only the package of the module is compiled with them. */
const COMPILED = ['-Csave-temps=true', '-Clink-dead-code'];
const LINKED = [
  ...['--no-gc-sections', '--growable-table', '--export-table', '--export-memory', '--emit-relocs'],
  ...['--export=__stack_pointer', '--export=__heap_base', '--export=__data_end'],
];
const PATCH = [
  ...['--fatal-warnings', '--verbose', '--import-memory', '--import-table', '--growable-table', '--export', 'main'],
  ...['--allow-undefined', '--no-demangle', '--no-entry', '--pie', '--experimental-pic'],
];

/** Compiles the peer's code and gives the program. Its sources, and those of all that it uses, come from the registry. */
export function buildPeer(folder: string): string {
  const project = join(folder, 'web-peer');
  cpSync(join(ROOT, 'bench', 'programs', 'web-peer'), project, { recursive: true });
  const patch = join(project, 'src', 'patch.rs');
  if (!existsSync(patch)) {
    run('cargo', ['fetch', '-q'], { cwd: project });
    const all = JSON.parse(run('cargo', ['metadata', '--format-version', '1'], { cwd: project })) as {
      readonly packages: readonly { readonly name: string; readonly manifest_path: string }[];
    };
    // cargo says nothing of what is no library; all that comes from one registry lies side by side.
    const beside = all.packages.find(({ name }) => name === 'subsecond-types');
    if (beside === undefined) throw new Error('cargo has no subsecond-types');
    const sources = dirname(beside.manifest_path).replace('subsecond-types', 'dioxus-cli');
    symlinkSync(join(sources, 'src', 'build', 'patch.rs'), patch);
  }
  run('cargo', ['build', '-q', '--release'], { cwd: project });
  return join(project, 'target', 'release', 'web-peer');
}

/** What is built. */
export interface PeerSettings {
  readonly crate: string;
  readonly release: boolean;
  /** Of `src/lib.rs`: of the base, and after the edit that patches are made of. */
  readonly sources: readonly [string, string];
}

/** What the peer makes of an edit. */
interface PeerPatch {
  readonly linkMs: number;
  /** Of what comes behind the linker; 0 where that refuses. */
  readonly rewriteMs: number;
  readonly refuses: string | null;
  readonly bytes: Uint8Array;
}

/** A program as the peer has it. */
export interface PeerProgram {
  /** As its linker made it, and as it then is. */
  readonly linked: Uint8Array;
  readonly base: Uint8Array;
  /** Makes the base again; ms, without reading and writing. */
  rewrite(): number;
  /** Of the crate, which each patch is linked of. */
  readonly objects: number;
  /** One patch of the source as it is. */
  patch(): Promise<PeerPatch>;
  close(): void;
}

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** All that the linker was given, archives of other crates taken apart: nothing of them is left out. */
function linkAll(args: readonly string[], built: BuiltProgram, folder: string): readonly string[] {
  const out: string[] = [];
  let taken = 0;
  for (const [index, arg] of args.entries()) {
    if (arg === '-o' || args[index - 1] === '-o' || arg === '-flavor' || args[index - 1] === '-flavor') continue;
    if (!arg.endsWith('.rlib') || !arg.startsWith(built.folder)) {
      out.push(arg);
      continue;
    }
    const archive = openArchive(bytesOf(arg), arg);
    for (const { name, index: member } of archive.members) {
      if (!name.endsWith('.rcgu.o')) continue;
      const path = join(folder, `${taken++}-${name}`);
      writeFileSync(path, archive.memberBytes(member));
      out.push(path);
    }
  }
  return out;
}

/** Links and rewrites a base. The program must have been built; its package is compiled again, the peer's way. */
export function openPagePeer(
  tool: string,
  built: BuiltProgram,
  { crate, release, sources }: PeerSettings,
): PeerProgram {
  const { env, linker } = wasmToolchain(TARGET);
  const folder = join(built.folder, 'peer');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const recorder = join(folder, 'rust-lld');
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" > '${folder}/args'\ncp "$TMPDIR"/rustc*/symbols.o '${folder}' 2>/dev/null\nexec '${linker}' "$@"\n`;
  writeFileSync(recorder, script, { mode: 0o755 });
  const deps = join(built.output, 'deps');
  const compile = (source: string, ...more: readonly string[]): readonly string[] => {
    writeFileSync(join(built.folder, 'src', 'lib.rs'), source);
    for (const { name } of ownObjects(deps)) if (name.startsWith(`${crate}.`)) rmSync(join(deps, name));
    const flags = [...COMPILED, ...LINKED.map((arg) => `-Clink-arg=${arg}`), ...more];
    const args = ['rustc', '-q', '--lib', '--target', TARGET, ...(release ? ['--release'] : []), '--', ...flags];
    const tools = { ...env, [LINKER]: recorder, RUSTFLAGS: '-Csave-temps', TMPDIR: folder };
    run('cargo', args, { cwd: built.folder, env: tools });
    return ownObjects(deps).flatMap(({ name }) => (name.startsWith(`${crate}.`) ? join(deps, name) : []));
  };
  compile(sources[0]);
  const recorded = readFileSync(join(folder, 'args'), 'utf8').split('\n').slice(0, -1);
  const args = linkAll(recorded, built, folder).map((arg) =>
    arg.endsWith('/symbols.o') ? join(folder, 'symbols.o') : arg,
  );
  const [linked, base, output] = ['linked.wasm', 'base.wasm', 'patch.wasm'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  run(linker, ['-flavor', 'wasm', ...args, '-o', linked]);
  const rewrite = (): number => Number(run(tool, ['rewrite', linked, base]));
  rewrite();
  const exports = recorded.flatMap((arg, index) => (recorded[index - 1] === '--export' ? ['--export', arg] : []));
  const objects = compile(sources[1], '-Crelocation-model=pic');
  const peer = spawn(tool, ['patches', base]);
  const next = answersOf(peer);
  const opened = next();
  return {
    ...{ linked: bytesOf(linked), base: bytesOf(base), rewrite, objects: objects.length },
    async patch() {
      await opened;
      const start = performance.now();
      run(linker, ['-flavor', 'wasm', ...PATCH, ...exports, ...objects, '-o', output]);
      const linkMs = performance.now() - start;
      peer.stdin.write(`${output}\n`);
      const said = await next();
      const refuses = said.startsWith('failed') ? said.slice('failed '.length) : null;
      return { linkMs, rewriteMs: refuses === null ? parseFloat(said) : 0, refuses, bytes: bytesOf(output) };
    },
    close: () => void peer.kill(),
  };
}

/** Its answers, one at a time, in the order of what was asked. */
function answersOf(peer: ChildProcessWithoutNullStreams): () => Promise<string> {
  const lines: string[] = [];
  const input = createInterface(peer.stdout);
  input.on('line', (line) => lines.push(line));
  return async () => {
    while (lines.length === 0) await Promise.race([once(input, 'line'), once(peer, 'exit').then(failed)]);
    return lines.shift() ?? '';
  };
}

function failed(): never {
  throw new Error("the peer's program ended");
}

// Where the corpus's programs live: how they are compiled and linked, and how one is started with the agent in it.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DarwinTarget } from '../../conformance/setup/darwin-toolchain.js';
import { darwinToolchain } from '../../conformance/setup/darwin-toolchain.js';
import type { MachineName } from '../../src/formats/object-file.js';
import { agentLibrary } from '../../src/host/agent/agent-build.js';
import { targetTools } from '../../src/host/cargo/target-tools.js';
import { fileAt } from '../../src/host/files/object-paths.js';
import type { InputFile } from '../../src/patch/engine.js';
import { objectWithSlots } from '../../src/patch/give-slots.js';
import type { LibraryTarget } from '../../src/patch/image/library.js';
import type { Delivery } from '../../src/patch/plan.js';
import { preloaded, start, type Running } from '../agent/process.js';

/** One kind of program. */
export interface Place {
  readonly name: string;
  readonly rustc: string;
  /** For rustc, at every compilation. */
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** For rustc where a program is linked. */
  readonly linkFlags: readonly string[];
  /** Links once more, from objects with slots; `said` is what rustc printed. */
  readonly relink?: (directory: string, said: string) => void;
  readonly target: LibraryTarget;
  readonly delivery: Delivery;
  /** Starts a program whose agent connects to this socket. */
  readonly start: (executable: string, socketPath: string, token: Uint8Array) => Promise<Running>;
}

/** Programs of this machine, patched by jumps in memory that the agent maps. */
export const HERE: Place = {
  name: 'x86_64-unknown-linux-gnu',
  rustc: 'rustc',
  flags: [],
  environment: {},
  linkFlags: [],
  target: { format: 'elf', machine: 'x86_64' },
  delivery: 'map',
  start: async (executable, socketPath, token) => start(executable, await preloaded(socketPath, token), 'ignore'),
};

/** Programs for macOS in our own loader, patched through slots by libraries. */
export function darwin(target: DarwinTarget): Place {
  const tools = darwinToolchain(target);
  const { variables, ...settings } = targetTools([], '/', target, HERE.name, null, { ...process.env, ...tools.env });
  const agent = agentLibrary(target, { tools: { ...settings, variables: { ...variables, SDKROOT: tools.sdk } } });
  const machine: MachineName = target.startsWith('aarch64') ? 'arm64' : 'x86_64';
  return {
    name: target,
    rustc: tools.rustc,
    flags: ['--target', target, '-Csplit-debuginfo=unpacked'],
    environment: tools.env,
    linkFlags: ['-Csave-temps', '--print=link-args', `-Clinker=${tools.cc}`],
    relink(directory, said) {
      for (const name of new Set(said.match(/(?<=[" ])app\.[^" ]*\.rcgu\.o/g) ?? [])) {
        const object = join(directory, name);
        const bytes = objectWithSlots(readFileSync(object), object, 'all');
        if (bytes === null) continue;
        // It may be a hard link of the incremental directory's.
        unlinkSync(object);
        writeFileSync(object, bytes);
      }
      execFileSync('sh', ['-c', said], { cwd: directory, env: { ...process.env, ...tools.env } });
    },
    target: { format: 'macho', machine },
    delivery: 'library',
    start: async (executable, socketPath, token) => {
      const environment = {
        DYLD_INSERT_LIBRARIES: await agent,
        IPBP_CONNECT: `unix:${socketPath}`,
        IPBP_TOKEN: Buffer.from(token).toString('hex'),
      };
      return start(tools.machorun, environment, 'ignore', [executable]);
    },
  };
}

const libraries = new Map<string, readonly InputFile[]>();

/** The rlibs that rustc links every program with. */
export function standardLibrary({ name, rustc, flags }: Place): readonly InputFile[] {
  let found = libraries.get(name);
  if (found === undefined) {
    const folder = execFileSync(rustc, [...flags, '--print', 'target-libdir'], { encoding: 'utf8' }).trim();
    const names = readdirSync(folder).filter((file) => file.endsWith('.rlib'));
    libraries.set(name, (found = names.map((file) => fileAt(join(folder, file)))));
  }
  return found;
}

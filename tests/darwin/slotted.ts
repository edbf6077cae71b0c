// A Rust program for macOS whose functions have slots, the same without, and its objects after edits, as an incremental build leaves them.
import { cpSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { run } from '../../conformance/setup/run.js';
import { objectWithSlots } from '../../src/patch/give-slots.js';
import type { DarwinWorkshop } from './programs.js';

/** Where a version's executable and its incremental directory are. */
export interface Version {
  readonly executable: string;
  readonly incremental: string;
}

function compile(
  { tools }: DarwinWorkshop,
  source: string,
  incremental: string,
  output: string,
  ...more: readonly string[]
): string {
  writeFileSync(`${output}.rs`, source);
  const target = ['--edition', '2024', '--crate-name', 'app', '--target', tools.target];
  const debug = ['-Cdebuginfo=2', '-Csplit-debuginfo=unpacked'];
  const args = [...target, ...debug, `-Cincremental=${incremental}`, '-o', output, ...more, `${output}.rs`];
  return run(tools.rustc, args, { env: tools.env });
}

/** Links it from objects with slots: the linker's command runs once more. */
export function slottedProgram(workshop: DarwinWorkshop, source: string, ...flags: readonly string[]): Version {
  const { tools, path } = workshop;
  const [executable, incremental] = [path('first'), path('first-incremental')];
  const kept = ['-Csave-temps', '--print=link-args', `-Clinker=${tools.cc}`];
  const command = compile(workshop, source, incremental, executable, ...kept, ...flags);
  for (const object of new Set(command.match(/[^" ]*\/first\.[^" ]*\.rcgu\.o/g) ?? [])) {
    const bytes = objectWithSlots(readFileSync(object), object, 'all');
    if (bytes === null) continue;
    // It may be a hard link of the incremental directory's.
    unlinkSync(object);
    writeFileSync(object, bytes);
  }
  run('sh', ['-c', command], { env: tools.env });
  return { executable, incremental };
}

/** Linked as rustc does it: without slots. */
export function plainProgram(workshop: DarwinWorkshop, source: string, ...flags: readonly string[]): Version {
  const { tools, path } = workshop;
  const [executable, incremental] = [path('plain'), path('plain-incremental')];
  compile(workshop, source, incremental, executable, `-Clinker=${tools.cc}`, ...flags);
  return { executable, incremental };
}

/** Compiles another text of it; nothing is linked. */
export function edited(
  workshop: DarwinWorkshop,
  name: string,
  from: Version,
  source: string,
  ...flags: readonly string[]
): Version {
  const [executable, incremental] = [workshop.path(name), workshop.path(`${name}-incremental`)];
  cpSync(from.incremental, incremental, { recursive: true });
  compile(workshop, source, incremental, executable, '-Clinker=true', ...flags);
  return { executable, incremental };
}

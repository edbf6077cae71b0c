// Compiles small Rust programs incrementally, as cargo has rustc do it, in a directory that goes away with the process.
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLinkObject } from '../../link/atoms.js';
import type { LinkObject } from '../../link/graph.js';
import { readObjectFile } from '../../formats/read-object.js';

/** A program that was compiled once and can be compiled again after edits, each time from the same start. */
export interface CompiledProgram {
  readonly objects: readonly LinkObject[];
  /** The program with texts replaced, each of which must stand in it once. */
  edited(edits: readonly (readonly [from: string, to: string])[]): EditedProgram;
}

/** Only the objects that differ, as they were and as they are. */
export interface EditedProgram {
  readonly before: readonly LinkObject[];
  readonly after: readonly LinkObject[];
}

let scratch: string | null = null;

function scratchDirectory(): string {
  if (scratch === null) {
    const made = mkdtempSync(join(tmpdir(), 'ipbp-compile-'));
    process.on('exit', () => {
      rmSync(made, { recursive: true, force: true });
    });
    scratch = made;
  }
  return mkdtempSync(join(scratch, 'program-'));
}

/** Compiles a crate called `app`. */
export function compileProgram(source: string, flags: readonly string[]): CompiledProgram {
  const directory = scratchDirectory();
  const files = compile(directory, source, flags);
  const objects = [...files].map(([name, bytes]) => open(name, bytes));
  return {
    objects,
    edited(edits) {
      let text = source;
      for (const [from, to] of edits) {
        if (text.split(from).length !== 2) throw new Error(`"${from}" does not stand in the program just once`);
        text = text.replace(from, () => to);
      }
      const copy = scratchDirectory();
      cpSync(directory, copy, { recursive: true });
      const now = compile(copy, text, flags);
      rmSync(copy, { recursive: true, force: true });
      const same = (name: string): boolean => Buffer.compare(files.get(name) ?? NONE, now.get(name) ?? NONE) === 0;
      return {
        before: [...files].filter(([name]) => !same(name)).map(([name, bytes]) => open(name, bytes)),
        after: [...now].filter(([name]) => !same(name)).map(([name, bytes]) => open(name, bytes)),
      };
    },
  };
}

const NONE = new Uint8Array(0);

function open(name: string, bytes: Uint8Array): LinkObject {
  return openLinkObject(readObjectFile(bytes, name));
}

/** Compiles in a directory whose incremental state it continues; gives the objects of the new session. */
function compile(directory: string, source: string, flags: readonly string[]): Map<string, Uint8Array> {
  writeFileSync(join(directory, 'main.rs'), source);
  const incremental = join(directory, 'incremental');
  const fixed = ['--edition=2021', '--crate-name=app', `-Cincremental=${incremental}`, '-Clinker=true', '-Awarnings'];
  const run = spawnSync('rustc', [...fixed, ...flags, 'main.rs'], { cwd: directory, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  const crate = join(incremental, readdirSync(incremental)[0] ?? '');
  // Sessions are named by their time in base 36, of equal length: the last is the newest.
  const sessions = readdirSync(crate).filter((name) => !name.endsWith('.lock'));
  const objects = join(crate, sessions.sort().at(-1) ?? '');
  const names = readdirSync(objects).filter((name) => name.endsWith('.o'));
  return new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(objects, name)))]));
}

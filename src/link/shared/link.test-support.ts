// Objects compiled for tests of links, and libraries that are linked from them and called by a program.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openArchive } from '../../formats/archive.js';
import { readObjectFile } from '../../formats/read-object.js';
import { readElf, type ElfFile } from '../../formats/elf/read.js';
import { SHARED_OBJECT } from '../emit-shared.js';
import { linkShared, type SharedResult } from '../shared.js';
import { DEFAULT_SHARED_OPTIONS, type LinkInput, type SharedOptions } from './options.js';

/** A folder of files for one suite. Programs and libraries are for the machine that the tests run on. */
export interface Workshop {
  /** Compiles C to an object; the path of it. */
  compile(source: string, ...flags: string[]): string;
  /** The same of C++. */
  compilePlus(source: string, ...flags: string[]): string;
  /** The same of C, for arm64. */
  compileArm64(source: string, ...flags: string[]): string;
  archive(...objects: string[]): string;
  input(path: string, facts?: { whole?: boolean; hidden?: boolean }): LinkInput;
  link(inputs: readonly LinkInput[], options?: Partial<SharedOptions>): SharedResult;
  /** Links without errors, and reads the result. */
  read(inputs: readonly LinkInput[], options?: Partial<SharedOptions>): ElfFile;
  /** Links, and gives what `int value(void)` of the library returns to a program that loads it. */
  run(inputs: readonly LinkInput[], options?: Partial<SharedOptions>): string;
  remove(): void;
}

const HOST = `#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **arguments) {
  void *library = dlopen(arguments[1], RTLD_NOW);
  int (*value)(void) = library ? (int (*)(void))dlsym(library, "value") : 0;
  if (!value) { puts(dlerror()); return 1; }
  printf("%d\\n", value());
  return 0;
}`;

/** Makes an empty workshop. */
export function openWorkshop(): Workshop {
  const dir = mkdtempSync(join(tmpdir(), 'ipbp-link-'));
  let files = 0;
  let host: string | null = null;
  const build = (compiler: string, suffix: string, source: string, flags: readonly string[]): string => {
    const base = join(dir, `f${files++}`);
    writeFileSync(`${base}.${suffix}`, source);
    execFileSync(compiler, ['-c', '-O1', '-fPIC', ...flags, `${base}.${suffix}`, '-o', `${base}.o`]);
    return `${base}.o`;
  };
  const program = (): string => {
    if (host !== null) return host;
    const source = join(dir, 'host.c');
    writeFileSync(source, HOST);
    host = join(dir, 'host');
    execFileSync('gcc', [source, '-o', host, '-ldl']);
    return host;
  };
  const workshop: Workshop = {
    compile: (source, ...flags) => build('gcc', 'c', source, flags),
    compilePlus: (source, ...flags) => build('g++', 'cc', source, flags),
    compileArm64: (source, ...flags) => build('aarch64-linux-gnu-gcc', 'c', source, flags),
    archive(...objects) {
      const path = join(dir, `lib${files++}.a`);
      execFileSync('ar', ['rcs', path, ...objects]);
      return path;
    },
    input(path, facts = {}) {
      const bytes = new Uint8Array(readFileSync(path));
      const { whole = false, hidden = false } = facts;
      if (/\.(?:a|rlib)$/.test(path)) return { kind: 'archive', archive: openArchive(bytes, path), whole, hidden };
      const file = readObjectFile(bytes, path);
      if (file.kind === 'shared') return { kind: 'shared', file, neededAs: path, asNeeded: true };
      return { kind: 'object', file };
    },
    link: (inputs, options = {}) => linkShared(inputs, { ...DEFAULT_SHARED_OPTIONS, ...options }, SHARED_OBJECT),
    read(inputs, options) {
      const { bytes, errors } = workshop.link(inputs, options);
      assert.equal(
        errors.map((error) => error.message),
        [],
      );
      return readElf(bytes as Uint8Array, 'linked.so');
    },
    run(inputs, options) {
      const library = join(dir, `l${files++}.so`);
      writeFileSync(library, workshop.read(inputs, options).bytes);
      return execFileSync(program(), [library], { encoding: 'utf8' }).trim();
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
  return workshop;
}

/** Names of the dynamic symbols that a library defines. */
export function exportsOf(file: ElfFile): string[] {
  const symbols = file.linked?.dynamicSymbols ?? [];
  return symbols.flatMap(({ name, section }) => (section === 'undefined' || name === '' ? [] : [name])).sort();
}

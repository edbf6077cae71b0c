// The link of one edit's patch as the peer does it (Dioxus subsecond): all objects of the edited crate, and an object that
// stands for what they use of the program, through rustc's own lld to a shared library. Owns the command lines and that
// object, for every platform.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { darwinSdk } from '../conformance/setup/darwin-sdk.js';
import { run, tryRun, type Said } from '../conformance/setup/run.js';
import type { ObjectSymbol } from '../src/formats/object-file.js';
import { readObjectFile } from '../src/formats/read-object.js';
import type { OpenEdit } from './open-edit.js';
import type { Platform } from './platform.js';

/** The peer, ready to link. */
export interface PeerLink {
  /** Symbols that stand for the program's. */
  readonly stubs: number;
  /** What the linker says when it refuses such a link; null when it does not. It is then made to link all the same. */
  readonly refuses: string | null;
  /** The linker's output. */
  readonly output: string;
  /** Links all objects of the crate, or only those that differ. Throws when the linker fails. */
  link(objects: 'all' | 'changed'): void;
}

/** rustc's own, as the peer calls it. */
function rustLld(): string {
  const root = spawnSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).stdout.trim();
  return join(root, 'lib', 'rustlib', 'x86_64-unknown-linux-gnu', 'bin', 'rust-lld');
}

/** The program's symbols that the objects use and do not define. */
function usedOfProgram({ executable, objects }: OpenEdit): readonly ObjectSymbol[] {
  const program = new Map(readObjectFile(executable, 'program').symbols.map((symbol) => [symbol.name, symbol]));
  const symbols = objects.flatMap((path) => readObjectFile(new Uint8Array(readFileSync(path)), path).symbols);
  const defined = new Set(symbols.filter(({ section }) => section !== 'undefined').map(({ name }) => name));
  const wanted = new Set(symbols.filter(({ section }) => section === 'undefined').map(({ name }) => name));
  return [...wanted].flatMap((name) => {
    const symbol = program.get(name);
    return symbol === undefined || defined.has(name) || typeof symbol.section !== 'number' ? [] : [symbol];
  });
}

/** Functions are jumps to an address, data is the place itself, as if the program lay there. */
function elfStub({ name, kind, value }: ObjectSymbol): readonly string[] {
  const address = `0x${(0x5555_5555_4000 + value).toString(16)}`;
  const global = `.globl "${name}"`;
  if (kind !== 'function') return [global, `"${name}" = ${address}`];
  return [global, `.type "${name}", @function`, `"${name}":`, 'jmp *0(%rip)', `.quad ${address}`];
}

/** Only what the linker must find: thread-locals. All else is looked up by the loader, which is less work for the peer. */
function machoStub({ name }: ObjectSymbol): readonly string[] {
  const lines = ['.section __DATA,__thread_vars,thread_local_variables', `.globl "_${name}"`, `"_${name}":`];
  return [...lines, '.quad __tlv_bootstrap', '.quad 0', '.quad 0'];
}

function machoOptions({ target }: Platform): readonly string[] {
  const machine = target.startsWith('aarch64') ? 'arm64' : 'x86_64';
  const platform = ['-arch', machine, '-platform_version', 'macos', '11.0', '11.0', '-syslibroot', darwinSdk()];
  return ['-flavor', 'darwin', '-dylib', ...platform, '-lSystem', '-undefined', 'dynamic_lookup', '-adhoc_codesign'];
}

/** Makes the object that stands for the program, and tries the link once. */
export function openPeer(edit: OpenEdit, platform: Platform, folder: string): PeerLink {
  const used = usedOfProgram(edit);
  const elf = !platform.slotsOnly;
  const program = readObjectFile(edit.executable, 'program');
  const isThreadLocal = ({ section }: ObjectSymbol): boolean =>
    typeof section === 'number' && program.sections[section]?.kind === 'tls-descriptors';
  const stubs = elf ? used : used.filter(isThreadLocal);
  const source = join(folder, 'stubs.s');
  writeFileSync(source, `${['.text', ...stubs.flatMap(elf ? elfStub : machoStub)].join('\n')}\n`);
  const object = join(folder, 'stubs.o');
  run('clang-19', ['-target', platform.target, '-c', source, '-o', object]);
  const output = join(folder, elf ? 'patch.so' : 'patch.dylib');
  const options = elf
    ? ['-flavor', 'gnu', '-shared', '--eh-frame-hdr', '-z', 'now', '-z', 'relro']
    : machoOptions(platform);
  const linker = rustLld();
  const peer = (objects: 'all' | 'changed', ...more: readonly string[]): Said =>
    tryRun(linker, [...options, '-o', output, ...more, ...(objects === 'all' ? edit.objects : edit.after), object]);
  const refused = peer('all');
  // Of ELF it refuses thread-locals of the edited crate; its time is that of the same link without the refusal.
  const anyway = refused.status === 0 ? [] : ['--noinhibit-exec'];
  return {
    stubs: stubs.length,
    refuses: refused.status === 0 ? null : (refused.stderr.split('\n')[0] ?? ''),
    output,
    link(objects) {
      const { status, stderr } = peer(objects, ...anyway);
      if (status !== 0) throw new Error(`rust-lld ended with ${status}: ${stderr}`);
    },
  };
}

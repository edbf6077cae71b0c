// Real files for the tests of readers, made by the compilers of this machine in a temporary directory that goes away
// with the process. Each is built when it is first asked for.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ARM64_OBJECT } from './arm64-object.js';

let directory: string | null = null;

/** The temporary directory. */
export function scratch(): string {
  if (directory === null) {
    const made = mkdtempSync(join(tmpdir(), 'ipbp-formats-'));
    process.on('exit', () => {
      rmSync(made, { recursive: true, force: true });
    });
    directory = made;
  }
  return directory;
}

/** Standard output of a program; fails when the program does. */
export function output(program: string, args: readonly string[], cwd?: string): string {
  const env = { ...process.env, LC_ALL: 'C' };
  return execFileSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    env,
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const RUST = `
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Debug;
thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(7) };
    static LAZY: Cell<Vec<u8>> = Cell::new(vec![1, 2]);
}
static ZEROS: [u8; 4096] = [0; 4096];
pub static mut STATE: u64 = 4;
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;
extern "C" fn start() {}
pub trait Shape {
    fn area(&self) -> f64;
}
struct Square(f64);
impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}
fn show<T: Debug, const N: usize>(items: [T; N]) -> String {
    format!("{items:?}")
}
pub fn run(depth: usize) -> usize {
    let map: HashMap<u32, String> = (0..9).map(|i| (i, format!("{i}"))).collect();
    COUNT.with(|count| count.set(count.get() + 1));
    LAZY.with(|lazy| drop(lazy.take()));
    let shape: Box<dyn Shape> = Box::new(Square(2.0));
    let result = std::panic::catch_unwind(|| if depth > 99 { panic!("deep") });
    println!("{map:?} {} {} {result:?} {}", shape.area(), show([1u8, 2, 3]), ZEROS[3]);
    match depth { 0 => 3, 1 => 77, 2 => 9, 3 => 1000, 4 => 22, 5 => unsafe { STATE as usize }, _ => depth }
}
`;

const C = `
#include <stdlib.h>
int tentative;
__thread int counter = 5;
static __thread volatile char zeroed[64];
__attribute__((weak)) int maybe(void);
__attribute__((visibility("hidden"))) int hidden = 3;
__attribute__((constructor)) static void begin(void) { hidden++; }
static int twice(int x) { return x * 2; }
int (*const table[])(int) = { twice, abs };
int work(int x) { zeroed[x & 63] = 1; if (maybe) x += maybe(); return table[x & 1](x) + counter + tentative; }
const char *text(int x) { return x ? "shared tail" : "tail"; }
`;

const ASSEMBLY = `
        .section .text.once,"axG",@progbits,signature,comdat
        .weak signature
        .type signature,@function
signature:
        .cfi_startproc
        nop
        ret
        .cfi_endproc
        .size signature, .-signature
        .section .rodata.once,"aG",@progbits,signature,comdat
        .quad signature
        .section .kept,"awR",@progbits
        .long 1
        .section .ctors.65500,"aw"
        .quad signature
        .section .data.rel.ro.local,"aw"
        .quad signature - 8
        .section .rodata.str1.1,"aMS",@progbits,1
        .string "one"
        .text
        .globl absolute
        .set absolute, 0x1234
        .comm shared,24,16
        .protected guarded
        .globl guarded
        .type guarded,@gnu_indirect_function
guarded:
        .cfi_startproc
        call undefined@PLT
        ret
        .cfi_endproc
`;

const built = new Map<string, string>();

function once(name: string, build: (path: string) => void): string {
  let path = built.get(name);
  if (path === undefined) {
    path = join(scratch(), name);
    build(path);
    built.set(name, path);
  }
  return path;
}

function source(name: string, text: string): string {
  return once(name, (path) => {
    writeFileSync(path, text);
  });
}

function rustc(...args: readonly string[]): void {
  output('rustc', ['--edition=2024', '-Cdebuginfo=1', ...args]);
}

/** An rlib of four codegen units, unoptimised. */
export function debugRlib(): string {
  return once('libdebug_units.rlib', (path) => {
    const file = source('units.rs', RUST);
    rustc(
      '--crate-type=lib',
      '--crate-name=debug_units',
      '-Ccodegen-units=4',
      '-Csymbol-mangling-version=v0',
      file,
      '-o',
      path,
    );
  });
}

/** One optimised object. */
export function releaseObject(): string {
  return once('release.o', (path) => {
    rustc('--crate-type=lib', '--crate-name=release', '-O', '--emit=obj', source('units.rs', RUST), '-o', path);
  });
}

/** A program linked with std. */
export function rustProgram(): string {
  return once('program', (path) => {
    const main = 'fn main() { std::process::exit(if run(std::env::args().count()) > 5000 { 1 } else { 0 }) }';
    rustc('--crate-name=program', source('program.rs', RUST + main), '-o', path);
  });
}

/** A program linked by mold, which lays notes of unlike padding into one segment. */
export function moldProgram(): string {
  return once('mold-program', (path) => {
    output('gcc', ['-fuse-ld=mold', source('mold-program.c', 'int main(void) { return 0; }'), '-o', path]);
  });
}

/** An object for AArch64: committed, since building one needs that target's own library. */
export function arm64Object(): string {
  return once('arm64.o', (path) => {
    writeFileSync(path, Buffer.from(ARM64_OBJECT, 'base64'));
  });
}

export function cObject(): string {
  return once('work.o', (path) => {
    output('gcc', ['-O1', '-g', '-fcommon', '-fexceptions', '-c', source('work.c', C), '-o', path]);
  });
}

/** COMDAT groups, retained and mergeable sections, absolute, common and indirect symbols. */
export function assemblyObject(): string {
  return once('groups.o', (path) => {
    output('gcc', ['-c', source('groups.s', ASSEMBLY), '-o', path]);
  });
}

/** More sections than sixteen bits can count (SHN_XINDEX). */
export function manySectionsObject(): string {
  return once('many.o', (path) => {
    const lines: string[] = [];
    for (let index = 0; index < 66_000; index++) {
      lines.push(`.section .t.${index},"a"`, `.byte ${index % 251}`);
    }
    lines.push('.section .last,"a"', '.globl last', 'last: .quad last', '.globl first', '.section .t.0,"a"', 'first:');
    output('gcc', ['-c', source('many.s', `${lines.join('\n')}\n`), '-o', path]);
  });
}

/** The C library of this machine, as a program is linked to it. */
export function cLibrary(): string {
  return output('gcc', ['-print-file-name=libc.so.6']).trim();
}

/** A precompiled archive of the standard library, by the start of its file name. */
export function standardRlib(name: string): string {
  const folder = output('rustc', ['--print', 'target-libdir']).trim();
  const file = readdirSync(folder).find((entry) => entry.startsWith(`lib${name}-`) && entry.endsWith('.rlib'));
  if (file === undefined) throw new Error(`no lib${name}-*.rlib in ${folder}`);
  return join(folder, file);
}

/** The members of an archive, unpacked by ar: paths in the archive's order. */
export function unpacked(archive: string): string[] {
  const folder = join(scratch(), `unpacked-${built.size}`);
  built.set(folder, folder);
  mkdirSync(folder);
  output('ar', ['x', archive], folder);
  return output('ar', ['t', archive])
    .trim()
    .split('\n')
    .map((member) => join(folder, member));
}

export function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

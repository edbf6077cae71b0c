// Sound inputs to be changed: made once per run by this machine's compilers and by our own encoders, a folder per
// target. Small ones, since what a case costs grows with them, but with all that a reader looks at.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as inputs from '../format-inputs.js';
import * as macho from '../macho-inputs.js';
import * as wasm from '../wasm-inputs.js';
import { codeSeeds, frameSeeds, noteSeeds, nameSeeds, patchSeeds, scriptSeeds, stubSeeds } from './own-seeds.js';

const RUST = `#![no_std]
pub struct Point { pub a: u8, pub b: u64, pub c: Option<u32> }
pub enum Event { First(u8), Second { x: [u16; 3], y: &'static str }, Third }
pub union Either { pub whole: u32, pub parts: [u8; 4] }
pub static mut STATE: u64 = 4;
pub trait Shape { fn area(&self) -> u32; }
impl Shape for Point { fn area(&self) -> u32 { self.b as u32 } }
pub static SHAPE: &(dyn Shape + Sync) = &Point { a: 1, b: 2, c: None };
#[inline(never)]
pub fn handle(event: &Event, shape: &dyn Shape) -> u32 {
    match event { Event::First(x) => *x as u32, Event::Second { x, .. } => x[1] as u32 + shape.area(), Event::Third => 7 }
}
pub fn with<F: Fn(u32) -> u32>(f: F) -> u32 { f(3) }
pub fn close(n: u32) -> u32 { with(|x| x + n) + unsafe { STATE } as u32 }
`;

const C = `
extern int outside(int);
__thread int counter = 5;
static int hidden[4] = { 1, 2, 3, 4 };
struct node { struct node *next; union { int a; double b; } u; unsigned bits : 3; };
typedef struct node list;
enum color { RED, GREEN = 7 } tint;
__attribute__((constructor)) static void begin(void) { hidden[0]++; }
int work(list *l, enum color c) { switch (c) { case RED: return outside(3); case GREEN: return l->bits + counter; } return hidden[c & 3]; }
const char *text(int x) { return x ? "shared tail" : "tail"; }
`;

const CPP = `
struct base { virtual ~base() {} virtual int f() { return 1; } };
struct derived : base { int f() override { return 2; } };
template <class T> T twice(T x) { return x + x; }
int run(base *b) { try { if (b->f() > 1) throw 3; } catch (int e) { return twice(e); } static derived d; return d.f(); }
`;

const RUSTC = ['--edition=2021', '--crate-type=rlib', '-Ccodegen-units=1'];

/** A target's folder, and the files in it, of which those ending in `.partner` belong to others. */
export type Shelf =
  | 'object'
  | 'linked'
  | 'macho'
  | 'macho-linked'
  | 'wasm'
  | 'archive'
  | 'split'
  | 'names'
  | 'code'
  | 'patch'
  | 'frame'
  | 'notes'
  | 'scripts'
  | 'stubs';

/** Makes all seeds below `root`. */
export function makeSeeds(root: string): void {
  const folder = (name: Shelf): string => {
    const path = join(root, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const write = (name: string, text: string): string => {
    const path = join(root, name);
    writeFileSync(path, text);
    return path;
  };
  const [rust, c, cpp] = [write('seed.rs', RUST), write('seed.c', C), write('seed.cpp', CPP)];
  const object = folder('object');
  const rustc = (name: string, ...args: string[]): void => {
    inputs.output('rustc', [...RUSTC, '--emit=obj', ...args, rust, '-o', join(object, name)]);
  };
  rustc('rust-debug.o', '-Cdebuginfo=2');
  rustc('rust-release.o', '-Copt-level=3', '-Cdebuginfo=1', '-Csymbol-mangling-version=v0');
  const compile = (compiler: string, name: string, ...args: string[]): void => {
    inputs.output(compiler, [...args, '-c', '-o', join(object, name)], root);
  };
  compile('gcc', 'gcc.o', '-O1', '-g', '-fcommon', '-fPIC', c);
  compile('gcc', 'gcc-sections.o', '-O2', '-ffunction-sections', '-fdata-sections', c);
  compile('gcc', 'gcc-dwarf4.o', '-g', '-gdwarf-4', c);
  compile('gcc', 'cpp.o', '-xc++', '-g1', cpp);
  compile('clang-19', 'clang.o', '-O2', '-g', '-fPIC', '-fdebug-types-section', c);
  compile('clang-19', 'clang-sections.o', '-O1', '-g1', '-fPIC', '-ffunction-sections', '-fdata-sections', c);
  compile('clang-19', 'clang-cpp.o', '-xc++', '-g', '-fPIC', cpp);
  compile('clang-19', 'clang-arm64.o', '-xc++', '--target=aarch64-linux-gnu', '-O1', '-g1', '-fPIC', cpp);
  compile('aarch64-linux-gnu-gcc', 'gcc-arm64.o', '-O1', '-g', '-fcommon', '-fPIC', c);
  compile('aarch64-linux-gnu-gcc', 'gcc-arm64-sections.o', '-O2', '-fPIC', '-ffunction-sections', '-fdata-sections', c);
  compile('aarch64-linux-gnu-gcc', 'gcc-arm64-tiny.o', '-fPIC', '-g', '-gdwarf-4', '-mcmodel=tiny', c);
  for (const path of [inputs.assemblyObject(), inputs.arm64Object()]) copyFileSync(path, join(object, basename(path)));

  const linked = folder('linked');
  const link = (compiler: string, name: string, ...args: string[]): void => {
    inputs.output(compiler, ['-nostdlib', '-fPIC', '-shared', ...args, '-o', join(linked, name)], root);
  };
  link('gcc', 'library.so', '-Wl,-soname,library.so.1', c);
  link('gcc', 'sysv.so', '-Wl,--hash-style=sysv', '-Wl,-z,noseparate-code', '-s', c);
  link('gcc', 'relocated.so', '-Wl,--emit-relocs', c);
  link('gcc', 'rust.so', join(object, 'rust-release.o'));
  link('aarch64-linux-gnu-gcc', 'arm64.so', c);
  copyFileSync(inputs.moldProgram(), join(linked, 'mold'));

  const archive = folder('archive');
  const members = ['gcc.o', 'gcc-sections.o', 'cpp.o'].map((name) => join(object, name));
  const long = join(root, 'a-member-with-a-name-of-more-than-sixteen-letters.o');
  copyFileSync(members[0] ?? '', long);
  inputs.output('ar', ['rcs', join(archive, 'fat.a'), ...members, long]);
  inputs.output('ar', ['rcsT', join(archive, 'thin.a'), ...members, long]);
  inputs.output('ar', ['rcS', join(archive, 'unindexed.a'), ...members]);
  inputs.output('rustc', [...RUSTC, '--crate-name=seed', rust, '-o', join(archive, 'libseed.rlib')]);

  const apple = folder('macho');
  const appleLinked = folder('macho-linked');
  for (const machine of macho.MACHO_MACHINES) {
    const objects = {
      'debug.o': macho.machoObject(machine, 'c', macho.MACHO_C, '-O1', '-g'),
      'common.o': macho.machoObject(machine, 'c', macho.MACHO_C, '-O0', '-fcommon'),
      'cpp.o': macho.machoObject(machine, 'cpp', macho.MACHO_CPP, '-O1', '-g1'),
      'kinds.o': macho.machoObject(machine, 's', macho.MACHO_ASSEMBLY[machine]),
    };
    for (const [name, path] of Object.entries(objects)) copyFileSync(path, join(apple, `${machine}-${name}`));
    const first = [objects['debug.o']];
    const program = macho.machoLinked(machine, first, machine === 'arm64' ? '-fixup_chains' : '-no_fixup_chains');
    copyFileSync(program, join(appleLinked, `${machine}-program`));
    const library = macho.machoLinked(machine, first, '-dylib', '-no_fixup_chains');
    copyFileSync(library, join(appleLinked, `${machine}-library.dylib`));
    inputs.output('llvm-ar-19', [
      'rcs',
      '--format=darwin',
      join(archive, `${machine}-darwin.a`),
      ...Object.values(objects),
    ]);
  }
  inputs.output('llvm-lipo-19', [
    '-create',
    ...macho.MACHO_MACHINES.map((machine) => join(apple, `${machine}-common.o`)),
    '-output',
    join(apple, 'universal.o'),
  ]);

  const web = folder('wasm');
  const threads = ['-matomics', '-mbulk-memory'] as const;
  const webObject = wasm.wasmObject('c', wasm.WASM_C, '-O1', '-g', ...threads);
  const shared = ['--shared-memory', '--max-memory=1048576', '--emit-relocs', '--build-id'] as const;
  const webFiles = {
    'debug.o': webObject,
    'cpp.o': wasm.wasmObject('cpp', wasm.WASM_CPP, '-O1', '-fwasm-exceptions'),
    'module.wasm': wasm.wasmModule([wasm.wasmObject('c', wasm.WASM_C, '-O1')], '--export=work'),
    'threads.wasm': wasm.wasmModule([webObject], '--export=work', ...shared),
  };
  for (const [name, path] of Object.entries(webFiles)) copyFileSync(path, join(web, name));

  const split = folder('split');
  inputs.output('gcc', ['-g', '-gsplit-dwarf', '-c', c, '-o', 'split.o'], root);
  for (const [one, other] of [
    ['split.o', 'split.dwo'],
    ['split.dwo', 'split.o'],
  ] as const) {
    copyFileSync(join(root, one), join(split, one));
    copyFileSync(join(root, other), join(split, `${one}.partner`));
  }

  const own = {
    ...{ names: nameSeeds(), code: codeSeeds(), patch: patchSeeds(), frame: frameSeeds(), notes: noteSeeds() },
    scripts: scriptSeeds(),
    stubs: stubSeeds(),
  };
  for (const [name, list] of Object.entries(own)) {
    const path = folder(name as Shelf);
    list.forEach((bytes, index) => writeFileSync(join(path, `${index}`.padStart(3, '0')), bytes));
  }
}

/** The seeds of a shelf in a fixed order, each with the file that belongs to it. */
export function readSeeds(
  root: string,
  shelf: Shelf,
): readonly { readonly name: string; readonly bytes: Uint8Array; readonly partner: Uint8Array | null }[] {
  const folder = join(root, shelf);
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)));
  const names = readdirSync(folder).sort();
  return names
    .filter((name) => !name.endsWith('.partner'))
    .map((name) => ({
      name,
      bytes: read(name),
      partner: names.includes(`${name}.partner`) ? read(`${name}.partner`) : null,
    }));
}

// WebAssembly files for the tests of their readers, made by this machine's clang and lld.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output, scratch } from './format-inputs.js';

let made = 0;
const compiled = new Map<string, string>();

/** Compiles a text, once; the path of the object. The language is the name's ending: `s`, `c` or `cpp`. */
export function wasmObject(language: 's' | 'c' | 'cpp', text: string, ...flags: string[]): string {
  const key = JSON.stringify([language, text, flags]);
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const path = join(scratch(), `wasm-${made++}.${language}`);
  writeFileSync(path, text);
  output('clang-19', [
    '--target=wasm32',
    '-ffunction-sections',
    '-fdata-sections',
    ...flags,
    '-c',
    path,
    '-o',
    `${path}.o`,
  ]);
  compiled.set(key, `${path}.o`);
  return `${path}.o`;
}

/** Links objects; the path of the module. */
export function wasmModule(objects: readonly string[], ...flags: string[]): string {
  const path = join(scratch(), `wasm-${made++}.wasm`);
  output('wasm-ld-19', ['--no-entry', '--allow-undefined', ...flags, ...objects, '-o', path]);
  return path;
}

/** With thread-locals, a constructor, strings, pointers to data and functions, a call by pointer, a function of others. */
export const WASM_C = `
extern int outside(int);
extern int perhaps(int) __attribute__((weak));
__attribute__((import_module("host"), import_name("tell"))) void tell_host(const char *);
_Thread_local int counter = 5;
static int hidden[4] = { 1, 2, 3, 4 };
static int zeros[16];
const char *text(int x) { return x ? "shared tail" : "tail"; }
__attribute__((weak)) long long maybe(long long x, double y) { return x + (long long)y; }
__attribute__((constructor)) static void begin(void) { hidden[0]++; }
static int twice(int x) { return x * 2; }
int (*chosen)(int) = twice;
int *inside = &hidden[2];
__attribute__((used)) int kept = 3;
int work(int l, int c) {
  switch (c) {
    case 0: return outside(3);
    case 1: return counter++;
    case 2: return chosen(17);
    case 3: tell_host(text(c)); return (int)maybe(l, 1.5) + (perhaps ? perhaps(2) : 0);
    case 4: return zeros[l]++;
    case 5: return *inside;
  }
  return (int)(long)&work + (int)(long)&outside;
}
`;

/** Groups of which a program has one only, and what exceptions need. */
export const WASM_CPP = `
template <typename T> struct Box { static T count; virtual ~Box() {} virtual T get() { return ++count; } };
template <typename T> T Box<T>::count = 7;
inline int shared(int x) { static int calls; return x + calls++; }
struct Guard { int value; ~Guard() { shared(value); } };
void may_throw(int);
int use(Box<int> *box, int x) {
  Guard guard{x};
  may_throw(x);
  return box->get() + shared(x);
}
Box<int> *make() { static Box<int> box; return &box; }
`;

// Mach-O libraries made by clang and ld64.lld, for the tests of what reads and writes their tables, and a plain look at
// their load commands that shares no code with ipbp's readers.
import { readFileSync } from 'node:fs';
import { output } from './format-inputs.js';
import { machoLinked, machoObject, type MachoMachine } from './macho-inputs.js';

const SOURCE = `
extern int puts(const char *);
extern int outer_data;
static int inner = 5;
int exported = 7;
void *pointers[] = { &inner, &exported, &outer_data, &outer_data + 300, (void *)puts, &outer_data - 4 };
char *strings[] = { "one", "two", "three" };
int *far_apart[3000] = { [2999] = &inner };
__attribute__((weak)) int weak_one(void) { return inner; }
_Thread_local int count = 3;
_Thread_local long zeroed;
int *address_of_count(void) { return &count; }
int answer(int x) { return puts(strings[x]) + weak_one() + outer_data + zeroed; }
extern int possible(void) __attribute__((weak_import));
int ask(void) { return possible ? possible() : answer(1); }
void big(void (*use)(char *)) { char buffer[9000]; use(buffer); }
`;

const made = new Map<string, string>();

/** The path of a library; `options` are more of the linker's. */
export function machoLibrary(machine: MachoMachine, ...options: readonly string[]): string {
  return machoLibraryOf(SOURCE, machine, ...options);
}

/** The same of another source, in C++ where it says `catch`. */
export function machoLibraryOf(source: string, machine: MachoMachine, ...options: readonly string[]): string {
  const key = [machine, ...options, source].join(' ');
  const known = made.get(key);
  if (known !== undefined) return known;
  const language = source.includes('catch') ? 'cpp' : 'c';
  const object = machoObject(machine, language, source, '-O1', '-g');
  const library = machoLinked(machine, [object], '-dylib', '-adhoc_codesign', ...options);
  made.set(key, library);
  return library;
}

/** What a disassembler says about a file, its name left out. */
export function objdump(path: string, ...options: readonly string[]): string {
  return output('llvm-objdump-19', ['--macho', ...options, path]).replaceAll(path, '');
}

/** A file with its load commands. */
export class LoadCommands {
  readonly view: DataView;
  readonly commands: readonly { readonly command: number; readonly at: number }[];

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 32;
    this.commands = Array.from({ length: this.u32(16) }, () => {
      const command = { command: this.u32(at), at };
      at += this.u32(at + 4);
      return command;
    });
  }

  static of(path: string): LoadCommands {
    return new LoadCommands(new Uint8Array(readFileSync(path)));
  }

  u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  u64(at: number): number {
    return Number(this.view.getBigUint64(at, true));
  }

  /** Where the command with this number is, from 0x80000000 up without that bit. */
  find(number: number): number {
    const found = this.commands.find(({ command }) => command % 0x8000_0000 === number);
    if (found === undefined) throw new Error(`no load command ${number}`);
    return found.at;
  }

  /** Of a command that points to a part of __LINKEDIT. */
  linked(number: number): { readonly offset: number; readonly size: number; readonly bytes: Uint8Array } {
    const at = this.find(number);
    const [offset, size] = [this.u32(at + 8), this.u32(at + 12)];
    return { offset, size, bytes: this.bytes.subarray(offset, offset + size) };
  }

  /** The segments, in order. */
  segments(): { name: string; address: number; memorySize: number; offset: number; fileSize: number }[] {
    return this.commands
      .filter(({ command }) => command === 0x19)
      .map(({ at }) => ({
        name: new TextDecoder().decode(this.bytes.subarray(at + 8, at + 24)).replace(/\0.*/s, ''),
        address: this.u64(at + 24),
        memorySize: this.u64(at + 32),
        offset: this.u64(at + 40),
        fileSize: this.u64(at + 48),
      }));
  }
}

// A link of every relocation that may stand in a shared object and that all linkers know, those that compilers seldom
// make among them: from one object to what two others define, before the places and behind them, within a page and
// beyond it, with addends and without.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../setup/cache.js';
import { run } from '../setup/run.js';
import { type MachineName } from '../suite.js';
import { type CapturedLink } from './capture.js';
import { MACHINE_TOOLS } from './machine-tools.js';

/** What the first and the last object define, and so lies on either side of the places. */
const ENDS = ['first', 'last'] as const;
/** Multiples of what the widest load asks for; two of them reach into the next page. */
const ADDENDS = [0, 0x10, 0x7f0, 0x800, 0xff0, 0x1010] as const;
const SIZE = 0x1800;

/** A relocation that is named, of a field of `size` bytes. */
const word = (type: string, size: number, target: string): string[] => [
  `.reloc ., ${type}, ${target}`,
  `.zero ${size}`,
];

/** The places of one machine, as assembly. `near` is hidden data, `open` what others may replace, `code` hidden code. */
interface References {
  /** In data: to an address of near data. */
  readonly data: (near: string) => string[];
  /** In code: to an address of near data. */
  readonly access: (near: string) => string[];
  /** In code and in data: through the table, which `name` says which symbol's word is of. */
  readonly slot: (name: string) => string[];
  readonly slotData: (name: string) => string[];
  readonly call: (code: string) => string[];
  /** Past stubs, to hidden code. */
  readonly branch: (code: string) => string[];
  readonly thread: (local: string) => string[];
  /** To a symbol of the same section, less than 100 bytes ahead. */
  readonly close: (name: string) => string[];
}

const X86_64: References = {
  data: (near) => [
    ...word('R_X86_64_64', 8, near),
    ...word('R_X86_64_PC64', 8, near),
    ...word('R_X86_64_GOTOFF64', 8, near),
    // Whatever the symbol is: the table's own distance.
    ...word('R_X86_64_GOTPC64', 8, near),
    ...word('R_X86_64_GOTPC32', 4, near),
    ...word('R_X86_64_PC32', 4, near),
    ...word('R_X86_64_SIZE64', 8, near),
    ...word('R_X86_64_SIZE32', 4, near),
    '.zero 4',
  ],
  access: (near) => [`leaq ${near}(%rip), %rax`, `movl $1, ${near}(%rip)`, `cmpb $1, ${near}(%rip)`],
  slot: (name) => [`movq ${name}@GOTPCREL(%rip), %rax`, `cmpq ${name}@GOTPCREL(%rip), %rcx`],
  slotData: (name) => [...word('R_X86_64_GOT64', 8, name), '.zero 4', ...word('R_X86_64_GOTPCREL', 4, name)],
  call: (code) => [`call ${code}@PLT`, `jmp ${code}@PLT`, `call *${code}@GOTPCREL(%rip)`],
  branch: (code) => [`jne ${code}`, `leaq ${code}(%rip), %rax`],
  thread: (local) => [
    `movq ${local}@GOTTPOFF(%rip), %rax`,
    '.byte 0x66',
    `leaq ${local}@TLSGD(%rip), %rdi`,
    '.value 0x6666',
    'rex64',
    'call __tls_get_addr@PLT',
    `leaq ${local}@TLSDESC(%rip), %rax`,
    `call *${local}@TLSCALL(%rax)`,
    `leaq ${local}@TLSLD(%rip), %rdi`,
    'call __tls_get_addr@PLT',
    `leaq ${local}@DTPOFF(%rax), %rcx`,
  ],
  close: (name) => [...word('R_X86_64_PC16', 2, name), ...word('R_X86_64_PC8', 1, name)],
};

const AARCH64: References = {
  data: (near) => [
    ...word('R_AARCH64_ABS64', 8, near),
    ...word('R_AARCH64_PREL64', 8, near),
    ...word('R_AARCH64_PREL32', 4, near),
    '.zero 4',
  ],
  access: (near) => [
    `adrp x0, ${near}`,
    `add x1, x0, :lo12:${near}`,
    ...['b1', 'h1', 's1', 'd1', 'q1', 'w1', 'x1'].map((register) => `ldr ${register}, [x0, :lo12:${near}]`),
    ...['strb w1', 'strh w1'].map((store) => `${store}, [x0, :lo12:${near}]`),
    `adr x0, ${near}`,
    `ldr x0, ${near}`,
  ],
  slot: (name) => [`adrp x0, :got:${name}`, `ldr x0, [x0, :got_lo12:${name}]`],
  slotData: () => [],
  call: (code) => [`bl ${code}`, `b ${code}`],
  branch: (code) => [`cbz x0, ${code}`, `b.ne ${code}`],
  thread: (local) => [
    `adrp x0, :gottprel:${local}`,
    `ldr x0, [x0, :gottprel_lo12:${local}]`,
    `adrp x0, :tlsdesc:${local}`,
    `ldr x1, [x0, :tlsdesc_lo12:${local}]`,
    `add x0, x0, :tlsdesc_lo12:${local}`,
    `.tlsdesccall ${local}`,
    'blr x1',
  ],
  close: (name) => word('R_AARCH64_PREL16', 2, name),
};

const REFERENCES: Readonly<Record<MachineName, References>> = { x86_64: X86_64, aarch64: AARCH64 };

const NO_STACK = '.section .note.GNU-stack, "", @progbits';

function defined(name: string, type: string, body: readonly string[]): string[] {
  return [`.globl ${name}`, `.type ${name}, @${type}`, `${name}:`, ...body, `.size ${name}, . - ${name}`];
}

/** One of the two objects around the places. */
function definitions(end: (typeof ENDS)[number]): string[] {
  const data = [`.zero ${SIZE}`];
  return [
    NO_STACK,
    ...['near', 'code', 'local'].map((kind) => `.hidden ${kind}_${end}`),
    '.data',
    '.balign 16',
    ...defined(`near_${end}`, 'object', data),
    ...defined(`open_${end}`, 'object', data),
    '.section .tdata, "awT", @progbits',
    '.balign 8',
    ...defined(`local_${end}`, 'tls_object', ['.quad 1']),
    ...defined(`open_local_${end}`, 'tls_object', ['.quad 2']),
    '.text',
    ...defined(`code_${end}`, 'function', ['ret', '.balign 16']),
    ...defined(`open_code_${end}`, 'function', ['ret', '.balign 16']),
  ];
}

/** The object with the places. */
function places(machine: MachineName): string[] {
  const { data, access, slot, slotData, call, branch, thread, close } = REFERENCES[machine];
  const both = (kind: string): string[] => ENDS.map((end) => `${kind}_${end}`);
  const near = both('near').flatMap((name) => ADDENDS.map((addend) => (addend === 0 ? name : `${name} + ${addend}`)));
  const words = [...both('near'), ...both('open'), 'outside'];
  const calls = [...both('code'), ...both('open_code'), 'outside_code'];
  const locals = both('local');
  const hidden = [...both('near'), ...both('code'), ...locals, 'ahead'];
  return [
    NO_STACK,
    ...hidden.map((name) => `.hidden ${name}`),
    ...[...locals, ...both('open_local')].map((name) => `.type ${name}, @tls_object`),
    '.text',
    ...defined('uses', 'function', [
      '.cfi_startproc',
      ...near.flatMap(access),
      ...words.flatMap(slot),
      ...calls.flatMap(call),
      ...both('code').flatMap(branch),
      ...locals.flatMap(thread),
      'ret',
      '.cfi_endproc',
    ]),
    '.data',
    '.balign 8',
    ...defined('words', 'object', [...near.flatMap(data), ...words.flatMap(slotData)]),
    ...close('ahead'),
    ...defined('ahead', 'object', ['.byte 1']),
  ];
}

/** The link; its objects are made anew. */
export function referencesLink(machine: MachineName): CapturedLink {
  const folder = cacheFolder('references', machine);
  const objects = Object.entries({ first: definitions('first'), places: places(machine), last: definitions('last') });
  const files = objects.map(([name, lines]) => {
    const [source, object] = [join(folder, `${name}.s`), join(folder, `${name}.o`)];
    writeFileSync(source, `${lines.join('\n')}\n`);
    run('llvm-mc-19', ['-filetype=obj', `-triple=${MACHINE_TOOLS[machine].triple}`, source, '-o', object]);
    return object;
  });
  const args = [
    '-shared',
    '--eh-frame-hdr',
    '--hash-style=gnu',
    '-soname',
    'references.so',
    '-o',
    '{output}',
    ...files,
  ];
  return { name: 'references', machine, args };
}

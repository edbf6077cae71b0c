// How places of each machine refer to symbols, as assembly text.
import { type MachineName } from '../suite.js';
import { type GraphReference } from './graph.js';

/** What a machine's text needs. `label` is unique in the object. */
export interface MachineAssembly {
  /** Lines of one reference to a symbol. */
  readonly refer: (reference: Pick<GraphReference, 'way' | 'addend'>, name: string, label: string) => string[];
  /** Puts the address of a place of this module in a register. */
  readonly addressOf: (name: string) => string[];
  readonly back: string;
}

/** A name and a distance from it. */
export function withAddend(name: string, addend: number): string {
  return addend === 0 ? name : `${name}${addend < 0 ? '-' : '+'}${Math.abs(addend)}`;
}

function inData(way: string, target: string): string[] {
  return way === 'word' ? ['.p2align 3', `.quad ${target}`] : [`.long ${target} - .`];
}

const X86_64: MachineAssembly = {
  refer: ({ way, addend }, name) => {
    switch (way) {
      case 'call':
        return [`call ${name}@PLT`, `call *${name}@GOTPCREL(%rip)`];
      case 'slot':
        return [`movq ${name}@GOTPCREL(%rip), %rax`, `cmpq ${name}@GOTPCREL(%rip), %rcx`];
      case 'direct':
        return [`leaq ${withAddend(name, addend)}(%rip), %rdx`];
      case 'initial-exec':
        return [`movq ${name}@GOTTPOFF(%rip), %rax`];
      case 'general-dynamic':
        return ['.byte 0x66', `leaq ${name}@TLSGD(%rip), %rdi`, '.value 0x6666', 'rex64', 'call __tls_get_addr@PLT'];
      case 'local-dynamic':
        return [`leaq ${name}@TLSLD(%rip), %rdi`, 'call __tls_get_addr@PLT', `leaq ${name}@DTPOFF(%rax), %rcx`];
      case 'descriptor':
        return [`leaq ${name}@TLSDESC(%rip), %rax`, `call *${name}@TLSCALL(%rax)`];
      default:
        return inData(way, withAddend(name, addend));
    }
  },
  addressOf: (name) => [`leaq ${name}(%rip), %rdx`],
  back: 'ret',
};

const AARCH64: MachineAssembly = {
  refer: ({ way, addend }, name, label) => {
    const target = withAddend(name, addend);
    switch (way) {
      case 'call':
        return [`bl ${name}`, `cbz x0, ${label}`, `b ${name}`, `${label}:`];
      case 'slot':
        return [`adrp x0, :got:${name}`, `ldr x0, [x0, :got_lo12:${name}]`];
      case 'direct':
        return [`adrp x1, ${target}`, `add x1, x1, :lo12:${target}`];
      case 'initial-exec':
        return [`adrp x0, :gottprel:${name}`, `ldr x0, [x0, :gottprel_lo12:${name}]`];
      // Compilers only use descriptors, and lld knows no other sequence.
      case 'general-dynamic':
      case 'local-dynamic':
      case 'descriptor':
        return [
          `adrp x0, :tlsdesc:${name}`,
          `ldr x1, [x0, :tlsdesc_lo12:${name}]`,
          `add x0, x0, :tlsdesc_lo12:${name}`,
          `.tlsdesccall ${name}`,
          'blr x1',
        ];
      default:
        return inData(way, target);
    }
  },
  addressOf: (name) => [`adrp x1, ${name}`, `add x1, x1, :lo12:${name}`],
  back: 'ret',
};

export const MACHINE_ASSEMBLY: Readonly<Record<MachineName, MachineAssembly>> = { x86_64: X86_64, aarch64: AARCH64 };

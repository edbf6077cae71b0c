// Assembly text of a random link's objects, for llvm-mc. Each symbol's definition is a section of its own.
import { type MachineName } from '../suite.js';
import { defines, type Graph, type GraphReference } from './graph.js';

/** Lines of one reference; `label` is unique in the object. */
type Refer = (reference: GraphReference, name: string, label: string) => string[];

const withAddend = (name: string, addend: number): string =>
  addend === 0 ? name : `${name}${addend < 0 ? '-' : '+'}${Math.abs(addend)}`;

const inData = ({ way, addend }: GraphReference, name: string): string[] =>
  way === 'word' ? ['.p2align 3', `.quad ${withAddend(name, addend)}`] : [`.long ${withAddend(name, addend)} - .`];

const REFER: Readonly<Record<MachineName, Refer>> = {
  x86_64: (reference, name) => {
    switch (reference.way) {
      case 'call':
        return [`call ${name}@PLT`, `call *${name}@GOTPCREL(%rip)`];
      case 'slot':
        return [`movq ${name}@GOTPCREL(%rip), %rax`, `cmpq ${name}@GOTPCREL(%rip), %rcx`];
      case 'direct':
        return [`leaq ${withAddend(name, reference.addend)}(%rip), %rdx`];
      case 'thread':
        return [
          `movq ${name}@GOTTPOFF(%rip), %rax`,
          `.byte 0x66`,
          `leaq ${name}@TLSGD(%rip), %rdi`,
          `.value 0x6666`,
          `rex64`,
          `call __tls_get_addr@PLT`,
          `leaq ${name}@TLSDESC(%rip), %rax`,
          `call *${name}@TLSCALL(%rax)`,
        ];
      default:
        return inData(reference, name);
    }
  },
  aarch64: (reference, name, label) => {
    const target = withAddend(name, reference.addend);
    switch (reference.way) {
      case 'call':
        return [`bl ${name}`, `cbz x0, ${label}`, `b ${name}`, `${label}:`];
      case 'slot':
        return [`adrp x0, :got:${name}`, `ldr x0, [x0, :got_lo12:${name}]`];
      case 'direct':
        return [`adrp x1, ${target}`, `add x1, x1, :lo12:${target}`];
      case 'thread':
        return [
          `adrp x0, :gottprel:${name}`,
          `ldr x0, [x0, :gottprel_lo12:${name}]`,
          `adrp x0, :tlsdesc:${name}`,
          `ldr x1, [x0, :tlsdesc_lo12:${name}]`,
          `add x0, x0, :tlsdesc_lo12:${name}`,
          `.tlsdesccall ${name}`,
          `blr x1`,
        ];
      default:
        return inData(reference, name);
    }
  },
};

const RETURN: Readonly<Record<MachineName, string>> = { x86_64: 'ret', aarch64: 'ret' };

const SECTIONS = {
  function: { name: '.text', flags: 'ax', type: '@progbits' },
  data: { name: '.data.rel', flags: 'aw', type: '@progbits' },
  'thread-local': { name: '.tdata', flags: 'awT', type: '@progbits' },
} as const;

/** The text of one object of a graph. */
export function assemblyOf(graph: Graph, object: number, machine: MachineName): string {
  // Where nothing is said of the stack, linkers differ.
  const lines = ['.section .note.GNU-stack, "", @progbits'];
  const referTo = REFER[machine];
  const name = (symbol: number): string => `symbol${symbol}`;
  graph.symbols.forEach((symbol, number) => {
    if (symbol.visibility === 'hidden') lines.push(`.hidden ${name(number)}`);
    if (symbol.kind === 'thread-local') lines.push(`.type ${name(number)}, @tls_object`);
    if (!defines(symbol, object)) return;
    if (symbol.common) {
      lines.push(`.comm ${name(number)}, ${8 * (number + 1)}, 8`);
      return;
    }
    const section = SECTIONS[symbol.kind];
    const strong = symbol.object === object;
    lines.push(`.section ${section.name}.${name(number)}.${object}, "${section.flags}", ${section.type}`, '.p2align 3');
    lines.push(`${strong ? '.globl' : '.weak'} ${name(number)}`);
    if (symbol.kind === 'function')
      lines.push(`.type ${name(number)}, @function`, `${name(number)}:`, '.cfi_startproc');
    else if (symbol.kind === 'data') lines.push(`.type ${name(number)}, @object`, `${name(number)}:`);
    else lines.push(`${name(number)}:`);
    graph.references.forEach((reference, index) => {
      if (reference.object !== object || reference.from !== number) return;
      lines.push(...referTo(reference, name(reference.to), `.Lplace${index}`));
    });
    if (symbol.kind === 'function') lines.push(RETURN[machine], '.cfi_endproc');
    else lines.push('.p2align 3', `.quad ${number}`);
    lines.push(`.size ${name(number)}, . - ${name(number)}`);
  });
  graph.groups.forEach(({ objects, to }, number) => {
    if (!objects.includes(object)) return;
    const group = `group${number}`;
    lines.push(
      `.section .text.${group}, "axG", @progbits, ${group}, comdat`,
      `.weak ${group}`,
      `.type ${group}, @function`,
    );
    lines.push(`${group}:`, '.cfi_startproc');
    lines.push(...referTo({ object, from: 0, to, way: 'call', addend: 0 }, name(to), `.Lgroup${number}`));
    lines.push(RETURN[machine], '.cfi_endproc', `.size ${group}, . - ${group}`);
    lines.push(`.section .data.uses.${group}, "aw", @progbits`, '.p2align 3', `.globl uses${number}of${object}`);
    lines.push(`uses${number}of${object}:`, `.quad ${group}`);
  });
  graph.texts.forEach(({ object: holder, text }, number) => {
    if (holder !== object) return;
    lines.push('.section .rodata.str1.1, "aMS", @progbits, 1', `.Ltext${number}:`, `.asciz "${text}"`);
    lines.push('.section .data.texts, "aw", @progbits', '.p2align 3', `.globl text${number}`, `text${number}:`);
    lines.push(`.quad .Ltext${number}`);
  });
  return `${lines.join('\n')}\n`;
}

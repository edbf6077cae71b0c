// Assembly text of a random link's objects, for llvm-mc.
import { type MachineName } from '../suite.js';
import { saysVisibility } from './draw.js';
import { defines, mentions, type Graph, type GraphPiece, type GraphSymbol, type SymbolKind } from './graph.js';
import { MACHINE_ASSEMBLY, withAddend, type MachineAssembly } from './machine-assembly.js';

/** The section of a kind of symbol: its name, flags and type. */
const SECTIONS: Readonly<Record<SymbolKind, readonly [name: string, flags: string, type: string]>> = {
  function: ['.text', 'ax', '@progbits'],
  data: ['.data', 'aw', '@progbits'],
  zero: ['.bss', 'aw', '@nobits'],
  'thread-local': ['.tdata', 'awT', '@progbits'],
  'thread-zero': ['.tbss', 'awT', '@nobits'],
};

const TYPES: Readonly<Record<SymbolKind, string>> = {
  function: '@function',
  data: '@object',
  zero: '@object',
  'thread-local': '@tls_object',
  'thread-zero': '@tls_object',
};

const PIECES = {
  text: { section: '.section .rodata.str1.1, "aMS", @progbits, 1', unit: 1 },
  'wide-text': { section: '.section .rodata.str2.2, "aMS", @progbits, 2', unit: 2 },
  constant: { section: '.section .rodata.cst8, "aM", @progbits, 8', unit: 1 },
} as const;

/** The name of a symbol by its number. */
export function symbolName(number: number): string {
  return `symbol${number}`;
}

function definition(
  graph: Graph,
  symbol: GraphSymbol,
  number: number,
  object: number,
  text: MachineAssembly,
): string[] {
  const name = symbolName(number);
  if (symbol.common.includes(object)) return [`.comm ${name}, ${8 * (object + 1)}, ${8 * 2 ** (object % 2)}`];
  const [family, flags, type] = SECTIONS[symbol.kind];
  const section = symbol.apart ? `${family}.${name}.${object}` : family;
  const lines = [`.section ${section}, "${flags}", ${type}`, '.p2align 3'];
  lines.push(`${symbol.strong === object ? '.globl' : '.weak'} ${name}`, `${name}:`);
  if (symbol.kind === 'function') lines.push('.cfi_startproc');
  graph.references.forEach((reference, index) => {
    if (reference.object !== object || reference.from !== number) return;
    lines.push(...text.refer(reference, symbolName(reference.to), `.Lplace${index}`));
  });
  if (symbol.kind === 'function') lines.push(text.back, '.cfi_endproc');
  else if (type === '@nobits') lines.push('.zero 8');
  else lines.push('.p2align 3', `.quad ${number}`);
  lines.push(`.size ${name}, . - ${name}`);
  return lines;
}

function groupLines(graph: Graph, object: number, text: MachineAssembly): string[] {
  return graph.groups.flatMap(({ objects, to, hidden }, number) => {
    if (!objects.includes(object)) return [];
    const group = `group${number}`;
    const within = `@progbits, ${group}, comdat`;
    return [
      ...(hidden ? [`.hidden ${group}`] : []),
      `.section .rodata.${group}, "aG", ${within}`,
      '.p2align 3',
      `.Ldata.${group}: .quad ${number}`,
      `.section .text.${group}, "axG", ${within}`,
      `.weak ${group}`,
      `.type ${group}, @function`,
      `${group}:`,
      '.cfi_startproc',
      ...text.refer({ way: 'call', addend: 0 }, symbolName(to), `.Lgroup${number}`),
      ...text.addressOf(`.Ldata.${group}`),
      text.back,
      '.cfi_endproc',
      `.size ${group}, . - ${group}`,
      `.section .data.uses.${group}, "aw", @progbits`,
      '.p2align 3',
      `.globl uses${number}of${object}`,
      `uses${number}of${object}:`,
      `.quad ${group}`,
    ];
  });
}

function pieceBytes({ form, text }: GraphPiece): string[] {
  if (form === 'text') return [`.asciz "${text}"`];
  if (form === 'constant') return ['.p2align 3', `.quad ${text.length}`];
  return [...[...text].map((letter) => `.short ${letter.charCodeAt(0)}`), '.short 0'];
}

function pieceLines(graph: Graph, object: number, text: MachineAssembly): string[] {
  const pieces = graph.pieces.map((one, number) => ({ ...one, number })).filter((one) => one.object === object);
  if (pieces.length === 0) return [];
  const user = `pieces${object}`;
  const lines = pieces.flatMap((piece) => [
    PIECES[piece.form].section,
    ...(piece.form === 'wide-text' ? ['.p2align 1'] : []),
    `.Lpiece${piece.number}:`,
    ...pieceBytes(piece),
  ]);
  const places = pieces.map(({ number, form, offset, text: { length } }) => {
    // The place behind a text's zero is another's, or nobody's.
    const most = form === 'constant' ? offset : Math.min(offset, length);
    return withAddend(`.Lpiece${number}`, most * PIECES[form].unit);
  });
  lines.push('.section .data.pieces, "aw", @progbits', '.p2align 3', `.globl words${object}`, `words${object}:`);
  lines.push(...places.map((place) => `.quad ${place}`));
  lines.push('.section .text.pieces, "ax", @progbits', '.p2align 2', `.globl ${user}`, `.type ${user}, @function`);
  lines.push(`${user}:`, '.cfi_startproc', ...places.flatMap(text.addressOf), text.back, '.cfi_endproc');
  lines.push(`.size ${user}, . - ${user}`);
  return lines;
}

function startLines(graph: Graph, object: number): string[] {
  return graph.starts.flatMap(({ object: holder, array, priority, to }) => {
    if (holder !== object) return [];
    const name = `.${array}_array${priority === null ? '' : `.${String(priority).padStart(5, '0')}`}`;
    return [`.section ${name}, "aw", @${array}_array`, '.p2align 3', `.quad ${symbolName(to)}`];
  });
}

/** What a debugger would read: the addresses of what the object defines, and a name that objects share. */
function debugLines(graph: Graph, object: number): string[] {
  if (!graph.debug.includes(object)) return [];
  const told = graph.symbols.flatMap((symbol, number) => {
    const hasPlace = symbol.kind === 'function' || symbol.kind === 'data';
    return hasPlace && defines(symbol, object) ? [`.quad ${symbolName(number)}`] : [];
  });
  return [
    '.section .debug_str, "MS", @progbits, 1',
    '.Ldebug: .asciz "debug"',
    '.section .debug_info, "", @progbits',
    ...told,
    '.long .Ldebug',
  ];
}

/** The text of one object of a graph. */
export function assemblyOf(graph: Graph, object: number, machine: MachineName): string {
  const text = MACHINE_ASSEMBLY[machine];
  // Where nothing is said of the stack, linkers differ.
  const lines = ['.section .note.GNU-stack, "", @progbits'];
  graph.symbols.forEach((symbol, number) => {
    const name = symbolName(number);
    if (!mentions(graph, object, number)) return;
    if (saysVisibility(symbol, object)) lines.push(`.${symbol.visibility} ${name}`);
    lines.push(`.type ${name}, ${TYPES[symbol.kind]}`);
    if (symbol.weakly.includes(object)) lines.push(`.weak ${name}`);
    if (defines(symbol, object)) lines.push(...definition(graph, symbol, number, object, text));
  });
  lines.push(...groupLines(graph, object, text), ...pieceLines(graph, object, text));
  lines.push(...startLines(graph, object), ...debugLines(graph, object));
  return `${lines.join('\n')}\n`;
}

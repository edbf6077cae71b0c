// The mutations: each breaks one row, field or pass as a slip of the pen would. `find` stands once in the file.

/** A comparison that can turn red. */
export type Check = 'meaning' | 'jitlink' | 'properties' | 'fields';

/** One slip. */
export interface Mutation {
  readonly name: string;
  /** What kind of slip it is. */
  readonly kind: 'mask' | 'addend' | 'range' | 'bias' | 'sign' | 'skipped' | 'choice';
  /** In the checkout. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
  /** The checks that are asked, in this order, until one is red. */
  readonly checks: readonly Check[];
}

const LINKS = ['properties', 'meaning', 'jitlink'] as const;
const FIELDS = ['fields', 'jitlink', 'meaning'] as const;

const FIXUPS = 'src/link/shared/fixups.ts';

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a branch of arm64 holds one bit less',
    kind: 'mask',
    file: 'src/reloc/arm64/fields.ts',
    find: "immediate('branch26', 0, 26, 4,",
    put: "immediate('branch26', 0, 25, 4,",
    checks: FIELDS,
  },
  {
    name: 'an immediate of arm64 keeps what stood in it',
    kind: 'mask',
    file: 'src/reloc/arm64/fields.ts',
    find: '(word, value) => (word & hole) | ((Math.floor(value / scale) & mask) << from),',
    put: '(word, value) => word | ((Math.floor(value / scale) & mask) << from),',
    checks: FIELDS,
  },
  {
    name: 'the low bits of a page are not cut off',
    kind: 'mask',
    file: FIXUPS,
    find: 'if (modulo !== 0) value -= Math.floor(value / modulo) * modulo;',
    put: 'if (modulo !== 0) value -= Math.floor(value / modulo / 2) * modulo * 2;',
    checks: LINKS,
  },
  {
    name: 'a symbol of another object loses its addend',
    kind: 'addend',
    file: FIXUPS,
    find: '          global >= 0 ? (values.symbolAddress[global] as number) + addend : localAddress(values, file, row, addend);\n        if (lowered.base',
    put: '          global >= 0 ? (values.symbolAddress[global] as number) : localAddress(values, file, row, addend);\n        if (lowered.base',
    checks: LINKS,
  },
  {
    name: 'a call through a stub counts its addend twice',
    kind: 'addend',
    file: FIXUPS,
    find: 'value = stubAddress(link, addresses, needs.stubOf[global] as number) + addend;',
    put: 'value = stubAddress(link, addresses, needs.stubOf[global] as number) + 2 * addend + 8;',
    checks: LINKS,
  },
  {
    name: 'the loader is given no addend',
    kind: 'addend',
    file: FIXUPS,
    find: 'addLoaderWork(context.loader, WORK_ABSOLUTE, place, global, addend);',
    put: 'addLoaderWork(context.loader, WORK_ABSOLUTE, place, global, addend + 8);',
    checks: LINKS,
  },
  {
    name: 'signed 32-bit fields take one value too many',
    kind: 'range',
    file: 'src/reloc/fields.ts',
    find: "whole('int32', 4, -0x8000_0000, 0x7fff_ffff)",
    put: "whole('int32', 4, -0x8000_0001, 0x7fff_ffff)",
    checks: FIELDS,
  },
  {
    name: 'unsigned 32-bit fields are read as signed',
    kind: 'sign',
    file: 'src/reloc/fields.ts',
    find: 'const signed = min < 0;',
    put: 'const signed = min <= 0;',
    checks: FIELDS,
  },
  {
    name: 'branches of arm64 reach twice as far',
    kind: 'range',
    file: 'src/reloc/arm64/fields.ts',
    find: 'within(128 * MIB, 4)',
    put: 'within(256 * MIB, 4)',
    checks: FIELDS,
  },
  {
    name: 'distances are taken from the byte behind the place',
    kind: 'bias',
    file: FIXUPS,
    find: 'if (base === rows.BASE_PLACE) value -= place;',
    put: 'if (base === rows.BASE_PLACE) value -= place + 1;',
    checks: LINKS,
  },
  {
    name: 'the table starts a word later',
    kind: 'bias',
    file: 'src/link/shared/tables.ts',
    find: 'slots: at(tables.got) + tables.gotReserved * link.machine.pointerSize,',
    put: 'slots: at(tables.got) + (tables.gotReserved + 1) * link.machine.pointerSize,',
    checks: LINKS,
  },
  {
    name: 'pages are counted from the wrong one',
    kind: 'bias',
    file: FIXUPS,
    find: 'return pageOf(value) - pageOf(place);',
    put: 'return pageOf(value) - pageOf(place + 0x800);',
    checks: LINKS,
  },
  {
    name: 'distances have the other sign',
    kind: 'sign',
    file: FIXUPS,
    find: '      return value - place;\n',
    put: '      return place - value;\n',
    checks: LINKS,
  },
  {
    name: 'PLT entries jump through the next slot',
    kind: 'bias',
    file: 'src/reloc/x86-64/plt.ts',
    find: 'distance(bytes, 2, at + 6, slot, where);',
    put: 'distance(bytes, 2, at + 6, slot + 8, where);',
    checks: LINKS,
  },
  {
    name: 'frame records of dropped code stay',
    kind: 'skipped',
    file: 'src/link/shared/unwind.ts',
    find: 'if (link.sections.fate[unwind.fdeCode[fde] as number] !== SECTION_KEPT) continue;',
    put: '',
    checks: LINKS,
  },
  {
    name: 'every second frame record is left out',
    kind: 'skipped',
    file: 'src/link/shared/unwind.ts',
    find: 'if (link.sections.fate[unwind.fdeCode[fde] as number] !== SECTION_KEPT) continue;',
    put: 'if (link.sections.fate[unwind.fdeCode[fde] as number] !== SECTION_KEPT || fde % 2 === 1) continue;',
    checks: LINKS,
  },
  {
    name: "the unwind table's header is not sorted",
    kind: 'skipped',
    file: 'src/formats/dwarf/eh-frame-header.ts',
    find: 'order.sort((a, b) => (code[a] as number) - (code[b] as number) || a - b);',
    put: 'order.reverse();',
    checks: ['meaning', 'properties'],
  },
  {
    name: 'a later group of the same name is kept as well',
    kind: 'skipped',
    file: 'src/link/shared/resolve.ts',
    find: 'else if (first !== number) fate = SECTION_DUPLICATE;',
    put: '',
    checks: LINKS,
  },
  {
    name: 'visibilities of other objects do not count',
    kind: 'skipped',
    file: 'src/link/shared/resolve.ts',
    find: 'if (visibility > (link.symbols.visibility[symbol] as number)) link.symbols.visibility[symbol] = visibility;',
    put: 'if (visibility > 9) link.symbols.visibility[symbol] = visibility;',
    checks: LINKS,
  },
  {
    name: 'weak definitions win over strong ones',
    kind: 'choice',
    file: 'src/link/shared/resolve.ts',
    find: 'const weak = from.columns.binding[row] === BINDING_WEAK;\n  const current',
    put: 'const weak = from.columns.binding[row] !== BINDING_WEAK;\n  const current',
    checks: LINKS,
  },
  {
    name: 'a common block keeps its first size',
    kind: 'choice',
    file: 'src/link/shared/resolve.ts',
    find: 'if (size > (table.size[symbol] as number)) {',
    put: 'if (size < (table.size[symbol] as number)) {',
    checks: LINKS,
  },
  {
    name: 'what may be replaced is taken for our own',
    kind: 'choice',
    file: 'src/link/shared/bindings.ts',
    find: 'if (symbols.hasFlag(table, symbol, symbols.PREEMPTIBLE)) return TO_DYNAMIC;',
    put: '',
    checks: LINKS,
  },
  {
    name: 'merged strings are looked up one piece too early',
    kind: 'bias',
    file: 'src/link/shared/merge.ts',
    find: 'if ((from[middle] as number) <= offset) low = middle;',
    put: 'if ((from[middle] as number) < offset) low = middle;',
    checks: LINKS,
  },
  {
    name: 'constants are merged with a shift',
    kind: 'bias',
    file: 'src/link/shared/merge.ts',
    find: 'target.end = place + end - start;',
    put: 'target.end = place + Math.max(1, end - start - 1);',
    checks: LINKS,
  },
  {
    name: 'groups do not live and die together, nor what starts are asked of',
    kind: 'skipped',
    file: 'src/link/shared/live.ts',
    find: 'for (const number of starts.get(symbol) ?? []) mark(number);',
    put: '',
    checks: LINKS,
  },
  {
    name: 'thread-locals count from the end of the template',
    kind: 'bias',
    file: FIXUPS,
    find: '          values.templateStart;\n        break;\n      case rows.TERM_THREAD_SLOT',
    put: '          values.templateStart + 8;\n        break;\n      case rows.TERM_THREAD_SLOT',
    checks: ['meaning', 'properties'],
  },
];

// The mutations: each breaks one row, field or pass as a slip of the pen would. `find` stands once in the file.

/** A comparison that can turn red. */
export type Check =
  | 'meaning'
  | 'assembly'
  | 'jitlink'
  | 'properties'
  | 'fields'
  | 'macho'
  | 'dylibs'
  | 'signatures'
  | 'far'
  | 'slots'
  | 'relocated'
  | 'tabled';

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

// The quick ones first: assembly is a part of jitlink.
const LINKS = ['meaning', 'assembly', 'properties', 'jitlink'] as const;
const FIELDS = ['fields', 'assembly', 'meaning', 'jitlink'] as const;

const X86_64_ROWS = 'src/reloc/elf-x86-64.ts';
const ARM64_ROWS = 'src/reloc/elf-aarch64.ts';
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
    name: 'loads of arm64 take a bit of the page',
    kind: 'mask',
    file: 'src/reloc/arm64/fields.ts',
    find: '(((value & 0xfff) / size) << 10),',
    put: '(((value & 0x1fff) / size) << 10),',
    checks: FIELDS,
  },
  {
    name: 'pages of arm64 are half as large',
    kind: 'mask',
    file: 'src/reloc/fixup.ts',
    find: 'const PAGE = 0x1000;',
    put: 'const PAGE = 0x800;',
    checks: FIELDS,
  },
  {
    name: 'R_X86_64_32S has 16 bits',
    kind: 'range',
    file: X86_64_ROWS,
    find: "row(11, 'R_X86_64_32S', 'S+A', INT32)",
    put: "row(11, 'R_X86_64_32S', 'S+A', INT16)",
    checks: FIELDS,
  },
  {
    name: 'R_X86_64_32 is signed',
    kind: 'sign',
    file: X86_64_ROWS,
    find: "row(10, 'R_X86_64_32', 'S+A', UINT32)",
    put: "row(10, 'R_X86_64_32', 'S+A', INT32)",
    checks: FIELDS,
  },
  {
    name: 'R_X86_64_PC64 has 32 bits',
    kind: 'range',
    file: X86_64_ROWS,
    find: "row(24, 'R_X86_64_PC64', 'S+A-P', INT64)",
    put: "row(24, 'R_X86_64_PC64', 'S+A-P', INT32)",
    checks: FIELDS,
  },
  {
    name: 'R_X86_64_GOTPC32 is the distance of the symbol, not of the table',
    kind: 'choice',
    file: X86_64_ROWS,
    find: "row(26, 'R_X86_64_GOTPC32', 'GOT+A-P', INT32)",
    put: "row(26, 'R_X86_64_GOTPC32', 'S+A-P', INT32)",
    checks: FIELDS,
  },
  {
    name: 'R_X86_64_GOTOFF64 is the distance from the place',
    kind: 'bias',
    file: X86_64_ROWS,
    find: "row(25, 'R_X86_64_GOTOFF64', 'S+A-GOT', INT64)",
    put: "row(25, 'R_X86_64_GOTOFF64', 'S+A-P', INT64)",
    checks: FIELDS,
  },
  {
    name: 'R_AARCH64_PREL64 has 32 bits',
    kind: 'range',
    file: ARM64_ROWS,
    find: "[260, 'PREL64', 'S+A-P', INT64]",
    put: "[260, 'PREL64', 'S+A-P', WORD32]",
    checks: FIELDS,
  },
  {
    name: 'R_AARCH64_LDST32_ABS_LO12_NC counts in quads',
    kind: 'mask',
    file: ARM64_ROWS,
    find: "[285, 'LDST32_ABS_LO12_NC', 'S+A', LDST32.low]",
    put: "[285, 'LDST32_ABS_LO12_NC', 'S+A', LDST64.low]",
    checks: FIELDS,
  },
  {
    name: 'the start of the table is that of its slots',
    kind: 'bias',
    file: 'src/link/shared/tables.ts',
    find: "table: at(table === 'got' ? tables.got : tables.gotPlt),",
    put: 'table: at(tables.got) + tables.gotReserved * link.machine.pointerSize,',
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
    checks: LINKS,
  },
  {
    name: 'a later group of the same name is kept as well',
    kind: 'skipped',
    file: 'src/link/shared/resolve.ts',
    find: 'else if (first !== number && fate !== SECTION_CONSUMED) fate = SECTION_DUPLICATE;',
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
    file: 'src/link/shared/definitions.ts',
    find: 'const weak = from.columns.binding[row] === BINDING_WEAK;\n  const current',
    put: 'const weak = from.columns.binding[row] !== BINDING_WEAK;\n  const current',
    checks: LINKS,
  },
  {
    name: 'a common block keeps its first size',
    kind: 'choice',
    file: 'src/link/shared/definitions.ts',
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
    find: 'while (piece < last && (from[piece + 1] as number) <= offset) piece++;',
    put: 'while (piece < last && (from[piece + 1] as number) < offset) piece++;',
    checks: LINKS,
  },
  {
    name: 'constants are merged with a shift',
    kind: 'bias',
    file: 'src/link/shared/merge.ts',
    find: 'target.end = offset + size;',
    put: 'target.end = offset + Math.max(1, size - 1);',
    checks: LINKS,
  },
  {
    name: 'what only the names of its ends refer to is dropped',
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
    checks: LINKS,
  },
  {
    name: 'what is protected may be replaced',
    kind: 'choice',
    file: 'src/link/shared/scopes.ts',
    find: 'if (visibility === VISIBILITY_DEFAULT && !isBoundHere(link, symbol)) {',
    put: 'if (visibility <= VISIBILITY_PROTECTED && !isBoundHere(link, symbol)) {',
    checks: LINKS,
  },
  {
    name: 'weak references fetch members of archives',
    kind: 'choice',
    file: 'src/link/shared/resolve.ts',
    find: 'else if (current === symbols.STATE_LAZY && !weakly) {',
    put: 'else if (current === symbols.STATE_LAZY) {',
    checks: LINKS,
  },
  {
    name: 'constructors run in the order of the inputs, whatever their priority',
    kind: 'skipped',
    file: 'src/link/shared/outputs.ts',
    find: 'output.members.sort((a, b) => priority(a) - priority(b));',
    put: '',
    checks: LINKS,
  },
  {
    name: 'distances in a patch are taken from the byte behind the place',
    kind: 'bias',
    file: 'src/link/fixups.ts',
    find: 'return value - site.address;',
    put: 'return value - site.address - 1;',
    checks: ['assembly', 'jitlink'],
  },
  {
    name: 'a call of a patch through a stub loses its addend',
    kind: 'addend',
    file: 'src/link/fixups.ts',
    find: 'stub * machine.stub.size + addend));',
    put: 'stub * machine.stub.size));',
    checks: ['assembly', 'jitlink'],
  },
  {
    name: 'a load that is made direct still loads',
    kind: 'skipped',
    file: 'src/reloc/x86-64/rewrite.ts',
    find: 'const LEA = 0x8d;',
    put: 'const LEA = 0x8b;',
    checks: FIELDS,
  },
  {
    name: 'a descriptor is looked for a word too late',
    kind: 'bias',
    file: FIXUPS,
    find: 'value = addresses.slots + (needs.descriptorSlot.get(symbol) ?? 0) * word + addend;',
    put: 'value = addresses.slots + (needs.descriptorSlot.get(symbol) ?? 0) * word + word + addend;',
    checks: LINKS,
  },
  {
    name: 'the filter of names knows one bit of two',
    kind: 'skipped',
    file: 'src/formats/elf/gnu-hash.ts',
    find: 'setBit(bloom, word * WORD_BITS + ((hash >>> BLOOM_SHIFT) % WORD_BITS));',
    put: '',
    checks: LINKS,
  },
  {
    name: 'packed words are counted from the first one',
    kind: 'bias',
    file: 'src/formats/elf/relr.ts',
    find: 'for (let base = address + WORD; next',
    put: 'for (let base = address; next',
    checks: LINKS,
  },
];

// Mistakes that are made on purpose in rows and passes, each a change of one text in one file.

/** `before` stands once in the file and is replaced by `after`. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

const X86 = 'src/reloc/elf-x86-64.ts';
const FIXUPS = 'src/link/shared/fixups.ts';
const FIELDS = 'src/reloc/fields.ts';
const PATCH = 'src/link/fixups.ts';

function change(name: string, file: string, before: string, after: string): Mutation {
  return { name, file, before, after };
}

function row(name: string, before: string, after: string): Mutation {
  return change(`row ${name}: ${before} becomes ${after}`, X86, `'${name}', ${before}`, `'${name}', ${after}`);
}

/** All of them. */
export const MUTATIONS: readonly Mutation[] = [
  row('R_X86_64_PC32', "'S+A-P', INT32", "'S+A', INT32"),
  row('R_X86_64_PLT32', "'L+A-P', INT32", "'G+A-P', INT32"),
  row('R_X86_64_GOTPCREL', "'G+A-P', INT32", "'S+A-P', INT32"),
  row('R_X86_64_64', "'S+A', INT64", "'S+A', INT32"),
  row('R_X86_64_32S', "'S+A', INT32", "'S+A', WORD16"),
  row('R_X86_64_PC64', "'S+A-P', INT64", "'S+A-P', INT32"),
  row('R_X86_64_GOTOFF64', "'S+A-GOT', INT64", "'S+A-P', INT64"),
  row('R_X86_64_GOTPC32', "'GOT+A-P', INT32", "'S+A-P', INT32"),
  row('R_X86_64_GOT64', "'G+A-GOT', INT64", "'G+A-P', INT64"),
  row('R_X86_64_REX_GOTPCRELX', "'G+A-P', INT32, true", "'G+A-P', INT32"),
  change('place off by four', FIXUPS, 'const place = range.address + at;', 'const place = range.address + at + 4;'),
  change(
    'no place taken off',
    FIXUPS,
    'if (base === rows.BASE_PLACE) value -= place;',
    'if (base === rows.BASE_PLACE) value -= 0;',
  ),
  change(
    'sign of the place',
    FIXUPS,
    'if (base === rows.BASE_PLACE) value -= place;',
    'if (base === rows.BASE_PLACE) value += place;',
  ),
  change(
    'addend left out of slots',
    FIXUPS,
    'value = addresses.slots + slot * word + addend;',
    'value = addresses.slots + slot * word;',
  ),
  change(
    'slots by one',
    FIXUPS,
    'value = addresses.slots + slot * word + addend;',
    'value = addresses.slots + (slot + 1) * word + addend;',
  ),
  change('table of another place', FIXUPS, 'value = addresses.table + addend;', 'value = addresses.slots + addend;'),
  change('pages of half a size', FIXUPS, 'const PAGE = 0x1000;', 'const PAGE = 0x800;'),
  change(
    'page of the place forgotten',
    FIXUPS,
    'return pageOf(value) - pageOf(place);',
    'return pageOf(value) - place;',
  ),
  change('upper half forgotten', FIXUPS, 'view.setInt32(at + 4, high, true);', 'view.setInt32(at + 4, 0, true);'),
  change('rewritten code not written', FIXUPS, 'bytes.set(rewrite.bytes, at + rewrite.from);', 'void rewrite.bytes;'),
  change(
    'addend of rewritten code',
    FIXUPS,
    'const sum = target + addend + field.addend;',
    'const sum = target + field.addend;',
  ),
  change(
    'local symbols without their offset',
    'src/link/shared/values.ts',
    '(values.sectionAddress[section] as number) + value + addend',
    '(values.sectionAddress[section] as number) + addend',
  ),
  change(
    'mask of 32-bit fields',
    FIELDS,
    'else v.setInt32(offset, value, true);',
    'else v.setInt32(offset, value & 0xffffff, true);',
  ),
  change(
    'upper half of 64-bit fields',
    FIELDS,
    'v.setInt32(offset + 4, high, true);',
    'v.setInt32(offset + 4, high + 1, true);',
  ),
  change('patch: place forgotten', PATCH, 'return value - site.address;', 'return value;'),
  change(
    'patch: addend of slots',
    PATCH,
    'return write(relative(slotAddress() + addend));',
    'return write(relative(slotAddress()));',
  ),
];

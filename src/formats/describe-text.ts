// Descriptions as lines of text, for `ipbp dump`. Only layout: what is said is decided in describe.ts.
import { hex } from '../codes/error.js';
import type {
  ArchiveDescription,
  LinkedDescription,
  ObjectDescription,
  SectionFacts,
  UnwindDescription,
} from './describe.js';
import type { ObjectSymbol } from './object-file.js';

/** Lines of an object's description, without ends of line. */
export function objectLines(file: ObjectDescription): string[] {
  const names = new Map(file.sections.map((section) => [section.index, section.name]));
  return [
    `${file.name}: ${file.format} ${file.machine} ${file.kind}, ${file.size} bytes`,
    ...(file.linked === null ? [] : linkedLines(file.linked)),
    ...block(`sections: ${file.sections.length}`, file.sections.map(sectionLine)),
    ...block(
      `symbols: ${file.symbols.length}`,
      file.symbols.map((symbol) => symbolLine(symbol, symbol.readable, names)),
    ),
    ...file.relocations.flatMap(({ section, entries }) =>
      block(
        `relocations of ${section}: ${entries.length}`,
        entries.map(({ offset, type, typeName, symbol, addend }) => {
          const target = [symbol, addend === null || addend === 0 ? '' : signed(addend)].join('');
          return `${hex(offset)} ${typeName ?? `type ${type}`} ${target}`.trimEnd();
        }),
      ),
    ),
    ...file.unwind.flatMap(unwindLines),
    ...block(
      `notes: ${file.notes.length}`,
      file.notes.map(({ owner, type, description }) => `${owner} type ${type} ${description}`.trimEnd()),
    ),
  ];
}

/** Lines of an archive's description. */
export function archiveLines(archive: ArchiveDescription): string[] {
  return [
    `${archive.name}: ${archive.thin ? 'thin ' : ''}archive, ${archive.members.length} members`,
    ...block(
      `members: ${archive.members.length}`,
      archive.members.map(({ name, offset, size }) => `${hex(offset)} ${size} bytes ${name}`),
    ),
    ...block(
      `index: ${archive.symbols.length}`,
      archive.symbols.map(({ readable, members }) => `${readable} in ${members.join(', ')}`),
    ),
  ];
}

/** A heading and its indented lines; nothing when there are none. */
function block(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [heading, ...lines.map((line) => `  ${line}`)];
}

function signed(value: number): string {
  return value < 0 ? hex(value) : `+${hex(value)}`;
}

function sectionLine(section: SectionFacts): string {
  const flags = [
    section.alloc ? 'alloc' : '',
    section.writable ? 'write' : '',
    section.executable ? 'exec' : '',
    section.mergeable ? 'merge' : '',
    section.strings ? 'strings' : '',
    section.retain ? 'retain' : '',
    section.group === null ? '' : `group ${section.group}`,
  ].filter((flag) => flag !== '');
  const place = section.address === 0 ? '' : ` at ${hex(section.address)}`;
  const size = `${section.size} bytes${place}, file ${hex(section.offset)}, align ${section.align}`;
  return `${section.index} ${section.name || '(none)'} [${section.kind}] ${size} ${flags.join(' ')}`.trimEnd();
}

function symbolLine(symbol: ObjectSymbol, readable: string, sections: ReadonlyMap<number, string>): string {
  const place =
    typeof symbol.section === 'number' ? (sections.get(symbol.section) ?? `section ${symbol.section}`) : symbol.section;
  const visibility = symbol.visibility === 'default' ? '' : ` ${symbol.visibility}`;
  const what = `${symbol.kind} ${symbol.binding}${visibility} ${place}+${hex(symbol.value)} ${symbol.size} bytes`;
  return `${symbol.index} ${what} ${readable}`.trimEnd();
}

function unwindLines(unwind: UnwindDescription): string[] {
  const place = (value: string | number): string => (typeof value === 'number' ? hex(value) : value);
  return block(`unwind ${unwind.section}: ${unwind.cies.length} CIEs, ${unwind.fdes.length} FDEs`, [
    ...unwind.cies.map(({ offset, augmentation, personality }) =>
      `${hex(offset)} CIE "${augmentation}" ${personality ?? ''}`.trimEnd(),
    ),
    ...unwind.fdes.map(
      ({ offset, function: start, size, lsda }) =>
        `${hex(offset)} FDE ${place(start)} ${size} bytes${lsda === null ? '' : `, LSDA ${place(lsda)}`}`,
    ),
  ]);
}

function linkedLines(linked: LinkedDescription): string[] {
  return [
    `build id: ${linked.buildId ?? 'none'}`,
    `position independent: ${linked.positionIndependent ? 'yes' : 'no'}`,
    ...(linked.soname === null ? [] : [`soname: ${linked.soname}`]),
    ...block('needs', linked.needed),
    ...block(
      `segments: ${linked.segments.length}`,
      linked.segments.map((segment) => {
        const rights = `${segment.readable ? 'r' : '-'}${segment.writable ? 'w' : '-'}${segment.executable ? 'x' : '-'}`;
        const file = `file ${hex(segment.offset)} ${segment.fileSize} bytes`;
        return `${rights} ${hex(segment.address)} ${segment.memorySize} bytes, ${file}, align ${segment.align}`;
      }),
    ),
    ...(linked.tls === null
      ? []
      : [
          `thread-locals: ${linked.tls.memorySize} bytes at ${hex(linked.tls.address)}, ` +
            `${linked.tls.fileSize} initialised, align ${linked.tls.align}`,
        ]),
    ...block(
      `dynamic: ${linked.dynamic.length}`,
      linked.dynamic.map(({ tag, name, value }) => `${name ?? hex(tag)} ${hex(value)}`),
    ),
    ...block(
      `dynamic symbols: ${linked.dynamicSymbols.length}`,
      linked.dynamicSymbols.map((symbol) => symbolLine(symbol, symbol.name, new Map())),
    ),
  ];
}

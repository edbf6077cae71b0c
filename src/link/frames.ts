// How the code of an object is unwound: frame records and rows of compact tables, taken apart and handed to the atoms
// whose code they describe. Links nothing: unwind.ts and unwind-entries.ts make new tables of them.
import { splitEhFrame } from '../formats/dwarf/eh-frame.js';
import type { ObjectFile, Relocation, Section } from '../formats/object-file.js';
import { splitUnwindTable } from '../formats/unwind-table.js';
import type { CompactFrame, Edge, Frame } from './graph.js';

/** Of one code atom. */
export interface AtomFrames {
  readonly records: readonly Frame[];
  readonly compact: readonly CompactFrame[];
}

export const NO_FRAMES: AtomFrames = { records: [], compact: [] };

interface Collected extends AtomFrames {
  readonly records: Frame[];
  readonly compact: CompactFrame[];
}

type ToEdge = (section: Section, relocation: Relocation) => Edge;

/** By the section of the code. Code that the object does not hold is left out. */
export function readFrames(file: ObjectFile, toEdge: ToEdge): ReadonlyMap<number, AtomFrames> {
  const result = new Map<number, Collected>();
  const of = (section: number): Collected => {
    const known = result.get(section) ?? { records: [], compact: [] };
    result.set(section, known);
    return known;
  };
  for (const section of file.sections) {
    if (section.kind === 'unwind') addRecords(file, section, toEdge, of);
    else if (section.kind === 'unwind-table') addRows(file, section, toEdge, of);
  }
  for (const { compact } of result.values()) compact.sort((a, b) => a.offset - b.offset);
  return result;
}

/** Where a record's distance to the one it shares stands: the table that is made of them fills it. */
const SHARED_AT = 4;

function addRecords(file: ObjectFile, section: Section, toEdge: ToEdge, of: (section: number) => Collected): void {
  const bytes = file.sectionBytes(section.index);
  const split = splitEhFrame(bytes, file.relocations(section.index), `${file.name}: ${section.name}`);
  const toEdges = (record: { readonly offset: number; readonly relocations: readonly Relocation[] }): Edge[] =>
    record.relocations
      .filter(({ offset }) => offset !== record.offset + SHARED_AT)
      .map((relocation) => {
        const edge = toEdge(section, relocation);
        return { ...edge, offset: edge.offset - record.offset };
      });
  const commons = split.cies.map((cie) => ({
    bytes: bytes.subarray(cie.offset, cie.offset + cie.size),
    edges: toEdges(cie),
  }));
  for (const fde of split.fdes) {
    const common = commons[fde.cie];
    const edges = toEdges(fde);
    const begin = edges.find((edge) => edge.offset === fde.pcBegin.offset - fde.offset);
    if (common === undefined || begin?.target.atom == null) continue;
    const lsda = fde.lsda;
    const lsdaEdge = lsda === null ? undefined : edges.find((edge) => edge.offset === lsda.offset - fde.offset);
    of(begin.target.atom.section).records.push({
      common,
      bytes: bytes.subarray(fde.offset, fde.offset + fde.size),
      edges,
      length: fde.pcRange,
      lsda: lsdaEdge?.target.atom ?? null,
    });
  }
}

function addRows(file: ObjectFile, section: Section, toEdge: ToEdge, of: (section: number) => Collected): void {
  const bytes = file.sectionBytes(section.index);
  const where = `${file.name}: ${section.name}`;
  for (const row of splitUnwindTable(bytes, file.relocations(section.index), where)) {
    const { target, addend } = toEdge(section, row.start);
    if (target.atom === null) continue;
    of(target.atom.section).compact.push({
      offset: target.offset + addend,
      length: row.length,
      encoding: row.encoding,
      personality: row.personality === null ? null : toEdge(section, row.personality),
      lsda: row.lsda === null ? null : toEdge(section, row.lsda),
    });
  }
}

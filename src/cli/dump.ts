// `ipbp dump`: what the readers see in a file. Owns the choice of reader and the JSON lines; what is said of objects and
// archives is in formats/describe.ts, of patch files in dump-patch.ts.
import { basename } from 'node:path';
import { IpbpError } from '../codes/error.js';
import { openArchive } from '../formats/archive.js';
import type { Archive } from '../formats/archive.js';
import { describeArchive, describeObject } from '../formats/describe.js';
import type { ArchiveDescription, DescribeOptions, ObjectDescription } from '../formats/describe.js';
import { archiveLines, objectLines } from '../formats/describe-text.js';
import { detectFormat } from '../formats/detect.js';
import { sliceOf } from '../formats/universal.js';
import type { ObjectFile } from '../formats/object-file.js';
import { readObjectFile } from '../formats/read-object.js';
import { fileAt } from '../host/files/object-paths.js';
import { isPatch, readPatch } from '../patch/image/library.js';
import { machineFor } from '../reloc/machines.js';
import { patchLines, patchRecords } from './dump-patch.js';
import { DONE } from './outcome.js';
import type { Outcome } from './outcome.js';
import type { Output } from './output.js';
import { printable } from './text.js';

/** `ipbp dump`'s arguments. */
export interface DumpOptions {
  readonly file: string;
  /** A member of an archive. */
  readonly member: string | null;
  /** Only sections of this name. */
  readonly section: string | null;
}

/** Lines for a person and records for `--json`; only the one that is wanted is made. */
interface Dump {
  lines(): readonly string[];
  records(): readonly object[];
}

/** Prints a file. Throws IPBP5901 for a member of no archive, IPBP5903, IPBP5904, and IPBP1xxx for a broken file. */
export function dump(options: DumpOptions, output: Output): Promise<Outcome> {
  const { lines, records } = dumpOf(options);
  if (output.json) for (const record of records()) output.record(record);
  else output.print(lines().map(printable).join('\n'));
  return Promise.resolve(DONE);
}

function dumpOf({ file, member, section }: DumpOptions): Dump {
  const bytes = sliceOf(fileAt(file).read(), file);
  const isArchive = detectFormat(bytes) === 'archive';
  if (member !== null && !isArchive) {
    throw new IpbpError('IPBP5901', '--member is for archives', { actual: 'no archive', where: file });
  }
  if (!isArchive && isPatch(bytes, file)) {
    const patch = readPatch(bytes, file);
    return { lines: () => patchLines(patch, file), records: () => patchRecords(patch, file) };
  }
  if (isArchive) {
    const archive = openArchive(bytes, file);
    if (member !== null) return dumpObject(memberOf(archive, member), section);
    const described = describeArchive(archive);
    return { lines: () => archiveLines(described), records: () => archiveRecords(described) };
  }
  return dumpObject(readObjectFile(bytes, file), section);
}

function dumpObject(file: ObjectFile, section: string | null): Dump {
  const relocationName = relocationNames(file);
  const described = describeObject(file, { relocationName, ...(section === null ? {} : { section }) });
  return { lines: () => objectLines(described), records: () => objectRecords(described) };
}

/** Throws IPBP5903 for a name that no member has, IPBP1003 for a member that is no object. */
function memberOf(archive: Archive, name: string): ObjectFile {
  const found = archive.members.find((member) => member.name === name || basename(member.name) === name);
  if (found === undefined) {
    throw new IpbpError('IPBP5903', 'no such member', {
      expected: 'one that ipbp dump lists',
      where: `${archive.name}(${name})`,
    });
  }
  const object = archive.member(found.index);
  if (object !== null) return object;
  throw new IpbpError('IPBP1003', 'this member is no object', { where: `${archive.name}(${name})` });
}

/** Names of relocation numbers; none for machines that are read but not linked for. */
function relocationNames(file: ObjectFile): DescribeOptions['relocationName'] {
  try {
    const { rows } = machineFor(file.format, file.machine, file.name);
    return (type) => rows.get(type)?.name;
  } catch (error) {
    if (error instanceof IpbpError && error.code === 'IPBP1003') return () => undefined;
    throw error;
  }
}

/** One line for the file, then one per thing in it, each under the word for what it is. */
function objectRecords({
  sections,
  symbols,
  relocations,
  unwind,
  notes,
  linked,
  ...file
}: ObjectDescription): object[] {
  const { segments = [], dynamic = [], dynamicSymbols = [], ...rest } = linked ?? {};
  return [
    { file: { ...file, ...rest } },
    ...segments.map((segment) => ({ segment })),
    ...sections.map((section) => ({ section })),
    ...symbols.map((symbol) => ({ symbol })),
    ...relocations.flatMap(({ section, entries }) => entries.map((entry) => ({ relocation: { section, ...entry } }))),
    ...unwind.flatMap(({ section, cies, fdes }) => [
      ...cies.map((cie) => ({ cie: { section, ...cie } })),
      ...fdes.map((fde) => ({ fde: { section, ...fde } })),
    ]),
    ...notes.map((note) => ({ note })),
    ...dynamic.map((entry) => ({ dynamic: entry })),
    ...dynamicSymbols.map((symbol) => ({ dynamicSymbol: symbol })),
  ];
}

function archiveRecords({ members, symbols, ...file }: ArchiveDescription): object[] {
  return [{ file }, ...members.map((member) => ({ member })), ...symbols.map((symbol) => ({ indexed: symbol }))];
}

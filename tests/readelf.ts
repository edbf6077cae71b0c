// What binutils' readelf says of a file, as data: the second opinion that the ELF reader's tests compare with.
import { output } from './format-inputs.js';

export interface ReadelfSection {
  readonly name: string;
  readonly type: string;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly entrySize: number;
  readonly flags: string;
  readonly align: number;
}

export interface ReadelfSymbol {
  readonly value: number;
  readonly size: number;
  readonly type: string;
  readonly binding: string;
  readonly visibility: string;
  readonly section: string;
  readonly name: string;
}

export interface ReadelfRelocation {
  readonly offset: number;
  readonly type: number;
  readonly symbol: number;
  readonly addend: number;
}

const hexadecimal = (text: string | undefined): number => Number.parseInt(text ?? '', 16);

function lines(option: string, path: string): string[] {
  return output('readelf', ['-W', option, path]).split('\n');
}

function matches(option: string, path: string, pattern: RegExp): RegExpExecArray[] {
  return lines(option, path)
    .map((line) => pattern.exec(line))
    .filter((match) => match !== null);
}

export function readelfSections(path: string): ReadelfSection[] {
  const pattern =
    /^ *\[ *\d+\] (\S*) +(\S+) +([0-9a-f]{16}) ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]{2,}) +([A-Za-z]*) +\d+ +\d+ +(\d+)$/;
  return matches('-S', path, pattern).map((match) => ({
    name: match[1] ?? '',
    type: match[2] ?? '',
    address: hexadecimal(match[3]),
    offset: hexadecimal(match[4]),
    size: hexadecimal(match[5]),
    entrySize: hexadecimal(match[6]),
    flags: match[7] ?? '',
    align: Number(match[8]),
  }));
}

function symbols(option: string, path: string): ReadelfSymbol[] {
  const pattern = /^ *\d+: ([0-9a-f]{16}) +(\S+) (\S+) +(\S+) +(\S+) +(?:\[[^\]]*\] +)?(\S+)(?: (.*))?$/;
  return matches(option, path, pattern).map((match) => ({
    value: hexadecimal(match[1]),
    size: Number(match[2]),
    type: match[3] ?? '',
    binding: match[4] ?? '',
    visibility: match[5] ?? '',
    section: match[6] ?? '',
    name: match[7] ?? '',
  }));
}

/** The full table; for linked files readelf prints the dynamic one too, unless asked for one of them. */
export function readelfSymbols(path: string): ReadelfSymbol[] {
  const dynamic = readelfDynamicSymbols(path).length;
  return symbols('-s', path).slice(dynamic);
}

export function readelfDynamicSymbols(path: string): ReadelfSymbol[] {
  return symbols('--dyn-syms', path).map((symbol) => ({ ...symbol, name: symbol.name.replace(/@.*/, '') }));
}

/** By the offset of the relocation section in the file: readelf cuts long names short. */
export function readelfRelocations(path: string): { offset: number; entries: ReadelfRelocation[] }[] {
  const tables: { offset: number; entries: ReadelfRelocation[] }[] = [];
  for (const line of lines('-r', path)) {
    const heading = /^Relocation section '.*' at offset 0x([0-9a-f]+) contains/.exec(line);
    if (heading !== null) tables.push({ offset: hexadecimal(heading[1]), entries: [] });
    const entry = /^([0-9a-f]{12,16}) +([0-9a-f]{8,16}) R_\S+ +(.*)$/.exec(line);
    if (entry === null) continue;
    const info = (entry[2] ?? '').padStart(16, '0');
    const addend = /(?:(?:^|.* )([+-]) )?(-?[0-9a-f]+)$/.exec(entry[3] ?? '');
    const size = hexadecimal(addend?.[2]);
    tables.at(-1)?.entries.push({
      offset: hexadecimal(entry[1]),
      symbol: hexadecimal(info.slice(0, 8)),
      type: hexadecimal(info.slice(8)),
      addend: addend?.[1] === '-' ? -size : size,
    });
  }
  return tables;
}

export function readelfDynamic(path: string): { tag: number; text: string }[] {
  return matches('-d', path, /^ 0x([0-9a-f]{16}) \(\w+\) +(.*)$/).map((match) => ({
    tag: hexadecimal(match[1]),
    text: match[2] ?? '',
  }));
}

export function readelfBuildId(path: string): string | null {
  return matches('-n', path, /Build ID: ([0-9a-f]+)/)[0]?.[1] ?? null;
}

/** PT_LOAD and PT_TLS entries. */
export function readelfSegments(path: string): { type: string; numbers: number[]; flags: string }[] {
  const pattern =
    /^ +(LOAD|TLS) +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+) 0x([0-9a-f]+) ([RWE ]{3}) 0x([0-9a-f]+)/;
  return matches('-l', path, pattern).map((match) => ({
    type: match[1] ?? '',
    numbers: [match[2], match[3], match[4], match[5], match[7]].map(hexadecimal),
    flags: match[6] ?? '',
  }));
}

/** Records of .eh_frame: offset, and the range of code of an FDE (null for a CIE). */
export function readelfFrames(path: string): { offset: number; range: { start: number; end: number } | null }[] {
  // Without following links to debug files: their absence would be a failure. Frames of .debug_frame come under a
  // heading of their own.
  const dump = output('readelf', ['-W', '--debug-dump=frames,no-follow-links', path]);
  const start = dump.indexOf('Contents of the .eh_frame section');
  const end = dump.indexOf('Contents of the .debug_frame section');
  const text = dump.slice(Math.max(0, start), end > start ? end : undefined);
  const pattern = /^([0-9a-f]{8,}) [0-9a-f]+ [0-9a-f]+ (?:CIE|FDE cie=[0-9a-f]+ pc=([0-9a-f]+)\.\.([0-9a-f]+))/gm;
  return Array.from(text.matchAll(pattern), (match) => ({
    offset: hexadecimal(match[1]),
    range: match[2] === undefined ? null : { start: hexadecimal(match[2]), end: hexadecimal(match[3]) },
  }));
}

// Mach-O files as the comparison reads them: apart from src/formats, so that a mistake there shows. Sections, symbols and
// raw relocations, nothing interpreted. Apple's <mach-o/loader.h>, <mach-o/nlist.h>, <mach-o/reloc.h>.

export interface RawRelocation {
  readonly address: number;
  /** Of the symbol table where `external`, else of the section, from 1. */
  readonly symbol: number;
  readonly pcRelative: boolean;
  /** Power of two. */
  readonly length: number;
  readonly external: boolean;
  readonly type: number;
}

export interface RawSection {
  /** From 1. */
  readonly number: number;
  readonly name: string;
  readonly address: number;
  readonly size: number;
  readonly offset: number;
  readonly type: number;
  readonly relocations: readonly RawRelocation[];
}

export interface RawSymbol {
  readonly name: string;
  readonly type: number;
  readonly section: number;
  readonly description: number;
  readonly value: number;
}

export interface RawMacho {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly machine: 'arm64' | 'x86_64';
  readonly sections: readonly RawSection[];
  readonly symbols: readonly RawSymbol[];
}

export const N_STAB = 0xe0;
export const N_EXT = 1;
export const N_SECT = 0xe;
export const N_WEAK_DEF = 0x80;
export const N_ALT_ENTRY = 0x200;
const LC_SYMTAB = 2;
const LC_SEGMENT_64 = 0x19;
const ZERO_FILL = new Set([0x1, 0xc, 0x12]);

/** Zero-filled: no bytes in the file. */
export const isZeroFill = ({ type }: RawSection): boolean => ZERO_FILL.has(type);

/** Reads a file. Throws on what is no 64-bit Mach-O file of the two machines. */
export function readRaw(bytes: Uint8Array, path: string): RawMacho {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (at: number): number => view.getUint32(at, true);
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  if (u32(0) !== 0xfeedfacf) throw new Error(`${path} is no Mach-O file`);
  const machine = u32(4) === 0x100_000c ? 'arm64' : 'x86_64';
  const sections: RawSection[] = [];
  let symbols: RawSymbol[] = [];
  for (let at = 32, left = u32(16); left > 0; left--, at += u32(at + 4)) {
    if (u32(at) === LC_SEGMENT_64) {
      for (let index = 0; index < u32(at + 64); index++) sections.push(section(at + 72 + index * 80));
    } else if (u32(at) === LC_SYMTAB) symbols = table(u32(at + 8), u32(at + 12), u32(at + 16));
  }
  return { path, bytes, view, machine, sections, symbols };

  function text(at: number, most: number): string {
    let end = at;
    while (end < at + most && bytes[end] !== 0) end++;
    return Buffer.from(bytes.subarray(at, end)).toString('latin1');
  }

  function section(at: number): RawSection {
    const relocations = Array.from({ length: u32(at + 60) }, (_, index): RawRelocation => {
      const entry = u32(at + 56) + index * 8;
      const word = u32(entry + 4);
      return {
        address: view.getInt32(entry, true),
        symbol: word & 0xffffff,
        pcRelative: ((word >>> 24) & 1) === 1,
        length: (word >>> 25) & 3,
        external: ((word >>> 27) & 1) === 1,
        type: word >>> 28,
      };
    });
    return {
      number: sections.length + 1,
      name: `${text(at + 16, 16)},${text(at, 16)}`,
      address: u64(at + 32),
      size: u64(at + 40),
      offset: u32(at + 48),
      type: u32(at + 64) & 0xff,
      relocations,
    };
  }

  function table(from: number, count: number, strings: number): RawSymbol[] {
    return Array.from({ length: count }, (_, index) => {
      const at = from + index * 16;
      return {
        name: text(strings + u32(at), 1 << 20),
        type: view.getUint8(at + 4),
        section: view.getUint8(at + 5),
        description: view.getUint16(at + 6, true),
        value: u64(at + 8),
      };
    });
  }
}

/** Offset in the file of an address that has bytes; −1 for others. */
export function offsetOf({ sections }: RawMacho, address: number): number {
  const inside = sections.find((one) => address >= one.address && address < one.address + one.size && !isZeroFill(one));
  return inside === undefined ? -1 : inside.offset + address - inside.address;
}

/** The members of an archive by their names, in the forms of BSD and GNU. */
export function archiveMembers(bytes: Uint8Array): Map<string, Uint8Array> {
  const members = new Map<string, Uint8Array>();
  const text = (from: number, to: number): string => Buffer.from(bytes.subarray(from, to)).toString('latin1');
  let longNames = '';
  for (let at = 8; at + 60 <= bytes.length;) {
    let name = text(at, at + 16).trimEnd();
    let from = at + 60;
    const end = from + Number(text(at + 48, at + 58));
    if (name.startsWith('#1/')) {
      const length = Number(name.slice(3));
      name = text(from, from + length).replace(/\0+$/, '');
      from += length;
    } else if (name === '//') longNames = text(from, end);
    else if (/^\/\d/.test(name)) name = longNames.slice(Number(name.slice(1))).split(/\/?\n/)[0] ?? '';
    else name = name.replace(/\/$/, '');
    // Readers of 64-bit words want them aligned.
    members.set(name, bytes.slice(from, end));
    at = end + (end % 2);
  }
  return members;
}

// Files that are wrong on purpose: each must be told by the checkers that are said to see it, or they would see nothing.
import { type SignedFile } from './signature.js';

/** Which check tells of a file. */
export type Checker = 'ours' | 'rcodesign' | 'loader' | 'LIEF';

/** One wrong file: made from a right one, whose signature it leaves otherwise as it is. */
export interface Control {
  readonly name: string;
  readonly seenBy: readonly Checker[];
  readonly damage: (bytes: Uint8Array, file: SignedFile) => void;
}

const LC_DYLD_EXPORTS_TRIE = 0x8000_0033;
const LC_DYLD_CHAINED_FIXUPS = 0x8000_0034;
/** Offsets in a signature as linkers write it, and in its CodeDirectory. */
const DIRECTORY = 24;
const HASHES_AT = 16;

function flip(bytes: Uint8Array, at: number, bits = 1): void {
  bytes[at] = (bytes[at] as number) ^ bits;
}

function inDirectory(field: number, bits = 1): Control['damage'] {
  return (bytes, { offset }) => flip(bytes, offset + DIRECTORY + field, bits);
}

const ALL: readonly Checker[] = ['ours', 'rcodesign', 'loader'];

export const CONTROLS: readonly Control[] = [
  // Behind the load commands, which readers would fall over.
  { name: 'a byte of a page', seenBy: ALL, damage: (bytes, { offset }) => flip(bytes, offset - 1) },
  {
    name: 'a hash',
    seenBy: ALL,
    damage(bytes: Uint8Array, { offset }: SignedFile): void {
      const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
      flip(bytes, offset + DIRECTORY + view.getUint32(DIRECTORY + HASHES_AT));
    },
  },
  { name: 'the number of hashes', seenBy: ALL, damage: inDirectory(31) },
  { name: 'the size of pages', seenBy: ALL, damage: inDirectory(39) },
  { name: 'where the code ends', seenBy: ALL, damage: inDirectory(35) },
  { name: 'the kind of hash', seenBy: ALL, damage: inDirectory(37) },
  { name: 'where __TEXT ends', seenBy: ALL, damage: inDirectory(79) },
  { name: 'that a program is signed', seenBy: ALL, damage: inDirectory(87) },
  // A loader takes what others have signed, too.
  { name: 'who signed', seenBy: ['ours', 'rcodesign'], damage: inDirectory(13, 2) },
  {
    name: 'a letter of an exported name',
    seenBy: [...ALL, 'LIEF'],
    damage(bytes: Uint8Array): void {
      const { offset, size } = linkeditPart(bytes, LC_DYLD_EXPORTS_TRIE);
      const text = Buffer.from(bytes.subarray(offset, offset + size)).toString('latin1');
      flip(bytes, offset + text.search(/[a-z]{4}/) + 1, 2);
    },
  },
  {
    name: 'the library of an import',
    seenBy: [...ALL, 'LIEF'],
    damage(bytes: Uint8Array): void {
      const { offset } = linkeditPart(bytes, LC_DYLD_CHAINED_FIXUPS);
      const imports = new DataView(bytes.buffer, bytes.byteOffset + offset).getUint32(8, true);
      flip(bytes, offset + imports);
    },
  },
];

/** Where a load command says that its table lies. */
function linkeditPart(bytes: Uint8Array, wanted: number): { readonly offset: number; readonly size: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 32, left = view.getUint32(16, true); left > 0; left--, at += view.getUint32(at + 4, true)) {
    if (view.getUint32(at, true) !== wanted) continue;
    return { offset: view.getUint32(at + 8, true), size: view.getUint32(at + 12, true) };
  }
  throw new Error(`no load command 0x${wanted.toString(16)}`);
}

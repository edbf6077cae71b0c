// Says from its first bytes what a file is. It checks nothing further: the readers do.
import type { Format } from './object-file.js';

/**
 * The formats of objects, archives of them, files that hold one for each of several machines (universal.ts), and LLVM
 * bitcode, which is told apart only to be named in messages.
 */
export type DetectedFormat = Format | 'archive' | 'universal' | 'bitcode';

/** Bytes that are looked at. */
export const SIGNATURE_SIZE = 8;

const SIGNATURES: readonly (readonly [DetectedFormat, readonly number[]])[] = [
  ['elf', [0x7f, 0x45, 0x4c, 0x46]],
  ['archive', [...'!<arch>\n'].map((letter) => letter.charCodeAt(0))],
  ['archive', [...'!<thin>\n'].map((letter) => letter.charCodeAt(0))],
  ['wasm', [0x00, 0x61, 0x73, 0x6d]],
  ['macho', [0xcf, 0xfa, 0xed, 0xfe]], // MH_MAGIC_64, little-endian
  ['macho', [0xce, 0xfa, 0xed, 0xfe]], // MH_MAGIC
  ['universal', [0xca, 0xfe, 0xba, 0xbe]], // FAT_MAGIC
  ['universal', [0xca, 0xfe, 0xba, 0xbf]], // FAT_MAGIC_64
  ['bitcode', [0x42, 0x43, 0xc0, 0xde]],
  ['bitcode', [0xde, 0xc0, 0x17, 0x0b]], // with wrapper
  ['coff', [0x4d, 0x5a]], // a PE image starts with its DOS stub
  ['coff', [0x00, 0x00, 0xff, 0xff]], // import library members and /bigobj
  ['coff', [0x64, 0x86]], // an object has no magic: IMAGE_FILE_MACHINE_AMD64
  ['coff', [0x64, 0xaa]], // IMAGE_FILE_MACHINE_ARM64
];

/** The format of a file, or null for what is none of them. */
export function detectFormat(bytes: Uint8Array): DetectedFormat | null {
  for (const [format, signature] of SIGNATURES) {
    if (signature.every((byte, index) => bytes[index] === byte)) return format;
  }
  return null;
}

// Names as a person wrote them, from the names of symbols: Rust's two manglings. Others' names stay as they are.
import { demangleLegacy } from './demangle-legacy.js';
import { demangleV0 } from './demangle-v0.js';

/** `.llvm.<digits>` is put behind local names that LLVM made global for other codegen units (with `@` on some targets). */
const LLVM_SUFFIX = /\.llvm\.[0-9A-Fa-f@]+$/;

/**
 * The readable form of a Rust symbol, legacy (`_ZN…17h<hash>E`) or v0 (`_R…`), without hashes; any other name, and
 * one that is not well formed, is returned as it is. Never throws, and bounded in time and length (limits.ts).
 */
export function demangle(name: string): string {
  return readable(name, false);
}

/** As {@link demangle}, but with what tells equal names apart: the hash, crate disambiguators, types of constants. */
export function demangleWithHash(name: string): string {
  return readable(name, true);
}

function readable(name: string, hashes: boolean): string {
  // Mach-O puts one more underscore in front.
  const start = name.startsWith('__R') || name.startsWith('__ZN') ? 1 : 0;
  const isV0 = name.startsWith('_R', start);
  if (!isV0 && !name.startsWith('_ZN', start)) return name;
  const plain = name.slice(start).replace(LLVM_SUFFIX, '');
  return (isV0 ? demangleV0(plain, hashes) : demangleLegacy(plain, hashes)) ?? name;
}

// Names as a person wrote them, from the names of symbols: Rust's two manglings. Others' names stay as they are.
import { demangleLegacy } from './demangle-legacy.js';
import { demangleV0 } from './demangle-v0.js';

/** `.llvm.<digits>` is put behind local names that LLVM made global for other codegen units (with `@` on some targets). */
const LLVM_SUFFIX = /\.llvm\.[0-9A-Fa-f@]+$/;

/** What is appended to the name of a new item whose own name is another one's (patch/identity). */
const FRESH_SUFFIX = /\.ipbp\.\d+$/;

/**
 * The readable form of a Rust symbol, legacy (`_ZN…17h<hash>E`) or v0 (`_R…`), without hashes; any other name, and
 * one that is not well formed, is returned as it is. Never throws, and bounded in time and length (limits.ts).
 */
export function demangle(name: string): string {
  let text = known.get(name);
  if (text !== undefined) return text;
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(name, (text = readable(name, false)));
  return text;
}

/** Names of thousands of characters are asked for again by everyone who tells of an edit. */
const known = new Map<string, string>();
/** Names that are remembered, at most; then it begins anew. */
const MOST_KNOWN = 10_000;

/** As {@link demangle}, but with what tells equal names apart: the hash, crate disambiguators, types of constants. */
export function demangleWithHash(name: string): string {
  return readable(name, true);
}

/** A v0 name with the numbers of all its parts (`app[7f]::main#0::LOCAL#1`); null for any other name. */
export function spellV0(name: string): string | null {
  return name.startsWith('_R') ? demangleV0(name, true, true) : null;
}

function readable(name: string, hashes: boolean): string {
  // Mach-O puts one more underscore in front.
  const start = name.startsWith('__R') || name.startsWith('__ZN') ? 1 : 0;
  const isV0 = name.startsWith('_R', start);
  if (!isV0 && !name.startsWith('_ZN', start)) return name;
  const plain = name.slice(start).replace(LLVM_SUFFIX, '').replace(FRESH_SUFFIX, '');
  return (isV0 ? demangleV0(plain, hashes) : demangleLegacy(plain, hashes)) ?? name;
}

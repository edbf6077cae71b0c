// TLS code sequences of x86-64 and what they become in a program whose thread-locals all lie at fixed offsets from
// the thread pointer. Source: ELF Handling For Thread-Local Storage, 5.5 (x86-64 linker optimizations); the
// `-fno-plt` forms: System V ABI, AMD64 supplement, 11.1.
import type { Rewrite } from '../machine.js';
import type { FixupRow } from '../fixup.js';
import { ELF_X86_64_ROWS } from '../elf-x86-64.js';

const TPOFF32 = ELF_X86_64_ROWS.find((row) => row.name === 'R_X86_64_TPOFF32') as FixupRow;

function startsWith(bytes: Uint8Array, offset: number, pattern: readonly number[]): boolean {
  if (offset < 0 || offset + pattern.length > bytes.length) return false;
  return pattern.every((byte, i) => bytes[offset + i] === byte);
}

// data16 lea x@tlsgd(%rip),%rdi; then data16 data16 rex.W call __tls_get_addr@plt, or data16 rex.W call *slot(%rip)
const GD_LEA = [0x66, 0x48, 0x8d, 0x3d] as const;
const GD_CALLS = [
  [0x66, 0x66, 0x48, 0xe8],
  [0x66, 0x48, 0xff, 0x15],
] as const;

// lea x@tlsld(%rip),%rdi; then call __tls_get_addr@plt, or call *slot(%rip)
const LD_LEA = [0x48, 0x8d, 0x3d] as const;

/** mov %fs:0,%rax; lea x@tpoff(%rax),%rax: as long as both forms of the general-dynamic sequence. */
function rewriteGeneralDynamic(bytes: Uint8Array, offset: number): Rewrite | null {
  if (!startsWith(bytes, offset - 4, GD_LEA)) return null;
  if (!GD_CALLS.some((call) => startsWith(bytes, offset + 4, call))) return null;
  const replacement = [0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48, 0x8d, 0x80, 0, 0, 0, 0];
  return {
    from: -4,
    bytes: Uint8Array.from(replacement),
    field: { at: 8, row: TPOFF32, addend: 0 },
    swallow: 1,
  };
}

/** mov %fs:0,%rax with as many prefixes as fill the place: 12 bytes for a direct call, 13 for one through memory. */
function rewriteLocalDynamic(bytes: Uint8Array, offset: number): Rewrite | null {
  if (!startsWith(bytes, offset - 3, LD_LEA)) return null;
  const load = [0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0];
  const prefixes = startsWith(bytes, offset + 4, [0xe8])
    ? [0x66, 0x66, 0x66]
    : startsWith(bytes, offset + 4, [0xff, 0x15])
      ? [0x66, 0x66, 0x66, 0x66]
      : null;
  if (prefixes === null) return null;
  return { from: -3, bytes: Uint8Array.from([...prefixes, ...load]), field: null, swallow: 1 };
}

/** Rewrites the sequence whose first relocation is at `offset`; null when the bytes are not one of the known forms. */
export function rewriteTls(purpose: 'tls-gd' | 'tls-ld', bytes: Uint8Array, offset: number): Rewrite | null {
  switch (purpose) {
    case 'tls-gd':
      return rewriteGeneralDynamic(bytes, offset);
    case 'tls-ld':
      return rewriteLocalDynamic(bytes, offset);
  }
}

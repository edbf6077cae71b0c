// Whether two paths lead to one file, or to two that hold the same: hard links where there are any, copies elsewhere.
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** True if both paths are one file, or hold the same bytes. False where either is not there. */
export function sameFile(one: string, other: string): boolean {
  const a = statSync(one, { throwIfNoEntry: false });
  const b = statSync(other, { throwIfNoEntry: false });
  if (a === undefined || b === undefined || a.size !== b.size) return false;
  return (a.dev === b.dev && a.ino === b.ino) || sameBytes(one, other);
}

function sameBytes(a: string, b: string): boolean {
  const left = openSync(a, 'r');
  const right = openSync(b, 'r');
  try {
    const chunk = 1 << 20;
    const one = Buffer.alloc(chunk);
    const two = Buffer.alloc(chunk);
    if (fstatSync(left).size !== fstatSync(right).size) return false;
    for (;;) {
      const got = readSync(left, one, 0, chunk, null);
      const also = readSync(right, two, 0, chunk, null);
      if (got !== also || !one.subarray(0, got).equals(two.subarray(0, also))) return false;
      if (got === 0) return true;
    }
  } finally {
    closeSync(left);
    closeSync(right);
  }
}

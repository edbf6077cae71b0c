// Runs the parts of a reader one after the other.
import { IpbpError } from '../../src/codes/error.js';
import { describeObject } from '../../src/formats/describe.js';
import type { ObjectFile } from '../../src/formats/object-file.js';

/** Runs all parts, so that one that refuses does not hide the next; the first refusal is the answer. */
export function each(...parts: readonly (() => unknown)[]): unknown[] {
  const { kept, refused } = tryAll(parts);
  if (refused[0] !== undefined) throw refused[0];
  return kept;
}

/** As {@link each}, but refused only where all refuse: for parts that read the same bytes as different things. */
export function some(...parts: readonly (() => unknown)[]): unknown[] {
  const { kept, refused } = tryAll(parts);
  if (refused[0] !== undefined && refused.length === parts.length) throw refused[0];
  return kept;
}

/** What is no IpbpError goes on at once. */
function tryAll(parts: readonly (() => unknown)[]): { kept: unknown[]; refused: IpbpError[] } {
  const refused: IpbpError[] = [];
  const kept = parts.map((part) => {
    try {
      return part();
    } catch (error) {
      if (!(error instanceof IpbpError)) throw error;
      refused.push(error);
      return null;
    }
  });
  return { kept, refused };
}

/** What any file of the model can be asked for by those who know no format. */
export function partsOfModel(file: ObjectFile): readonly (() => unknown)[] {
  return [
    () => describeObject(file, { relocationName: () => undefined }),
    () => file.countFunctions(),
    () => file.countNamed(['work', 'missing']),
    () => file.symbolColumns(),
    () => file.sections.map(({ index }) => file.relocationColumns(index)),
    () => file.allRelocationColumns(() => true),
    () => file.sections.map(({ index }) => file.sectionBytes(index)),
    () => file.linked?.dynamicColumns(),
  ];
}

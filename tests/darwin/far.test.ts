// Every reference by distance in std for macOS can be made one through a word that the process fills, as if all it names
// were outside of a patch: what compilers write there is known. That such code does what it did: relocations/far-code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rustWithStd } from '../../conformance/setup/rust-std.js';
import { openArchive } from '../../src/formats/archive.js';
import { openLinkObject } from '../../src/link/atoms.js';
import type { Atom, Edge } from '../../src/link/graph.js';
import { EXPRESSIONS, isWithinPage } from '../../src/reloc/fixup.js';

function isByDistance({ row, target }: Edge): boolean {
  const { term, base } = EXPRESSIONS[row.expression];
  if ((term !== 'S' && term !== 'L') || target.label) return false;
  return base === 'P' || base === 'page of P' || (base === 'nothing' && isWithinPage(row.field));
}

/** By row, how many references were made so; those that were not. */
function reach(atom: Atom, counts: Map<string, number>, refused: string[]): void {
  const symbols = new Map<string | Atom | null, number>();
  const uses = atom.edges.filter(isByDistance).map(({ offset, row, addend, target }) => {
    const key = target.name ?? target.atom;
    const symbol = symbols.get(key) ?? symbols.size;
    symbols.set(key, symbol);
    return { offset, row, addend: target.name === null ? addend + target.offset : addend, symbol };
  });
  for (const near of [true, false]) {
    atom.object.machine.far.references(atom.bytes, uses, near).forEach((reference, i) => {
      const { row, offset } = uses[i] as (typeof uses)[number];
      counts.set(row.name, (counts.get(row.name) ?? 0) + 1);
      if (reference === null) refused.push(`${atom.object.name}: ${atom.name}+${offset} ${row.name}`);
    });
  }
}

for (const [target, most] of [
  ['x86_64-apple-darwin', ['X86_64_RELOC_SIGNED', 'X86_64_RELOC_BRANCH']],
  ['aarch64-apple-darwin', ['ARM64_RELOC_PAGE21', 'ARM64_RELOC_PAGEOFF12', 'ARM64_RELOC_BRANCH26']],
] as const) {
  test(`${target}: no reference of std is one that cannot be made far`, () => {
    const folder = join(rustWithStd(target).prefix, 'lib', 'rustlib', target, 'lib');
    const counts = new Map<string, number>();
    const refused: string[] = [];
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.rlib'))) {
      const archive = openArchive(readFileSync(join(folder, file)), file);
      for (const { index } of archive.members) {
        const object = archive.member(index);
        if (object === null) continue;
        for (const atom of openLinkObject(object).atoms()) if (atom.kind === 'code') reach(atom, counts, refused);
      }
    }
    assert.equal(refused, []);
    for (const name of most) assert.ok((counts.get(name) ?? 0) > 5000, JSON.stringify([...counts]));
  });
}

test.run();

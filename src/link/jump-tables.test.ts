// Tables of distances into functions that are known by name alone: the entries stay with the copy of the code that they were
// compiled for.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../tests/format-inputs.js';
import { MACHO_MACHINES, machoObject } from '../../tests/macho-inputs.js';
import { readObjectFile } from '../formats/read-object.js';
import { openLinkObject } from './atoms.js';
import type { Surroundings } from './binding.js';
import { link } from './link.js';

const SOURCE = `
  .section __TEXT,__text,regular,pure_instructions
  .globl _before
_before: nop
  nop
  .globl _f
_f: nop
  nop
Linside: nop
  nop
  .section __TEXT,__const
  .p2align 3
  .globl _table
_table: .long Linside - _table
  .long Linside - _table
  .long 0, 0
  .subsections_via_symbols
`;

const CODE = { x86_64: 1, arm64: 4 };

for (const machine of MACHO_MACHINES) {
  test(`${machine}: entries lead into the new copy`, () => {
    const object = openLinkObject(readObjectFile(bytesOf(machoObject(machine, 's', SOURCE)), 'table.o'));
    const [table, f] = ['table', 'f'].map((name) => object.definition(name)?.atom);
    assert.ok(table && f);
    assert.equal(
      table.edges.map(({ target }) => [target.label, target.atom === f]),
      [
        [true, true],
        [true, true],
      ],
    );
    const outside: Surroundings = {
      inProgram: (name) => (name === 'f' ? { kind: 'place', module: 0, address: 0x5000 } : null),
      isFresh: () => false,
      definition: () => null,
      elsewhere: () => null,
      imported: () => null,
    };
    const placement = { top: 0, bottom: -0x10_0000, tlsNext: 0, tlsEnd: 0, tlsAlign: 1 };
    const how = { machine: object.machine, reach: 'anywhere', entries: 'stubs' } as const;
    const linked = link({ roots: [table], objects: [object], outside, placement, ...how });
    if (linked.kind !== 'linked') throw new Error(linked.kind);
    const { image } = linked;
    const at = image.addressOf(table);
    const segment = image.segments.find(({ address, size }) => at >= address && at < address + size);
    assert.ok(segment);
    const view = new DataView(segment.bytes.buffer, segment.bytes.byteOffset + at - segment.address);
    const inside = image.addressOf(f) + 2 * CODE[machine];
    assert.equal([at + view.getInt32(0, true), at + view.getInt32(4, true)], [inside, inside]);
    assert.equal(image.rebases.length, 1, 'only the stub of the copy');
  });
}

test.run();

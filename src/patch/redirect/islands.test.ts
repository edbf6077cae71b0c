// Pages that jumps lead through: where they lie, what is in them, and that they are used up some day.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { machineFor } from '../../reloc/machines.js';
import type { ImageSegment } from '../image/image.js';
import type { Program } from '../program/program.js';
import { islandFor, islandSegments, placeIn, whyCodeStays } from './islands.js';

const MACHINES = [
  ['elf', 'x86_64'],
  ['macho', 'x86_64'],
  ['macho', 'arm64'],
] as const;
const BESIDE = { at: 0x1_0400_0000, size: 0x10_0000 };

/** As far as islands are concerned: its machine, and what patches have mapped. */
function programOf(machine: Program['base']['machine'], ...mapped: readonly Partial<ImageSegment>[]): Program {
  return { base: { machine }, mapped: [{ image: { segments: mapped } }] } as unknown as Program;
}

for (const [format, name] of MACHINES) {
  const machine = machineFor(format, name, 'test');
  const { pageSize } = machine;

  test(`${format} ${name}: every jump over an entry leads to its own word`, () => {
    const count = pageSize / machine.pointerSize + 1;
    const island = islandFor(programOf(machine), count, BESIDE, 0);
    assert.is(island.code, BESIDE.at);
    const words = Array.from({ length: count }, (_, number) => {
      return { at: placeIn(island, number, machine)[1], module: 0, value: number };
    });
    assert.is(new Set(words.map(({ at }) => at)).size, count);
    assert.ok(words.every(({ at }) => at % machine.pointerSize === 0 && at + machine.pointerSize <= island.end));
    const segments = islandSegments(island, words, machine);
    assert.equal(
      segments.map(({ address, size, protection }) => [address, size, protection]),
      name === 'arm64'
        ? [
            [BESIDE.at, 2 * pageSize, 'rx'],
            [BESIDE.at + 2 * pageSize, 2 * pageSize, 'r'],
          ]
        : [[BESIDE.at, 2 * pageSize, 'r']],
    );
    const read = (at: number, size: number): Uint8Array | null => {
      const segment = segments.find(({ address, bytes }) => at >= address && at + size <= address + bytes.length);
      return segment?.bytes.slice(at - segment.address, at - segment.address + size) ?? null;
    };
    const { long, wordOf } = machine.entryThroughWord;
    const entry = 0x1_0000_1000;
    words.forEach(({ at }, number) => {
      const [leads] = placeIn(island, number, machine);
      assert.is(wordOf(long(entry, leads), entry, read), at);
    });
    assert.equal(islandSegments(island, [], machine), []);
  });

  test(`${format} ${name}: behind those of other patches, until there is no more room`, () => {
    const end = BESIDE.at + BESIDE.size;
    const next = (...mapped: readonly Partial<ImageSegment>[]): number =>
      islandFor(programOf(machine, ...mapped), 1, BESIDE, 0).code;
    const pages = { address: BESIDE.at + pageSize, size: pageSize };
    assert.is(next(pages, { address: BESIDE.at, size: pageSize }), BESIDE.at + 2 * pageSize);
    assert.is(next({ address: BESIDE.at - pageSize, size: pageSize }, { address: end, size: pageSize }), BESIDE.at);
    const used = { address: BESIDE.at, size: BESIDE.size };
    assert.throws(
      () => next(used),
      (error: unknown) => error instanceof IpbpError && error.code === 'IPBP2005',
    );
    assert.is(islandFor(programOf(machine, used), 0, BESIDE, 0).end, end, 'nothing always fits');
    const below = islandFor(programOf(machine), 1, null, 0x4000_0000);
    assert.is(below.end, 0x4000_0000);
    assert.ok(below.code < below.end);
  });
}

test('why jumps are of no use is said', () => {
  const none = { at: 0, size: 0 };
  const abilities = { pages: false, libraries: true, code: true };
  assert.is(whyCodeStays({ abilities, beside: BESIDE }), null);
  assert.is(whyCodeStays({ abilities: { ...abilities, pages: true }, beside: none }), null);
  assert.match(whyCodeStays({ abilities, beside: none }) ?? '', /no page could be had/);
  assert.match(whyCodeStays({ abilities: { ...abilities, code: false }, beside: BESIDE }) ?? '', /did not let it/);
});

test.run();

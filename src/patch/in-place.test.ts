// Patches of macOS programs whose code may be changed: functions with a slot change by it, those without by a jump to what
// the patch puts beside the program; what is redirected again changes no code any more.
import { writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../tests/format-inputs.js';
import { MACHO_MACHINES, machoLinked, machoObject, type MachoMachine } from '../../tests/macho-inputs.js';
import { readObjectFile } from '../formats/read-object.js';
import { openLinkObject } from '../link/atoms.js';
import type { LinkObject } from '../link/graph.js';
import { diffObjects } from './diff/diff.js';
import type { PlanResult } from './engine.js';
import { objectWithSlots } from './give-slots.js';
import { encodePatchFile } from './image/image-file.js';
import type { PatchImage } from './image/image.js';
import { AS_IT_WAS, DEFAULT_ROOM, planPatch } from './plan.js';
import { openBaseProgram } from './program/base-program.js';
import { freshProgram, inverseRedirection, withPatch, type Program } from './program/program.js';

const NAME = '_RNvCs1_4test3one';
const OTHER = '_RNvCs1_4test5other';
/** Mangled names are what a diff follows. */
const ONE = (value: number): string => `
int one(void) __asm("_${NAME}");
__attribute__((noinline)) int one(void) { static volatile int kept; return kept + ${value}; }
int work(void) { return one(); }
`;
const TWO = (value: number): string => `
int other(void) __asm("_${OTHER}");
__attribute__((noinline)) int other(void) { static volatile int kept; return kept + ${value}; }
int more(void) { return other(); }
`;
const CODE_STAYS = 'it is a test';

function open(path: string): LinkObject {
  return openLinkObject(readObjectFile(bytesOf(path), path.slice(path.lastIndexOf('/') + 1)));
}

function object(machine: MachoMachine, source: string): string {
  return machoObject(machine, 'c', source, '-O1', '-fomit-frame-pointer');
}

function programOf(machine: MachoMachine, ...objects: readonly string[]): Program {
  const path = machoLinked(machine, objects);
  return freshProgram(openBaseProgram(readObjectFile(bytesOf(path), path), () => []));
}

function withSlots(path: string): string {
  const made = objectWithSlots(bytesOf(path), path, 'all');
  if (made === null) throw new Error('nothing in it gets a slot');
  writeFileSync(`${path}.slots.o`, made);
  return `${path}.slots.o`;
}

function plan(program: Program, before: string, after: string, codeStays: string | null): PlanResult {
  const [old, now] = [open(before), open(after)];
  const beside = { at: program.base.start + 0x40_0000, size: 0x10_0000 };
  return planPatch({
    program,
    diff: diffObjects([old], [now]),
    identity: AS_IT_WAS,
    before: [old],
    after: [now],
    others: () => [],
    archives: () => null,
    room: { ...DEFAULT_ROOM, beside },
    delivery: 'library',
    codeStays,
  });
}

function imageOf(result: PlanResult): PatchImage {
  if (result.kind !== 'patch') throw new Error(JSON.stringify(result));
  return result.image;
}

function bodyIn({ bodies }: PatchImage, name: string): number {
  return bodies.find((body) => body.name === name)?.address ?? NaN;
}

for (const machine of MACHO_MACHINES) {
  test(`${machine}: a jump at the entry leads through a word beside the program, and later only that word changes`, () => {
    const [first, second, third] = [1, 2, 3].map((value) => object(machine, ONE(value))) as [string, string, string];
    const program = programOf(machine, first);
    const image = imageOf(plan(program, first, second, null));
    const { entryThroughWord: jumps, pageSize } = program.base.machine;
    const [entry] = program.base.items.get(NAME) ?? [];
    assert.equal(
      image.cells.map(({ at, newBytes }) => [at, newBytes.length]),
      [[entry?.address, jumps.longSize]],
    );
    assert.equal(image.slots, []);
    const beside = image.segments.filter(({ address }) => address > program.base.start);
    assert.equal(
      beside.map(({ address, size, protection }) => [address - program.base.start, size, protection]),
      machine === 'arm64'
        ? [
            [0x40_0000, pageSize, 'rx'],
            [0x40_0000 + pageSize, pageSize, 'r'],
          ]
        : [[0x40_0000, pageSize, 'r']],
    );
    // By nothing but its bytes: from the entry to the word, and what that will hold.
    const read = (at: number, size: number): Uint8Array | null => {
      const page = image.segments.find(({ address, bytes }) => at >= address && at + size <= address + bytes.length);
      return page?.bytes.slice(at - page.address, at - page.address + size) ?? null;
    };
    const [cell] = image.cells;
    const word = cell === undefined ? null : jumps.wordOf(cell.newBytes, cell.at, read);
    assert.equal(
      image.rebases.filter(({ at }) => at === word).map(({ value }) => value),
      [bodyIn(image, NAME)],
    );
    const live = withPatch(program, { image, digest: encodePatchFile(image).digest });
    const again = imageOf(plan(live, second, third, null));
    assert.equal(again.cells, []);
    assert.equal(again.slots, [
      { module: 0, at: word, oldTarget: bodyIn(image, NAME), newTarget: bodyIn(again, NAME) },
    ]);
    assert.equal(again.segments.filter(({ address }) => address > program.base.start).length, 0);
    const [back] = inverseRedirection(image).cells;
    assert.equal(back?.newBytes, cell?.oldBytes);
  });

  test(`${machine}: with slots only a function that has none becomes a jump, where code may be changed`, () => {
    const [one, two] = [object(machine, ONE(1)), object(machine, TWO(1))];
    const program = programOf(machine, withSlots(one), two);
    const slotted = imageOf(plan(program, one, object(machine, ONE(2)), null));
    assert.equal([slotted.cells.length, slotted.slots.length], [0, 1]);
    assert.ok(slotted.segments.every(({ address }) => address < program.base.start));
    const jumping = imageOf(plan(program, two, object(machine, TWO(2)), null));
    assert.equal([jumping.cells.length, jumping.slots.length], [1, 0]);
    // Else its caller is linked anew, which has no slot either, and a plain name.
    const refused = plan(program, two, object(machine, TWO(2)), CODE_STAYS);
    assert.is(refused.kind, 'refused', JSON.stringify(refused));
  });

  test(`${machine}: where code may not be changed a program without slots says why`, () => {
    const one = object(machine, ONE(1));
    const refused = plan(programOf(machine, one), one, object(machine, ONE(2)), CODE_STAYS);
    if (refused.kind !== 'refused') throw new Error(JSON.stringify(refused));
    assert.equal(
      refused.items.map(({ code, because }) => [code, because.at(-1)]),
      [['IPBP3016', CODE_STAYS]],
    );
  });
}

test.run();

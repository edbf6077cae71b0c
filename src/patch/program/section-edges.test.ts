// Sections that a program walks from edge to edge: where linkers name the edges without a symbol, patches find them all the
// same, and what an edit adds to them is told.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../../tests/format-inputs.js';
import { MACHO_MACHINES, machoLinked, machoObject, type MachoMachine } from '../../../tests/macho-inputs.js';
import { readObjectFile } from '../../formats/read-object.js';
import { openLinkObject } from '../../link/atoms.js';
import type { LinkObject } from '../../link/graph.js';
import { diffObjects } from '../diff/diff.js';
import { AS_IT_WAS, DEFAULT_ROOM, planPatch } from '../plan.js';
import { openBaseProgram } from './base-program.js';
import { freshProgram, type Program } from './program.js';

const SOURCE = `
#define LISTED __attribute__((used, section("__DATA,__list")))
extern const int start __asm("section$start$__DATA$__list"), end __asm("section$end$__DATA$__list");
LISTED int one = 1;
LISTED int two = 2;
static int kept = 7;
int work(void) {
  int sum = kept++;
  for (const int *at = &start; at != &end; at++) sum += *at;
  return sum;
}
int main(void) { return work(); }
`;

function pathOf(machine: MachoMachine, source: string): string {
  return machoObject(machine, 'c', source, '-O1');
}

function open(path: string): LinkObject {
  return openLinkObject(readObjectFile(bytesOf(path), 'one.o'));
}

function programOf(machine: MachoMachine, object: string): Program {
  const path = machoLinked(machine, [object]);
  return freshProgram(openBaseProgram(readObjectFile(bytesOf(path), path), () => []));
}

for (const machine of MACHO_MACHINES) {
  test(`${machine}: a patch reads the program's list and its own variable`, () => {
    const first = pathOf(machine, SOURCE);
    const program = programOf(machine, first);
    const [before, after] = [open(first), open(pathOf(machine, SOURCE.replace('sum += *at', 'sum += 3 * *at')))];
    const diff = diffObjects([before], [after]);
    const files = { before: [before], after: [after], others: () => [], archives: () => null, room: DEFAULT_ROOM };
    // Without slots: what is looked at is where words lead.
    const how = { delivery: 'library', codeStays: null } as const;
    const plan = planPatch({ program, diff, identity: AS_IT_WAS, ...files, ...how });
    if (plan.kind !== 'patch') throw new Error(JSON.stringify(plan));
    const list = program.base.file.sections.find(({ name }) => name === '__DATA,__list');
    const [kept] = program.base.items.get('kept') ?? [];
    assert.ok(list && kept);
    const values = plan.image.rebases.map(({ value }) => value);
    assert.ok(values.includes(list.address), 'its start');
    assert.ok(values.includes(list.address + list.size), 'its end');
    assert.ok(values.includes(kept.address), 'the variable');
    assert.equal(plan.image.imports, []);
  });

  test(`${machine}: what is added to such a section is told`, () => {
    const added = SOURCE.replace('LISTED int two', 'LISTED int three = 3;\nLISTED int two');
    const { registrations } = diffObjects([open(pathOf(machine, SOURCE))], [open(pathOf(machine, added))]);
    assert.equal(
      registrations.map(({ section, item }) => [section, item.name]),
      [['__DATA,__list', 'three']],
    );
  });
}

test.run();

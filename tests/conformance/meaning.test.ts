// The comparison of linkers by meaning: it finds the peers in agreement, and finds what is wrong when something is.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { replay } from '../../conformance/cases/capture.js';
import { captureCpp } from '../../conformance/cases/cpp.js';
import { Inputs, placeInputs } from '../../conformance/compare/inputs.js';
import { readMap } from '../../conformance/compare/link-map.js';
import { viewLinked } from '../../conformance/compare/linked-view.js';
import { judgeOutput } from '../../conformance/compare/places.js';
import { meaningSuite } from '../../conformance/meaning/suite.js';
import { cacheFolder } from '../../conformance/setup/cache.js';
import { ensureDebianTools } from '../../conformance/setup/debian-tools.js';
import { MACHINES, type SuiteRow } from '../../conformance/suite.js';

ensureDebianTools();

for (const machine of MACHINES) {
  test(`${machine}: a C++ library and small links mean the same by every linker, and it runs`, async () => {
    const rows: SuiteRow[] = [];
    await meaningSuite.run({ full: false, only: '', machines: [machine], seed: 1 }, (row) => rows.push(row));
    assert.is(rows.length, 3);
    for (const { failures } of rows) assert.equal(failures, []);
  });

  test(`${machine}: a changed byte of a relocated place, and only that, is found`, () => {
    const folder = cacheFolder('links', machine, 'changed');
    const linked = replay(captureCpp(machine, 'cpp-gcc-sections'), 'lld', folder);
    assert.is(linked.said.status, 0, linked.said.stderr);
    const placed = placeInputs(new Inputs(), readMap(readFileSync(linked.map, 'utf8')), folder);
    const bytes = new Uint8Array(readFileSync(linked.output));
    assert.equal(judgeOutput(viewLinked(bytes, 'as it was linked'), placed).wrong, []);
    const [object, { addresses }] = [...placed].find(([one]) => one.key.endsWith('shapes.cpp.o'))!;
    const section = object.elf.sections.find(({ name, index }) => name.startsWith('.text.') && addresses[index]! > 0)!;
    const relocation = object.relocations.get(section.index)!.find(({ type }) => type !== 0)!;
    const at = viewLinked(bytes, 'the same').offsetOf(addresses[section.index]! + relocation.offset);
    bytes[at] = (bytes[at]! + 32) % 256;
    const { wrong } = judgeOutput(viewLinked(bytes, 'changed'), placed);
    assert.is(wrong.length, 1);
    assert.match(wrong[0]!, /shapes\.cpp\.o/);
  });
}

test.run();

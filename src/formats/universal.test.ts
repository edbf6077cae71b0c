import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf, output, scratch } from '../../tests/format-inputs.js';
import { ByteWriter } from '../bytes/writer.js';
import { IpbpError } from '../codes/error.js';
import * as inputs from '../../tests/macho-inputs.js';
import { openArchive } from './archive.js';
import { detectFormat } from './detect.js';
import { readObjectFile } from './read-object.js';
import { sliceOf } from './universal.js';

const objects = (machine: inputs.MachoMachine): string[] => [
  inputs.machoObject(machine, 'c', inputs.MACHO_C, '-O1'),
  inputs.machoObject(machine, 'cpp', inputs.MACHO_CPP, '-O1'),
];

function archive(machine: inputs.MachoMachine, format: string): string {
  const path = join(scratch(), `${machine}-${format}.a`);
  output('llvm-ar-19', ['rcs', `--format=${format}`, path, ...objects(machine)]);
  return path;
}

test('archives of Mach-O objects are searched by the names of the language, whatever made their index', () => {
  for (const format of ['darwin', 'bsd', 'gnu']) {
    for (const machine of inputs.MACHO_MACHINES) {
      const path = archive(machine, format);
      const opened = openArchive(bytesOf(path), path);
      assert.is(opened.members.length, 2);
      assert.equal(opened.definersOf('work'), [0], path);
      assert.equal(opened.definersOf('_work'), [], path);
      assert.equal(opened.definersOf('_Z3runP4base'), [1], path);
      const names = new Set([...opened.symbolIndex().keys()]);
      const visited = new Set<string>();
      opened.eachSymbol((bytes, start, end) => visited.add(new TextDecoder().decode(bytes.subarray(start, end))));
      assert.equal([...visited].sort(), [...names].sort());
      // What the objects say of themselves is what the index says of them.
      for (const { index } of opened.members) {
        const globals = opened
          .member(index)
          ?.symbols.filter(
            ({ binding, section, visibility }) =>
              binding !== 'local' && section !== 'undefined' && visibility === 'default',
          );
        assert.ok(globals !== undefined && globals.length > 0);
        for (const { name } of globals) assert.ok(opened.definersOf(name).includes(index), name);
      }
    }
  }
});

test('of a universal file the part for the machine is read, arm64 where none is asked for', () => {
  const thin = new Map(inputs.MACHO_MACHINES.map((machine) => [machine, objects(machine)[0] ?? '']));
  const path = join(scratch(), 'universal.o');
  output('llvm-lipo-19', ['-create', ...thin.values(), '-output', path]);
  const bytes = bytesOf(path);
  assert.is(detectFormat(bytes), 'universal');
  assert.is(readObjectFile(bytes, path).machine, 'arm64');
  for (const [machine, one] of thin) {
    const file = readObjectFile(bytes, path, machine);
    const want = readObjectFile(bytesOf(one), one);
    assert.is(file.machine, machine);
    assert.equal(
      file.symbols.map(({ name, value }) => [name, value]),
      want.symbols.map(({ name, value }) => [name, value]),
    );
  }
  const intel = join(scratch(), 'intel.o');
  output('llvm-lipo-19', ['-create', thin.get('x86_64') ?? '', '-output', intel]);
  assert.is(readObjectFile(bytesOf(intel), intel).machine, 'x86_64');
  assert.throws(
    () => readObjectFile(bytesOf(intel), intel, 'arm64'),
    (error: Error) => error instanceof IpbpError && error.code === 'IPBP1003',
  );
});

test('universal archives', () => {
  const path = join(scratch(), 'universal.a');
  output('llvm-lipo-19', ['-create', archive('arm64', 'darwin'), archive('x86_64', 'darwin'), '-output', path]);
  const bytes = bytesOf(path);
  assert.is(detectFormat(sliceOf(bytes, path)), 'archive');
  assert.is(openArchive(bytes, path).member(0)?.machine, 'arm64');
  assert.is(openArchive(bytes, path, null, 'x86_64').member(0)?.machine, 'x86_64');
});

/** A table of parts that are all the same object. */
function table(
  parts: readonly (readonly [cpu: number, subtype: number])[],
  object: Uint8Array,
  wide: boolean,
): Uint8Array {
  const writer = new ByteWriter();
  const start = 8 + parts.length * (wide ? 32 : 20);
  writer.u32be(wide ? 0xcafebabf : 0xcafebabe).u32be(parts.length);
  parts.forEach(([cpu, subtype], index) => {
    writer.u32be(cpu).u32be(subtype);
    const [offset, size] = [start + index * object.length, object.length];
    if (wide) writer.u32be(0).u32be(offset).u32be(0).u32be(size).u32be(0).u32be(0);
    else writer.u32be(offset).u32be(size).u32be(0);
  });
  for (const [cpu, subtype] of parts) {
    const copy = object.slice();
    new DataView(copy.buffer).setUint32(4, cpu, true);
    new DataView(copy.buffer).setUint32(8, subtype, true);
    writer.raw(copy);
  }
  return writer.finish();
}

test('arm64e is never chosen over arm64, and tables of 64 bits are read', () => {
  const object = bytesOf(objects('arm64')[0] ?? '');
  const [arm64, arm64e] = [
    [0x0100_000c, 0],
    [0x0100_000c, 0x8000_0002],
  ] as const;
  for (const wide of [false, true]) {
    for (const parts of [[arm64e, arm64], [arm64, arm64e], [arm64e]]) {
      const slice = sliceOf(table(parts, object, wide), 'universal');
      assert.is(new DataView(slice.buffer, slice.byteOffset).getUint32(8, true), parts.length === 1 ? 0x8000_0002 : 0);
    }
  }
});

test('broken tables are refused', () => {
  const object = bytesOf(objects('arm64')[0] ?? '');
  const whole = table([[0x0100_000c, 0]], object, false);
  const refused = (bytes: Uint8Array, code: string): void => {
    assert.throws(
      () => sliceOf(bytes, 'broken'),
      (error: Error) => error instanceof IpbpError && error.code === code,
    );
  };
  refused(whole.slice(0, 20), 'IPBP1001');
  refused(whole.slice(0, whole.length - 1), 'IPBP1001');
  // A compiled Java class: the number of parts is its version.
  refused(Uint8Array.of(0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52, 0, 0), 'IPBP1002');
  refused(table([[7, 3]], object, false), 'IPBP1003');
});

test.run();

import * as fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MACHO_MACHINES } from '../../../tests/macho-inputs.js';
import { LoadCommands, machoLibrary, objdump } from '../../../tests/macho-library.js';
import { readChainedFixups } from './chained-fixups.js';
import { encodeChainedFixups } from './encode-chained-fixups.js';
import type { LoaderFixups } from './loader-fixups.js';

const LC_DYLD_CHAINED_FIXUPS = 0x34;
const PAGE_SIZES = { arm64: 0x4000, x86_64: 0x1000 };

function fixupsOf(file: LoadCommands): LoaderFixups {
  const { offset, size } = file.linked(LC_DYLD_CHAINED_FIXUPS);
  return readChainedFixups({ file: file.bytes, name: 'lib', offset, size, base: 0, segments: file.segments() });
}

/** As a disassembler lists them: address, then target or name and addend. */
function lines({ imports, rebases, binds }: LoaderFixups): string[] {
  const rows: [number, string][] = rebases.map(({ address, target }) => [address, `rebase ${target}`]);
  for (const { address, symbol, addend } of binds) {
    const { name, library, weak } = imports[symbol]!;
    rows.push([address, `bind ${name} ${library} ${weak} ${addend}`]);
  }
  return rows.sort((a, b) => a[0] - b[0]).map(([address, text]) => `${address} ${text}`);
}

function listed(path: string): string[] {
  const libraries: Record<string, number> = { weak: -3, libSystem: 1 };
  return objdump(path, '--dyld-info')
    .split('\n')
    .filter((line) => line.startsWith('__'))
    .map((line) => {
      const [, , address, , kind, ...rest] = line.trim().split(/ +/);
      if (kind === 'rebase') return `${Number(address)} rebase ${Number(rest[0])}`;
      const [addend, library, name] = rest;
      const weak = line.endsWith('(weak import)');
      return `${Number(address)} bind ${name} ${libraries[library!]} ${weak} ${BigInt.asIntN(64, BigInt(addend!))}`;
    });
}

/** The file with other chains, described in data behind its end. */
function rechained(file: LoadCommands, machine: 'arm64' | 'x86_64'): LoadCommands {
  const fixups = fixupsOf(file);
  const copy = file.bytes.slice();
  for (const { address } of [...fixups.rebases, ...fixups.binds]) {
    const segment = file.segments().find((one) => address >= one.address && address < one.address + one.memorySize);
    copy.fill(0, segment!.offset + address - segment!.address, segment!.offset + address - segment!.address + 8);
  }
  const data = encodeChainedFixups(copy, {
    ...fixups,
    base: 0,
    pageSize: PAGE_SIZES[machine],
    segments: file.segments().slice(0, -1),
  });
  const bytes = new Uint8Array(copy.length + data.length);
  bytes.set(copy);
  bytes.set(data, copy.length);
  const result = new LoadCommands(bytes);
  const at = result.find(LC_DYLD_CHAINED_FIXUPS);
  result.view.setUint32(at + 8, copy.length, true);
  result.view.setUint32(at + 12, data.length, true);
  const linkEdit = result.commands.filter(({ command }) => command === 0x19).at(-1)!.at;
  const size = BigInt(bytes.length - result.u64(linkEdit + 40));
  result.view.setBigUint64(linkEdit + 48, size, true);
  result.view.setBigUint64(linkEdit + 32, size, true);
  return result;
}

for (const machine of MACHO_MACHINES) {
  test(`chains of ${machine} are read as a disassembler reads them, and written to mean the same`, () => {
    const path = machoLibrary(machine, '-fixup_chains');
    const file = LoadCommands.of(path);
    const expected = listed(path);
    assert.ok(expected.length >= 18);
    assert.equal(lines(fixupsOf(file)), expected);
    const again = rechained(file, machine);
    writeFileSync(`${path}.again`, again.bytes);
    assert.equal(listed(`${path}.again`), expected);
    assert.equal(lines(fixupsOf(again)), expected);
  });
}

const SEGMENTS = [
  { address: 0x10_0000, offset: 0, fileSize: 0x1000 },
  { address: 0x10_2000, offset: 0x1000, fileSize: 0x2800 },
];

function roundTrip(fixups: LoaderFixups): LoaderFixups {
  const file = new Uint8Array(0x3800).fill(0xee);
  const data = encodeChainedFixups(file, { ...fixups, base: 0x10_0000, pageSize: 0x1000, segments: SEGMENTS });
  const whole = new Uint8Array(file.length + data.length);
  whole.set(file);
  whole.set(data, file.length);
  const source = { file: whole, name: 'x', offset: file.length, size: data.length, base: 0x10_0000 };
  return readChainedFixups({ ...source, segments: SEGMENTS });
}

const IMPORTS = [
  { name: '_a', library: 1, weak: false },
  { name: '_b', library: -2, weak: true },
  { name: '_a', library: 240, weak: false },
];

test('any fixups come back, whatever their addends and targets', () => {
  const addend = fc.oneof(fc.nat(255), fc.integer(), fc.maxSafeInteger());
  const one = fc.record({
    slot: fc.nat(0x4f0),
    symbol: fc.nat(2),
    addend,
    target: fc.nat(2 ** 30),
    bind: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.uniqueArray(one, { selector: ({ slot }) => slot, maxLength: 60 }), fc.boolean(), (places, far) => {
      const imports = far ? [...IMPORTS, { name: '_far', library: 241, weak: false }] : IMPORTS;
      const address = (slot: number): number => 0x10_2000 + slot * 8;
      const fixups: LoaderFixups = {
        imports,
        rebases: places.filter(({ bind }) => !bind).map((p) => ({ address: address(p.slot), target: p.target * 32 })),
        binds: places.filter(({ bind }) => bind).map((p) => ({ ...p, address: address(p.slot) })),
      };
      assert.equal(lines(roundTrip(fixups)), lines(fixups));
    }),
  );
});

test('pointers that no chain can hold are errors', () => {
  const rebase = (address: number, target = 0): (() => unknown) => {
    return () => roundTrip({ imports: [], rebases: [{ address, target }], binds: [] });
  };
  assert.throws(rebase(0x10_2002), /IPBP2004.*address 0x102002$/);
  assert.throws(rebase(0x10_2ffc), /IPBP2004.*over the end of a page.*address 0x102ffc$/);
  assert.throws(rebase(0x10_1000), /IPBP2004.*lies in no segment.*address 0x101000$/);
  assert.throws(rebase(0x10_4800), /IPBP2004.*lies in no segment.*address 0x104800$/);
  assert.throws(rebase(0x10_2000, 2 ** 36), /IPBP2002.*address 0x102000$/);
  const twice = [
    { address: 0x10_2000, target: 0 },
    { address: 0x10_2004, target: 0 },
  ];
  assert.throws(() => roundTrip({ imports: [], rebases: twice, binds: [] }), /IPBP2004.*address 0x102004$/);
});

test('broken chains are errors with their offset, and soon found', () => {
  const file = new Uint8Array(0x3800);
  const rebases = Array.from({ length: 40 }, (_, i) => ({ address: 0x10_2000 + i * 8, target: 0x10_0000 }));
  const binds = [{ address: 0x10_2800, symbol: 1, addend: 1000 }];
  const request = { imports: IMPORTS, rebases, binds, base: 0x10_0000, pageSize: 0x1000, segments: SEGMENTS };
  const data = encodeChainedFixups(file, request);
  const whole = new Uint8Array(file.length + data.length);
  whole.set(file);
  whole.set(data, file.length);
  const read = (bytes: Uint8Array, size: number): void => {
    const source = { file: bytes, name: 'x', offset: file.length, size, base: 0x10_0000, segments: SEGMENTS };
    try {
      readChainedFixups(source);
    } catch (error) {
      assert.match(String(error), /IPBP100[123].*offset 0x/);
    }
  };
  for (let length = 0; length < data.length; length++) read(whole.subarray(0, file.length + length), length);
  for (const start of [0x1000, file.length]) {
    for (let at = start; at < start + 200; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const broken = whole.slice();
        broken[at] = value;
        read(broken, data.length);
      }
    }
  }
});

test.run();

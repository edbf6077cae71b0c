import * as fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MACHO_MACHINES } from '../../../tests/macho-inputs.js';
import { LoadCommands, machoLibrary, objdump } from '../../../tests/macho-library.js';
import { readDyldInfo, type DyldInfo, type DyldInfoSource } from './dyld-info.js';
import { encodeDyldInfo } from './encode-dyld-info.js';
import type { LoaderBind, LoaderFixups } from './loader-fixups.js';

const LC_DYLD_INFO_ONLY = 0x22;
const PROGRAMS = ['rebase', 'bind', 'weakBind', 'lazyBind'] as const;

function infoOf(file: LoadCommands): DyldInfo {
  const at = file.find(LC_DYLD_INFO_ONLY) + 8;
  const parts = PROGRAMS.map((program, i) => [
    program,
    { offset: file.u32(at + i * 8), size: file.u32(at + i * 8 + 4) },
  ]);
  const source = Object.fromEntries(parts) as Pick<DyldInfoSource, (typeof PROGRAMS)[number]>;
  return readDyldInfo({ ...source, file: file.bytes, name: 'lib', segments: file.segments() });
}

const LIBRARIES = ['', 'libSystem'];

/** As a disassembler lists them, sorted; it does not say which lazy ones may be missing. */
function lines({ imports, rebases, binds, weakBinds, lazyBinds, strongDefinitions }: DyldInfo): string[] {
  const bindLine = ({ address, symbol, addend }: LoaderBind, kind: string): string => {
    const { name, library, weak } = imports[symbol]!;
    const from = library > 0 ? LIBRARIES[library] : '';
    return `${kind} ${address} ${addend} ${from} ${name}${weak && kind !== 'lazy' ? ' (weak_import)' : ''}`;
  };
  return [
    ...rebases.map(({ address }) => `rebase ${address}`),
    ...binds.map((bind) => bindLine(bind, 'bind')),
    ...weakBinds.map((bind) => bindLine(bind, 'weak')),
    ...lazyBinds.map((bind) => bindLine(bind, 'lazy')),
    ...strongDefinitions.map((name) => `strong ${name}`),
  ].sort();
}

function listed(path: string): string[] {
  const rows = (option: string): string[][] =>
    objdump(path, option)
      .split('\n')
      .filter((line) => line.startsWith('__') || line.includes('strong'))
      .map((line) => line.trim().split(/ +/));
  return [
    ...rows('--rebase').map(([, , address]) => `rebase ${Number(address)}`),
    ...rows('--bind').map(([, , address, , addend, library, name, weak]) => {
      return `bind ${Number(address)} ${addend} ${library} ${name}${weak === undefined ? '' : ` ${weak}`}`;
    }),
    ...rows('--weak-bind').map(([, , address, , addend, name]) => `weak ${Number(address)} ${addend}  ${name}`),
    ...rows('--lazy-bind').map(([, , address, library, name]) => `lazy ${Number(address)} 0 ${library} ${name}`),
  ].sort();
}

/** The file with other programs behind its end. */
function rewritten(file: LoadCommands): LoadCommands {
  const info = infoOf(file);
  const copy = file.bytes.slice();
  const segments = file.segments();
  const encoded = encodeDyldInfo(copy, { ...info, binds: [...info.binds, ...info.weakBinds], segments });
  const size = PROGRAMS.reduce((sum, program) => sum + encoded[program].length, copy.length);
  const result = new LoadCommands(new Uint8Array(size));
  result.bytes.set(copy);
  const again = new LoadCommands(result.bytes);
  const at = again.find(LC_DYLD_INFO_ONLY) + 8;
  let end = copy.length;
  PROGRAMS.forEach((program, i) => {
    again.bytes.set(encoded[program], end);
    again.view.setUint32(at + i * 8, end, true);
    again.view.setUint32(at + i * 8 + 4, encoded[program].length, true);
    end += encoded[program].length;
  });
  const linkEdit = again.commands.filter(({ command }) => command === 0x19).at(-1)!.at;
  again.view.setBigUint64(linkEdit + 48, BigInt(size - again.u64(linkEdit + 40)), true);
  again.view.setBigUint64(linkEdit + 32, BigInt(size - again.u64(linkEdit + 40)), true);
  return again;
}

for (const machine of MACHO_MACHINES) {
  test(`programs of ${machine} are read as a disassembler reads them, and written to mean the same`, () => {
    const path = machoLibrary(machine, '-no_fixup_chains');
    const expected = listed(path);
    for (const kind of ['rebase', 'bind', 'weak', 'lazy']) assert.ok(expected.some((line) => line.startsWith(kind)));
    const file = LoadCommands.of(path);
    assert.equal(lines(infoOf(file)), expected);
    const again = rewritten(file);
    writeFileSync(`${path}.again`, again.bytes);
    assert.equal(listed(`${path}.again`), expected);
    assert.equal(lines(infoOf(again)), expected);
    const targets = (one: LoadCommands): unknown[] => infoOf(one).rebases.toSorted((a, b) => a.address - b.address);
    assert.equal(targets(again), targets(file));
  });
}

const SEGMENTS = [
  { address: 0x10_0000, offset: 0, fileSize: 0x1000 },
  { address: 0x10_2000, offset: 0x1000, fileSize: 0x2800 },
];
const IMPORTS = [
  { name: '_a', library: 1, weak: false },
  { name: '_b', library: -2, weak: true },
  { name: '_c', library: 17, weak: false },
  { name: '_d', library: -3, weak: false },
  { name: '_e', library: 0, weak: false },
];

function roundTrip(request: LoaderFixups & { strongDefinitions: string[]; lazyBinds: LoaderBind[] }): DyldInfo {
  const file = new Uint8Array(0x3800);
  const encoded = encodeDyldInfo(file, { ...request, segments: SEGMENTS });
  return readBack(
    file,
    PROGRAMS.map((program) => encoded[program]),
  );
}

function readBack(file: Uint8Array, programs: readonly Uint8Array[]): DyldInfo {
  let end = file.length;
  const whole = new Uint8Array(programs.reduce((sum, { length }) => sum + length, end));
  whole.set(file);
  const [rebase, bind, weakBind, lazyBind] = programs.map((bytes) => {
    whole.set(bytes, end);
    end += bytes.length;
    return { offset: end - bytes.length, size: bytes.length };
  }) as [DyldInfoSource['bind'], DyldInfoSource['bind'], DyldInfoSource['bind'], DyldInfoSource['bind']];
  return readDyldInfo({ file: whole, name: 'x', segments: SEGMENTS, rebase, bind, weakBind, lazyBind });
}

test('any fixups come back', () => {
  const one = fc.record({
    slot: fc.nat(0x6f8),
    symbol: fc.nat(4),
    addend: fc.oneof(fc.constant(0), fc.maxSafeInteger()),
    target: fc.maxSafeNat(),
    kind: fc.constantFrom('rebase', 'bind', 'lazy'),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 80 }), fc.subarray(['_b', '_d', '_x']), (places, strongDefinitions) => {
      const spots = places.map((p) => ({ ...p, address: p.slot * 8 + (p.slot < 0x200 ? 0x10_0000 : 0x10_1000) }));
      const of = (kind: string): typeof spots => spots.filter((place) => place.kind === kind);
      const rebases = [
        ...new Map(of('rebase').map((p) => [p.address, { address: p.address, target: p.target }])).values(),
      ];
      const binds = of('bind').map(({ address, symbol, addend }) => ({ address, symbol, addend }));
      const lazyBinds = of('lazy').map(({ address, symbol }) => ({ address, symbol, addend: 0 }));
      const info = roundTrip({ imports: IMPORTS, rebases, binds, lazyBinds, strongDefinitions });
      const isWeak = ({ symbol }: LoaderBind): boolean => IMPORTS[symbol]!.library === -3;
      const expected = {
        ...{ imports: IMPORTS, rebases, strongDefinitions, lazyBinds },
        ...{ binds: binds.filter((bind) => !isWeak(bind)), weakBinds: binds.filter(isWeak) },
      };
      assert.equal(lines(info), lines(expected));
      const targets = (all: LoaderFixups): unknown[] => all.rebases.toSorted((a, b) => a.address - b.address);
      assert.equal(targets(info), targets(expected));
    }),
  );
});

test('a lazy program is found by its offset alone', () => {
  const lazyBinds = [0, 1].map((symbol) => ({ address: 0x10_2000 + symbol * 8, symbol, addend: 0 }));
  const file = new Uint8Array(0x3800);
  const request = { imports: IMPORTS, rebases: [], binds: [], lazyBinds, strongDefinitions: [], segments: SEGMENTS };
  const { lazyBind, lazyOffsets } = encodeDyldInfo(file, request);
  assert.is(lazyOffsets.length, 2);
  const nothing = new Uint8Array(0);
  const info = readBack(file, [nothing, nothing, nothing, lazyBind.slice(lazyOffsets[1])]);
  assert.equal(info.lazyBinds, [{ address: 0x10_2008, symbol: 0, addend: 0 }]);
  assert.is(info.imports[0]?.name, '_b');
});

const hostile: readonly (readonly [string, readonly number[], RegExp])[] = [
  ['no segment', [0x11, 0x29, 0, 0x51], /IPBP1002.*lies in no segment.*offset 0x3803/],
  ['behind the end', [0x11, 0x21, 0x81, 0x50, 0x51], /IPBP1002.*lies in no segment/],
  ['before the start', [0x21, 0, 0x30, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0x51], /IPBP1002/],
  [
    'for ever',
    [0x21, 0, 0x80, 0xff, 0xff, 0xff, 0x7f, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
    /has room for/,
  ],
  ['a distance without end', [0x21, 0, 0x30, ...Array<number>(10).fill(0xff)], /IPBP1002.*a distance is too large/],
  ['types of 32 bits', [0x13], /IPBP1003.*type 3/],
  ['unknown operations', [0xf0], /IPBP1003.*operation 240/],
  ['an end within', [0x21], /IPBP1001/],
];

for (const [what, program, expected] of hostile) {
  test(`a program that names ${what} is an error`, () => {
    const nothing = new Uint8Array(0);
    assert.throws(
      () => readBack(new Uint8Array(0x3800), [Uint8Array.from(program), nothing, nothing, nothing]),
      (error: Error) => expected.test(error.message) && /offset 0x/.test(error.message),
    );
  });
}

test('any bytes as programs end in an error with an offset, or in fixups', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 4, maxLength: 4 }), (programs) => {
      try {
        readBack(new Uint8Array(0x3800), programs);
      } catch (error) {
        assert.match(String(error), /IPBP100[123].*offset 0x/);
      }
    }),
  );
  const nothing = new Uint8Array(0);
  const nameless = Uint8Array.of(0x71, 0, 0x90);
  assert.throws(() => readBack(new Uint8Array(0x3800), [nothing, nameless, nothing, nothing]), /bound to no name/);
});

test.run();

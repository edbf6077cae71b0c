// Redirects of bodies as compilers make them, of any bodies, and of every function of a real program.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { disassemble } from '../../../tests/disassemble.js';
import { readElf } from '../../formats/elf/read.js';
import { decodeInstruction } from '../../reloc/x86-64/decode.js';
import { X86_64_ENTRY as jumps } from '../../reloc/x86-64/entry.js';
import { gapsBetween, paddingOf } from './padding.js';
import { planRedirect, planRetarget, type PlannedCell, type RedirectPlan } from './redirect.js';
import { code, summary, world, type World } from './redirect.test-support.js';

const NEW_BODY = -0x10_0000;

function plan({ padding, read }: World, entry: number, body: Uint8Array): RedirectPlan {
  return planRedirect({ entry, body, target: NEW_BODY, jumps, padding, read });
}

/** A function at 0x400 whose neighbours leave `before` and `after` bytes free. */
function between(before: number, digits: string, after: number, fill = 0xcc): RedirectPlan {
  const body = code(digits);
  const neighbour = new Uint8Array(0x300).fill(0x90);
  const entry = 0x400;
  const end = entry + body.length + after;
  const around = world(0x800, fill, [
    [entry - before - neighbour.length, neighbour],
    [entry, body],
    [end, neighbour],
  ]);
  return plan(around, entry, body);
}

// push rax; jmp over a nop; call tick; jmp to the call. The byte behind the first jump counts as entered too.
const LOOP = '50 eb 01 90 e8 00 10 00 00 eb f9';

const CASES: readonly (readonly [name: string, before: number, digits: string, after: number, expected: string])[] = [
  ['an ordinary prologue', 0, '55 48 89 e5 5d c3', 0, 'long'],
  ['the loop around a call, with padding behind', 0, LOOP, 5, 'short at 40b'],
  ['the loop around a call, with padding before', 8, LOOP, 4, 'short at 3fb'],
  [
    'the loop around a call, no padding',
    4,
    LOOP,
    4,
    'a branch may lead to its byte 3, and no free padding is in reach of a short jump',
  ],
  ['a call through a register: its return is byte 3', 0, '50 ff d7 58 c3', 8, 'short at 408'],
  ['a call of a register as the first instruction', 0, 'ff d0 c3', 16, 'short at 403'],
  ['a direct call as the first instruction', 0, 'e8 00 10 00 00 c3', 0, 'long'],
  ['a tail call only', 0, 'e9 00 10 00 00', 0, 'long'],
  ['a tail call through the GOT', 0, 'ff 25 00 00 00 00', 0, 'long'],
  ['ret, padding behind', 0, 'c3', 4, 'long'],
  [
    'ret, padding too small, none near',
    4,
    'c3',
    3,
    'it has 1 bytes and no padding behind it, and no free padding is in reach of a short jump',
  ],
  ['ret, padding too small, more before', 5, 'c3', 3, 'short at 3fb'],
  ['ret without padding', 16, 'c3', 0, 'it has 1 bytes and no padding behind it'],
  ['four bytes, one byte of padding', 0, '89 f8 90 c3', 1, 'long'],
  [
    'four bytes, no padding',
    0,
    '89 f8 90 c3',
    0,
    'it has 4 bytes and no padding behind it, and no free padding is in reach of a short jump',
  ],
  ['four bytes, padding before', 6, '89 f8 90 c3', 0, 'short at 3fb'],
  ['loop {}', 0, 'eb fe', 14, 'long'],
  [
    'loop {} without padding',
    0,
    'eb fe',
    0,
    'it has 2 bytes and no padding behind it, and no free padding is in reach of a short jump',
  ],
  ['a loop back to the entry', 16, 'ff cf 75 fc c3', 16, 'a loop in it may lead back to its first byte'],
  ['a loop back to byte 1', 16, '50 ff cf 75 fc 58 c3', 16, 'a branch may lead to its byte 1'],
  ['a system call first', 16, '0f 05 c3', 0, 'short at 3fb'],
  ['unknown bytes', 16, '50 06 c3', 16, 'the instruction at its byte 1 is not known'],
  ['no size', 16, '', 16, 'its size is not known'],
];
for (const [name, before, digits, after, expected] of CASES) {
  test(`redirects ${name}`, () => assert.is(summary(between(before, digits, after)), expected));
}

test('a long jump: what is written, and where no thread may stand', () => {
  const result = between(0, '55 48 89 e5 5d c3', 0);
  assert.is(result.kind, 'cells');
  if (result.kind !== 'cells') return;
  const newBytes = jumps.long(0x400, NEW_BODY);
  const oldBytes = code('55 48 89 e5 5d');
  assert.equal(result.cells, [{ at: 0x400, oldBytes, newBytes, guardFrom: 1, guardTo: 5, oneWord: true }]);
});

test('a short jump: the padding comes first, and is guarded whole for when it is taken back', () => {
  const result = between(0, LOOP, 8);
  assert.is(result.kind, 'cells');
  if (result.kind !== 'cells') return;
  const [room, entry] = result.cells;
  assert.equal(room, {
    at: 0x40b,
    oldBytes: code('cc cc cc cc cc'),
    newBytes: jumps.long(0x40b, NEW_BODY),
    guardFrom: 0,
    guardTo: 5,
    oneWord: true,
  });
  assert.equal(entry, {
    at: 0x400,
    oldBytes: code('50 eb'),
    newBytes: code('eb 09'),
    guardFrom: 1,
    guardTo: 2,
    oneWord: true,
  });
});

test('what is no padding is not used, whatever its size', () => {
  assert.is(
    summary(between(16, LOOP, 16, 0)),
    'a branch may lead to its byte 3, and no free padding is in reach of a short jump',
  );
  assert.is(summary(between(16, 'c3', 16, 0xc3)), 'it has 1 bytes and no padding behind it');
});

test('a target out of reach is refused', () => {
  const body = code('55 48 89 e5 5d c3');
  const { padding, read } = world(0x10, 0xcc, [[0, body]]);
  const far = planRedirect({ entry: 0, body, target: 2 ** 32, jumps, padding, read });
  assert.equal(far, { kind: 'refused', reason: 'jump over an entry is out of range' });
});

test('two redirects never share padding', () => {
  const body = code(LOOP);
  const around = world(0x40, 0xcc, [
    [0, body],
    [0x10, body],
    [0x2b, code('c3')],
  ]);
  const first = plan(around, 0, body);
  assert.is(summary(first), 'short at b');
  if (first.kind !== 'cells') return;
  const second = plan({ ...around, padding: first.padding }, 0x10, body);
  assert.is(summary(second), 'short at 1b');
  if (second.kind !== 'cells') return;
  const live = [...first.cells, ...second.cells];
  assert.equal(paddingOf(around.padding.gaps, live).taken, second.padding.taken, 'the same as from live cells');
});

test('redirecting again rewrites the long jump only', () => {
  const body = code('55 48 89 e5 5d c3');
  const other = code(LOOP);
  const around = world(0x100, 0xcc, [
    [0, body],
    [0x10, other],
    [0x40, body],
  ]);
  const live: PlannedCell[] = [];
  for (const [entry, bytes] of [
    [0, body],
    [0x10, other],
  ] as const) {
    const result = plan(around, entry, bytes);
    if (result.kind === 'cells') live.push(...result.cells);
  }
  const target = NEW_BODY - 0x1000;
  const again = (entry: number): ReturnType<typeof planRetarget> =>
    planRetarget({ entry, target, jumps, padding: around.padding, live, read: around.read });
  assert.is(again(0x40), null, 'not redirected');
  for (const [entry, at, form] of [
    [0, 0, 'long'],
    [0x10, 0xb, 'short'],
  ] as const) {
    const result = again(entry);
    assert.is(result?.kind, 'cells');
    if (result?.kind !== 'cells') continue;
    assert.is(result.form, form);
    assert.is(result.cells.length, 1);
    assert.equal(result.cells[0]?.at, at);
    assert.equal(result.cells[0]?.oldBytes, jumps.long(at, NEW_BODY));
    assert.equal(result.cells[0]?.newBytes, jumps.long(at, target));
  }
  assert.is(planRetarget({ entry: 0x10, target, jumps, ...around, live: live.slice(-1) })?.kind, 'refused');
});

/** Writes the cells and checks the old bytes; returns memory as it is then. */
function written(memory: Uint8Array, cells: readonly PlannedCell[]): Uint8Array {
  const result = memory.slice();
  for (const { at, oldBytes, newBytes } of cells) {
    assert.equal(result.slice(at, at + oldBytes.length), oldBytes);
    result.set(newBytes, at);
  }
  return result;
}

/** Where the jumps lead that stand at `at`. */
function follow(memory: Uint8Array, at: number): number {
  let address = at;
  for (let hops = 0; hops < 3; hops += 1) {
    const instruction = decodeInstruction(memory, address);
    if (instruction?.kind !== 'branch' || instruction.target === undefined) return address;
    address = instruction.target;
    if (address < 0) return address;
  }
  return address;
}

/** Instructions to make bodies of; a `branch` gets a random target, inside and outside. */
const POOL = ['50', '5b', '48 89 e5', '48 83 ec 18', '90', '31 c0', 'ff d7', 'e8 00 00 01 00', 'c3', '0f 05', 'branch'];

const anyBody = fc
  .array(fc.record({ what: fc.constantFrom(...POOL), to: fc.integer({ min: -12, max: 12 }) }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((list) =>
    code(
      list
        .map(({ what, to }) =>
          what === 'branch' ? `75 ${to < 0 ? (256 + to).toString(16) : `0${to.toString(16)}`}` : what,
        )
        .join(' '),
    ),
  );

test('any functions: cells are disjoint, enter nothing that may be entered, lead to the new body, and can be undone', () => {
  const forms = new Set<string>();
  fc.assert(
    fc.property(fc.array(anyBody, { minLength: 1, maxLength: 12 }), fc.constantFrom(1, 4, 16), (bodies, align) => {
      let at = 0;
      const placed = bodies.map((body): readonly [number, Uint8Array] => {
        const entry = at;
        at = Math.ceil((at + body.length) / align) * align;
        return [entry, body];
      });
      const around = world(at + 32, 0xcc, placed);
      let { padding } = around;
      const cells: PlannedCell[] = [];
      for (const [entry, body] of placed) {
        const result = plan({ ...around, padding }, entry, body);
        forms.add(result.kind === 'cells' ? result.form : 'refused');
        if (result.kind === 'refused') continue;
        padding = result.padding;
        cells.push(...result.cells);
        const size = result.cells.at(-1)?.newBytes.length ?? 0;
        const { branchTargets, returnOffsets } = jumps.decode(body);
        assert.not(branchTargets.includes(0));
        for (const offset of [...branchTargets, ...returnOffsets]) assert.not(offset > 0 && offset < size);
      }
      const memory = written(around.memory, cells);
      const spans = cells.map((cell) => [cell.at, cell.at + cell.newBytes.length] as const).sort((a, b) => a[0] - b[0]);
      spans.forEach(([start], index) => assert.ok(index === 0 || start >= (spans[index - 1]?.[1] ?? 0)));
      const entries = new Set(placed.map(([entry]) => entry));
      for (const cell of cells) if (entries.has(cell.at)) assert.is(follow(memory, cell.at), NEW_BODY);
      const inverse = cells.toReversed().map((cell) => ({ ...cell, oldBytes: cell.newBytes, newBytes: cell.oldBytes }));
      assert.equal(written(memory, inverse), around.memory);
    }),
    { numRuns: 3_000 },
  );
  assert.equal([...forms].sort(), ['long', 'refused', 'short']);
});

const PROGRAM = `
use std::collections::HashMap;
#[inline(never)] fn tick(n: &mut u64) { *n = n.wrapping_mul(31).wrapping_add(7); }
#[inline(never)] fn call(f: fn(u64) -> u64, n: u64) -> u64 { f(n) + 1 }
#[inline(never)] fn kind(n: u64) -> &'static str {
    match n { 0 => "zero", 1 => "one", 2 => "a pair", 3 => "some", 4 => "four", 5 => "a hand", _ => "many" }
}
fn main() {
    let mut n = 1;
    let mut seen: HashMap<&str, u64> = HashMap::new();
    for _ in 0..std::env::args().count() { tick(&mut n); *seen.entry(kind(call(|n| n % 9, n))).or_default() += 1; }
    println!("{seen:?}");
}
`;

test('every function of a real program: no branch that objdump shows leads into a cell', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ipbp-redirect-'));
  try {
    writeFileSync(join(directory, 'program.rs'), PROGRAM);
    for (const level of ['0', '3']) {
      const path = join(directory, `program-${level}`);
      execFileSync('rustc', ['--edition=2021', `-Copt-level=${level}`, '-o', path, 'program.rs'], { cwd: directory });
      await checkProgram(path);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

async function checkProgram(path: string): Promise<void> {
  const file = readElf(readFileSync(path), path);
  const read = (at: number, size: number): Uint8Array | null => {
    const segment = file.linked?.segments.find((s) => at >= s.address && at + size <= s.address + s.fileSize);
    if (segment === undefined) return null;
    const start = segment.offset + at - segment.address;
    return file.bytes.subarray(start, start + size);
  };
  const inCode = file.symbols.filter(({ section, kind }) => {
    return typeof section === 'number' && file.sections[section]?.executable === true && kind === 'function';
  });
  const functions = new Map(inCode.filter(({ size }) => size > 0).map(({ value, size }) => [value, size]));
  const gaps = gapsBetween(
    inCode.map(({ value, size }) => ({ address: value, size })),
    read,
  );
  let padding = paddingOf(gaps, []);
  const taken = new Map<number, 'first' | 'behind'>();
  const count = { long: 0, short: 0, refused: 0 };
  for (const [entry, size] of functions) {
    const body = read(entry, size);
    if (body === null) continue;
    const result = planRedirect({ entry, body, target: NEW_BODY, jumps, padding, read });
    count[result.kind === 'cells' ? result.form : 'refused'] += 1;
    if (result.kind === 'refused') continue;
    padding = result.padding;
    for (const { at, newBytes } of result.cells) {
      for (let offset = 0; offset < newBytes.length; offset += 1) {
        assert.not(taken.has(at + offset), 'cells overlap');
        taken.set(at + offset, offset === 0 && at === entry ? 'first' : 'behind');
      }
    }
  }
  for await (const { label, lines } of disassemble(path)) {
    const first = lines[0]?.address ?? 0;
    for (const { target, text } of lines) {
      if (target === null) continue;
      const where = `${text} in ${label}`;
      assert.is.not(taken.get(target), 'behind', where);
      const isCall = text.includes('call');
      if (!isCall && target === first) assert.is.not(taken.get(target), 'first', where);
    }
  }
  assert.ok(functions.size > 500, `${functions.size} functions`);
  assert.ok(count.long / functions.size > 0.99, JSON.stringify(count));
  assert.ok(count.refused / functions.size < 0.005, JSON.stringify(count));
}

test.run();

// Jumps, padding, and what a body's bytes say about its entry: cases as compilers make them, then properties.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { decodeInstruction } from './decode.js';
import { X86_64_ENTRY } from './entry.js';

/** Bytes from hexadecimal digits; blanks are for the reader. */
function code(digits: string): Uint8Array {
  return Uint8Array.from(digits.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Branch targets of a body. */
function targets(digits: string): readonly number[] {
  const { branchTargets, complete } = X86_64_ENTRY.decode(code(digits));
  assert.ok(complete);
  return branchTargets;
}

test('a jump leads where it should, also below zero', () => {
  const near = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
  fc.assert(
    fc.property(near, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (from, distance) => {
      const to = from + 5 + distance;
      assert.equal(decodeInstruction(X86_64_ENTRY.long(from, to), 0), { length: 5, kind: 'branch', target: to - from });
    }),
  );
  fc.assert(
    fc.property(near, fc.integer({ min: -128, max: 127 }), (from, distance) => {
      const to = from + 2 + distance;
      assert.equal(decodeInstruction(X86_64_ENTRY.short(from, to), 0), {
        length: 2,
        kind: 'branch',
        target: to - from,
      });
    }),
  );
});

test('a jump out of range is IPBP2002', () => {
  const outOfRange = (error: unknown): boolean => error instanceof IpbpError && error.code === 'IPBP2002';
  assert.throws(() => X86_64_ENTRY.long(0, 2 ** 31 + 5), outOfRange);
  assert.throws(() => X86_64_ENTRY.long(0, -(2 ** 31) + 4), outOfRange);
  assert.throws(() => X86_64_ENTRY.short(0, 130), outOfRange);
  assert.throws(() => X86_64_ENTRY.short(0, -127), outOfRange);
});

test('knows what linkers fill gaps with', () => {
  const yes = ['', 'cc', 'cc cc cc', '90', '66 90', '0f 1f 00', '66 2e 0f 1f 84 00 00 00 00 00', 'cc 0f 1f 40 00'];
  const no = ['00', 'cc 00', 'c3', 'f3 90', '0f 1f', '66', '0f 1f 84 00 00', 'f3 0f 1e fa', '90 50'];
  for (const digits of yes) assert.is(X86_64_ENTRY.isPadding(code(digits)), true, digits);
  for (const digits of no) assert.is(X86_64_ENTRY.isPadding(code(digits)), false, digits);
  assert.is(X86_64_ENTRY.isPadding(code('00 cc 00'), true), true);
});

test('the loop around a call: its head and its return', () => {
  // push rax; nop ×3; call; jmp to the call
  const facts = X86_64_ENTRY.decode(code('50 0f 1f 00 e8 00 10 00 00 eb f9'));
  assert.equal(facts, { lengths: [1, 3, 5, 2], branchTargets: [4], returnOffsets: [9], endless: true, complete: true });
});

test('a call of itself is no branch; a call into itself is one', () => {
  assert.equal(targets('e8 fb ff ff ff c3'), []);
  assert.equal(targets('e8 00 00 00 00 58 c3'), [5]);
});

test('branches that leave the function do not count', () => {
  assert.equal(targets('74 10 e9 00 10 00 00'), []);
});

test('a loop back to the entry counts, unless a caller could not tell', () => {
  assert.equal(targets('ff cf 75 fc c3'), [0], 'counts down');
  assert.equal(targets('eb fe'), [], 'loop {}');
  assert.equal(targets('f3 90 eb fc'), [], 'loop { spin_loop() }');
  assert.equal(targets('f3 0f 1e fa f3 90 eb f8'), [], 'the same with endbr64');
  assert.equal(targets('f3 90 75 fc c3'), [0], 'conditional');
});

test('a system call is where a thread comes back', () => {
  assert.equal(X86_64_ENTRY.decode(code('0f 05 c3')).returnOffsets, [2]);
});

test('behind an early end, something hidden may start; behind the last one, padding', () => {
  assert.equal(targets('31 c0 c3 48 89 c7 e8 00 00 00 00'), [3], 'a landing pad');
  assert.equal(targets('31 c0 c3'), []);
  assert.equal(targets('31 c0 c3 cc cc'), []);
});

test('many jumps back to the entry take no longer than their number', () => {
  // 100,000 × nop, then 20,000 × jmp to the entry: each may ask what lies between, once for all.
  const [idle, jumps] = [100_000, 20_000];
  const body = new Uint8Array(idle + 5 * jumps).fill(0x90);
  for (let at = idle; at < body.length; at += 5) {
    body[at] = 0xe9;
    new DataView(body.buffer).setInt32(at + 1, -(at + 5), true);
  }
  const start = process.cpuUsage();
  assert.equal(X86_64_ENTRY.decode(body).branchTargets, [0]);
  assert.ok(process.cpuUsage(start).user < 2_000_000);
});

test('stops at what is no instruction', () => {
  const facts = X86_64_ENTRY.decode(code('50 06 c3'));
  assert.equal(facts.lengths, [1]);
  assert.is(facts.complete, false);
  assert.is(X86_64_ENTRY.decode(code('50 e8 00')).complete, false, 'cut off');
});

test('tables of its own and padding may follow a function whose end is not known', () => {
  // lea rcx, [rip + 31]; movsxd rax, [rcx + rdi*4]; add rax, rcx; jmp rax; ret; ret; nops up to the table at 38.
  const before = `48 8d 0d 1f 00 00 00 48 63 04 b9 48 01 c8 ff e0 c3 c3${' 90'.repeat(20)}`;
  const known = (digits: string): number | null => {
    const { complete, lengths } = X86_64_ENTRY.decode(code(digits));
    return complete ? lengths.reduce((sum, length) => sum + length, 0) : null;
  };
  // To both returns. Read as code, ea is no instruction.
  const table = 'ea ff ff ff eb ff ff ff';
  assert.is(known(`${before} ${table} 06`), null, 'what follows the table is something else');
  assert.is(known(`${before} ${table} 00 00 00`), 38);
  assert.is(known(`${before} ea ff ff ff ec ff ff ff`), 38, 'to a no-operation');
  assert.is(known(`${before} ea ff ff ff e9 ff ff ff`), null, 'into an instruction');
  assert.is(known('31 c0 0f 1f 00 c3 00'), 6, 'zeros behind it');
  assert.is(known('31 c0 c3 00'), null, 'not where a jump would stand');
});

// lea rcx, [rip + table]; movsxd rax, [rcx + rdi*4]; add rax, rcx; jmp rax; ret; ret
const DISPATCH = '48 8d 0d f9 0f 00 00 48 63 04 b9 48 01 c8 ff e0 c3 c3';

/** A program whose table stands where DISPATCH names it. */
function withTable(cases: readonly number[]): { entry: number; read(at: number, size: number): Uint8Array | null } {
  const entry = 0x40_0000;
  const table = entry + 0x1000;
  const words = new DataView(new ArrayBuffer(4 * cases.length));
  cases.forEach((target, index) => words.setInt32(4 * index, entry + target - table, true));
  return {
    entry,
    read: (at, size) =>
      at >= table && at + size <= table + words.byteLength ? new Uint8Array(words.buffer, at - table, size) : null,
  };
}

test('a table that may lead to the entry: read it, or assume that it does', () => {
  const body = code(DISPATCH);
  assert.equal(X86_64_ENTRY.decode(body).branchTargets, [0], 'nothing known');
  assert.equal(X86_64_ENTRY.decode(body, withTable([16, 17])).branchTargets, [16, 17]);
  assert.equal(X86_64_ENTRY.decode(body, withTable([16, 0, 17])).branchTargets, [0, 16, 17]);
  assert.equal(X86_64_ENTRY.decode(body, withTable([])).branchTargets, [0], 'no table found');
});

test('tables laid over each other are read no further than a multiple of the function, then guessed', () => {
  // lea rcx, [rip + 0x1000 + 4 * i], a thousand of them, then movsxd rax, [rcx + rdi*4]; add rax, rcx; jmp rax: each word
  // leads to an instruction, from whichever of the thousand tables it is counted.
  const count = 1000;
  const body = new Uint8Array([...new Uint8Array(7 * count), ...code('48 63 04 b9 48 01 c8 ff e0')]);
  const view = new DataView(body.buffer);
  for (let index = 0; index < count; index += 1) {
    body.set(code('48 8d 0d'), 7 * index);
    view.setInt32(7 * index + 3, 0x10_0000 + 28 * index - 7 * (index + 1), true);
  }
  let read = 0;
  const word = new Uint8Array(4);
  const place = {
    entry: 0,
    read: (at: number) => {
      read += 1;
      // To the entry where the table is the first one, and at an instruction further on where it is another.
      new DataView(word.buffer).setInt32(0, -0x10_0000, true);
      return at < 0x20_0000 ? word : null;
    },
  };
  assert.equal(X86_64_ENTRY.decode(body, place).branchTargets, [0], 'the one possible head');
  assert.ok(read <= 32 * body.length, `${read} words for ${body.length} bytes`);
});

test('a table never leads into the set-up of the frame', () => {
  assert.equal(targets(`48 83 ec 18 0f 1f 00 ${DISPATCH}`), [4], 'right behind it, it may');
  assert.equal(targets(`48 81 ec 00 01 00 00 ${DISPATCH}`), []);
  assert.equal(targets(`55 48 89 e5 90 ${DISPATCH}`), [4]);
  assert.equal(targets(`41 57 41 56 53 ${DISPATCH}`), []);
});

test('pushes before a call count as set-up only where they can hold no argument', () => {
  const dispatch = `e8 00 10 00 00 ${DISPATCH}`;
  assert.equal(targets(`41 57 41 56 50 ${dispatch}`), [], 'r15, r14, rax');
  assert.equal(targets(`57 56 90 90 90 ${dispatch}`), [0, 1, 2, 3, 4], 'rdi, rsi');
});

test('tail calls use no table', () => {
  assert.equal(targets('48 8b 46 18 ff e0'), [], 'a vtable entry');
  assert.equal(targets('ff 60 18'), []);
  assert.equal(targets('ff 25 00 00 00 00'), [], 'a GOT slot');
  assert.equal(targets('ff 24 fd 00 00 00 00'), [0], 'an indexed one does');
  assert.equal(targets('42 ff 24 20'), [0], 'also by r12');
  assert.equal(targets('48 8b 04 f8 ff e0'), [0, 4], 'also through a register');
  assert.equal(targets('ff e7'), [], 'an argument');
  assert.equal(targets('ff e7 eb fc'), [0, 2], 'unless code comes back to it');
  assert.equal(targets('48 89 f8 ff e0'), [0, 3], 'a register of unknown origin may');
});

test('any bytes: facts fit the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { lengths, branchTargets, returnOffsets, complete } = X86_64_ENTRY.decode(bytes);
      const decoded = lengths.reduce((sum, length) => sum + length, 0);
      // What follows may be padding: tables of its own hardly come about by chance.
      const padding = decoded >= 5 && X86_64_ENTRY.isPadding(bytes.subarray(decoded), true);
      assert.is(complete, decoded === bytes.length || padding);
      assert.ok(decoded <= bytes.length);
      assert.ok(branchTargets.every((target) => target >= 0 && target < bytes.length));
      assert.ok(returnOffsets.every((offset) => offset > 0 && offset <= bytes.length));
    }),
    { numRuns: 5_000 },
  );
});

test('a body that loops and never leaves is endless; one that returns, jumps away or just ends is not', () => {
  const endless = (digits: string): boolean => X86_64_ENTRY.decode(code(digits)).endless;
  assert.is(endless('50 eb 03 90 90 90 e8 00 00 00 00 eb f9'), true);
  assert.is(endless('50 eb fd c3'), false, 'ret behind the loop');
  assert.is(endless('50 74 fd e9 00 01 00 00'), false, 'tail call');
  assert.is(endless('50 e8 00 00 00 00 0f 0b'), false, 'panics');
});

test.run();

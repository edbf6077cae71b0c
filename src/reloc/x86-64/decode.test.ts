// Lengths, kinds and targets by hand-written cases, then against objdump over real programs and libraries.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeInstruction, type InstructionKind } from './decode.js';
import { disassemble, type Disassembled } from '../../../tests/disassemble.js';

/** Bytes from hexadecimal digits; blanks are for the reader. */
function code(digits: string): Uint8Array {
  return Uint8Array.from(digits.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const CASES: readonly (readonly [name: string, digits: string, kind: InstructionKind, target?: number])[] = [
  ['push rax', '50', 'plain'],
  ['push r15', '41 57', 'plain'],
  ['endbr64', 'f3 0f 1e fa', 'plain'],
  ['pause', 'f3 90', 'plain'],
  ['mov rax, imm64', '48 b8 00 00 00 00 00 00 00 00', 'plain'],
  ['mov ax, imm16', '66 b8 00 00', 'plain'],
  ['mov with REX.W over an operand-size prefix', '66 48 c7 c0 00 00 00 00', 'plain'],
  ['mov al from an absolute address', 'a0 00 00 00 00 00 00 00 00', 'plain'],
  ['the same, 32-bit address', '67 a0 00 00 00 00', 'plain'],
  ['enter', 'c8 00 00 00', 'plain'],
  ['lea with SIB without base', '48 8d 04 85 00 00 00 00', 'plain'],
  ['lea with SIB, r13 and no displacement', '4b 8d 44 25 00', 'plain'],
  ['mov relative to the next instruction', '48 8b 05 00 00 00 00', 'plain'],
  ['test with an immediate (group 3)', 'f7 c7 00 00 00 00', 'plain'],
  ['not (group 3)', 'f7 d7', 'plain'],
  ['test byte with an immediate', 'f6 c1 01', 'plain'],
  ['imul with imm8', '6b c0 0a', 'plain'],
  ['imul with imm16', '66 69 c0 00 00', 'plain'],
  ['long nop', '66 2e 0f 1f 84 00 00 00 00 00', 'plain'],
  ['mov from cr0 takes no SIB', '0f 20 04', 'plain'],
  ['pshufb', '66 0f 38 00 c1', 'plain'],
  ['palignr', '66 0f 3a 0f c1 08', 'plain'],
  ['extrq with two immediates', '66 0f 78 c0 01 02', 'plain'],
  ['vmread', '0f 78 c0', 'plain'],
  ['3DNow! pfadd', '0f 0f c1 9e', 'plain'],
  ['vzeroupper', 'c5 f8 77', 'plain'],
  ['vpshufd', 'c5 f9 70 c1 00', 'plain'],
  ['vpermilps with imm8 (map 3)', 'c4 e3 79 04 c1 00', 'plain'],
  ['andn (map 2)', 'c4 e2 70 f2 c1', 'plain'],
  ['vmovups, EVEX with disp8', '62 f1 7c 48 10 47 01', 'plain'],
  ['vpternlogd, EVEX with imm8', '62 f3 75 48 25 c2 ff', 'plain'],
  ['vaddph (map 5)', '62 f5 74 48 58 c2', 'plain'],
  ['XOP vprotb with imm8', '8f e8 78 c0 c1 01', 'plain'],
  ['XOP bextr with imm32', '8f ea 78 10 c1 00 00 00 00', 'plain'],
  ['pop to memory', '8f 00', 'plain'],
  ['xabort', 'c6 f8 01', 'plain'],
  ['xbegin', 'c7 f8 10 00 00 00', 'conditional', 0x16],
  ['xbegin with rel16', '66 c7 f8 fb ff', 'conditional', 0],
  ['jmp to itself', 'eb fe', 'branch', 0],
  ['jmp rel32', 'e9 fb ff ff ff', 'branch', 0],
  ['jne rel8', '75 10', 'conditional', 0x12],
  ['jne rel32', '0f 85 00 00 00 00', 'conditional', 6],
  ['bnd jmp', 'f2 e9 00 00 00 00', 'branch', 6],
  ['loop', 'e2 fe', 'conditional', 0],
  ['jrcxz', 'e3 00', 'conditional', 2],
  ['jecxz', '67 e3 00', 'conditional', 3],
  ['call rel32', 'e8 00 00 00 00', 'call', 5],
  ['call with a negative target', 'e8 f0 ff ff ff', 'call', -11],
  ['call of the TLS sequence', '66 66 48 e8 00 00 00 00', 'call', 8],
  ['call rdi', 'ff d7', 'indirect-call'],
  ['call [rip]', 'ff 15 00 00 00 00', 'indirect-call'],
  ['jmp rax', 'ff e0', 'indirect-jump'],
  ['notrack jmp rax', '3e ff e0', 'indirect-jump'],
  ['jmp [rax*8 + disp32]', 'ff 24 c5 00 00 00 00', 'indirect-jump'],
  ['push r/m', 'ff 30', 'plain'],
  ['ret', 'c3', 'return'],
  ['rep ret', 'f3 c3', 'return'],
  ['ret imm16', 'c2 08 00', 'return'],
  ['int3', 'cc', 'trap'],
  ['ud2', '0f 0b', 'trap'],
  ['syscall', '0f 05', 'system-call'],
  ['int 0x80', 'cd 80', 'system-call'],
];

for (const [name, digits, kind, target] of CASES) {
  test(`decodes ${name}`, () => {
    const bytes = code(digits);
    const expected = target === undefined ? { length: bytes.length, kind } : { length: bytes.length, kind, target };
    assert.equal(decodeInstruction(bytes, 0), expected);
    assert.is(decodeInstruction(bytes.subarray(0, bytes.length - 1), 0)?.length === bytes.length, false, 'cut off');
  });
}

const UNKNOWN: readonly (readonly [why: string, digits: string])[] = [
  ['push es: not in 64-bit mode', '06'],
  ['a near branch with an operand-size prefix: processors differ', '66 e8 00 00 00 00'],
  ['the same, jcc', '66 75 00 00'],
  ['REX2', 'd5 00 58 c0'],
  ['EVEX map 4 (APX)', '62 f4 7c 08 01 c0'],
  ['VEX behind REX', '48 c5 f8 77'],
  ['prefixes only', '66 66 66'],
  ['16 bytes', '66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90'],
  ['nothing', ''],
];
for (const [why, digits] of UNKNOWN) {
  test(`decodes no ${why}`, () => assert.is(decodeInstruction(code(digits), 0), null));
}

test('any bytes: stays within them and within 15, whatever stands behind', () => {
  const anyBytes = fc.uint8Array({ minLength: 0, maxLength: 24 });
  fc.assert(
    fc.property(anyBytes, fc.integer({ min: -2, max: 26 }), fc.uint8Array({ maxLength: 16 }), (bytes, at, tail) => {
      const found = decodeInstruction(bytes, at);
      if (found === null) return;
      assert.ok(found.length >= 1 && found.length <= 15 && at >= 0 && at + found.length <= bytes.length);
      const longer = Uint8Array.from([...bytes, ...tail]);
      assert.equal(decodeInstruction(longer, at), found);
    }),
    { numRuns: 20_000 },
  );
});

/** What our decoder says differently; null when nothing. */
function difference(bytes: Uint8Array, line: Disassembled): string | null {
  const found = decodeInstruction(bytes, 0);
  const target = found?.target === undefined ? null : line.address + found.target;
  if (found?.length === line.bytes.length && target === line.target) return null;
  return `${line.address.toString(16)}: ${line.text}: ${JSON.stringify(found)}`;
}

/** Compares every instruction of a file; returns how many. Symbols over which objdump says `(bad)` hold data. */
async function compare(file: string, dataAllowed: boolean): Promise<number> {
  let count = 0;
  const wrong: string[] = [];
  const data: string[] = [];
  for await (const { label, lines } of disassemble(file)) {
    if (lines.some(({ text }) => text.includes('(bad)') || text.startsWith('.byte'))) {
      data.push(label);
      continue;
    }
    for (const line of lines) {
      // objdump shows a lone prefix or fwait apart or together, not as the processor counts.
      if (line.prefixesOnly || (line.bytes[0] === 0x9b && line.bytes.length > 1)) continue;
      const bytes = new Uint8Array(15).fill(0x90);
      bytes.set(line.bytes);
      const text = difference(bytes, line);
      if (text !== null) wrong.push(text);
      count += 1;
    }
  }
  assert.equal(wrong.slice(0, 10), [], file);
  if (!dataAllowed) assert.equal(data, [], file);
  return count;
}

const PROGRAM = `
use std::collections::{BTreeMap, HashMap};
fn main() {
    let mut words: HashMap<String, usize> = HashMap::new();
    for word in std::env::args().skip(1) { *words.entry(word).or_default() += 1; }
    let sorted: BTreeMap<_, _> = words.iter().map(|(w, n)| (n, format!("{w:?}"))).collect();
    let sum: f64 = sorted.keys().map(|n| (**n as f64).sqrt().sin()).sum();
    std::thread::spawn(move || println!("{sum} {}", "x".repeat(3))).join().unwrap();
    println!("{sorted:#?} {:?}", std::fs::read_to_string("/proc/self/comm"));
}
`;

test('agrees with objdump over programs and libraries', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ipbp-decode-'));
  try {
    writeFileSync(join(directory, 'program.rs'), PROGRAM);
    let count = 0;
    for (const [name, options] of [
      ['debug', ['-Copt-level=0']],
      ['release', ['-Copt-level=3']],
      ['native', ['-Copt-level=3', '-Ctarget-cpu=x86-64-v4']],
    ] as const) {
      execFileSync('rustc', ['--edition=2021', ...options, '-o', join(directory, name), 'program.rs'], {
        cwd: directory,
      });
      count += await compare(join(directory, name), false);
    }
    const libc = execFileSync('gcc', ['-print-file-name=libc.so.6'], { encoding: 'utf8' }).trim();
    const libstdcxx = execFileSync('gcc', ['-print-file-name=libstdc++.so.6'], { encoding: 'utf8' }).trim();
    const libcrypto = execFileSync('gcc', ['-print-file-name=libcrypto.so.3'], { encoding: 'utf8' }).trim();
    count += await compare(libc, false);
    if (existsSync(libstdcxx)) count += await compare(libstdcxx, false);
    if (existsSync(libcrypto)) count += await compare(libcrypto, true);
    assert.ok(count >= 300_000, `${count} instructions`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.run();

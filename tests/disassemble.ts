// Reads objdump's disassembly, for tests that compare with it.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** One instruction as objdump shows it. */
export interface Disassembled {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** Of a direct jump, call or xbegin. */
  readonly target: number | null;
  /** A prefix, or several, that objdump shows as an instruction of its own. */
  readonly prefixesOnly: boolean;
}

/** What stands from one symbol to the next. */
export interface Stretch {
  readonly label: string;
  readonly lines: readonly Disassembled[];
}

const LINE = /^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(.*)$/;
const PREFIXES = /^(?:(?:rex(?:\.\w+)?|data16|addr32|lock|repz?|repnz|bnd|[c-gs]s)(?: |$))+$/;
const TRANSFER = /^(?:[\w.,]+ )*?(?:j\w+|call|loop\w*|xbegin)(?:,p[nt])? +(?:0x)?([0-9a-f]+)(?: <.*)?$/;

/** Every symbol's instructions, in the order of the file. Fails when objdump does. */
export async function* disassemble(file: string): AsyncGenerator<Stretch> {
  const objdump = spawn('objdump', ['-d', '-w', '-z', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    objdump.on('close', resolve);
    objdump.on('error', reject);
  });
  let label = '';
  let lines: Disassembled[] = [];
  for await (const line of createInterface({ input: objdump.stdout })) {
    const title = /^[0-9a-f]+ <(.*)>:$/.exec(line);
    if (title !== null) {
      if (lines.length > 0) yield { label, lines };
      label = title[1] ?? '';
      lines = [];
      continue;
    }
    const [whole, address = '', digits = '', rest = ''] = LINE.exec(line) ?? [];
    if (whole === undefined) continue;
    const text = rest.trim();
    const target = TRANSFER.exec(text)?.[1];
    lines.push({
      address: Number.parseInt(address, 16),
      bytes: Uint8Array.from(digits.trim().split(' '), (pair) => Number.parseInt(pair, 16)),
      text,
      target: target === undefined ? null : Number(BigInt.asIntN(64, BigInt(`0x${target}`))),
      prefixesOnly: PREFIXES.test(text),
    });
  }
  if (lines.length > 0) yield { label, lines };
  const status = await ended;
  if (status !== 0) throw new Error(`objdump ended with ${status} on ${file}`);
}

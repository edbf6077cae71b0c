// Opens a linked library in a host program of the machine, makes the calls, compares the answers.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../record.js';
import { cacheFolder } from '../setup/cache.js';
import { tryRun } from '../setup/run.js';
import { type MachineName } from '../suite.js';
import { compileC } from './capture.js';
import { type Call } from './crates.js';
import { MACHINE_TOOLS } from './machine-tools.js';

function spelt(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\t/g, '\\t');
}

function hostProgram(machine: MachineName): string {
  const host = join(cacheFolder('hosts', machine), 'host');
  const source = join(ROOT, 'conformance', 'hosts', 'host.c');
  if (!existsSync(host)) compileC(machine, source, host, '-ldl', '-lpthread');
  return host;
}

/** What went wrong when the library was called; empty when every answer was right. */
export function exercise(machine: MachineName, library: string, calls: readonly Call[]): string[] {
  const command = [...MACHINE_TOOLS[machine].run, hostProgram(machine), library];
  const input = calls.map(({ name, input: text }) => `${name}\t${spelt(text)}\n`).join('');
  const { status, stdout, stderr } = tryRun(command[0]!, command.slice(1), { input, timeout: 120_000 });
  const lines = stdout.split('\n');
  const failures = calls.flatMap(({ name, output }, index) => {
    const wanted = `${name}\t${spelt(output)}`;
    return lines[index] === wanted ? [] : [`${wanted}: said ${lines[index] ?? 'nothing'}`];
  });
  return status === 0 ? failures : [...failures, `the host ended with ${status}: ${stderr.slice(-500)}`];
}

// Opens a linked library in a program for macOS, which the loader runs here, makes the calls, compares the answers.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Call } from '../cases/crates.js';
import { ROOT } from '../record.js';
import { cacheFolder } from '../setup/cache.js';
import { darwinToolchain } from '../setup/darwin-toolchain.js';
import { run, tryRun } from '../setup/run.js';
import { type MachineName } from '../suite.js';
import { archOf, targetOf } from './cases.js';

function spelt(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\t/g, '\\t');
}

function hostProgram(machine: MachineName): string {
  const host = join(cacheFolder('hosts', 'macos', machine), 'host');
  if (existsSync(host)) return host;
  const { ld, sdk } = darwinToolchain(targetOf(machine));
  const source = join(ROOT, 'conformance', 'hosts', 'host-macos.c');
  const arch = archOf(machine);
  run('clang-19', ['-target', `${arch}-apple-macos13`, '-O1', '-c', source, '-o', `${host}.o`]);
  const system = ['-platform_version', 'macos', '13.0', '13.0', '-syslibroot', sdk, '-lSystem'];
  run(ld, ['-execute', '-arch', arch, ...system, '-o', host, `${host}.o`]);
  return host;
}

/** What went wrong when the library was opened and called; empty when every answer was right. */
export function exerciseDylib(machine: MachineName, library: string, calls: readonly Call[]): string[] {
  const { machorun } = darwinToolchain(targetOf(machine));
  const input = calls.map(({ name, input: text }) => `${name}\t${spelt(text)}\n`).join('');
  const { status, stdout, stderr } = tryRun(machorun, [hostProgram(machine), library], { input, timeout: 240_000 });
  const lines = stdout.split('\n');
  const failures = calls.flatMap(({ name, output }, index) => {
    const wanted = `${name}\t${spelt(output)}`;
    return lines[index] === wanted ? [] : [`${wanted}: said ${lines[index] ?? 'nothing'}`];
  });
  return status === 0 ? failures : [...failures, `the host ended with ${status}: ${stderr.slice(-500)}`];
}

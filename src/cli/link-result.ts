// What every kind of link does with its result: tells of it, and writes the file.
import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { SharedResult } from '../link/shared.js';
import { errorRecord, renderError } from './failure.js';
import type { Output } from './output.js';

/** Warnings and errors. */
export function tellProblems(
  warnings: readonly string[],
  { warnings: found, errors }: SharedResult,
  output: Output,
): void {
  for (const message of [...warnings, ...found]) {
    output.record({ event: 'warning', message });
    output.say(`warning: ${message}`);
  }
  for (const error of errors) {
    output.record(errorRecord(error));
    output.alert(renderError(error, output).join('\n'));
  }
}

/** The last record of a link. */
export function tellLinked(
  path: string,
  { bytes, counts, warnings }: SharedResult,
  facts: { readonly inputs: number; readonly warnings: number; readonly started: number },
  output: Output,
): void {
  output.record({
    event: 'linked',
    output: path,
    bytes: bytes?.length ?? 0,
    inputs: facts.inputs,
    sections: counts.kept,
    dropped: counts.dropped,
    warnings: warnings.length + facts.warnings,
    ms: Math.round(performance.now() - facts.started),
  });
}

/** In place of a file that is there, never into it: a process may run it. What is no file (/dev/null) is written to. */
export function writeResult(path: string, bytes: Uint8Array): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) {
    writeFileSync(path, bytes);
    return;
  }
  const written = `${path}.${process.pid}.tmp`;
  try {
    // The mode is cut by the process's mask, as ld's is.
    writeFileSync(written, bytes, { mode: 0o777 });
    renameSync(written, path);
  } catch (error) {
    rmSync(written, { force: true });
    throw error;
  }
}

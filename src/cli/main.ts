#!/usr/bin/env node
// The program `ipbp`: the process around command-line.ts. The only place that ends the process.
import { readFileSync } from 'node:fs';
import { runCommandLine } from './command-line.js';
import type { Outcome } from './outcome.js';

/** Signals that a shell wants to see its child die of: it stops a loop at SIGINT, for one. No core file is written. */
const RAISED: ReadonlySet<string> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP']);

function version(): string {
  // Two folders up from src/cli as from dist/cli.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** What was written to a pipe may still be under way: `process.exit` alone would cut it off. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}

/** Ends the process. Not by `exitCode`: a connection or a watcher left open must not keep it alive. */
async function leave(outcome: Outcome): Promise<void> {
  await Promise.all([written(process.stdout), written(process.stderr)]);
  if (outcome.kind === 'signal' && RAISED.has(outcome.signal)) {
    process.removeAllListeners(outcome.signal);
    process.kill(process.pid, outcome.signal);
    // Delivered between two turns of the event loop; should something block it, the status says the same.
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  process.exit(outcome.status);
}

// `ipbp dump … | head`: nobody listens any more, which is no error of ours. A running program must not end of it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

await leave(await runCommandLine(process.argv.slice(2), process, version()));

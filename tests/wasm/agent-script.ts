// The agent as a page gets it: one script, made of its sources as they are now.
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const ENTRY = fileURLToPath(new URL('../../agent/web/index.ts', import.meta.url));

/** Defines `ipbpAgent`. */
export function agentScript(): string {
  const made = buildSync({
    ...{ entryPoints: [ENTRY], bundle: true, minify: true, format: 'iife', globalName: 'ipbpAgent' },
    ...{ target: 'es2022', write: false },
  });
  const [file] = made.outputFiles;
  if (file === undefined) throw new Error('esbuild wrote nothing');
  return file.text;
}

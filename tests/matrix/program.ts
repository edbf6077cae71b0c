// The programs that the matrix edits: where their sources lie, how a fresh copy is made, how a marked region of a
// source is replaced. Knows files only; session.ts runs what is made here.
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** One program that can be copied, run and asked. */
export interface Program {
  readonly name: 'plain' | 'server';
  /** Copied in this order; paths from the checkout's root, and where each goes in the copy. */
  readonly sources: readonly { readonly from: string; readonly to: string }[];
  /** Paths that are requested all the time while edits go in; each must answer with status 200. */
  readonly traffic: readonly string[];
}

/** std only, rayon declared and not linked: `tests/matrix/program` with the desk of the order service. */
export const PLAIN: Program = {
  name: 'plain',
  sources: [
    { from: 'tests/matrix/program', to: '.' },
    { from: 'examples/server/src/desk', to: 'src/desk' },
  ],
  traffic: ['/health', '/ask/offers'],
};

/** axum on tokio with 22 direct dependencies: `examples/server`. */
export const SERVER: Program = {
  name: 'server',
  sources: [{ from: 'examples/server', to: '.' }],
  traffic: ['/', '/health', '/menu', '/lottery?seats=9', '/ask/offers'],
};

/** A copy of a program; `files` is what its sources held at the start, by path within the copy. */
export interface Project {
  readonly directory: string;
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Copies a program to a place that is the same at every call with the same `purpose`, so that cargo's target directory
 * there serves again: only the sources are made anew.
 */
export async function copyProgram(program: Program, purpose: string): Promise<Project> {
  const checkout = createHash('sha256').update(ROOT).digest('hex').slice(0, 8);
  const directory = join(tmpdir(), `ipbp-matrix-${checkout}`, purpose, program.name);
  await rm(join(directory, 'src'), { recursive: true, force: true });
  for (const { from, to } of program.sources) {
    await mkdir(join(directory, to), { recursive: true });
    await cp(join(ROOT, from), join(directory, to), {
      recursive: true,
      filter: (path) => !path.slice(join(ROOT, from).length).split('/').includes('target'),
    });
  }
  const files = new Map<string, string>();
  for (const entry of await readdir(join(directory, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(directory.length + 1), await readFile(path, 'utf8'));
  }
  return { directory, files };
}

/** How a file is saved: written over, or written beside and renamed, as many editors do. */
export type SaveStyle = 'overwrite' | 'rename';

/** Writes a source of the copy as an editor would. */
export async function save(project: Project, path: string, text: string, style: SaveStyle): Promise<void> {
  const target = join(project.directory, path);
  if (style === 'overwrite') return writeFile(target, text);
  await writeFile(`${target}.saving`, text);
  return rename(`${target}.saving`, target);
}

/** The text with what stands between `// region name` and the next `// endregion` replaced. */
export function replaceRegion(text: string, name: string, body: string): string {
  const lines = text.split('\n');
  const start = lines.indexOf(`// region ${name}`);
  const end = lines.indexOf('// endregion', start);
  if (start < 0 || end < 0) throw new Error(`no region ${name}`);
  return [...lines.slice(0, start + 1), body.replace(/^\n|\n$/g, ''), ...lines.slice(end)].join('\n');
}

/** The text with one occurrence of `old`, of which there must be just one, replaced. */
export function replaceOnce(text: string, old: string, replacement: string): string {
  if (text.split(old).length !== 2) throw new Error(`not exactly once in the source: ${old}`);
  return text.split(old).join(replacement);
}

// A program that the matrix edits: how a fresh copy of its sources is made, how a marked region of a source is
// replaced, how a source is saved. Knows files only; the programs are listed in programs.ts, session.ts runs them.
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where sources come from: a folder of the checkout, or a package of the crates registry in one exact version. */
export type Source =
  | { readonly from: 'checkout'; readonly folder: string; readonly to: string }
  | { readonly from: 'registry'; readonly crate: string; readonly version: string; readonly to: string };

/** One program that can be copied, run and asked. */
export interface Program {
  readonly name: string;
  /** Copied in this order; `to` is where each goes in the copy. */
  readonly sources: readonly Source[];
  /** Written into the copy besides, by path: what the program is to work on. */
  readonly files: Readonly<Record<string, string>>;
  /** How it is asked. */
  readonly talks: 'http' | 'terminal';
  /** A question that it answers as soon as it is up. */
  readonly alive: string;
  /** For cargo, before those of the configuration. */
  readonly cargoArguments: readonly string[];
  /** What follows `--`; `port` is free on 127.0.0.1. */
  readonly programArguments: (port: number) => readonly string[];
  /** Paths that are requested all the time while edits go in; each must answer with status 200. */
  readonly traffic: readonly string[];
  /** True where it holds the order desk, whose counters and clock are watched. */
  readonly desk: boolean;
}

/** A copy of a program; `files` is what its sources held at the start, by path within the copy. */
export interface Project {
  readonly directory: string;
  readonly files: ReadonlyMap<string, string>;
}

/** What an edit may be made of. */
const EDITABLE = /(^|\/)(Cargo\.toml|[^/]+\.(rs|txt|scss|css|html|svg|toml))$/;

/**
 * Copies a program to a place that is the same at every call with the same `purpose`, so that cargo's target directory
 * there serves again: all else is made anew. `change` may alter a file on the way: path in the copy, text → text.
 * @param folderOf where a registry's package lies
 */
export async function copyProgram(
  program: Program,
  purpose: string,
  folderOf: (crate: string, version: string) => string,
  change: (path: string, text: string) => string = (_, text) => text,
): Promise<Project> {
  const checkout = createHash('sha256').update(ROOT).digest('hex').slice(0, 8);
  const directory = join(tmpdir(), `ipbp-matrix-${checkout}`, purpose, program.name);
  await mkdir(directory, { recursive: true });
  for (const entry of await readdir(directory))
    if (entry !== 'target') await rm(join(directory, entry), { recursive: true, force: true });
  for (const source of program.sources) {
    const from = source.from === 'checkout' ? join(ROOT, source.folder) : folderOf(source.crate, source.version);
    await mkdir(join(directory, source.to), { recursive: true });
    await cp(from, join(directory, source.to), {
      recursive: true,
      filter: (path) => !path.slice(from.length).split('/').includes('target'),
    });
  }
  for (const [path, text] of Object.entries(program.files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  const files = new Map<string, string>();
  for (const path of await filesBelow(directory, '')) {
    if (!EDITABLE.test(path)) continue;
    const text = await readFile(join(directory, path), 'utf8');
    const changed = change(path, text);
    if (changed !== text) await writeFile(join(directory, path), changed);
    files.set(path, changed);
  }
  return { directory, files };
}

/** Paths of all files below a folder of the copy, but for what cargo makes. */
async function filesBelow(directory: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(directory, folder), { withFileTypes: true });
  const nested = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return path === 'target' ? [] : filesBelow(directory, path);
    return entry.isFile() ? [path] : [];
  });
  return (await Promise.all(nested)).flat();
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
  return text.replace(old, () => replacement);
}

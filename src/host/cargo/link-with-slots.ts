// The arguments of a program's link with the workspace's objects and libraries replaced by ones with slots. What did not
// change since the last link is taken from there. Which functions get slots, and how, is patch/give-slots.ts.
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { archiveWithSlots, objectWithSlots, type SlotChoice } from '../../patch/give-slots.js';

/** Of the files kept between links: to be raised when the same object would be given other slots. */
const FORM = 1;

export interface SlotLink {
  /** The linker's arguments, as rustc gives them, response files read. */
  readonly args: readonly string[];
  /** `<target>/ipbp/units/<key>` of the program. */
  readonly unit: string;
  /** `<target>/ipbp/units`. */
  readonly units: string;
  readonly choice: SlotChoice;
}

/** `args` to link with; `problems` are files that could not be given slots and are linked as they are. */
export interface SlotLinkResult {
  readonly args: readonly string[];
  readonly problems: readonly string[];
}

/** Rewrites what belongs to the workspace. Throws only where the disk fails. */
export function linkWithSlots({ args, unit, units, choice }: SlotLink): SlotLinkResult {
  const problems: string[] = [];
  const own = args.filter((word) => !word.startsWith('-') && word.endsWith('.rcgu.o'));
  // rustc hard-links what it keeps for the next build; what else it compiles (the allocator's shim) is no item of a crate.
  const shared = own.filter((path) => statSync(path).nlink > 1);
  const objects = new Set(shared.length > 0 ? shared : own);
  const used = new Map<string, Set<string>>();
  const replace = (path: string, owner: string, make: typeof objectWithSlots): string => {
    const directory = join(owner, `slots-${FORM}-${choice}`);
    const { ino, size, mtimeMs } = statSync(path);
    // Not by its name: rustc puts a part in that is another at every call. The file is a link to the one it keeps.
    const name = `${ino}-${size}-${mtimeMs}${path.endsWith('.rlib') ? '.rlib' : '.o'}`;
    const kept = join(directory, name);
    const names = used.get(directory);
    if (names === undefined) mkdirSync(directory, { recursive: true });
    used.set(directory, (names ?? new Set()).add(name));
    const before = statSync(kept, { throwIfNoEntry: false });
    if (before !== undefined) return before.size === 0 ? path : kept;
    try {
      const made = make(readFileSync(path), path, choice);
      // Nothing in it gets a slot: an empty file says so.
      put(kept, made ?? new Uint8Array(0));
      return made === null ? path : kept;
    } catch (error) {
      if (!(error instanceof IpbpError)) throw error;
      problems.push(`${basename(path)} has no slots: ${error.message}`);
      return path;
    }
  };
  const replaced = args.map((word) => {
    if (objects.has(word)) return replace(word, unit, objectWithSlots);
    // ld(1) on macOS: all of this archive. Given to a compiler driver it is one word with the path.
    const [before = ''] = /^-Wl,-force_load,/.exec(word) ?? [];
    const path = word.slice(before.length);
    const key = /^lib(.+)\.rlib$/.exec(basename(path))?.[1];
    if (path.startsWith('-') || key === undefined || !existsSync(join(units, key, 'capture'))) return word;
    return before + replace(path, join(units, key), archiveWithSlots);
  });
  for (const [directory, names] of used) removeOthers(directory, names);
  return { args: replaced, problems };
}

/** Written whole or not at all: another session may link the same library now. */
function put(path: string, bytes: Uint8Array): void {
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, bytes);
  renameSync(fresh, path);
}

/** What no link will ask for any more: its object was replaced. */
function removeOthers(directory: string, names: ReadonlySet<string>): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) if (!names.has(name)) rmSync(join(directory, name), { force: true });
}

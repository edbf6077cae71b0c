// Keeps what replays write of libraries apart from what cargo wrote. rustc takes the output directory and the paths of
// a program's crates for input (measured: with others it compiles every codegen unit again, and so does cargo's next
// build), so a replay has to write and read where cargo does. Only while it runs, though: cargo's files are held by
// hard links (rustc, and all linkers that were tried, write new files rather than into those that are there), ours are
// in their places for as long as one rustc works, and cargo's come back with their times. cargo then finds what it left,
// and an edit that is taken back costs it nothing. While others are in their places cargo's dep-info of these units is
// away: whoever dies then, cargo compiles them again. Writes lines of shell, as the shell outlives a session that is
// killed, and runs nothing itself.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fingerprintDirectories } from '../cargo/freshness.js';
import { shellQuote } from '../cargo/scripts.js';
import { outputsOf, type Unit } from '../cargo/unit.js';

/** Shell to be run before and after a rustc, under its locks. It writes nothing to stdout and stderr. */
export interface Around {
  readonly before: string;
  /** Finds the status of rustc in `$status`, and `$unlocked` set where cargo could not be kept from building. */
  readonly after: string;
  /** The libraries whose files are touched. */
  readonly units: readonly Unit[];
  /** A cargo may have built meanwhile. To be asked at the end. */
  wasUnlocked(): boolean;
}

/** One of cargo's directories of a unit's freshness, and where its dep-info is kept when cargo is to compile it. */
export interface HiddenRecord {
  readonly record: string;
  readonly kept: string;
}

export interface OwnOutputs {
  /**
   * For the replay of a unit; null when it neither writes nor reads a library that was replayed.
   * @param earlier those that it may use
   */
  around(unit: Unit, earlier: readonly Unit[]): Around | null;
  /** The newest output of a library, by the path that cargo gave it: ours, or where cargo's is newer, cargo's. */
  locate(unit: Unit, path: string): string;
  /** What cargo wrote of a library is as new as ours. */
  forget(unit: Unit): void;
  /** Where dep-info is kept, of a library until its next replay has ended. The directories need not exist. */
  hidden(unit: Unit): readonly HiddenRecord[];
}

/**
 * In `$own` are cargo's outputs (`cargo/`), ours (`replayed/`) and cargo's dep-info while it is hidden: for one rustc
 * (`dep-info-<n>/`), or until the unit itself is replayed again (`unseen-<n>/`); `$out` is the place of the outputs,
 * `$names` their names. `cargos` is true when those in place are those that are held: `-ef` tells one file under two
 * names, and while it is held its inode is given to no other. Each is checked again after it was put back, as whatever
 * ends rustc may end an `ln`.
 */
const FUNCTIONS = `cargos() {
  for name in $names; do
    if [ -e "$out/$name" ] || [ -e "$own/cargo/$name" ]; then [ "$out/$name" -ef "$own/cargo/$name" ] || return 1; fi
  done
}
drop() { rm -f "$own"/cargo/* "$own"/replayed/* "$own"/dep-info-*/* "$own"/unseen-*/*; }
hold() {
  if cargos; then return; fi
  drop
  set --
  for name in $names; do if [ -e "$out/$name" ]; then set -- "$@" "$out/$name"; fi; done
  if [ $# != 0 ]; then ln "$@" "$own/cargo/"; fi
}
hide() {
  into=$own/dep-info-$1/
  set -- "$2"/dep-*
  if [ -e "$1" ]; then mv -f "$@" "$into"; fi
}
take() {
  set -- "$own/unseen-$1"/dep-* "$own/dep-info-$1/"
  if [ -e "$1" ]; then mv -f "$@"; fi
}
show() {
  set -- "$own/dep-info-$1"/dep-* "$2/"
  if [ -e "$1" ]; then mv -f "$@"; fi
}
compiled() {
  set -- "$1"/dep-*
  [ -e "$1" ]
}
keep() {
  set --
  for name in $names; do
    if [ -e "$out/$name" ] && ! [ "$out/$name" -ef "$own/cargo/$name" ]; then set -- "$@" "$out/$name"; fi
  done
  if [ $# != 0 ]; then ln -f "$@" "$own/replayed/"; fi
}
give_back() {
  set --
  for name in $names; do
    if [ -e "$own/cargo/$name" ] && ! [ "$out/$name" -ef "$own/cargo/$name" ]; then set -- "$@" "$own/cargo/$name"; fi
  done
  if [ $# != 0 ]; then ln -f "$@" "$out/"; fi
  set -- "$own"/cargo/*
  [ -e "$1" ] && cargos
}
`;

/** @param directory where to keep files; on the file system of cargo's, and of this session alone */
export function createOwnOutputs(directory: string): OwnOutputs {
  rmSync(directory, { recursive: true, force: true });
  const place = (unit: Unit): string => join(directory, unit.key);
  const hidden = (unit: Unit): HiddenRecord[] =>
    fingerprintDirectories(unit).map((record, n) => ({ record, kept: join(place(unit), `unseen-${n}`) }));
  return {
    around(unit, earlier) {
      const units = [...earlier.filter((one) => isKept(place(one))), ...(unit.kind === 'lib' ? [unit] : [])];
      if (units.length === 0) return null;
      const unlocked = join(directory, 'unlocked');
      const records = units.map((one) => makePlace(place(one), hidden(one)));
      const each = (lines: (index: number, one: Unit) => string): string =>
        units.map((one, i) => `${variables(one, place(one))}\n${lines(i, one)}`).join('\n');
      const all = (name: string, i: number): string =>
        (records[i] ?? []).map((record, n) => `${name} ${n} ${shellQuote(record)}`).join('; ') || ':';
      rmSync(unlocked, { force: true });
      const before = each((i, one) =>
        one === unit
          ? `hold; ${all('take', i)}; ${all('hide', i)}`
          : `in_use_${i}=; if cargos; then in_use_${i}=1; ${all('hide', i)}; ln -f "$own"/replayed/* "$out/"; fi`,
      );
      const after = each((i, one) => {
        const compiled = (records[i] ?? []).map((record) => `compiled ${shellQuote(record)}`).join(' || ') || 'false';
        // cargo compiled it meanwhile: nobody knows whose the files are that are in place.
        const stale = `drop; rm -f ${(records[i] ?? []).map((record) => `${shellQuote(record)}/dep-*`).join(' ')}`;
        const keep = one === unit ? 'if [ "$status" = 0 ]; then keep; fi; ' : '';
        const back = `if ${compiled}; then ${stale}; else ${keep}if give_back; then ${all('show', i)}; fi; fi`;
        return one === unit ? back : `if [ -n "$in_use_${i}" ]; then ${back}; fi`;
      });
      return {
        before: silent(`${FUNCTIONS}${before}`),
        after: silent(`${after}\nif [ -n "$unlocked" ]; then : >${shellQuote(unlocked)}; fi`),
        units,
        wasUnlocked: () => existsSync(unlocked),
      };
    },
    locate(unit, path) {
      const own = join(place(unit), 'replayed', basename(path));
      if (!existsSync(own)) return path;
      return isSameFile(path, join(place(unit), 'cargo', basename(path))) ? own : path;
    },
    hidden,
    forget(unit) {
      rmSync(join(place(unit), 'replayed'), { recursive: true, force: true });
    },
  };
}

/** Directories of one unit; returns cargo's records of it. */
function makePlace(place: string, records: readonly HiddenRecord[]): readonly string[] {
  const names = ['cargo', 'replayed', ...records.map((_, n) => `dep-info-${n}`)];
  for (const name of names) mkdirSync(join(place, name), { recursive: true, mode: 0o700 });
  return records.map(({ record }) => record);
}

/** Something of the unit is newer than what cargo wrote, as far as can be told without the locks. */
function isKept(place: string): boolean {
  try {
    return readdirSync(join(place, 'replayed')).length > 0;
  } catch {
    return false;
  }
}

function variables(unit: Unit, place: string): string {
  const { rlib, rmeta, sharedLibrary } = outputsOf(unit);
  const names = [rlib, rmeta, sharedLibrary].map((path) => basename(path)).join(' ');
  return `own=${shellQuote(place)} out=${shellQuote(unit.outDir)} names=${shellQuote(names)}`;
}

function silent(lines: string): string {
  return `{\n${lines}\n} >/dev/null 2>&1`;
}

function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}

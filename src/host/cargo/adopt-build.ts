// After a build by cargo: the units of the new build beside those that the running program was made of, and how each
// is compiled from now on so that its objects can be compared with the program's. A changed feature or dependency gives
// a unit other metadata, and with it other names for all its functions; such a unit is compiled again as the live one:
// its old metadata, file names and cache, with all else as cargo has it now. Pure: runs nothing.
import { basename } from 'node:path';
import type { RefusedItem } from '../../patch/engine.js';
import { IpbpError } from '../../codes/error.js';
import type { UnitGraph } from './capture-store.js';
import { codegenOptions, outputsOf, withArguments, type Unit } from './unit.js';

/** What to follow from now on. */
export interface Adopted {
  readonly kind: 'adopted';
  readonly graph: UnitGraph;
  readonly root: Unit;
  /** Keys of the units that have to be compiled as the live ones. */
  readonly replay: readonly string[];
}

export type Adoption = Adopted | { readonly kind: 'refused'; readonly items: readonly RefusedItem[] };

/** Matches a new build to the live one, crate by crate. `root` is the new build's. */
export function adoptBuild(live: UnitGraph, built: UnitGraph, root: Unit): Adoption {
  const liveUnits = new Map(live.units.map((unit) => [roleOf(unit), unit]));
  const counterpart = (unit: Unit): Unit => liveUnits.get(roleOf(unit)) ?? unit;
  const liveRoot = live.units.at(-1);
  const items = [
    ...built.missing.map((key) => refused(key, 'a crate was not recorded', ['no rustc command of it is known'])),
    ...(liveRoot === undefined || roleOf(liveRoot) !== roleOf(root)
      ? [refused(root.crate, 'cargo would start another program now', [outputsOf(root).executable])]
      : []),
    ...rebuiltDependencies(live.units, built.units),
  ];
  if (items.length > 0) return { kind: 'refused', items };
  const renamed = new Map<string, string>();
  for (const unit of built.units) {
    const [from, to] = [outputsOf(unit), outputsOf(counterpart(unit))];
    renamed.set(from.rlib, to.rlib).set(from.rmeta, to.rmeta).set(from.sharedLibrary, to.sharedLibrary);
  }
  const asLive = new Map(built.units.map((unit) => [unit.key, compiledAs(unit, counterpart(unit), renamed)]));
  const keyOf = (key: string): string => asLive.get(key)?.key ?? key;
  const units = [...asLive.values()];
  return {
    kind: 'adopted',
    graph: {
      units,
      dependants: new Map([...built.dependants].map(([key, users]) => [keyOf(key), users.map(keyOf)])),
      missing: [],
      shared: new Map([...built.shared].map(([key, library]) => [keyOf(key), renamed.get(library) ?? library])),
      linked: new Set([...built.linked].map(keyOf)),
      plugins: built.plugins.map(({ library, key, keys }) => ({
        library: renamed.get(library) ?? library,
        key: keyOf(key),
        keys: new Set([...keys].map(keyOf)),
      })),
    },
    root: asLive.get(root.key) ?? root,
    replay: built.units.filter((unit) => keyOf(unit.key) !== unit.key).map((unit) => keyOf(unit.key)),
  };
}

/** What stays of a unit when its features and dependencies change. */
function roleOf(unit: Unit): string {
  const harness = unit.args.includes('--test') ? 'test' : '';
  return [unit.env['CARGO_MANIFEST_DIR'] ?? unit.cwd, unit.kind, unit.crate, harness, unit.outDir].join('\n');
}

/** `unit` with the identity of `live`, its crates' files named as `renamed` says. */
function compiledAs(unit: Unit, live: Unit, renamed: ReadonlyMap<string, string>): Unit {
  if (unit.key === live.key) return unit;
  const identity = new Map(['metadata', 'extra-filename'].map((name) => [name, codegenOptions(live.args).get(name)]));
  const rewrite = (option: string, value: string): string => {
    const equals = value.indexOf('=');
    const [name, rest] = [value.slice(0, equals), value.slice(equals + 1)];
    if (option === '--extern') return `${name}=${renamed.get(rest) ?? rest}`;
    const own = identity.get(name);
    return option === '-C' && own !== undefined ? `${name}=${own}` : value;
  };
  // cargo writes each option and its value as two words.
  return withArguments(
    unit,
    unit.args.map((word, i) => rewrite(unit.args[i - 1] ?? '', word)),
  );
}

/**
 * Dependencies that the program holds and that cargo has now built otherwise (another version, other features): new
 * code would bring a second copy of them, with statics of its own. A crate's hash covers all it depends on, so those
 * that the followed crates name tell of all.
 */
function rebuiltDependencies(live: readonly Unit[], built: readonly Unit[]): RefusedItem[] {
  const before = foreignFiles(live);
  const now = foreignFiles(built);
  const gone = new Map([...before].filter((file) => !now.has(file)).map((file) => [crateOf(file), file]));
  return [...now].flatMap((file) => {
    const old = before.has(file) ? undefined : gone.get(crateOf(file));
    if (old === undefined) return [];
    return [refused(crateOf(file), 'a dependency of the running program was built anew', [`${old} is now ${file}`])];
  });
}

/** File names of the archives and shared libraries that these units use and that are none of theirs. */
function foreignFiles(units: readonly Unit[]): ReadonlySet<string> {
  const own = new Set(units.flatMap((unit) => Object.values(outputsOf(unit))));
  const files = units.flatMap((unit) => unit.externs.map(({ path }) => path)).filter((path) => !own.has(path));
  // An .rmeta is the same crate as its .rlib. A macro crate's .so runs in the compiler only.
  return new Set(
    files.filter((path) => /\.r(lib|meta)$/.test(path)).map((path) => basename(path).replace(/\.r\w+$/, '')),
  );
}

function crateOf(file: string): string {
  return file.replace(/^lib/, '').replace(/-[0-9a-f]+$/, '');
}

function refused(name: string, message: string, because: readonly string[]): RefusedItem {
  const error = new IpbpError('IPBP5022', message);
  return { code: error.code, name, message: error.summary, because };
}

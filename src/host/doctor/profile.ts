// What cargo will compile with: a profile's settings from environment, configuration and manifest, and RUSTFLAGS
// (the cargo reference, "Profiles" and "Configuration"). Pure; what follows from it for ipbp is build-settings.ts.
import { codegenOptions } from '../cargo/unit.js';
import { samePath, type Setting } from '../cargo/cargo-config.js';
import { isMusl, targetVariable } from '../cargo/target-triple.js';

/** All that a build's settings come from. */
export interface BuildFacts {
  readonly profile: string;
  readonly targetTriple: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** cargo's configuration, strongest first. */
  readonly settings: readonly Setting[];
  /** The workspace's manifest. */
  readonly manifest: readonly Setting[];
  /** Tables `target.'cfg(…)'` of the configuration that hold for the target. */
  readonly heldConditions: ReadonlySet<string>;
}

/** A setting as it counts, and where it comes from, for a person. */
export interface Found {
  /** As it is written, without quotes. */
  readonly value: string;
  readonly from: string;
}

/** What a profile inherits from without saying so. */
const PARENTS: Readonly<Record<string, string>> = { test: 'dev', bench: 'release' };
/** cargo's own values, of those settings that matter here. */
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  dev: { incremental: 'true', debug: 'true', lto: 'false', strip: 'none', 'codegen-units': '256' },
  release: { incremental: 'false', debug: 'false', lto: 'false', strip: 'none', 'codegen-units': '16' },
};
/** Profiles that every project has and that can be run. */
const BUILT_IN: readonly string[] = ['dev', 'release'];
/** No project inherits deeper; one that does is a loop, which cargo refuses. */
const DEEPEST = 16;

/** The profile that cargo's arguments ask for. */
export function profileOf(subcommand: 'run' | 'test' | 'bench', named: string | null, release: boolean): string {
  // `debug` is cargo's other word for it.
  if (named !== null) return named === 'debug' ? 'dev' : named;
  if (release) return 'release';
  return subcommand === 'run' ? 'dev' : subcommand;
}

/** The profile and those it inherits from, in this order. */
export function lineage(facts: BuildFacts, profile = facts.profile): string[] {
  const line = [profile];
  while (line.length < DEEPEST) {
    const last = line.at(-1) as string;
    const parent = textAt([...facts.settings, ...facts.manifest], 'profile', last, 'inherits') ?? PARENTS[last];
    if (parent === undefined) break;
    line.push(parent);
  }
  return line;
}

/** A setting of a profile. */
export function profileSetting(facts: BuildFacts, key: string, profile = facts.profile): Found {
  const line = lineage(facts, profile);
  for (const name of line) {
    const variable = `CARGO_PROFILE_${name}_${key}`.toUpperCase().replaceAll('-', '_');
    const fromEnvironment = facts.env[variable];
    if (fromEnvironment !== undefined) return { value: fromEnvironment, from: variable };
    const configured = textAt(facts.settings, 'profile', name, key);
    if (configured !== null) return { value: configured, from: `[profile.${name}] of cargo's configuration` };
    const written = textAt(facts.manifest, 'profile', name, key);
    if (written !== null) return { value: written, from: `[profile.${name}]` };
  }
  const root = line.find((name) => name in DEFAULTS) ?? 'dev';
  return { value: DEFAULTS[root]?.[key] ?? '', from: `${root}'s default` };
}

/** Whether a profile builds incrementally: an environment variable, else `build.incremental`, else the profile says. */
export function incrementalSetting(facts: BuildFacts, profile = facts.profile): Found {
  for (const name of ['CARGO_INCREMENTAL', 'CARGO_BUILD_INCREMENTAL']) {
    const value = facts.env[name];
    if (value !== undefined) return { value: String(value === '1' || value === 'true'), from: `${name}=${value}` };
  }
  const configured = textAt(facts.settings, 'build', 'incremental');
  if (configured !== null) return { value: configured, from: "build.incremental of cargo's configuration" };
  return profileSetting(facts, 'incremental', profile);
}

/** Every profile that can be run: cargo's own and those that are written down. */
export function profiles(facts: BuildFacts): string[] {
  const written = [...facts.manifest, ...facts.settings].flatMap(({ path }) =>
    path[0] === 'profile' && path[1] !== undefined && path.length > 2 ? [path[1]] : [],
  );
  const named = written.filter((name) => !(name in PARENTS) && name !== 'build-override');
  return [...new Set([...BUILT_IN, ...named, facts.profile])];
}

/** `[profile.dev.package.NAME]` of the workspace's own packages: which have another value for `key`. */
export function packageSettings(
  facts: BuildFacts,
  key: string,
  packages: readonly string[],
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const line = lineage(facts);
  for (const { path, value } of [...facts.manifest, ...facts.settings]) {
    const [word, profile = '', kind, name = '', last] = path;
    if (word !== 'profile' || kind !== 'package' || last !== key || path.length !== 5) continue;
    if (line.includes(profile) && packages.includes(name) && typeof value === 'string') found.set(name, value);
  }
  return found;
}

/** The flags that reach rustc, and where they come from. cargo takes the first of these that is there. */
export function rustFlags({ env, settings, targetTriple, heldConditions }: BuildFacts): {
  readonly flags: readonly string[];
  readonly from: string;
} {
  const encoded = env['CARGO_ENCODED_RUSTFLAGS'];
  if (encoded !== undefined) return { flags: encoded.split('\u001f').filter(isWord), from: 'CARGO_ENCODED_RUSTFLAGS' };
  const plain = env['RUSTFLAGS'];
  if (plain !== undefined) return { flags: words(plain), from: 'RUSTFLAGS' };
  const variable = targetVariable(targetTriple, 'RUSTFLAGS');
  const ofTarget = [
    ...words(env[variable] ?? ''),
    ...settings.flatMap(({ path, value }) => {
      const [table, name = '', key] = path;
      const applies = name === targetTriple || heldConditions.has(name);
      return table === 'target' && key === 'rustflags' && path.length === 3 && applies ? words(value) : [];
    }),
  ];
  if (ofTarget.length > 0) return { flags: ofTarget, from: "target.*.rustflags of cargo's configuration" };
  const general = env['CARGO_BUILD_RUSTFLAGS'];
  if (general !== undefined) return { flags: words(general), from: 'CARGO_BUILD_RUSTFLAGS' };
  const flags = settings.flatMap(({ path, value }) => (samePath(path, ['build', 'rustflags']) ? words(value) : []));
  return { flags, from: "build.rustflags of cargo's configuration" };
}

/** A codegen option (`-C name=value`) among the flags; null where it is not given. */
export function flagOption(facts: BuildFacts, name: string): Found | null {
  const { flags, from } = rustFlags(facts);
  const value = codegenOptions(flags).get(name);
  return value === undefined ? null : { value, from };
}

/** Whether the program is linked without the system's loader: true, false, and where that comes from. */
export function staticSetting(facts: BuildFacts): Found {
  const { flags, from } = rustFlags(facts);
  const features = flags.flatMap((flag, index) => {
    const option =
      flag === '-C' || flag === '--codegen' ? (flags[index + 1] ?? '') : flag.replace(/^-C|^--codegen=/, '');
    return option.startsWith('target-feature=') && option !== flag ? option.slice(15).split(',') : [];
  });
  const last = features.findLast((feature) => /^[+-]crt-static$/.test(feature));
  if (last !== undefined) return { value: String(last.startsWith('+')), from: `-C target-feature=${last} in ${from}` };
  return { value: String(isMusl(facts.targetTriple)), from: facts.targetTriple };
}

/** The linker that rustc will call. */
export function linkerOf(facts: BuildFacts): Found {
  const flag = flagOption(facts, 'linker');
  if (flag !== null) return flag;
  const variable = targetVariable(facts.targetTriple, 'LINKER');
  const fromEnvironment = facts.env[variable];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return { value: fromEnvironment, from: variable };
  for (const name of [facts.targetTriple, ...facts.heldConditions]) {
    const configured = textAt(facts.settings, 'target', name, 'linker');
    if (configured !== null) return { value: configured, from: "target.*.linker of cargo's configuration" };
  }
  return { value: 'cc', from: "rustc's default" };
}

function textAt(settings: readonly Setting[], ...path: readonly string[]): string | null {
  const found = settings.find((setting) => samePath(setting.path, path));
  return typeof found?.value === 'string' ? found.value : null;
}

function words(value: string | readonly string[]): string[] {
  return typeof value === 'string' ? value.split(/\s+/).filter(isWord) : [...value];
}

function isWord(word: string): boolean {
  return word !== '';
}

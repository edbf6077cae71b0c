// What the user's settings name for compiling and linking for another machine than this one: the compiler, the linker, how
// it is called and where std is. What of ours is built for that machine needs the same; what is built for this one does
// not, and takes none of the user's settings. Read from cargo's variables and configuration, which cargo applies by
// itself to the user's own build.
import { resolve } from 'node:path';
import { asCommand, samePath, stringSetting, type Setting } from './cargo-config.js';
import { targetVariable } from './target-triple.js';

/** What to build something of ours for a target with; all of it is as for the user's own programs. */
export interface TargetTools {
  /** `+name` of rustup, or null. */
  readonly toolchain: string | null;
  /** Null: the one on the PATH. */
  readonly rustc: string | null;
  /** Null: rustc's default. */
  readonly linker: string | null;
  /** rustc's arguments, those that say how to link and where std is. */
  readonly rustflags: readonly string[];
  /** Variables of the configuration's `[env]`. */
  readonly variables: Readonly<Record<string, string>>;
}

/** For this machine's own programs. */
export const NO_TOOLS: TargetTools = { toolchain: null, rustc: null, linker: null, rustflags: [], variables: {} };

/** Arguments of `-C` that are about linking. */
const LINKING = /^(?:linker|linker-flavor|link-args?|link-self-contained|linker-features|lto-embed-bitcode)=/;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * @param settings of cargo's configuration, strongest first
 * @param directory where cargo is run: relative paths of variables count from there
 */
export function targetTools(
  settings: readonly Setting[],
  directory: string,
  triple: string,
  hostTriple: string,
  toolchain: string | null,
  variables: Variables = process.env,
): TargetTools {
  const rustc = chosenRustc(settings, directory, variables);
  if (triple === hostTriple) return { ...NO_TOOLS, toolchain, rustc };
  const linker = chosen(variables, [targetVariable(triple, 'LINKER')], directory);
  return {
    toolchain,
    rustc,
    linker: linker ?? configured(settings, 'target', triple, 'linker'),
    rustflags: aboutLinking(rustflags(settings, triple, variables)),
    variables: variablesOf(settings),
  };
}

/** The compiler that cargo calls; null: the one on the PATH. */
export function chosenRustc(
  settings: readonly Setting[],
  directory: string,
  variables: Variables = process.env,
): string | null {
  const named = chosen(variables, ['RUSTC', 'CARGO_BUILD_RUSTC'], directory);
  return named ?? configured(settings, 'build', 'rustc');
}

function chosen(variables: Variables, names: readonly string[], directory: string): string | null {
  const word = names.map((name) => variables[name]).find((value) => value !== undefined && value !== '');
  return word === undefined ? null : asCommand(word, directory);
}

function configured(settings: readonly Setting[], ...path: readonly string[]): string | null {
  const base = settings.find((setting) => samePath(setting.path, path))?.base;
  const word = stringSetting(settings, ...path);
  return word === null || base === undefined ? null : asCommand(word, base);
}

/** Of cargo's four sources the first that is there ("build.rustflags" of its reference). */
function rustflags(settings: readonly Setting[], triple: string, variables: Variables): readonly string[] {
  const encoded = variables['CARGO_ENCODED_RUSTFLAGS'];
  if (encoded !== undefined && encoded !== '') return encoded.split('\u001f');
  const plain = variables['RUSTFLAGS'];
  if (plain !== undefined && plain !== '') return words(plain);
  const own = variables[targetVariable(triple, 'RUSTFLAGS')];
  const ofTarget = [...(own === undefined ? [] : words(own)), ...listed(settings, 'target', triple, 'rustflags')];
  return ofTarget.length > 0 ? ofTarget : listed(settings, 'build', 'rustflags');
}

/** cargo joins the lists of all its files; the strongest comes last. */
function listed(settings: readonly Setting[], ...path: readonly string[]): string[] {
  const own = settings.filter((setting) => samePath(setting.path, path));
  return own.reverse().flatMap(({ value }) => (typeof value === 'string' ? words(value) : value));
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** What else the user wants of code (a processor, instrumentation) is for the program alone. */
function aboutLinking(flags: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i] ?? '';
    const next = flags[i + 1] ?? '';
    if ((flag === '-C' || flag === '--codegen') && LINKING.test(next)) kept.push(flag, next);
    else if (flag === '-L' || flag === '--sysroot') kept.push(flag, next);
    else if (/^-L./.test(flag) || flag.startsWith('--sysroot=')) kept.push(flag);
    else if (flag.startsWith('-C') && LINKING.test(flag.slice(2))) kept.push(flag);
    else if (flag.startsWith('--codegen=') && LINKING.test(flag.slice('--codegen='.length))) kept.push(flag);
    else continue;
    if (kept.at(-1) === next && flag !== next) i++;
  }
  return kept;
}

/** `NAME = "value"` or `NAME = { value = "…", relative = true }`; set variables stay, as cargo has it without `force`. */
function variablesOf(settings: readonly Setting[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { path, value, base } of settings) {
    const [table, name, key = 'value'] = path;
    if (table !== 'env' || name === undefined || typeof value !== 'string' || key !== 'value') continue;
    const isRelative = settings.some((one) => samePath(one.path, ['env', name, 'relative']) && one.value === 'true');
    found[name] ??= isRelative ? resolve(base, value) : value;
  }
  return found;
}

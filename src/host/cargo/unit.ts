// One recorded rustc call of a workspace crate: how it is read from a capture, and what its arguments say. The
// captures on disk are in capture-store.ts, running one again in replay.ts.
import { isAbsolute, join, resolve } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { isModule, libraryEnding } from './target-triple.js';

/** A crate as cargo compiles it: one rustc call. All paths are absolute. */
export interface Unit {
  /**
   * `<crate><extra-filename>`, e.g. `my_app-a060e12d679070af`; one per features, profile and target. Shared libraries
   * have no extra filename: `<crate>-<metadata>`.
   */
  readonly key: string;
  readonly crate: string;
  /**
   * `bin`: what can be started, test harnesses too. `lib`: what others link, as an archive or a shared library. `cdylib`:
   * a shared library that no crate links.
   */
  readonly kind: 'bin' | 'lib' | 'cdylib' | 'other';
  readonly crateTypes: readonly string[];
  /** cargo's package and target, as fingerprints name them. */
  readonly packageName: string;
  readonly binName: string | null;
  readonly rustc: string;
  /** Without rustc itself. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** Set over the session's own environment in a replay. */
  readonly env: Readonly<Record<string, string>>;
  readonly extraFilename: string;
  /** cargo's deps/ (or examples/). */
  readonly outDir: string;
  /** The directory of all incremental directories. */
  readonly incrementalRoot: string;
  /** Crate name → rlib or rmeta it was compiled against. */
  readonly externs: readonly { readonly name: string; readonly path: string }[];
  /** Why this build cannot be patched, or null. */
  readonly unpatchable: string | null;
}

/** Reads a capture (see scripts.ts). Throws IPBP5014 when it is cut or of another version. */
export function readCapture(bytes: Uint8Array, where: string): Unit {
  const fields = new TextDecoder().decode(bytes).split('\0');
  const [version, cwd, count] = fields;
  const length = Number(count);
  if (version !== '1' || cwd === undefined || !(length >= 1) || fields.length < 3 + length + 1)
    throw new IpbpError('IPBP5014', 'a recorded rustc command is cut or of another version', { where });
  const [rustc = '', ...args] = fields.slice(3, 3 + length);
  const env: Record<string, string> = {};
  for (const entry of fields.slice(3 + length)) {
    const equals = entry.indexOf('=');
    if (equals > 0) env[entry.slice(0, equals)] = entry.slice(equals + 1);
  }
  return unitFrom(rustc, args, cwd, env);
}

/** Codegen options (`-C name=value`, `-Cname=value`, `--codegen …`) by name; the last one wins, as in rustc. */
export function codegenOptions(args: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const [index, argument] of args.entries()) {
    let option: string | undefined;
    if (argument === '-C' || argument === '--codegen') option = args[index + 1];
    else if (argument.startsWith('-C')) option = argument.slice(2);
    if (option === undefined) continue;
    const equals = option.indexOf('=');
    if (equals < 0) options.set(option.replaceAll('_', '-'), '');
    else options.set(option.slice(0, equals).replaceAll('_', '-'), option.slice(equals + 1));
  }
  return options;
}

/** Values of a long option, given as `--name value` or `--name=value`. */
export function optionValues(args: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (const [index, argument] of args.entries()) {
    if (argument === name) {
      const value = args[index + 1];
      if (value !== undefined) values.push(value);
    } else if (argument.startsWith(`${name}=`)) values.push(argument.slice(name.length + 1));
  }
  return values;
}

function unitFrom(rustc: string, args: readonly string[], cwd: string, env: Record<string, string>): Unit {
  const options = codegenOptions(args);
  const crate = optionValues(args, '--crate-name')[0] ?? '';
  const extraFilename = options.get('extra-filename') ?? '';
  const crateTypes = optionValues(args, '--crate-type').flatMap((types) => types.split(','));
  const externs = optionValues(args, '--extern').flatMap((value) => {
    // [modifiers:]name=path; without a path (`proc_macro`) it is one of the compiler's own.
    const equals = value.indexOf('=');
    if (equals < 0) return [];
    const name = value.slice(0, equals).split(':').at(-1) ?? '';
    return [{ name, path: resolve(cwd, value.slice(equals + 1)) }];
  });
  const outDir = optionValues(args, '--out-dir')[0] ?? '.';
  const incremental = options.get('incremental') ?? '';
  return {
    key: crate + (extraFilename === '' ? `-${options.get('metadata') ?? ''}` : extraFilename),
    crate,
    kind: kindOf(crate, crateTypes, args),
    crateTypes,
    packageName: env['CARGO_PKG_NAME'] ?? crate,
    binName: env['CARGO_BIN_NAME'] ?? null,
    rustc: isAbsolute(rustc) || !rustc.includes('/') ? rustc : resolve(cwd, rustc),
    args,
    cwd,
    env,
    extraFilename,
    outDir: resolve(cwd, outDir),
    incrementalRoot: resolve(cwd, incremental),
    externs,
    unpatchable: unpatchableReason(args),
  };
}

/** The same unit, compiled with other arguments. */
export function withArguments(unit: Unit, args: readonly string[]): Unit {
  return unitFrom(unit.rustc, args, unit.cwd, { ...unit.env });
}

function kindOf(crate: string, types: readonly string[], args: readonly string[]): Unit['kind'] {
  if (crate === 'build_script_build' || crate === 'build_script_main') return 'other';
  if (args.includes('--test') || types.includes('bin')) return 'bin';
  if (types.some((type) => type === 'lib' || type === 'rlib' || type === 'dylib')) return 'lib';
  return types.includes('cdylib') ? 'cdylib' : 'other';
}

/** Why what rustc makes with these arguments cannot be patched, or null. */
export function unpatchableReason(args: readonly string[]): string | null {
  const options = codegenOptions(args);
  const lto = options.get('lto');
  if (lto !== undefined && !['off', 'no', 'n', 'false'].includes(lto)) return `link-time optimisation (-C lto=${lto})`;
  if (options.has('linker-plugin-lto') && !['off', 'no', 'n'].includes(options.get('linker-plugin-lto') ?? ''))
    return 'link-time optimisation (-C linker-plugin-lto)';
  const coverage = options.get('instrument-coverage');
  if (coverage !== undefined && !['off', 'no', 'n', 'false', '0'].includes(coverage))
    return 'coverage (-C instrument-coverage)';
  const sanitizer = args.find((argument) => /^(-Z)?sanitizer=/.test(argument));
  return sanitizer === undefined ? null : `a sanitizer (${sanitizer})`;
}

/** What a crate is compiled for; null: for this machine. */
function targetOf({ args }: Pick<Unit, 'args'>): string | null {
  return optionValues(args, '--target')[0] ?? null;
}

function makesModule(unit: Pick<Unit, 'args'>): boolean {
  const target = targetOf(unit);
  return target !== null && isModule(target);
}

/** The file that can be started, or loaded by a page; null for a unit that makes none. */
export function programFile(unit: Unit): string | null {
  const isLoaded = unit.crateTypes.includes('cdylib') && makesModule(unit);
  return unit.kind === 'bin' || isLoaded ? outputsOf(unit).executable : null;
}

/** Whether one of its outputs is a shared library: a module is none, it is a program. */
export function isSharedLibrary(unit: Unit): boolean {
  const { kind, crateTypes } = unit;
  if (makesModule(unit)) return false;
  return (kind === 'cdylib' || kind === 'lib') && crateTypes.some((type) => type === 'cdylib' || type === 'dylib');
}

/** Files that the unit writes beside its objects. */
export function outputsOf(unit: Unit): {
  readonly executable: string;
  readonly rlib: string;
  readonly rmeta: string;
  readonly sharedLibrary: string;
  /** rustc's list of sources. */
  readonly depInfo: string;
} {
  const base = join(unit.outDir, unit.crate + unit.extraFilename);
  const lib = join(unit.outDir, `lib${unit.crate}${unit.extraFilename}`);
  return {
    executable: makesModule(unit) ? `${base}.wasm` : base,
    rlib: `${lib}.rlib`,
    rmeta: `${lib}.rmeta`,
    sharedLibrary: lib + libraryEnding(targetOf(unit)),
    depInfo: `${base}.d`,
  };
}

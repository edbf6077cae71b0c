// `ipbp init` and its undo: which configuration file of cargo is edited, which values it gets for which targets, and
// which of the user's own are called by ours from then on. The edit itself is config-edit.ts's, the scripts are
// init-scripts.ts's.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { parseSettings, readSettings, configFiles, samePath, type Setting } from './cargo-config.js';
import {
  configuredRunner,
  configuredTargets,
  configuredWrapper,
  readProject,
  type CargoProject,
} from './cargo-project.js';
import { hasOurSettings, withSettings, withoutSettings, type WantedSetting } from './config-edit.js';
import { INIT_SCRIPTS, runnerScript, writeInitScripts, type Chained, type LocalSetup } from './init-scripts.js';
import { targetTools, type TargetTools } from './target-tools.js';
import { isModule, isSupportedTarget, namedTarget, targetVariable } from './target-triple.js';

/** What was done. */
export interface InitResult {
  /** The configuration file; absolute. */
  readonly file: string;
  /** It was changed, or made. */
  readonly changed: boolean;
  readonly chained: Chained;
  /** To build the agent with, by target. */
  readonly tools: ReadonlyMap<string, TargetTools>;
  /** Targets that cargo is told to build for and that cannot be patched: nothing was set for them. */
  readonly leftAlone: readonly string[];
  /** Variables of the environment that cargo heeds instead. */
  readonly overruledBy: readonly string[];
}

/** Variables by which rustc's wrapper is set from outside; they go before every file. */
export const WRAPPER_VARIABLES = ['RUSTC_WRAPPER', 'CARGO_BUILD_RUSTC_WRAPPER'];
const WRAPPER_PATH = ['build', 'rustc-wrapper'];

/** Edits the configuration of the workspace around `directory`. Throws IPBP1003, IPBP5001, IPBP5002, IPBP5035, IPBP5036. */
export async function initProject(directory: string, local: LocalSetup): Promise<InitResult> {
  const project = await readConfigured(directory);
  const { workspaceRoot: root, hostTriple } = project;
  const file = configFile(root);
  const before = readIfThere(file);
  const original = before === null ? null : withoutSettings(before);
  const read = (path: string): string => (path === file ? (original ?? '') : readFileSync(path, 'utf8'));
  const settings = readSettings(root, [], read);
  const { targets, leftAlone } = targetsOf(settings, hostTriple);
  const runners = await Promise.all(
    targets.map(async (triple) => [triple, (await configuredRunner(root, settings, triple))?.words ?? []] as const),
  );
  const chained: Chained = { rustcWrapper: configuredWrapper(settings), runners: new Map(runners) };
  // cargo wants the same kind of value in all of its files; ours goes before, but may not be of another kind.
  const elsewhere = configFiles(root)
    .filter((path) => path !== file)
    .flatMap((path) => parseSettings(read(path), dirname(dirname(path))));
  const script = (name: string): string => `.cargo/ipbp/${name}`;
  const runnerSetting = (triple: string): WantedSetting => {
    const setting = ['target', triple, 'runner'];
    const asText = elsewhere.some(({ path, value }) => samePath(path, setting) && typeof value === 'string');
    const runner = script(runnerScript(triple, hostTriple));
    return { path: setting, value: asText ? runner : [runner] };
  };
  const wanted = [...targets.map(runnerSetting), { path: WRAPPER_PATH, value: script(INIT_SCRIPTS.rustcWrapper) }];
  const after = withSettings(original, wanted);
  writeInitScripts(root, join(root, '.cargo', 'ipbp'), chained, local, hostTriple);
  if (after !== before) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, after);
    await keepIfRead(directory, file, before);
  }
  const variables = [...WRAPPER_VARIABLES, ...targets.map((triple) => targetVariable(triple, 'RUNNER'))];
  const overruledBy = variables.filter((name) => (process.env[name] ?? '') !== '');
  const toolsOf = (triple: string): TargetTools => targetTools(settings, root, triple, hostTriple, null);
  const tools = new Map(targets.map((triple) => [triple, toolsOf(triple)]));
  return { file, changed: after !== before, chained, tools, leftAlone, overruledBy };
}

/**
 * The targets that a plain `cargo run` may start programs for: the machine's own, what `build.target` says, and those
 * that the configuration has a table for, as somebody who gives `--target` by hand does. Throws IPBP1003 where none of
 * them can be patched.
 */
function targetsOf(
  settings: readonly Setting[],
  hostTriple: string,
): { readonly targets: readonly string[]; readonly leftAlone: readonly string[] } {
  const chosen = configuredTargets(settings).map((name) => namedTarget(name, hostTriple));
  const tables = settings.flatMap(({ path: [table, name = ''] }) => (table === 'target' ? [name] : []));
  const targets = [...new Set([hostTriple, ...chosen, ...tables])].filter(
    (triple) => isSupportedTarget(triple) && !isModule(triple),
  );
  // A table alone, for a machine elsewhere, is no wish to run anything here.
  const leftAlone = [...new Set(chosen.length === 0 ? [hostTriple] : chosen)].filter((name) => !targets.includes(name));
  if (targets.length > 0) return { targets, leftAlone };
  throw new IpbpError('IPBP1003', `programs for ${leftAlone.join(', ')} cannot be patched yet`);
}

/** Takes the settings and scripts away; `changed` is false where there were none. Throws IPBP5001, IPBP5002, IPBP5036. */
export async function undoInit(directory: string): Promise<{ readonly file: string; readonly changed: boolean }> {
  const { workspaceRoot: root } = await readConfigured(directory);
  const file = configFile(root);
  const before = readIfThere(file);
  const scripts = join(root, '.cargo', 'ipbp');
  const changed = (before !== null && hasOurSettings(before)) || existsSync(scripts);
  if (before !== null && hasOurSettings(before)) restore(file, withoutSettings(before));
  rmSync(scripts, { recursive: true, force: true });
  removeIfEmpty(dirname(file), before !== null && withoutSettings(before) === null);
  return { file, changed };
}

/** cargo is the judge of its own files. Throws IPBP5036 where it cannot read them. */
async function readConfigured(directory: string): Promise<CargoProject> {
  try {
    return await readProject(directory, []);
  } catch (error) {
    if (!(error instanceof IpbpError) || error.code !== 'IPBP5002') throw error;
    const because = error.facts.because ?? [];
    if (!because.some((text) => /\bconfig(uration)?\b/.test(text) && /\.cargo\/config/.test(text))) throw error;
    throw new IpbpError('IPBP5036', 'cargo cannot read its configuration', { where: directory, because });
  }
}

/** Takes the edit back where cargo cannot read its outcome. */
async function keepIfRead(directory: string, file: string, before: string | null): Promise<void> {
  try {
    await readProject(directory, []);
  } catch (error) {
    restore(file, before);
    rmSync(join(dirname(file), 'ipbp'), { recursive: true, force: true });
    throw new IpbpError('IPBP5035', 'cargo does not take the edited configuration', { where: file, cause: error });
  }
}

function restore(file: string, text: string | null): void {
  if (text === null) rmSync(file);
  else writeFileSync(file, text);
}

function removeIfEmpty(directory: string, wasMade: boolean): void {
  if (wasMade && existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory);
}

/** The file that cargo reads: of two it takes the one without an ending. */
function configFile(root: string): string {
  const old = join(root, '.cargo', 'config');
  return existsSync(old) ? old : join(root, '.cargo', 'config.toml');
}

function readIfThere(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

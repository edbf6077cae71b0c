// `ipbp init` and its undo: which configuration file of cargo is edited, which values it gets, and which of the user's
// own are called by ours from then on. The edit itself is config-edit.ts's, the scripts are init-scripts.ts's.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { IpbpError } from '../../codes/error.js';
import { parseSettings, readSettings, configFiles, samePath } from './cargo-config.js';
import { configuredRunner, configuredWrapper, readProject, type CargoProject } from './cargo-project.js';
import { hasOurSettings, withSettings, withoutSettings, type WantedSetting } from './config-edit.js';
import { INIT_SCRIPTS, writeInitScripts, type Chained, type LocalSetup } from './init-scripts.js';
import { targetVariable } from './target-triple.js';

/** What was done. */
export interface InitResult {
  /** The configuration file; absolute. */
  readonly file: string;
  /** It was changed, or made. */
  readonly changed: boolean;
  readonly chained: Chained;
  /** Variables of the environment that cargo heeds instead. */
  readonly overruledBy: readonly string[];
  readonly targetTriple: string;
}

const WRAPPER_PATH = ['build', 'rustc-wrapper'];

/** Edits the configuration of the workspace around `directory`. Throws IPBP5001, IPBP5002, IPBP5035, IPBP5036. */
export async function initProject(directory: string, local: LocalSetup): Promise<InitResult> {
  const project = await readConfigured(directory);
  const { workspaceRoot: root, hostTriple } = project;
  const file = configFile(root);
  const before = readIfThere(file);
  const original = before === null ? null : withoutSettings(before);
  const read = (path: string): string => (path === file ? (original ?? '') : readFileSync(path, 'utf8'));
  const settings = readSettings(root, [], read);
  const runnerPath = ['target', hostTriple, 'runner'];
  const chained: Chained = {
    rustcWrapper: configuredWrapper(settings),
    runner: (await configuredRunner(root, settings, hostTriple))?.words ?? [],
  };
  // cargo wants the same kind of value in all of its files; ours goes before, but may not be of another kind.
  const elsewhere = configFiles(root)
    .filter((path) => path !== file)
    .flatMap((path) => parseSettings(read(path), dirname(dirname(path))));
  const asText = elsewhere.some(({ path, value }) => samePath(path, runnerPath) && typeof value === 'string');
  const script = (name: string): string => `.cargo/ipbp/${name}`;
  const wanted: WantedSetting[] = [
    { path: runnerPath, value: asText ? script(INIT_SCRIPTS.runner) : [script(INIT_SCRIPTS.runner)] },
    { path: WRAPPER_PATH, value: script(INIT_SCRIPTS.rustcWrapper) },
  ];
  const after = withSettings(original, wanted);
  writeInitScripts(root, join(root, '.cargo', 'ipbp'), chained, local, hostTriple);
  if (after !== before) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, after);
    await keepIfRead(directory, file, before);
  }
  const variables = ['RUSTC_WRAPPER', 'CARGO_BUILD_RUSTC_WRAPPER', targetVariable(hostTriple, 'RUNNER')];
  const overruledBy = variables.filter((name) => (process.env[name] ?? '') !== '');
  return { file, changed: after !== before, chained, overruledBy, targetTriple: hostTriple };
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

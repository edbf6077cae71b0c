// Asks what project.ts and build-settings.ts judge: cargo's view of the project, its configuration, and what its
// directories can do. Writes only into directories of its own, which it removes.
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configFiles, parseSettings, readSettings } from '../cargo/cargo-config.js';
import { optionValue, type CargoProject } from '../cargo/cargo-project.js';
import { subcommandOf } from '../cargo/cargo-run.js';
import { hasOurSettings } from '../cargo/config-edit.js';
import { cfgHolds } from '../cargo/cfg-expression.js';
import { WRAPPER_VARIABLES } from '../cargo/init-project.js';
import { targetVariable } from '../cargo/target-triple.js';
import { optionValues } from '../cargo/unit.js';
import { errorCode, findCommand } from './machine-facts.js';
import { profileOf, type BuildFacts } from './profile.js';
import type { ProjectFacts } from './project.js';

/** What can be told of a project that cargo could read. */
export function readProjectFacts(project: CargoProject): ProjectFacts {
  const { rustcWrapper, runner, buildDirectory, workspaceRoot } = project;
  return {
    project,
    wrapperIsThere: rustcWrapper !== null && findCommand(rustcWrapper) !== null,
    runnerIsThere: runner !== null && findCommand(runner.words[0] ?? '') !== null,
    init: readInit(project),
    buildDirectory: tryDirectory(buildDirectory),
    fileSystem: statfsSync(workspaceRoot).type,
  };
}

/**
 * What cargo will compile with, for these arguments.
 * @param project null where there is none: then only environment and configuration count
 * @param known what `rustc --print cfg` says of the target
 */
export function readBuild(
  directory: string,
  args: readonly string[],
  project: CargoProject | null,
  targetTriple: string,
  known: ReadonlySet<string>,
): BuildFacts {
  const settings = readSettings(directory, optionValues(args, '--config'));
  const conditions = settings.flatMap(({ path: [table, name = ''] }) =>
    table === 'target' && name.startsWith('cfg(') && cfgHolds(name, known) ? [name] : [],
  );
  const manifest = project === null ? null : join(project.workspaceRoot, 'Cargo.toml');
  const isRelease = args.some((word) => word === '--release' || /^-[vq]*r$/.test(word));
  return {
    profile: profileOf(subcommandOf(args), optionValue(args, '--profile'), isRelease),
    targetTriple,
    env: process.env,
    settings,
    manifest: manifest === null ? [] : parseSettings(readFileSync(manifest, 'utf8'), dirname(manifest)),
    heldConditions: new Set(conditions),
  };
}

function readInit({ workspaceRoot, targetTriple }: CargoProject): ProjectFacts['init'] {
  const [own] = configFiles(workspaceRoot).filter((file) => dirname(dirname(file)) === workspaceRoot);
  const variables = [...WRAPPER_VARIABLES, targetVariable(targetTriple, 'RUNNER')];
  return {
    isSet: own !== undefined && hasOurSettings(readFileSync(own, 'utf8')),
    overruledBy: variables.filter((name) => (process.env[name] ?? '') !== ''),
  };
}

/** The directory need not exist yet: then the nearest one above it stands for it. */
function tryDirectory(path: string): ProjectFacts['buildDirectory'] {
  let place = path;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  let own: string;
  try {
    own = mkdtempSync(join(place, '.ipbp-doctor-'));
  } catch (error) {
    return { writes: errorCode(error), hardLinks: true, executes: true };
  }
  try {
    const script = join(own, 'script');
    const writes = outcome(() => writeFileSync(script, '#!/bin/sh\nexit 0\n', { mode: 0o755 }));
    if (writes !== true) return { writes, hardLinks: true, executes: true };
    return {
      writes,
      hardLinks: outcome(() => linkSync(script, join(own, 'link'))),
      executes: outcome(() => execFileSync(script, { stdio: 'ignore' })),
    };
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function outcome(work: () => unknown): true | string {
  try {
    work();
    return true;
  } catch (error) {
    return errorCode(error);
  }
}

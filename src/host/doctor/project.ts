// Checks of the project besides what it is compiled with (build-settings.ts): what cargo says of it, which of its
// crates are followed, what is chained, and what its directories can do. Functions over facts (project-facts.ts).
import type { CargoProject } from '../cargo/cargo-project.js';
import { isModule, isWasi } from '../cargo/target-triple.js';
import { missing, ok, warning, type Finding } from './finding.js';

/** The project, where cargo could read one. */
export interface ProjectFacts {
  readonly project: Pick<
    CargoProject,
    'buildDirectory' | 'workspaceRoot' | 'packages' | 'rustcWrapper' | 'runner' | 'targetTriple' | 'emulated'
  >;
  /** Whether the first word of each can be run. */
  readonly wrapperIsThere: boolean;
  readonly runnerIsThere: boolean;
  /** What `ipbp init` wrote is in force; variables of the environment that go before it. */
  readonly init: { readonly isSet: boolean; readonly overruledBy: readonly string[] };
  /** What was tried in the target directory, or beside where it will be: done, or the system's error. */
  readonly buildDirectory: {
    readonly writes: true | string;
    readonly hardLinks: true | string;
    readonly executes: true | string;
  };
  /** Of the file system that holds the sources: `f_type` of statfs(2). */
  readonly fileSystem: number;
}

/** Where there is no project: why, and whether one was meant (a manifest that is there, or was named). */
export interface NoProject {
  readonly reason: string;
  readonly isMeant: boolean;
}

/** All checks of a project but what it is compiled with. */
export function checkProject(facts: ProjectFacts): Finding[] {
  return [
    ok('project.manifest', `${counted(facts.project.packages.length, 'package')} in ${facts.project.workspaceRoot}`),
    ...checkCrates(facts),
    checkWrapper(facts),
    checkRunner(facts),
    checkInit(facts),
    checkTargetDirectory(facts),
    checkWatching(facts),
  ];
}

/** What is said in the place of those. */
export function checkNoProject({ reason, isMeant }: NoProject): Finding {
  const check = 'project.manifest';
  const remedy = 'Change into a cargo project, or give --manifest-path.';
  if (!isMeant)
    return warning(check, 'no cargo project here: only machine and toolchain were checked', remedy, 'IPBP5002');
  return missing(check, `cargo cannot read the project: ${reason}`, 'Mend what cargo says.', 'IPBP5002');
}

/** Which crates ipbp follows, and which cargo alone can build. */
function checkCrates({ project: { packages, targetTriple } }: ProjectFacts): Finding[] {
  const check = 'project.crates';
  const crates = packages.flatMap((one) => one.crates.map((crate) => ({ ...crate, package: one.name })));
  const named = (...kinds: readonly string[]): string[] => [
    ...new Set(crates.filter((crate) => crate.kinds.some((kind) => kinds.includes(kind))).map(({ name }) => name)),
  ];
  const programs = named('bin', 'example', ...(isModule(targetTriple) ? ['cdylib'] : []));
  const libraries = named('lib', 'rlib', 'dylib');
  const macros = named('proc-macro');
  const scripted = packages
    .filter((one) => one.crates.some(({ kinds }) => kinds.includes('custom-build')))
    .map(({ name }) => name);
  const byCargo = [
    ...macros.map((name) => `macro crate ${name}`),
    ...scripted.map((name) => `build script of ${name}`),
  ];
  const rest = byCargo.length === 0 ? '' : `; an edit of these is built by cargo (IPBP5011): ${byCargo.join(', ')}`;
  const followed = [...new Set([...programs, ...libraries])];
  return [
    programs.length === 0
      ? warning(
          check,
          `no program in the workspace${rest}`,
          `ipbp run needs a binary or an example; the tests of a library can be run by --lib or --test NAME.`,
        )
      : ok(check, `edits go live in ${followed.join(', ')}, as far as the program uses them${rest}`),
  ];
}

/** True for the scripts of `ipbp init`. */
function isOurs(word: string, { workspaceRoot }: ProjectFacts['project']): boolean {
  return word.startsWith(`${workspaceRoot}/.cargo/ipbp/`);
}

const INIT_AGAIN = 'Run ipbp init again, or ipbp init --undo.';

function checkWrapper({ project, wrapperIsThere }: ProjectFacts): Finding {
  const check = 'project.rustc-wrapper';
  const { rustcWrapper } = project;
  if (rustcWrapper === null) return ok(check, 'none');
  const remedy = isOurs(rustcWrapper, project)
    ? INIT_AGAIN
    : 'Install it, or take it out of RUSTC_WRAPPER or build.rustc-wrapper.';
  if (!wrapperIsThere)
    return missing(check, `${rustcWrapper} is named as rustc's wrapper, and cannot be run`, remedy, 'IPBP5008');
  if (isOurs(rustcWrapper, project)) return ok(check, "ipbp init's");
  return ok(check, `${rustcWrapper}, which ipbp run calls behind its own`);
}

function checkRunner({ project, runnerIsThere }: ProjectFacts): Finding {
  const check = 'project.runner';
  const { runner, buildDirectory } = project;
  if (runner === null && isModule(project.targetTriple))
    return ok(check, isWasi(project.targetTriple) ? 'none: ipbp run starts the program in Node' : 'none: pages run it');
  if (runner === null && project.emulated)
    return missing(
      check,
      `nothing on this machine runs programs for ${project.targetTriple}`,
      `Name what does: [target.${project.targetTriple}] runner = […] in .cargo/config.toml.`,
      'IPBP5001',
    );
  if (runner === null) return ok(check, 'none');
  const words = runner.words.join(' ');
  const [program = ''] = runner.words;
  const remedy = isOurs(program, project) ? INIT_AGAIN : "Install it, or take it out of cargo's configuration.";
  if (!runnerIsThere) return missing(check, `${words} is named as the runner, and cannot be run`, remedy, 'IPBP5001');
  if (runner.asText && /\s/.test(buildDirectory))
    return missing(
      check,
      `${words} is written as one text, and the path of the target directory has a blank`,
      'Write the runner as a list in .cargo/config.toml, or choose a --target-dir without blanks.',
      'IPBP5021',
    );
  if (isOurs(program, project)) return ok(check, "ipbp init's");
  return ok(check, `${words}, which ipbp run calls ${project.emulated ? 'behind' : 'before'} its own`);
}

/** Whether a plain `cargo run` is followed. */
function checkInit({ init, project }: ProjectFacts): Finding {
  const check = 'project.init';
  if (!init.isSet) return ok(check, 'not in use: programs are followed that ipbp run starts');
  const { runner, targetTriple } = project;
  if (init.overruledBy.length === 0) {
    if (runner !== null && isOurs(runner.words[0] ?? '', project)) return ok(check, 'a plain cargo run is followed');
    const message = `a plain cargo run is not followed: no runner of ipbp's is set for ${targetTriple}`;
    return warning(check, message, INIT_AGAIN);
  }
  return warning(
    check,
    `a plain cargo run is not followed: ${init.overruledBy.join(', ')} in the environment goes before what ipbp init wrote`,
    'Move that setting into .cargo/config.toml and run ipbp init again, which chains it; or use ipbp run.',
    'IPBP5039',
  );
}

/** Sessions keep hard links of objects below it, and scripts that cargo calls. */
function checkTargetDirectory({ project, buildDirectory }: ProjectFacts): Finding {
  const check = 'project.target-directory';
  const path = project.buildDirectory;
  const elsewhere = 'Choose another one: --target-dir, CARGO_TARGET_DIR, build.target-dir or build.build-dir.';
  if (buildDirectory.writes !== true)
    return missing(check, `${path} cannot be written to (${buildDirectory.writes})`, elsewhere, 'IPBP5014');
  if (buildDirectory.executes !== true)
    return missing(
      check,
      `nothing can be executed in ${path} (${buildDirectory.executes}): is it mounted noexec?`,
      elsewhere,
      'IPBP5001',
    );
  if (buildDirectory.hardLinks !== true)
    return warning(
      check,
      `no hard links in ${path} (${buildDirectory.hardLinks}): objects are copied, and rustc's own sessions too`,
      elsewhere,
    );
  return ok(check, path);
}

/** File systems where changes made on another machine give no event here (statfs(2), linux/magic.h). */
const REMOTE: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x01021997, '9p (a folder of a virtual machine, or of Windows under WSL)'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x786f4256, 'VirtualBox shared folder'],
  [0x65735546, 'FUSE'],
]);

function checkWatching({ project: { workspaceRoot }, fileSystem }: ProjectFacts): Finding {
  const check = 'project.watching';
  const remote = REMOTE.get(fileSystem);
  if (remote === undefined) return ok(check, `changes below ${workspaceRoot} are seen`);
  return warning(
    check,
    `the sources are on ${remote}: a save that is made on its other side may not be seen`,
    'Save on this machine, or keep the sources on a local file system.',
  );
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

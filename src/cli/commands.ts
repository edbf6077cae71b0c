// The commands: names, options, help and examples. What a command does is in its own file, which is loaded when it
// runs and not before: `ipbp --help` must not wait for the engine.
import { Command, Option } from 'commander';
import { IpbpError } from '../codes/error.js';
import type { Outcome } from './outcome.js';
import type { Output, OutputOptions } from './output.js';
import { moduleOptions, type ModuleFlags } from './run-arguments.js';

/** What commands.ts needs of whoever runs the command line. */
export interface Runner {
  /** For a command's options. */
  createOutput(options: OutputOptions): Output;
  /** Called once, by the command that ran. */
  finished(outcome: Outcome): void;
  /** Arguments of the program that `run` starts, and those of `link`: they never reach commander. */
  readonly programArguments: readonly string[];
}

/** Flags that every command has. */
interface CommonFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** A command as it is listed: everything but what it does. */
interface Listing {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** Lines of example, without indentation. */
  readonly examples: readonly string[];
}

function define(listing: Listing): Command {
  return new Command(listing.name)
    .summary(listing.summary)
    .description(listing.description)
    .option('--json', 'one JSON object per line on stdout, and nothing else there')
    .option('--quiet', 'errors and refusals only')
    .option('--verbose', 'everything: full names, reasons, times, stacks of internal errors')
    .addHelpText('after', exampleText(listing.examples));
}

function exampleText(examples: readonly string[]): string {
  return `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${examples.map((example) => `  ${example}`).join('\n')}\n`;
}

/** The whole command line. */
export function buildCommands(runner: Runner, version: string): Command {
  const output = ({ json = false, quiet = false, verbose = false }: CommonFlags): Output =>
    runner.createOutput({ json, quiet, verbose });
  return new Command('ipbp')
    .description('Patches a Rust program while it runs: save a file, and the running program does the new thing.')
    .version(version, '-V, --version')
    .enablePositionalOptions()
    .showHelpAfterError('(see ipbp --help)')
    .addHelpText(
      'after',
      exampleText(['cd my-project && ipbp run', 'ipbp run --release -p server -- --port 8080', 'ipbp run --help']),
    )
    .addCommand(runCommand(runner, output))
    .addCommand(initCommand(runner, output))
    .addCommand(attachCommand(runner, output), { hidden: true })
    .addCommand(buildPatchCommand(runner, output))
    .addCommand(diffCommand(runner, output))
    .addCommand(applyCommand(runner, output))
    .addCommand(undoCommand(runner, output))
    .addCommand(redoCommand(runner, output))
    .addCommand(statusCommand(runner, output))
    .addCommand(linkCommand(runner, output, version))
    .addCommand(dumpCommand(runner, output))
    .addCommand(doctorCommand(runner, output));
}

type MakeOutput = (flags: CommonFlags) => Output;

/** Options of `ipbp run` as commander gives them. */
interface RunFlags extends CommonFlags, ModuleFlags {
  readonly onRefusal?: 'ask' | 'restart' | 'continue';
  readonly redirect: 'jump' | 'slots' | 'auto';
  readonly deliver: 'map' | 'dylib' | 'auto';
  readonly build: boolean;
  readonly agentThread: boolean;
  readonly open?: boolean;
}

function redirectOption(): Option {
  return new Option('--redirect <how>', 'how callers reach new code')
    .choices(['jump', 'slots', 'auto'])
    .default('auto');
}

function runCommand(runner: Runner, output: MakeOutput): Command {
  return define({
    name: 'run',
    summary: 'build with cargo, start the program, patch it at every save',
    description: [
      'Builds with your cargo, starts the program with the agent in it, follows the sources and patches the running',
      "program at every save until it ends; the exit status is the program's. All other options are cargo run's own;",
      'with --test NAME, --lib or --bench NAME cargo test or cargo bench is asked instead.',
      '',
      'A module for pages (a cdylib, --target wasm32-unknown-unknown) is served with the page that loads it, and all pages that',
      'are open are patched: the folder with index.html is --serve DIR, else the first of web, www, static, public and the',
      "package's own that has one. The module is served under its own name in whatever folder it is asked for (app.wasm).",
      'A WASI program (wasm32-wasip1) is started in Node.',
      '',
      "The terminal is the program's. What ipbp says goes to stderr, a line or two per save; when the program draws on",
      'the whole screen use --quiet (errors and refusals only) or send stderr elsewhere: ipbp run 2>ipbp.log',
    ].join('\n'),
    examples: [
      'ipbp run',
      'ipbp run --release -p server --features tls -- --port 8080',
      'ipbp run --target wasm32-unknown-unknown --serve www --open',
      'ipbp run --target wasm32-unknown-unknown --build-page "trunk build" --serve dist',
    ],
  })
    .usage("[options] [cargo run's own options] [-- program's arguments]")
    .argument('[options...]', "cargo run's own options")
    .addOption(
      new Option(
        '--on-refusal <what>',
        'when a change cannot be patched in (ask only where the terminal is free)',
      ).choices(['ask', 'restart', 'continue']),
    )
    .addOption(redirectOption())
    .addOption(new Option('--deliver <how>', 'how new code comes in').choices(['map', 'dylib', 'auto']).default('auto'))
    .option('--no-build', 'start no build: patch what a cargo build of yours, or of an editor, compiles')
    .option('--no-agent-thread', 'no thread of the agent in the program')
    .option('--serve <dir>', 'the folder with the page of a module')
    .option('--build-page <command>', 'what makes that page of the module, each time it is built: trunk build')
    .option('--port <port>', 'where its pages are served; any that is free')
    .option('--open', 'open its page in the browser')
    .option(
      '--patchable <crates>',
      'crates of a module whose functions can be patched, by commas; all of the workspace',
    )
    .allowUnknownOption()
    .action(async (cargoArguments: string[], flags: RunFlags) => {
      const { run } = await import('./run.js');
      const { onRefusal, redirect, deliver, build, agentThread, open = false } = flags;
      runner.finished(
        await run(
          {
            cargoArguments,
            programArguments: runner.programArguments,
            onRefusal: onRefusal ?? 'default',
            redirect,
            deliver,
            noBuild: !build,
            noAgentThread: !agentThread,
            ...moduleOptions(flags),
            open,
          },
          output(flags),
        ),
      );
    });
}

interface InitFlags extends CommonFlags {
  readonly undo?: boolean;
}

function initCommand(runner: Runner, output: MakeOutput): Command {
  return define({
    name: 'init',
    summary: 'have a plain cargo run patch the program at every save',
    description: [
      "Sets cargo's runner and build.rustc-wrapper in the workspace's .cargo/config.toml, so that a plain cargo run does",
      'what ipbp run does; a runner and a wrapper that are there go on being called. With IPBP=0, with CI set, without Node',
      'or ipbp, and for tests and benches, programs start as ever. IPBP=quiet and IPBP=verbose say less and more.',
    ].join('\n'),
    examples: ['ipbp init && cargo run', 'ipbp init --undo'],
  })
    .option('--undo', 'take that away again; the file is as it was')
    .action(async (flags: InitFlags) => {
      const { init, uninit } = await import('./init.js');
      runner.finished(await (flags.undo === true ? uninit : init)(output(flags)));
    });
}

function attachCommand(runner: Runner, output: MakeOutput): Command {
  return define({
    name: 'attach',
    summary: 'follow a program that cargo starts',
    description: "What the runner of ipbp init calls: follows the program that waits at a runner's gate.",
    examples: ['cargo run'],
  })
    .argument('<gate>', "directory with the runner's fifo")
    .argument('<pid>', 'of the runner, which becomes the program')
    .argument('<program>', 'the executable')
    .action(async (gate: string, pid: string, program: string, flags: CommonFlags) => {
      const { attach } = await import('./attach.js');
      runner.finished(await attach({ gate, pid: Number(pid), program }, output(flags)));
    });
}

interface ObjectFlags extends CommonFlags {
  readonly old: string[];
  readonly new: string[];
}

const OLD = [
  '--old <path...>',
  'objects before: object files, archives, directories of objects, incremental directories',
] as const;
const NEW = ['--new <path...>', 'objects after, likewise'] as const;

interface BuildPatchFlags extends ObjectFlags {
  readonly base: string;
  readonly lib: string[];
  readonly after: string[];
  readonly output: string;
  readonly emit: 'image' | 'dylib' | 'wasm';
  readonly redirect: RunFlags['redirect'];
  readonly explain?: boolean;
}

function buildPatchCommand(runner: Runner, output: MakeOutput): Command {
  return define({
    name: 'build-patch',
    summary: 'make a patch file from objects before and after',
    description:
      'Compares the objects before and after and links what changed against the executable: a patch file that any\nprocess of that build accepts (ipbp apply). Needs no running program.',
    examples: [
      'ipbp build-patch --base target/debug/app --old before/ --new target/debug/incremental/app-1x2y3z -o fix.ipbp',
    ],
  })
    .requiredOption('--base <exe>', 'the executable that runs, as it was built')
    .requiredOption(...OLD)
    .requiredOption(...NEW)
    .option('--lib <rlib...>', 'archives to take newly needed functions from', [])
    .option('--after <patch...>', 'patch files that are live before this one, in order', [])
    .requiredOption('-o, --output <file>', 'where to write the patch')
    .addOption(new Option('--emit <what>', 'form of the patch').choices(['image', 'dylib', 'wasm']).default('image'))
    .addOption(redirectOption())
    .option('--explain', 'say of every changed item why it counts as changed')
    .action(async (flags: BuildPatchFlags) => {
      const { buildPatch } = await import('./build-patch.js');
      const { output: file, explain = false } = flags;
      runner.finished(await buildPatch({ ...flags, file, explain }, output(flags)));
    });
}

function diffCommand(runner: Runner, output: MakeOutput): Command {
  return define({
    name: 'diff',
    summary: 'say which functions and data differ between two sets of objects, and why',
    description:
      'Compares two sets of objects by meaning: code that only moved is equal. For an incremental directory the newest\nfinished session counts.',
    examples: ['ipbp diff --old before.o --new after.o', 'ipbp diff --json --old libold.rlib --new libnew.rlib'],
  })
    .requiredOption(...OLD)
    .requiredOption(...NEW)
    .action(async (flags: ObjectFlags) => {
      const { diff } = await import('./diff.js');
      runner.finished(await diff({ old: flags.old, new: flags.new }, output(flags)));
    });
}

interface SessionFlags extends CommonFlags {
  readonly session?: string;
}

const SESSION = ['--session <id>', 'which ipbp run, where several are under way'] as const;

/** A count on the command line. Throws IPBP5901. */
function count(text: string | undefined): number {
  if (text === undefined) return 1;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new IpbpError('IPBP5901', 'not a count of patches', { actual: text, expected: 'a number from 1 on' });
}

function applyCommand(runner: Runner, output: MakeOutput): Command {
  return define({
    name: 'apply',
    summary: 'apply a patch file to a running program',
    description: 'Applies a patch file of ipbp build-patch to the program of a running ipbp run.',
    examples: ['ipbp apply fix.ipbp'],
  })
    .argument('<file>', 'the patch file')
    .option(...SESSION)
    .action(async (file: string, flags: SessionFlags) => {
      const { apply } = await import('./apply.js');
      runner.finished(await apply(file, flags.session ?? null, output(flags)));
    });
}

function undoCommand(runner: Runner, output: MakeOutput): Command {
  return define({
    name: 'undo',
    summary: 'take back the newest patch, or the newest N',
    description: 'Takes back the newest patch of a running program, or the newest N, one by one.',
    examples: ['ipbp undo', 'ipbp undo 3'],
  })
    .argument('[n]', 'how many')
    .option(...SESSION)
    .action(async (n: string | undefined, flags: SessionFlags) => {
      const { undo } = await import('./apply.js');
      runner.finished(await undo(count(n), flags.session ?? null, output(flags)));
    });
}

function redoCommand(runner: Runner, output: MakeOutput): Command {
  return define({
    name: 'redo',
    summary: 'apply again what undo took back',
    description: 'Applies again what undo took back: the last of it, or N, one by one.',
    examples: ['ipbp redo', 'ipbp redo 3'],
  })
    .argument('[n]', 'how many')
    .option(...SESSION)
    .action(async (n: string | undefined, flags: SessionFlags) => {
      const { redo } = await import('./apply.js');
      runner.finished(await redo(count(n), flags.session ?? null, output(flags)));
    });
}

function statusCommand(runner: Runner, output: MakeOutput): Command {
  return define({
    name: 'status',
    summary: 'say what runs and which patches are live in it',
    description: 'Says of a running ipbp run which program it follows and which patches are live in it.',
    examples: ['ipbp status', 'ipbp status --json'],
  })
    .option(...SESSION)
    .action(async (flags: SessionFlags) => {
      const { status } = await import('./apply.js');
      runner.finished(await status(flags.session ?? null, output(flags)));
    });
}

function linkCommand(runner: Runner, output: MakeOutput, version: string): Command {
  return define({
    name: 'link',
    summary: 'link a shared object or a dylib, with the options of ld',
    description: [
      "Links objects, archives and libraries to a shared object, or for Apple's systems to a dylib. Takes the options of ld, or",
      'with -dylib those of ld64, as gcc, clang and rustc write them; one',
      'that would change the result and is not supported is refused. The folder linker/ of the package holds an ld that calls',
      'this, for gcc -B and rustc.',
    ].join('\n'),
    examples: [
      'ipbp link -shared -o libfoo.so foo.o -L/usr/lib -lm --gc-sections',
      'gcc -B node_modules/ipbp/linker -shared -o libfoo.so foo.o',
      'ipbp link -dylib -arch arm64 -platform_version macos 11.0 14.0 -syslibroot SDK -lSystem -o libfoo.dylib foo.o',
    ],
  })
    .usage("[options] [ld's options] <file...>")
    .action(async (flags: CommonFlags) => {
      const { linkOnce } = await import('./link.js');
      runner.finished(linkOnce(runner.programArguments, version, output(flags)));
    });
}

interface DumpFlags extends CommonFlags {
  readonly member?: string;
  readonly section?: string;
}

function dumpCommand(runner: Runner, output: MakeOutput): Command {
  return define({
    name: 'dump',
    summary: 'show what the readers see in a file',
    description:
      "Shows what the readers see: headers, sections, symbols, relocations, unwind records and thread-locals of an object,\nan executable, an archive's members or a patch file.",
    examples: ['ipbp dump target/debug/app', 'ipbp dump --member std.o libstd.rlib', 'ipbp dump fix.ipbp'],
  })
    .argument('<file>', 'object, executable, shared library, archive or patch file')
    .option('--member <name>', "one of an archive's members; without it an archive's members are listed")
    .option('--section <name>', 'only sections of this name, with their symbols and relocations')
    .action(async (file: string, flags: DumpFlags) => {
      const { dump } = await import('./dump.js');
      const { member = null, section = null } = flags;
      runner.finished(await dump({ file, member, section }, output(flags)));
    });
}

function doctorCommand(runner: Runner, output: MakeOutput): Command {
  return define({
    name: 'doctor',
    summary: 'check machine, toolchain and project, and say how to mend what is missing',
    description: [
      'Checks the machine, the toolchain and the project for what ipbp needs, and says how to mend what is missing.',
      "Takes cargo run's own options, as ipbp run does: --release or --profile say which profile is looked at. Builds and",
      'changes nothing; ends with 1 when something is missing without which ipbp run cannot work.',
    ].join('\n'),
    examples: ['ipbp doctor', 'ipbp doctor --release --manifest-path server/Cargo.toml'],
  })
    .usage("[options] [cargo run's own options]")
    .argument('[options...]', "cargo run's own options")
    .allowUnknownOption()
    .action(async (cargoArguments: string[], flags: CommonFlags) => {
      const { doctor } = await import('./doctor.js');
      runner.finished(await doctor(cargoArguments, output(flags)));
    });
}

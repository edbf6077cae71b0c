// One command line, from arguments to an outcome: parses, runs the command, tells every error. Ends no process; the
// commands are in commands.ts.
import { CommanderError } from 'commander';
import { IpbpError } from '../codes/error.js';
import { buildCommands } from './commands.js';
import { errorRecord, exitStatus, renderError, toIpbpError } from './failure.js';
import { DONE, STATUS, type Outcome } from './outcome.js';
import { createOutput } from './output.js';
import type { Output, OutputOptions, Surroundings } from './output.js';
import { splitLinkArguments, splitRunArguments } from './run-arguments.js';

/** Runs one command line, without the name of the program. Every error ends here. */
export async function runCommandLine(
  args: readonly string[],
  surroundings: Surroundings,
  version: string,
): Promise<Outcome> {
  const open = (options: OutputOptions): Output => createOutput(options, surroundings);
  // Until the command's own options are read, an error is told as they will most likely say.
  const before = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  let output = open({ json: before.includes('--json'), quiet: false, verbose: before.includes('--verbose') });
  let outcome: Outcome = DONE;
  try {
    const [name = ''] = args;
    const takesCargos = name === 'run' || name === 'doctor';
    const linking = name === 'link' ? splitLinkArguments(args.slice(1)) : null;
    const { options, program } = linking ?? splitRunArguments(takesCargos ? args.slice(1) : []);
    const commands = buildCommands(
      {
        programArguments: program,
        createOutput: (wanted) => (output = open(wanted)),
        finished: (result) => (outcome = result),
      },
      version,
    );
    for (const command of [commands, ...commands.commands])
      command.exitOverride().configureOutput({ writeOut: (text) => surroundings.stdout.write(text), writeErr: silent });
    if (args.length === 0) {
      // Whoever types the bare name wants to know what there is.
      output.alert(commands.helpInformation().trimEnd());
      return { kind: 'status', status: STATUS.usage };
    }
    await commands.parseAsync(takesCargos || linking !== null ? [name, ...options] : args, { from: 'user' });
    return outcome;
  } catch (error) {
    return error instanceof CommanderError ? wrongArguments(error, output) : failed(error, output);
  }
}

/** commander says what is wrong by an exception too: that one is told, in our form. */
function silent(): void {}

/** Help and version come as exceptions too, with status 0. */
function wrongArguments(error: CommanderError, output: Output): Outcome {
  if (error.exitCode === 0) return DONE;
  const summary = error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
  return failed(new IpbpError('IPBP5901', summary === '(outputHelp)' ? 'a command is missing' : summary), output);
}

function failed(thrown: unknown, output: Output): Outcome {
  const error = toIpbpError(thrown);
  output.record(errorRecord(error));
  output.alert(renderError(error, output).join('\n'));
  return { kind: 'status', status: exitStatus(error) };
}

// `ipbp run`: starts a session, shows its events, passes signals on and ends as the program ended. What a session does
// is in host/session/session.ts.
import { constants } from 'node:os';
import type { DeliverMode, ProgramExit, RedirectMode, RefusalPolicy, SessionEvent } from '../host/events.js';
import { readProject } from '../host/cargo/cargo-project.js';
import type { Session } from '../host/session/session.js';
import type { RefusedItem } from '../patch/engine.js';
import { ask } from './ask.js';
import { openInBrowser } from './browser.js';
import type { Outcome } from './outcome.js';
import type { Output } from './output.js';
import { renderEvent, renderRefusal } from './render.js';

/** `ipbp run`'s arguments. */
export interface RunOptions {
  readonly cargoArguments: readonly string[];
  readonly programArguments: readonly string[];
  readonly onRefusal: RefusalPolicy | 'default';
  readonly redirect: RedirectMode;
  readonly deliver: DeliverMode;
  readonly noBuild: boolean;
  readonly noAgentThread: boolean;
  /** Of a module for pages: its page's folder, the port, and whether a browser is opened. */
  readonly buildPage?: string;
  readonly serve?: string;
  readonly port?: number;
  /** Crates of a module whose functions can be patched. */
  readonly patchable?: readonly string[];
  readonly open: boolean;
}

/**
 * The terminal sends SIGINT to its whole foreground group: the program decides what to do with it, and ipbp stays until
 * it has. SIGTERM and SIGHUP are for ipbp alone, and end the program.
 */
function handleSignals(pass: (signal: 'SIGTERM' | 'SIGHUP') => void, interrupted: () => void): void {
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', () => pass('SIGTERM'));
  process.on('SIGHUP', () => pass('SIGHUP'));
}

/** How ipbp ends when its program ended so; as a shell has it, death by signal n is status 128 + n. */
export function outcomeOf({ code, signal }: ProgramExit): Outcome {
  if (signal === null) return { kind: 'status', status: code ?? 1 };
  const number = Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0;
  return { kind: 'signal', signal, status: 128 + number };
}

/** Runs until the program ends; its status, or its signal, is ours. */
export async function run(options: RunOptions, output: Output): Promise<Outcome> {
  let compileMs: number | null = null;
  let opened = false;
  const show = (event: SessionEvent): void => {
    if (event.event === 'change') compileMs = null;
    if (event.event === 'compiled') compileMs = event.ms;
    output.record(event);
    if (event.event === 'ready' && event.url !== undefined && !opened && options.open) {
      opened = true;
      openInBrowser(event.url);
    }
    const { color, quiet, verbose } = output;
    // Errors and refusals are what --quiet leaves over, so there is nothing more to hold back here.
    for (const line of renderEvent(event, { color, quiet, verbose, compileMs })) output.alert(line);
    if (event.event === 'patched' || event.event === 'unchanged') compileMs = null;
  };
  let interrupted = false;
  let session: Session | null = null;
  handleSignals(
    (signal) => {
      // Before there is a session there is nothing to end but ipbp itself.
      if (session === null) process.exit(outcomeOf({ code: null, signal }).status);
      session.stop(signal);
    },
    () => {
      interrupted = true;
      session?.interrupt();
    },
  );
  const directory = process.cwd();
  const cargoArguments = output.quiet ? ['--quiet', ...options.cargoArguments] : options.cargoArguments;
  // cargo and rustc answer while the session is loaded.
  const project = readProject(directory, cargoArguments);
  project.catch(() => {}); // Awaited by the session.
  try {
    const { startSession } = await import('../host/session/session.js');
    const started = await startSession(
      {
        directory,
        cargoArguments,
        programArguments: options.programArguments,
        onRefusal: options.onRefusal,
        redirect: options.redirect,
        deliver: options.deliver,
        noBuild: options.noBuild,
        noAgentThread: options.noAgentThread,
        ...(options.serve === undefined ? {} : { serve: options.serve }),
        ...(options.buildPage === undefined ? {} : { buildPage: options.buildPage }),
        ...(options.port === undefined ? {} : { port: options.port }),
        ...(options.patchable === undefined ? {} : { patchable: options.patchable }),
        json: output.json,
        color: output.color,
        askRestart: (items) => askRestart(items, output),
      },
      show,
      project,
    );
    session = started;
    return outcomeOf(await started.done);
  } catch (error) {
    // Ctrl-C while cargo builds ends cargo: that is what was wanted, and no failure to tell of.
    if (interrupted) return outcomeOf({ code: null, signal: 'SIGINT' });
    throw error;
  }
}

/** The refusals were not shown yet: the event follows the answer. */
function askRestart(items: readonly RefusedItem[], output: Output): Promise<boolean> {
  for (const item of items) for (const line of renderRefusal(item, output)) output.alert(line);
  return ask('ipbp  restart the program?');
}

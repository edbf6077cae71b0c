// `ipbp attach GATE PID PROGRAM`, which the runner of `ipbp init` calls and people do not: takes the part of `ipbp run`
// for a program that cargo started by itself. It ends with the program; nobody sees its status. All it says goes to
// stderr, beside the program's own.
import { rmSync } from 'node:fs';
import { IpbpError } from '../codes/error.js';
import { CODES } from '../codes/table.js';
import type { AttachedProgram, SessionEvent } from '../host/events.js';
import { makingOf } from '../host/session/attach-arguments.js';
import { startSession } from '../host/session/session.js';
import { DONE, type Outcome } from './outcome.js';
import type { Output } from './output.js';
import { renderEvent } from './render.js';

/** What cargo sets for a program that it runs (cargo 1.95, "Environment variables"); no build may see it. */
const OF_CARGO_RUN = /^CARGO$|^CARGO_(MANIFEST|PKG)_|^CARGO_(CRATE_NAME|BIN_NAME|PRIMARY_PACKAGE)$|^OUT_DIR$/;

/** Follows the program until it ends. */
export async function attach(attached: AttachedProgram, output: Output): Promise<Outcome> {
  // The terminal sends these to all of its foreground group: what they mean is the program's to say.
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => undefined);
  const quiet = process.env['IPBP'] === 'quiet';
  const verbose = process.env['IPBP'] === 'verbose';
  let compileMs: number | null = null;
  const show = (event: SessionEvent): void => {
    if (event.event === 'change') compileMs = null;
    if (event.event === 'compiled') compileMs = event.ms;
    for (const line of renderEvent(event, { color: output.color, quiet, verbose, compileMs })) output.alert(line);
    if (event.event === 'patched' || event.event === 'unchanged') compileMs = null;
    if (event.event === 'refused') output.alert('        end it and run cargo run again for the new code');
  };
  try {
    const making = await makingOf(attached.program);
    const ofCargo = Object.keys(process.env).filter((name) => OF_CARGO_RUN.test(name));
    for (const name of [...ofCargo, ...making.variables]) Reflect.deleteProperty(process.env, name);
    const session = await startSession(
      {
        directory: process.cwd(),
        cargoArguments: making.args,
        programArguments: [],
        onRefusal: 'continue',
        redirect: 'auto',
        deliver: 'auto',
        noBuild: false,
        json: false,
        color: output.color,
        attached,
      },
      show,
    );
    await session.done;
    // Its runner has done so, unless it was ended there.
    rmSync(attached.gate, { recursive: true, force: true });
  } catch (error) {
    if (!quiet) output.alert(`ipbp  note  the program runs unpatched: ${reason(error)}`);
  }
  return DONE;
}

function reason(error: unknown): string {
  if (!(error instanceof IpbpError)) return error instanceof Error ? error.message : String(error);
  return `${error.summary} (${error.code}). ${CODES[error.code].remedy}`;
}

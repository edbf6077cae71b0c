// `ipbp init` and `ipbp init --undo`: says what was written where. What is written is host/cargo/init-project.ts's.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IpbpError } from '../codes/error.js';
import { agentLibrary } from '../host/agent/agent-build.js';
import { initProject, undoInit } from '../host/cargo/init-project.js';
import { linkSettings } from '../host/cargo/slot-environment.js';
import { CODES } from '../codes/table.js';
import { DONE, type Outcome } from './outcome.js';
import type { Output } from './output.js';

/** Writes the two settings and the scripts behind them, and builds the agent, so that the first `cargo run` need not wait. */
export async function init(output: Output): Promise<Outcome> {
  const result = await initProject(process.cwd(), {
    node: process.execPath,
    nodeOptions: process.execArgv,
    program: fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'main.ts' : 'main.js', import.meta.url)),
    links: (targetTriple) => linkSettings('auto', targetTriple),
  });
  const { file, changed, chained, overruledBy, targetTriple } = result;
  output.record({ file, changed, ...chained, overruledBy });
  const name = relative(process.cwd(), file);
  output.print(changed ? `${name}: cargo run goes through ipbp now` : `${name}: nothing to change`);
  if (chained.rustcWrapper !== null) output.print(`rustc's wrapper ${chained.rustcWrapper} is still called`);
  if (chained.runner.length > 0) output.print(`the runner ${chained.runner.join(' ')} is still called`);
  for (const variable of overruledBy) {
    output.alert(`${variable} is set and goes before ${name} (IPBP5039). ${CODES.IPBP5039.remedy}`);
  }
  try {
    await agentLibrary(targetTriple, { onBuild: () => output.say('building the agent (once per rustc)') });
  } catch (error) {
    if (!(error instanceof IpbpError)) throw error;
    // The first cargo run will try again, and then it matters.
    output.alert(`${error.message}. ${CODES[error.code].remedy}`);
  }
  if (changed) output.print('edit, save, watch; "ipbp init --undo" takes it back, IPBP=0 cargo run leaves it out once');
  return DONE;
}

/** Takes away what {@link init} wrote. */
export async function uninit(output: Output): Promise<Outcome> {
  const { file, changed } = await undoInit(process.cwd());
  output.record({ file, changed });
  const name = relative(process.cwd(), file);
  output.print(changed ? `${name}: cargo run is cargo's alone again` : `${name}: there was nothing of ipbp's`);
  return DONE;
}

// `ipbp init` and `ipbp init --undo`: says what was written where. What is written is host/cargo/init-project.ts's.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IpbpError } from '../codes/error.js';
import { prepareAgent } from '../host/agent/agent-start.js';
import { initProject, undoInit } from '../host/cargo/init-project.js';
import { linkSettings } from '../host/cargo/slot-environment.js';
import { NO_TOOLS } from '../host/cargo/target-tools.js';
import { CODES } from '../codes/table.js';
import { DONE, type Outcome } from './outcome.js';
import type { Output } from './output.js';

/**
 * Writes the two settings and the scripts behind them, and builds the agent, so that the first `cargo run` need not
 * wait.
 */
export async function init(output: Output): Promise<Outcome> {
  const result = await initProject(process.cwd(), {
    node: process.execPath,
    nodeOptions: process.execArgv,
    program: fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'main.ts' : 'main.js', import.meta.url)),
    links: (targetTriple) => linkSettings('auto', targetTriple),
  });
  const { file, changed, chained, tools, leftAlone, overruledBy } = result;
  const runners = [...chained.runners];
  const targets = runners.map(([triple, runner]) => ({ triple, runner }));
  output.record({ file, changed, rustcWrapper: chained.rustcWrapper, targets, leftAlone, overruledBy });
  const name = relative(process.cwd(), file);
  output.print(changed ? `${name}: cargo run goes through ipbp now` : `${name}: nothing to change`);
  if (chained.rustcWrapper !== null) output.print(`rustc's wrapper ${chained.rustcWrapper} is still called`);
  for (const words of new Set(runners.map(([, runner]) => runner.join(' ')))) {
    if (words !== '') output.print(`the runner ${words} is still called`);
  }
  for (const triple of leftAlone) {
    const message = `programs for ${triple} cannot be patched yet: cargo run starts them as ever (IPBP1003)`;
    output.alert(`${message}. ${CODES.IPBP1003.remedy}`);
  }
  for (const variable of overruledBy) {
    output.alert(`${variable} is set and goes before ${name} (IPBP5039). ${CODES.IPBP5039.remedy}`);
  }
  for (const { triple } of targets) {
    try {
      const built = { tools: tools.get(triple) ?? NO_TOOLS };
      await prepareAgent(triple, { ...built, onBuild: () => output.say('building the agent (once per rustc)') });
    } catch (error) {
      if (!(error instanceof IpbpError)) throw error;
      // The first cargo run will try again, and then it matters.
      output.alert(`${error.message}. ${CODES[error.code].remedy}`);
    }
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

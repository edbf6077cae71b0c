// What the linker script runs once per link (scripts.ts, LINKER): `FILE ARGUMENT…` → FILE, a line of shell that sets the
// arguments to link with. Ends with a status other than 0 when it has none; the script then links as it was told.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectOneLink, expectShortWork } from '../link/one-link.js';
import { splitResponse } from './link-arguments.js';
import { isStaticLink, linkWithAgent, linkWithAgentLibrary } from './link-with-agent.js';
import { linkWithSlots } from './link-with-slots.js';
import { shellQuote } from './scripts.js';
import { isIos } from './target-triple.js';
import { PROBLEMS } from './slot-environment.js';

/** Beyond this the arguments go into a response file, as rustc does where they do not fit a command line. */
const LARGEST_COMMAND_LINE = 64 * 1024;

expectOneLink();
expectShortWork();
const [file = '', ...given] = process.argv.slice(2);
const { IPBP_UNIT: unit = '', IPBP_UNITS: units = '', IPBP_SLOTS: choice, IPBP_TARGET: target = '' } = process.env;
let args: readonly string[] = given.flatMap((word) =>
  word.startsWith('@') ? splitResponse(readFileSync(word.slice(1), 'utf8')) : [word],
);
const problems: string[] = [];
if (choice === 'all' || choice === 'where-needed') {
  const linked = linkWithSlots({ args, unit, units, choice });
  args = linked.args;
  problems.push(...linked.problems);
}
if (isStaticLink(args) || isIos(target)) {
  try {
    args = isIos(target) ? await linkWithAgentLibrary(args, target) : await linkWithAgent(args, target);
  } catch (error) {
    // The program is linked without, and the session says so.
    process.stderr.write(`ipbp: the agent is not linked: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
writeFileSync(join(unit, PROBLEMS), problems.map((line) => `${line.replaceAll('\n', ' ')}\n`).join(''));
const size = args.reduce((sum, word) => sum + word.length + 1, 0);
let words = args;
if (size > LARGEST_COMMAND_LINE) {
  const response = join(unit, 'link-response');
  writeFileSync(response, args.map((word) => `${word.replace(/[\\\s"']/g, '\\$&')}\n`).join(''));
  words = [`@${response}`];
}
writeFileSync(file, `set -- ${words.map(shellQuote).join(' ')}\n`);

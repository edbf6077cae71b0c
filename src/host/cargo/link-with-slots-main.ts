// What the linker script runs once per link (scripts.ts, LINKER): `FILE ARGUMENT…` → FILE, a line of shell that sets the
// arguments to link with. Ends with a status other than 0 when it has none; the script then links as it was told.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linkWithSlots } from './link-with-slots.js';
import { shellQuote } from './scripts.js';
import { PROBLEMS } from './slot-environment.js';

/** Beyond this the arguments go into a response file, as rustc does where they do not fit a command line. */
const LARGEST_COMMAND_LINE = 64 * 1024;

const [file = '', ...args] = process.argv.slice(2);
const { IPBP_UNIT: unit = '', IPBP_UNITS: units = '', IPBP_SLOTS: slots } = process.env;
const choice = slots === 'where-needed' ? 'where-needed' : 'all';
const linked = linkWithSlots({ args, unit, units, choice });
writeFileSync(join(unit, PROBLEMS), linked.problems.map((line) => `${line.replaceAll('\n', ' ')}\n`).join(''));
const size = linked.args.reduce((sum, word) => sum + word.length + 1, 0);
let words = linked.args;
if (size > LARGEST_COMMAND_LINE) {
  const response = join(unit, 'link-response');
  writeFileSync(response, linked.args.map((word) => `${word.replace(/[\\\s"']/g, '\\$&')}\n`).join(''));
  words = [`@${response}`];
}
writeFileSync(file, `set -- ${words.map(shellQuote).join(' ')}\n`);

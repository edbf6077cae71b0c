// `npm start`, the demonstration: sets up, runs examples/garden under ipbp, edits one of its functions while it runs,
// and shows that the same process goes on with the new code. On a terminal it then hands over to the person; without
// one it ends with status 0 only when all of that was seen to happen. The edited file is put back at the end.
// Plain JavaScript on Node's own modules only, because it runs before `npm ci`.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ROOT, setUp } from './setup.js';

const GARDEN = join(ROOT, 'examples', 'garden');
const SHOWN = 'examples/garden/src/paint.rs';
const FILE = join(ROOT, SHOWN);

/** The edit: what each of the two lines says before and after. */
const EDIT = [
  ['Heading::Right => "><>",', 'Heading::Right => "><(((o>",'],
  ['Heading::Left => "<><",', 'Heading::Left => "<o)))><",'],
];
const OLD_LOOK = '><>';
const NEW_LOOK = '><(((o>';

/** How long each wait may take, in ms: the first includes building agent and garden. */
const READY_LIMIT = 600_000;
const PATCH_LIMIT = 60_000;
const SEEN_LIMIT = 10_000;

const onTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;

function say(text) {
  process.stderr.write(onTerminal ? `\r\x1b[K${text}\r\n` : `${text}\n`);
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Saves the demonstration's edit, or takes it back; whatever else somebody changed in the file stays. */
function saveEdit(forward) {
  const text = readFileSync(FILE, 'utf8');
  const edited = EDIT.reduce(
    (now, [old, changed]) => (forward ? now.replace(old, changed) : now.replace(changed, old)),
    text,
  );
  if (edited !== text) writeFileSync(FILE, edited);
  return edited !== text;
}

/** `garden`'s line for where there is no terminal, in numbers; undefined for any other line. */
function readStatus(line) {
  const [, pid, tick, strokes, looks] =
    /^pid=(\d+) tick=(\d+) fish=\d+ strokes=(\d+) burst=\d+ looks=(\S+)$/.exec(line) ?? [];
  if (pid === undefined) return undefined;
  return { pid: Number(pid), tick: Number(tick), strokes: Number(strokes), looks: looks.split(',') };
}

/** The garden under `ipbp run --json`: its events and, without a terminal, its lines. */
function startGarden() {
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), 'run', '--json'], {
    cwd: GARDEN,
    // With --json the program writes to ipbp's stderr: the terminal itself where there is one.
    stdio: [onTerminal ? 'inherit' : 'ignore', 'pipe', onTerminal ? 'inherit' : 'pipe'],
  });
  const events = [];
  const statuses = [];
  const listeners = new Set();
  const output = [];
  let ended;
  const closed = new Promise((done) => {
    child.on('error', (error) => {
      ended = `ipbp could not be started: ${error.message}`;
      done();
    });
    child.on('close', (code, signal) => {
      ended ??= `ipbp run ended with ${code ?? signal}`;
      done();
    });
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line);
    events.push(event);
    for (const listener of listeners) listener(event);
  });
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const status = readStatus(line);
      if (status) statuses.push(status);
      output.push(line);
      if (output.length > 200) output.shift();
    });
  }
  /** Polls, because the two streams and the child's end are waited for alike. */
  const until = async (what, found, limit) => {
    for (const deadline = performance.now() + limit; performance.now() < deadline; await pause(20)) {
      const result = found();
      if (result !== undefined) return result;
      if (ended !== undefined) break;
    }
    const last = [...events.map((event) => JSON.stringify(event)), ...output].slice(-30).join('\n');
    throw new Error(`${what}: ${ended ?? `not within ${limit / 1000} s`}\n${last}`);
  };
  const onEvent = (listener) => void listeners.add(listener);
  const hasEnded = () => ended !== undefined;
  return { child, events, statuses, until, closed, onEvent, hasEnded };
}

/** Throws with the reason where the change did not go live in the same process with its state kept. */
async function check(garden, ready, before) {
  const after = await garden.until(
    'the new look',
    () => {
      const last = garden.statuses.at(-1);
      return last?.looks.includes(NEW_LOOK) ? last : undefined;
    },
    SEEN_LIMIT,
  );
  const problems = [];
  if (after.pid !== ready.pid || before.pid !== ready.pid) problems.push(`pid ${before.pid} became ${after.pid}`);
  if (!(after.tick > before.tick)) problems.push(`the tick counter went from ${before.tick} to ${after.tick}`);
  if (!(after.strokes > before.strokes)) problems.push(`strokes went from ${before.strokes} to ${after.strokes}`);
  if (after.looks.includes(OLD_LOOK)) problems.push('some fish still look as before');
  if (!before.looks.includes(OLD_LOOK)) problems.push('the fish had the new look before the edit');
  if (problems.length > 0) throw new Error(problems.join('; '));
  say(
    `checked: pid ${after.pid} as before, tick ${before.tick} → ${after.tick}, strokes ${before.strokes} → ${after.strokes},`,
  );
  say(`         the fish look ${NEW_LOOK} instead of ${OLD_LOOK}`);
}

function sayHowLong(garden, patched) {
  const compiled = garden.events.findLast((event) => event.event === 'compiled');
  const names = patched.functions.map((item) => item.name).join(', ');
  say(`live: ${names} in patch ${patched.patch}, ${Math.round(patched.sinceSaveMs ?? 0)} ms after the save`);
  say(
    `      (rustc ${Math.round(compiled?.ms ?? 0)} ms, ipbp ${patched.ms.total.toFixed(1)} ms); same process, same fish`,
  );
}

/** From here on the person edits; ipbp's own words are shown as `ipbp run` shows them. */
async function handOver(garden) {
  const { renderEvent } = await import(join(ROOT, 'dist', 'cli', 'render.js'));
  let compileMs = null;
  garden.onEvent((event) => {
    if (event.event === 'compiled') compileMs = event.ms;
    const view = { color: process.env.NO_COLOR === undefined, quiet: false, verbose: false, compileMs };
    for (const line of renderEvent(event, view)) say(line.replaceAll('\n', '\r\n'));
  });
  say('');
  say(`Now edit ${SHOWN} or fish.rs beside it yourself, and save. Ctrl-C ends.`);
  await garden.closed;
}

async function demonstrate(garden) {
  const ready = await garden.until('start', () => garden.events.find((event) => event.event === 'ready'), READY_LIMIT);
  const before = onTerminal
    ? undefined
    : await garden.until("the garden's first lines", () => garden.statuses[3], SEEN_LIMIT);
  say(`The garden runs as pid ${ready.pid}. ipbp will now edit fish_shape in ${SHOWN}.`);
  if (onTerminal) await pause(4000);
  const from = garden.events.length;
  const last = garden.statuses.at(-1) ?? before;
  if (!saveEdit(true)) throw new Error(`${SHOWN} is not as the demonstration knows it; git checkout ${SHOWN}`);
  const outcome = await garden.until(
    'the patch',
    () =>
      garden.events
        .slice(from)
        .find(({ event }) => ['patched', 'refused', 'compile-error', 'unchanged'].includes(event)),
    PATCH_LIMIT,
  );
  if (outcome.event !== 'patched') throw new Error(`the edit was not patched in: ${JSON.stringify(outcome)}`);
  sayHowLong(garden, outcome);
  if (onTerminal) await handOver(garden);
  else await check(garden, ready, last);
}

async function main() {
  setUp();
  // A demonstration that was killed may have left its edit.
  saveEdit(false);
  const garden = startGarden();
  const end = () => {
    if (!garden.hasEnded()) garden.child.kill('SIGTERM');
  };
  // Ctrl-C reaches the garden as well, and its end is what is waited for.
  process.on('SIGINT', () => setTimeout(end, 2000).unref());
  process.on('SIGTERM', end);
  process.on('SIGHUP', end);
  process.on('exit', () => saveEdit(false));
  try {
    await demonstrate(garden);
  } finally {
    end();
    await Promise.race([garden.closed, pause(5000)]);
    if (!garden.hasEnded()) garden.child.kill('SIGKILL');
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

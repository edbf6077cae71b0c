// A server for macOS of many published crates (an async runtime on kqueue, serde, regex, rayon and what they need), built
// by cargo and run by it in our loader, asked from outside.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cacheFolder } from '../../conformance/setup/cache.js';
import { type DarwinToolchain, darwinToolchain } from '../../conformance/setup/darwin-toolchain.js';
import { run } from '../../conformance/setup/run.js';

const TARGET = 'x86_64-apple-darwin';
const PROJECT = join(import.meta.dirname, 'service');

const test = suite('a service for macOS');
let tools: DarwinToolchain;
let service: ChildProcess;
let output = '';
let port = 0;

function cargo(command: string): readonly string[] {
  // Kept between runs: over a hundred crates.
  return [command, '--quiet', '--locked', '--target', TARGET, '--target-dir', cacheFolder('darwin-service')];
}

async function ready(): Promise<void> {
  const lines = createInterface({ input: service.stdout! });
  for await (const line of lines) {
    output += `${line}\n`;
    const found = /^port (\d+)$/.exec(line);
    if (found === null) continue;
    port = Number(found[1]);
    return;
  }
  throw new Error(`the service ended: ${output}`);
}

/** A line of the service's answer to each question, over one connection. */
async function ask(...questions: readonly (readonly [what: string, text?: string])[]): Promise<readonly string[]> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.setTimeout(20_000, () => socket.destroy(new Error(`no answer to ${questions.join(', ')}`)));
  for (const [what, text = ''] of questions) socket.write(`${JSON.stringify({ what, text })}\n`);
  const answers: string[] = [];
  for await (const line of createInterface({ input: socket })) {
    answers.push((JSON.parse(line) as { answer: string }).answer);
    if (answers.length === questions.length) break;
  }
  socket.destroy();
  return answers;
}

test.before(async () => {
  tools = darwinToolchain(TARGET);
  run('cargo', cargo('build'), { cwd: PROJECT, env: tools.env });
  service = spawn('cargo', cargo('run'), {
    cwd: PROJECT,
    env: { ...process.env, ...tools.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await ready();
});

test('over a hundred crates are in it', () => {
  const tree = run('cargo', ['tree', '--locked', '--target', TARGET, '--prefix', 'none'], {
    cwd: PROJECT,
    env: tools.env,
  });
  const crates = new Set(tree.split('\n').map((line) => line.split(' ')[0]));
  assert.ok(crates.size > 80, `${crates.size} crates`);
});

const ANSWERS: readonly (readonly [what: string, text: string, answer: string])[] = [
  ['hash', 'abc', createHash('sha256').update('abc').digest('hex')],
  ['base64', 'abc', 'YWJj'],
  ['dates', 'on 2024-02-29', 'on 29.02.2024'],
  ['words', 'b a b', 'a,b'],
  ['version', '3.1.4', '3'],
  ['version', 'three', "error: a version: unexpected character 't' while parsing major version number"],
  ['parallel', 'abc', '8994'],
  ['threads', 'abcdefgh', '804'],
  ['sleep', '', 'true'],
  ['process', 'hello', 'hello'],
  ['udp', 'a datagram', 'a datagram true'],
  ['lookup', '127.0.0.1', '127.0.0.1:80'],
  ['refused', '', 'ConnectionRefused'],
  ['file', 'its text', 'its text'],
  ['panic', '', 'true'],
  ['random', '', 'true'],
  ['processors', '', 'true'],
  ['nothing', '', 'error: nothing is called nothing'],
];

for (const [what, text, answer] of ANSWERS) {
  test(`${what} ${text}`, async () => {
    assert.equal(await ask([what, text]), [answer]);
  });
}

test('fifty connections at once', async () => {
  const all = Array.from({ length: 50 }, (_, i) => ask(['base64', `number ${i}`], ['sleep'], ['words', `z ${i}`]));
  const expected = Array.from({ length: 50 }, (_, i) => [
    Buffer.from(`number ${i}`).toString('base64'),
    'true',
    `${i},z`,
  ]);
  assert.equal(await Promise.all(all), expected);
});

test.after(async () => {
  if (service.exitCode !== null) return;
  const ended = once(service, 'close');
  const lines = createInterface({ input: service.stdout! });
  lines.on('line', (line) => (output += `${line}\n`));
  connect(port, '127.0.0.1').end('{"what":"stop"}\n');
  const [status] = (await ended) as [number | null];
  assert.is(status, 0);
  assert.match(output, /^served \d+$/m);
});

test.run();

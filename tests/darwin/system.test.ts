// Files, processes and sockets of std for macOS in our loader, and a server with a thread for each connection, asked from
// outside.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { createInterface } from 'node:readline';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { darwinWorkshop } from './programs.js';
import { SYSTEM_OUTPUT, SYSTEM_PROGRAM } from './system.js';

const test = suite('the system for macOS programs');

interface Server {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  readonly port: number;
  readonly errors: () => string;
}

async function serve(command: string, program: string): Promise<Server> {
  const child = spawn(command, [program], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^port (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return { child, lines, port: Number(port), errors: () => errors };
    lines.push(line);
  }
  throw new Error(`it ended: ${lines.join('\n')}${errors}`);
}

async function ask(port: number, words: readonly string[]): Promise<readonly string[]> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.setTimeout(20_000, () => socket.destroy(new Error(`no answer to ${words.join(', ')}`)));
  const answers: string[] = [];
  socket.write(`${words.join('\n')}\n`);
  for await (const line of createInterface({ input: socket })) {
    if (answers.push(line) === words.length) break;
  }
  socket.destroy();
  return answers;
}

for (const target of ['x86_64-apple-darwin', 'aarch64-apple-darwin'] as const) {
  test(target, async () => {
    const workshop = darwinWorkshop(target);
    const running: ChildProcess[] = [];
    try {
      const program = workshop.compile('system', SYSTEM_PROGRAM);
      const server = await serve(workshop.tools.machorun, program);
      running.push(server.child);
      assert.equal(server.lines, SYSTEM_OUTPUT);
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(server.port, [`word${i}`, 'and more'])));
      const threads = new Set(all.map(([one]) => one!.split(' ').slice(1).join(' ')));
      assert.equal(
        all.map(([one, two]) => [one!.split(' ')[0], two!.startsWith('AND MORE thread ')]),
        Array.from({ length: 20 }, (_, i) => [`WORD${i}`, true]),
      );
      assert.is(threads.size, 20);
      connect(server.port, '127.0.0.1').end('stop\n');
      assert.equal(await once(server.child, 'close'), [0, null], server.errors());

      const second = await serve(workshop.tools.machorun, program);
      running.push(second.child);
      connect(second.port, '127.0.0.1').end('overflow\n');
      await once(second.child, 'close');
      assert.match(second.errors(), /thread 'thread 0' \(\d+\) has overflowed its stack/);
    } finally {
      for (const child of running) child.kill('SIGKILL');
      workshop.remove();
    }
  });
}

test.run();

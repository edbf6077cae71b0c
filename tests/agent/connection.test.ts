// Both ends of the wire against a partner that does it wrong, and what the agent leaves behind in its program: nothing.
import { createHmac, randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { IpbpError } from '../../src/codes/error.js';
import { listenForAgent, type AgentListener } from '../../src/host/agent/agent-connection.js';
import {
  decodeFrame,
  encodeDone,
  encodeFrame,
  encodeProgram,
  encodeTransaction,
} from '../../src/patch/wire/frame-codec.js';
import type { FrameType, ProgramInfo } from '../../src/patch/wire/frames.js';
import { cell, compile, liveTest, newSocketPath, preloaded, start, startSession, type Running } from './process.js';

const EXECUTABLE = compile('program');

/** One side of the protocol done by hand, so that it can be done wrong. */
class Partner {
  sequence = 0;
  key: Uint8Array | null = null;
  private buffer = Buffer.alloc(0);
  private ended = false;
  private wake = (): void => undefined;

  constructor(
    readonly socket: Socket,
    readonly direction: 'H' | 'A',
  ) {
    socket.on('data', (chunk) => {
      this.buffer = Buffer.concat([this.buffer, chunk]);
      this.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.ended = true;
      this.wake();
    });
  }

  /** Payload of the next frame; null when the other side has closed. */
  async receive(): Promise<Uint8Array | null> {
    for (;;) {
      const length = this.buffer.length < 4 ? Infinity : 4 + this.buffer.readUInt32LE(0);
      if (this.buffer.length >= length) {
        const frame = decodeFrame(this.buffer.subarray(4, length), this.key !== null);
        this.buffer = this.buffer.subarray(length);
        return frame.payload.slice();
      }
      if (this.ended) return null;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  send(type: FrameType, payload: Uint8Array, spoil: (tag: Uint8Array) => void = () => undefined): void {
    const { length, signed } = encodeFrame(type, this.sequence, payload, this.key !== null);
    this.sequence += 1;
    this.socket.write(Buffer.concat([length, signed]));
    if (this.key === null) return;
    const tag = mac(this.key, this.direction, signed);
    spoil(tag);
    this.socket.write(tag);
  }
}

function mac(key: Uint8Array, text: string, ...parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac('sha256', key).update(text);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** A host by hand: waits for the program's agent and says hello with `token`. */
async function handMadeHost(token: Uint8Array, proofToken: Uint8Array): Promise<{ program: Running; host: Partner }> {
  const path = newSocketPath();
  const connection = new Promise<Socket>((resolve) => {
    const server = createServer((socket) => {
      server.close();
      resolve(socket);
    }).listen(path);
  });
  const program = start(EXECUTABLE, await preloaded(path, token));
  const host = new Partner(await connection, 'H');
  const [agentNonce, hostNonce] = [await host.receive(), randomBytes(32)];
  assert.ok(agentNonce);
  host.send('challenge', Buffer.concat([hostNonce, mac(proofToken, 'ipbp host', agentNonce, hostNonce)]));
  const proof = await host.receive();
  if (proof !== null) {
    assert.equal(Buffer.from(proof), mac(token, 'ipbp agent', agentNonce, hostNonce));
    host.key = mac(token, 'ipbp session', agentNonce, hostNonce);
    assert.ok(await host.receive());
  }
  return { program, host };
}

async function goesOn(program: Running): Promise<void> {
  assert.is(await program.say('call plain'), '1');
  assert.is(await program.end(), 0);
}

liveTest('the agent does not answer a host that cannot prove the token', async () => {
  const { program, host } = await handMadeHost(randomBytes(32), randomBytes(32));
  assert.is(host.key, null);
  assert.is(await host.receive(), null);
  await goesOn(program);
});

liveTest('a frame out of order ends the connection, not the program', async () => {
  const token = randomBytes(32);
  const { program, host } = await handMadeHost(token, token);
  host.sequence += 1;
  host.send('transaction', encodeTransaction(1, []));
  assert.is(await host.receive(), null);
  await goesOn(program);
});

liveTest('so do a wrong tag, an unexpected type, a length beyond the limit', async () => {
  const token = randomBytes(32);
  const wrongs: readonly ((host: Partner) => void)[] = [
    (host) => {
      host.send('transaction', encodeTransaction(1, []), (tag) => (tag[0] = (tag[0] ?? 0) ^ 1));
    },
    (host) => {
      host.send('program', new Uint8Array(0));
    },
    (host) => host.socket.write(Uint8Array.of(1, 0, 0, 0x10)),
    (host) => host.socket.write(Uint8Array.of(2, 0, 0, 0, 1, 0)),
  ];
  for (const wrong of wrongs) {
    const { program, host } = await handMadeHost(token, token);
    host.send('transaction', encodeTransaction(1, []));
    assert.ok(await host.receive());
    wrong(host);
    assert.is(await host.receive(), null);
    await goesOn(program);
  }
});

liveTest('garbage in a transaction is a bad frame, and the next one works', async () => {
  const token = randomBytes(32);
  const { program, host } = await handMadeHost(token, token);
  for (const payload of [
    Uint8Array.of(),
    Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0),
    Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 9),
  ]) {
    host.send('transaction', payload);
    assert.is((await host.receive())?.[4], 1);
  }
  host.send('transaction', encodeTransaction(1, []));
  assert.is((await host.receive())?.[4], 0);
  await goesOn(program);
});

const PROGRAM: ProgramInfo = {
  pid: 1,
  reservation: { at: 0, size: 0 },
  beside: { at: 0, size: 0 },
  tls: { offset: 0, size: 0, align: 1 },
  modules: [{ base: 4096, identity: { kind: 'build-id', id: Uint8Array.of(1) }, path: '/a' }],
  abilities: { pages: true, libraries: true, code: true },
  pageSize: 4096,
};

/** An agent by hand, connected to our listener. */
async function handMadeAgent(path: string, token: Uint8Array): Promise<Partner> {
  const agent = new Partner(connect(path), 'A');
  const nonce = randomBytes(32);
  agent.send('hello', nonce);
  const challenge = await agent.receive();
  const hostNonce = challenge?.slice(0, 32) ?? new Uint8Array(32);
  agent.send('proof', mac(token, 'ipbp agent', nonce, hostNonce));
  agent.key = mac(token, 'ipbp session', nonce, hostNonce);
  return agent;
}

async function listen(token: Uint8Array): Promise<{ listener: AgentListener; path: string; rejected: string[] }> {
  const [path, rejected] = [newSocketPath(), [] as string[]];
  const listener = await listenForAgent({ socketPath: path, token, onRejected: ({ code }) => rejected.push(code) });
  return { listener, path, rejected };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error as IpbpError).code,
  );
}

liveTest('the host sends away who does not know the token, and goes on listening', async () => {
  const token = randomBytes(32);
  const { listener, path, rejected } = await listen(token);
  const program = start(EXECUTABLE, await preloaded(path, randomBytes(32)));
  const stranger = await handMadeAgent(path, randomBytes(32));
  assert.is(await stranger.receive(), null);
  const babbler = new Partner(connect(path), 'A');
  babbler.socket.write('GET / HTTP/1.1\r\n\r\n');
  assert.is(await babbler.receive(), null);
  const friend = start(EXECUTABLE, await preloaded(path, token));
  const agent = await listener.accept();
  assert.is(agent.program.pid, friend.pid);
  // The program with the wrong token closed by itself: it did not believe us either.
  assert.equal(rejected.sort(), ['IPBP4001', 'IPBP4003', 'IPBP4006']);
  await goesOn(program);
  await goesOn(friend);
  listener.close();
});

liveTest('the host ends the connection when the agent speaks out of order, unasked or with a wrong tag', async () => {
  const token = randomBytes(32);
  const { listener, path } = await listen(token);
  const done = encodeDone({ patch: 1, status: 'applied', retries: 0, heldNanoseconds: 0, message: '', moved: [] });
  const wrongs: readonly (readonly [string, (agent: Partner) => void])[] = [
    ['IPBP4004', (agent) => (agent.sequence += 1)],
    ['IPBP4005', (agent) => (agent.key = new Uint8Array(32))],
    ['IPBP4006', (agent) => agent.socket.destroy()],
  ];
  for (const [code, wrong] of wrongs) {
    const agent = await handMadeAgent(path, token);
    agent.send('program', encodeProgram(PROGRAM));
    const connection = await listener.accept();
    assert.equal(connection.program, { ...PROGRAM, atStart: 1 });
    const answer = connection.transact(1, []);
    assert.ok(await agent.receive());
    wrong(agent);
    if (!agent.socket.destroyed) agent.send('done', done);
    assert.is(await codeOf(answer), code);
    assert.is((await connection.closed).reason, code === 'IPBP4006' ? 'program-ended' : 'protocol-error');
    assert.is(await codeOf(connection.transact(2, [])), 'IPBP4006');
  }
  const agent = await handMadeAgent(path, token);
  agent.send('program', encodeProgram(PROGRAM));
  const connection = await listener.accept();
  agent.send('done', done);
  assert.is((await connection.closed).error?.code, 'IPBP4004');
  listener.close();
});

test('a socket that cannot be made is said', async () => {
  const token = randomBytes(32);
  assert.is(await codeOf(listenForAgent({ socketPath: '/nowhere/at/all.sock', token })), 'IPBP4009');
  assert.is(await codeOf(listenForAgent({ socketPath: `/tmp/${'x'.repeat(120)}`, token })), 'IPBP4009');
});

liveTest('an accept that is still waiting ends with the listener', async () => {
  const { listener } = await listen(randomBytes(32));
  const waiting = codeOf(listener.accept());
  listener.close();
  assert.is(await waiting, 'IPBP4006');
});

liveTest('neither the program nor its children see the agent in their environment', async () => {
  const { program, finish } = await startSession(EXECUTABLE);
  assert.is(await program.say('environment'), 'own=[] child=[]');
  await finish();
});

liveTest('other preloaded libraries stay', async () => {
  const [path, token] = [newSocketPath(), randomBytes(32)];
  const environment = await preloaded(path, token);
  const other = '/lib/x86_64-linux-gnu/libm.so.6';
  const program = start(EXECUTABLE, { ...environment, LD_PRELOAD: `${environment['LD_PRELOAD'] ?? ''}:${other}` });
  assert.is(await program.say('environment'), `own=[("LD_PRELOAD", "${other}")] child=["LD_PRELOAD=${other}"]`);
  await goesOn(program);
});

liveTest('without its variables the agent does nothing', async () => {
  const { LD_PRELOAD } = await preloaded('/nowhere', randomBytes(32));
  const program = start(EXECUTABLE, { LD_PRELOAD: LD_PRELOAD ?? '' });
  assert.match(await program.say('environment'), /libipbp_agent/);
  await goesOn(program);
});

liveTest('without a host the program runs as ever', async () => {
  const program = start(EXECUTABLE, await preloaded('/nowhere/at/all', randomBytes(32)));
  await goesOn(program);
});

liveTest('first-thread: the agent comes when the program makes its first thread', async () => {
  const { agent, finish } = await startSession(EXECUTABLE, { IPBP_AGENT_THREAD: 'first-thread' });
  assert.is((await agent.transact(1, [])).status, 'applied');
  await finish();
});

liveTest('a forked child runs on without agent, and the host still sees the end of the parent', async () => {
  const { program, agent, functions, finish } = await startSession(EXECUTABLE);
  assert.is(await program.say('fork'), '1');
  const result = await agent.transact(1, [cell(functions.plain, Uint8Array.of(0x55), Uint8Array.of(0x55))]);
  assert.is(result.status, 'applied');
  assert.is(await program.say('fork'), '1');
  await finish();
  assert.is((await agent.closed).reason, 'program-ended');
});

test.run();

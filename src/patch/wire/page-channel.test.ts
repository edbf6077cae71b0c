// Both ends of the connection between host and a page's agent, and everything that must end it.
import { createHmac, randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { IpbpError } from '../../codes/error.js';
import { type ChannelParts, PageChannel, type PageMessage } from './page-channel.js';

const TOKEN = new Uint8Array(randomBytes(32));

interface End {
  readonly channel: PageChannel;
  readonly received: PageMessage[];
  readonly failures: string[];
  opened: boolean;
}

interface Pair {
  readonly host: End;
  readonly agent: End;
}

type Change = (frame: Uint8Array, number: number, from: 'host' | 'agent') => readonly Uint8Array[];

const AS_IT_IS: Change = (frame) => [frame];

function pair(change: Change = AS_IT_IS, agentToken = TOKEN): Pair {
  const ends = new Map<'host' | 'agent', End>();
  const waiting: (() => void)[] = [];
  const make = (role: 'host' | 'agent', token: Uint8Array): End => {
    let sent = 0;
    const parts: ChannelParts = {
      send(frame) {
        const number = sent++;
        const deliver = (): void => {
          const to = ends.get(role === 'host' ? 'agent' : 'host');
          for (const each of change(frame, number, role)) to?.channel.receive(each);
        };
        if (ends.size === 2) deliver();
        else waiting.push(deliver);
      },
      hmac: async (key, text) => new Uint8Array(createHmac('sha256', key).update(text).digest()),
      token,
      nonce: new Uint8Array(randomBytes(32)),
    };
    const end: Omit<End, 'channel'> & { channel?: PageChannel } = { received: [], failures: [], opened: false };
    end.channel = new PageChannel(role, parts, {
      opened: () => void (end.opened = true),
      received: (message) => void end.received.push(message),
      failed: (error: IpbpError) => void end.failures.push(error.code),
    });
    ends.set(role, end as End);
    return end as End;
  };
  const [host, agent] = [make('host', TOKEN), make('agent', agentToken)];
  for (const deliver of waiting) deliver();
  return { host, agent };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test('messages arrive in order, in both directions, with their bytes', async () => {
  const { host, agent } = pair();
  await settled();
  assert.ok(host.opened && agent.opened);
  host.channel.send('undo', { patch: 7 }, Uint8Array.of(1, 2, 3));
  host.channel.send('reload', { reason: 'why' });
  agent.channel.send('done', { patch: 7, error: null, ms: 1 });
  await settled();
  assert.equal(
    agent.received.map(({ type, header, bytes }) => [type, header, [...bytes]]),
    [
      ['undo', { patch: 7 }, [1, 2, 3]],
      ['reload', { reason: 'why' }, []],
    ],
  );
  assert.equal(
    host.received.map(({ type }) => type),
    ['done'],
  );
  assert.equal([host.failures, agent.failures], [[], []]);
});

test('who does not know the token is sent away, whichever side it is', async () => {
  const { host, agent } = pair(AS_IT_IS, new Uint8Array(32));
  await settled();
  assert.equal([agent.failures, agent.opened, host.opened], [['IPBP4003'], false, false]);
  // An agent that goes on all the same.
  const forged = pair((frame, number, from) => [
    from === 'agent' && number === 1 ? Uint8Array.from([...frame.slice(0, 8), ...randomBytes(32)]) : frame,
  ]);
  await settled();
  assert.equal([forged.host.failures, forged.host.opened], [['IPBP4003'], false]);
});

const wrong: readonly (readonly [string, string, Change])[] = [
  ['changed', 'IPBP4005', (frame) => [changed(frame, frame.length - 40)]],
  ['of another version', 'IPBP4002', (frame) => [changed(frame, 0)]],
  ['of no known type', 'IPBP4001', (frame) => [changed(frame, 3)]],
  ['twice', 'IPBP4004', (frame) => [frame, frame]],
  ['cut', 'IPBP4001', (frame) => [frame.subarray(0, 30)]],
  ['empty', 'IPBP4001', () => [new Uint8Array(0)]],
];

function changed(frame: Uint8Array, at: number): Uint8Array {
  const copy = frame.slice();
  copy[at] = (copy[at] as number) + 1;
  return copy;
}

for (const [what, code, change] of wrong) {
  test(`a message that comes ${what} ends the connection: ${code}`, async () => {
    // The first three of an agent are the handshake's and the one that is left alone.
    const { host, agent } = pair((frame, number, from) =>
      from === 'agent' && number === 3 ? change(frame, 3, from) : [frame],
    );
    await settled();
    for (let patch = 1; patch <= 3; patch++) agent.channel.send('done', { patch, error: null, ms: 0 });
    await settled();
    assert.equal(host.failures, [code]);
    assert.equal(
      host.received.length,
      what === 'twice' ? 2 : 1,
      'what came before stands, what came behind is not read',
    );
  });
}

test('an answer of the host cannot be sent back to it', async () => {
  const { host, agent } = pair();
  await settled();
  let stolen = new Uint8Array(0);
  const receive = agent.channel.receive.bind(agent.channel);
  agent.channel.receive = (data) => {
    stolen = new Uint8Array(data);
    receive(data);
  };
  host.channel.send('undo', { patch: 1 });
  host.channel.send('undo', { patch: 2 });
  await settled();
  host.channel.receive(stolen);
  await settled();
  assert.equal(host.failures.length, 1);
});

test.run();

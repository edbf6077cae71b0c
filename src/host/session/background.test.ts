import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PatchImage } from '../../patch/image/image.js';
import type { LiveEngine } from '../../patch/live-engine.js';
import { inBackground } from './background.js';
import { tellStillInside } from './still-inside.js';

const unhandled: unknown[] = [];
process.on('unhandledRejection', (error) => unhandled.push(error));
process.on('uncaughtException', (error) => unhandled.push(error));

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('an error of background work is reported, thrown at once or later, and ends nothing', async () => {
  const reported: unknown[] = [];
  const fail = (): never => {
    throw new TypeError('at once');
  };
  inBackground(fail, (error) => reported.push(error));
  inBackground(
    () => Promise.reject(new TypeError('later')),
    (error) => reported.push(error),
  );
  // Even where nobody can be told.
  inBackground(fail, fail);
  await turn();
  assert.equal(reported.map(String), ['TypeError: at once', 'TypeError: later']);
  assert.equal(unhandled, []);
});

test('what succeeds reports nothing', async () => {
  let done = 0;
  const never = (error: unknown): never => {
    throw new Error(String(error));
  };
  inBackground(() => done++, never);
  inBackground(async () => {
    await turn();
    done++;
  }, never);
  await turn();
  await turn();
  assert.is(done, 2);
});

test('a fault of our own while threads are looked at does not end the session', async () => {
  // Of image and engine only what a look needs is there.
  const image = { bodies: [{}] } as unknown as PatchImage;
  const engine = {
    framesInside() {
      throw new TypeError('a fault of ours');
    },
  } as unknown as LiveEngine;
  const told: string[] = [];
  const error = await new Promise((resolve) => {
    const keptAlive = setTimeout(resolve, 20_000);
    tellStillInside(
      { engine, image, pid: process.pid, isLive: () => true },
      {
        stillInside: (message) => told.push(message),
        report: (fault) => {
          clearTimeout(keptAlive);
          resolve(fault);
        },
      },
    );
  });
  assert.instance(error, TypeError);
  assert.equal(told, []);
  assert.equal(unhandled, []);
});

test.run();

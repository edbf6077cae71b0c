// Runs a pair's program with the agent in it, applies a patch while its values are alive, and takes down what it says.
import { randomBytes } from 'node:crypto';
import { listenForAgent } from '../../src/host/agent/agent-connection.js';
import type { PatchImage } from '../../src/patch/image/image.js';
import { transactionOf } from '../../src/patch/image/transaction.js';
import { newSocketPath, type Running } from '../agent/process.js';
import type { Base } from './compile.js';

const ANSWER_LIMIT_MS = 10_000;

/** What became of a patched program. */
export interface Ran {
  /** What it said before the patch. */
  readonly before: string;
  /** What it said after it, or how it ended instead: `ended with SIGSEGV`, `ended with 101`, `said nothing`. */
  readonly after: string;
  /** Exit status or signal when it was asked to end. Values are dropped then. */
  readonly end: number | string;
}

/** Starts the program, lets it speak, patches it, lets it speak again, and ends it. */
export async function patchRunning({ executable, place }: Base, image: PatchImage): Promise<Ran> {
  const [socketPath, token] = [newSocketPath(), randomBytes(32)];
  const listener = await listenForAgent({ socketPath, token });
  const program = await place.start(executable, socketPath, token);
  try {
    const died = program.ended.then((status) => {
      throw new Error(`the program ended with ${status} before its agent connected`);
    });
    const agent = await Promise.race([listener.accept(), died]);
    const before = await answer(program);
    const { status, message } = await agent.transact(1, transactionOf(image, agent.program, place.target));
    if (status !== 'applied') throw new Error(`the agent did not apply the patch: ${status} ${message}`);
    const after = await answer(program);
    return { before, after, end: await within(program.end(), 'does not end') };
  } finally {
    listener.close();
    program.kill();
  }
}

async function answer(program: Running): Promise<string> {
  const said = program.say('').catch(async () => `ended with ${await program.ended}`);
  return within(said, 'said nothing');
}

async function within<T>(work: Promise<T>, otherwise: string): Promise<T | string> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ANSWER_LIMIT_MS);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

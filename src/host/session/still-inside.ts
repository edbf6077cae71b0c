// After a patch: which changed functions some thread is still inside, with their old bodies. A thread that was just
// passing is of no interest, so the stacks are looked at twice, and only frames that are there both times are told.
import { setTimeout as sleep } from 'node:timers/promises';
import { IpbpError } from '../../codes/error.js';
import { demangle } from '../../formats/symbols/demangle.js';
import type { PatchImage } from '../../patch/image/image.js';
import type { LiveEngine } from '../../patch/live-engine.js';
import type { LiveFrame } from '../../patch/program/live-frames.js';
import { inBackground, type Report } from './background.js';
import { lookAtStacks } from './live-stacks.js';

/**
 * Between looks, by turns. A thread that runs at the moment of one is not seen by it, so there are several; and one that
 * sleeps at regular intervals must not be awake at each of them.
 */
const PAUSES_MS = [61, 103, 83, 127, 71, 113];
/** Most looks until every thread was seen. Then those that always run stay unknown. */
const MOST_LOOKS = 12;
/** Between what is seen first and what is seen again: threads that come through have left by then. */
const APART_MS = 300;
/** Most functions that are named. */
const SPELLED = 3;

/** A patch that has just become live. */
export interface Applied {
  readonly engine: LiveEngine;
  readonly image: PatchImage;
  readonly pid: number;
  /** False as soon as it was undone. */
  readonly isLive: () => boolean;
}

/** Who hears of it. */
export interface AfterPatch {
  /** Which functions some thread has not left since the patch. */
  readonly stillInside: (message: string) => void;
  readonly report: Report;
}

/** Looks, and tells what it saw first and then again; nothing where the process cannot be looked into. */
export function tellStillInside(applied: Applied, { stillInside, report }: AfterPatch): void {
  if (applied.image.bodies.length > 0) inBackground(() => lookOn(applied, stillInside), report);
}

async function lookOn(applied: Applied, tell: (message: string) => void): Promise<void> {
  const first = await lookAtAll(applied);
  if (first.size === 0) return;
  await sleep(APART_MS, undefined, { ref: false });
  const again = await lookAtAll(applied);
  const both = [...again].filter(([key]) => first.has(key)).map(([, frame]) => frame);
  if (both.length > 0) tell(insideText(both));
}

/** Looks until every thread was seen. All frames, each once. */
async function lookAtAll(applied: Applied): Promise<ReadonlyMap<string, LiveFrame>> {
  const seen = new Map<string, LiveFrame>();
  const known = new Set<number>();
  for (let count = 0; count < MOST_LOOKS; count++) {
    await sleep(PAUSES_MS[count % PAUSES_MS.length], undefined, { ref: false });
    const { frames, blocked, running } = look(applied);
    for (const frame of frames) seen.set(keyOf(frame), frame);
    for (const thread of blocked) known.add(thread);
    if (running.every((thread) => known.has(thread))) break;
  }
  return seen;
}

function keyOf({ thread, name, at }: LiveFrame): string {
  return `${thread} ${at} ${name}`;
}

/** Threads by their numbers. */
interface Look {
  readonly frames: readonly LiveFrame[];
  readonly blocked: readonly number[];
  readonly running: readonly number[];
}

const NOTHING: Look = { frames: [], blocked: [], running: [] };

function look({ engine, image, pid, isLive }: Applied): Look {
  const seen = isLive() ? lookAtStacks(pid) : null;
  if (seen === null) return NOTHING;
  const { stacks, running, read } = seen;
  try {
    const frames = engine.framesInside(image, stacks, read);
    return { frames, blocked: stacks.map(({ thread }) => thread), running };
  } catch (error) {
    // Unwind records that cannot be read: then nothing is known.
    if (error instanceof IpbpError) return NOTHING;
    throw error;
  } finally {
    seen.close();
  }
}

/** `2 threads are still inside app::turn: they go on with its old body until it returns`. */
export function insideText(frames: readonly LiveFrame[]): string {
  const threads = new Set(frames.map(({ thread }) => thread)).size;
  const names = [...new Set(frames.map(({ name }) => demangle(name)))].sort();
  const more = names.length > SPELLED ? ` and ${names.length - SPELLED} more` : '';
  const where = names.slice(0, SPELLED).join(', ') + more;
  const who = threads === 1 ? '1 thread is' : `${threads} threads are`;
  const they = threads === 1 ? 'it goes' : 'they go';
  const until = names.length === 1 ? 'its old body until it returns' : 'their old bodies until they return';
  return `${who} still inside ${where}: ${they} on with ${until}`;
}

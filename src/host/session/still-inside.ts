// After a patch: which changed functions some thread is still inside, with their old bodies. A thread that was just
// passing is of no interest, so the stacks are looked at for a while, and only frames that are there at its
// beginning and at its end are told.
import { setTimeout as sleep } from 'node:timers/promises';
import { IpbpError } from '../../codes/error.js';
import { demangle } from '../../formats/symbols/demangle.js';
import type { PatchImage } from '../../patch/image/image.js';
import type { LiveEngine } from '../../patch/live-engine.js';
import type { LiveFrame } from '../../patch/program/live-frames.js';
import { inBackground, type Report } from './background.js';
import { lookAtStacks } from './live-stacks.js';

/** Between looks. A thread that runs at the moment of one is not seen by it, so there are several. */
const EVERY_MS = 120;
/** In the first half of the looks, and again in the second. */
const LOOKS = 3;
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
  const first = await lookSeveralTimes(applied);
  if (first.size === 0) return;
  const again = await lookSeveralTimes(applied);
  const both = [...again].filter(([key]) => first.has(key)).map(([, frame]) => frame);
  if (both.length > 0) tell(insideText(both));
}

/** All frames that were seen, each once. */
async function lookSeveralTimes(applied: Applied): Promise<ReadonlyMap<string, LiveFrame>> {
  const seen = new Map<string, LiveFrame>();
  for (let count = 0; count < LOOKS; count++) {
    await sleep(EVERY_MS, undefined, { ref: false });
    for (const frame of look(applied)) seen.set(keyOf(frame), frame);
  }
  return seen;
}

function keyOf({ thread, name, at }: LiveFrame): string {
  return `${thread} ${at} ${name}`;
}

function look({ engine, image, pid, isLive }: Applied): readonly LiveFrame[] {
  const seen = isLive() ? lookAtStacks(pid) : null;
  if (seen === null) return [];
  try {
    return engine.framesInside(image, seen.stacks, seen.read);
  } catch (error) {
    // Unwind records that cannot be read: then nothing is known.
    if (error instanceof IpbpError) return [];
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

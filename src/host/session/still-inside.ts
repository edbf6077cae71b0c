// After a patch: which changed functions some thread is still inside, with their old bodies. A thread that was just
// passing is of no interest, so the stacks are looked at twice, and only frames that are there both times are told.
import { IpbpError } from '../../codes/error.js';
import { demangle } from '../../formats/symbols/demangle.js';
import type { PatchImage } from '../../patch/image/image.js';
import type { LiveEngine } from '../../patch/live-engine.js';
import type { LiveFrame } from '../../patch/program/live-frames.js';
import { lookAtStacks } from './live-stacks.js';

const FIRST_LOOK_MS = 100;
const SECOND_LOOK_MS = 400;
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

/** Looks twice and tells what it saw both times; nothing where the process cannot be looked into. */
export function tellStillInside(applied: Applied, tell: (message: string) => void): void {
  if (applied.image.bodies.length === 0) return;
  setTimeout(() => {
    const first = look(applied);
    if (first.length === 0) return;
    setTimeout(() => {
      const keys = new Set(first.map(keyOf));
      const both = look(applied).filter((frame) => keys.has(keyOf(frame)));
      if (both.length > 0) tell(insideText(both));
    }, SECOND_LOOK_MS).unref();
  }, FIRST_LOOK_MS).unref();
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

// What a process that links once and then ends tells V8.
import { setFlagsFromString } from 'node:v8';

/**
 * Has functions compiled without others inlined into them. The code that comes of it is a little slower, and there sooner:
 * before it would have earned what the longer compilation costs, the link is over (measured: 15 to 25 % of the processor's
 * time, a tenth of the time to the end). Not for a process that links again and again.
 */
export function expectOneLink(): void {
  setFlagsFromString('--no-turbo-inlining');
}

/**
 * Has functions compiled later: what runs for a quarter of a second over many small files has most of its functions
 * compiled when few are left (measured on 257 objects: 20 to 25 % of the processor's time, 7 % of the time to the end). A
 * link, whose passes run long each, gains nothing by it.
 */
export function expectShortWork(): void {
  setFlagsFromString('--interrupt-budget=600000');
}

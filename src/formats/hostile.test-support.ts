// What tests of broken files ask of every format's reader: a refusal with a code, a place and words.
import * as assert from 'uvu/assert';
import { IpbpError } from '../codes/error.js';

/** What `read` refuses these bytes with; null where it does not. Other errors are thrown on. */
export function refusalOf(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): IpbpError | null {
  try {
    read(bytes);
    return null;
  } catch (error) {
    if (error instanceof IpbpError) return error;
    throw error;
  }
}

/** @param error of bytes that were read under the name hostile.o */
export function assertRefusal(error: IpbpError | null, code: string, words: RegExp): void {
  assert.ok(error, `not refused: ${words.source}`);
  assert.is(error.code, code, error.message);
  assert.match(error.message, words);
  assert.match(error.facts.where ?? '', /^hostile\.o, offset 0x[0-9a-f]+$/);
}

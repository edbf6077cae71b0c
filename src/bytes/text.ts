// Names in files are bytes; here they become strings and back. UTF-8 by hand, because the pure core has neither Buffer
// nor TextDecoder, and because names are short and nearly always ASCII, where this is also the fastest way.

/** Most code units per `String.fromCharCode` call: more are slower, and far more overflow the stack. */
const CHUNK = 4096;
const REPLACEMENT = 0xfffd;

/** Decodes bytes [start, end) as UTF-8. What is not UTF-8 becomes U+FFFD, one per byte: names never fail to decode. */
export function decodeText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) >= 0x80) return decodeUtf8(bytes, start, end);
  }
  return fromUnits(bytes, start, end);
}

function fromUnits(units: Uint8Array | readonly number[], start: number, end: number): string {
  if (end - start <= CHUNK) return String.fromCharCode.apply(null, slice(units, start, end));
  const parts: string[] = [];
  for (let at = start; at < end; at += CHUNK) {
    parts.push(String.fromCharCode.apply(null, slice(units, at, Math.min(end, at + CHUNK))));
  }
  return parts.join('');
}

function slice(units: Uint8Array | readonly number[], start: number, end: number): number[] {
  // `apply` takes any array-like; its type asks for an array.
  return (units instanceof Uint8Array ? units.subarray(start, end) : units.slice(start, end)) as number[];
}

function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  const units: number[] = [];
  let at = start;
  while (at < end) {
    const first = bytes[at] as number;
    const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    const point = length === 0 || at + length > end ? -1 : codePoint(bytes, at, length);
    if (point < 0) {
      units.push(REPLACEMENT);
      at++;
      continue;
    }
    if (point < 0x10000) units.push(point);
    else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
    at += length;
  }
  return fromUnits(units, 0, units.length);
}

/** The code point of `length` bytes at `at`, or -1 where they are none (RFC 3629 §4: no overlong forms, no surrogates). */
function codePoint(bytes: Uint8Array, at: number, length: number): number {
  const first = bytes[at] as number;
  if (length === 1) return first;
  let point = first & (0x7f >> length);
  for (let index = 1; index < length; index++) {
    const byte = bytes[at + index] as number;
    if ((byte & 0xc0) !== 0x80) return -1;
    point = point * 64 + (byte & 0x3f);
  }
  const least = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
  return point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? -1 : point;
}

/** The UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. */
export function encodeText(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    let point = character.codePointAt(0) as number;
    if (point >= 0xd800 && point <= 0xdfff) point = REPLACEMENT;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    else {
      bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f));
      bytes.push(0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    }
  }
  return Uint8Array.from(bytes);
}

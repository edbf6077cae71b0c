// Reads source maps of one line, and finds a module's own: what a debugger does with it.
import { Buffer } from 'node:buffer';

/** A segment of the map, absolute; null for what has no source. Lines and columns from 0. */
interface ReadSegment {
  readonly column: number;
  readonly origin: { readonly source: string; readonly line: number; readonly column: number } | null;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function numbers(segment: string): number[] {
  const found: number[] = [];
  let [value, shift] = [0n, 0n];
  for (const letter of segment) {
    const digit = BigInt(ALPHABET.indexOf(letter));
    value |= (digit & 31n) << shift;
    shift += 5n;
    if ((digit & 32n) !== 0n) continue;
    found.push(Number((value & 1n) === 1n ? -(value >> 1n) : value >> 1n));
    [value, shift] = [0n, 0n];
  }
  return found;
}

/** The segments of a map. Throws where it is none of version 3 with one line. */
export function readSourceMap(json: string): ReadSegment[] {
  const map = JSON.parse(json) as { version: number; sources: string[]; mappings: string };
  if (map.version !== 3 || map.mappings.includes(';')) throw new Error(`no map of one line: ${json}`);
  const sums = [0, 0, 0, 0];
  return (map.mappings === '' ? [] : map.mappings.split(',')).map((segment) => {
    const values = numbers(segment);
    values.forEach((value, at) => (sums[at] = (sums[at] ?? 0) + value));
    const [column = 0, source = 0, line = 0, from = 0] = sums;
    if (values.length === 1) return { column, origin: null };
    const name = map.sources[source];
    if (values.length !== 4 || name === undefined) throw new Error(`a broken segment: ${segment}`);
    return { column, origin: { source: name, line, column: from } };
  });
}

/** The URL in a module's `sourceMappingURL` section, whose content is a text behind its length; null without one. */
export function sourceMapUrlOf(module: Uint8Array): string | null {
  const [section] = WebAssembly.Module.customSections(
    new WebAssembly.Module(new Uint8Array(module)),
    'sourceMappingURL',
  );
  if (section === undefined) return null;
  const bytes = new Uint8Array(section);
  const width = bytes.findIndex((byte) => byte < 0x80) + 1;
  const length = bytes.subarray(0, width).reduce((sum, byte, at) => sum + (byte % 128) * 128 ** at, 0);
  if (width + length !== bytes.length) throw new Error('the section is longer than its text');
  return new TextDecoder().decode(bytes.subarray(width));
}

/** The map that a `data:` URL holds. */
export function sourceMapIn(url: string): string {
  const [head, content = ''] = url.split(',');
  if (head !== 'data:application/json;base64') throw new Error(`another URL: ${url}`);
  return Buffer.from(content, 'base64').toString('utf8');
}

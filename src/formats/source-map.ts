// Source maps of version 3 (ECMA-426) for what has one line, as modules of WebAssembly do: columns are offsets in the file.
// Only their encoding; what is mapped is the caller's.
import { encodeText } from '../bytes/text.js';

/** From `column` on, up to the next one. */
export interface Mapping {
  readonly column: number;
  /** Null for what has no source. */
  readonly origin: MappingOrigin | null;
}

/** A place in a source; line and column from 0. */
export interface MappingOrigin {
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The map as JSON. `mappings` rise by column. */
export function encodeSourceMap(mappings: readonly Mapping[]): string {
  const sources = new Map<string, number>();
  const last = { column: 0, source: 0, line: 0, sourceColumn: 0 };
  const segments = mappings.map(({ column, origin }) => {
    const place = vlq(column - last.column);
    last.column = column;
    if (origin === null) return place;
    const source = sources.get(origin.source) ?? sources.size;
    sources.set(origin.source, source);
    const from = [source - last.source, origin.line - last.line, origin.column - last.sourceColumn];
    Object.assign(last, { source, line: origin.line, sourceColumn: origin.column });
    return place + from.map(vlq).join('');
  });
  return JSON.stringify({ version: 3, sources: [...sources.keys()], names: [], mappings: segments.join(',') });
}

/** The map as the URL of itself. */
export function sourceMapUrl(json: string): string {
  return `data:application/json;base64,${base64(encodeText(json))}`;
}

/** The sign is the lowest bit; five bits in a digit, the lowest first, and a sixth where more follow. */
function vlq(value: number): string {
  let rest = value < 0 ? 1 - 2 * value : 2 * value;
  let text = '';
  do {
    const five = rest % 32;
    rest = (rest - five) / 32;
    text += digit(rest > 0 ? five + 32 : five);
  } while (rest > 0);
  return text;
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const three = (bytes[at] ?? 0) * 0x1_0000 + (bytes[at + 1] ?? 0) * 0x100 + (bytes[at + 2] ?? 0);
    const four = [0x4_0000, 0x1000, 0x40, 1].map((scale) => digit(Math.floor(three / scale) % 64)).join('');
    text += four.slice(0, 1 + bytes.length - at).padEnd(4, '=');
  }
  return text;
}

function digit(value: number): string {
  return DIGITS[value] as string;
}

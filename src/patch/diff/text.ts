// Turns literals found in data into words for a person: strings, format templates. Knows nothing of atoms.
import { decodeText } from '../../bytes/text.js';

/** Longest literal shown. */
const SHOWN = 40;

/** A literal's text, or null when the bytes are none that a person would read. */
export function readLiteral(bytes: Uint8Array): string | null {
  const template = readTemplate(bytes);
  if (template !== null) return template;
  const end = bytes[bytes.length - 1] === 0 ? bytes.length - 1 : bytes.length;
  if (end === 0) return null;
  const text = decodeText(bytes, 0, end);
  return isReadable(text) ? text : null;
}

function isReadable(text: string): boolean {
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    if (point === 0xfffd || point === 0x7f) return false;
    if (point < 0x20 && character !== '\n' && character !== '\t' && character !== '\r' && character !== '\x1b')
      return false;
  }
  return true;
}

/**
 * A compiled format string, with `{}` where arguments go. The encoding is core's (core::fmt::Arguments since 1.93) and
 * private to the compiler: what does not fit it to the last byte is no template.
 * - 0x01–0x7f: that many bytes of text; 0x80: a u16 length, then text; 0: end
 * - 0xc0–0xcf: an argument; bits 0, 1, 2, 3 say that 4 bytes of flags, 2 of width, of precision, of index follow
 */
function readTemplate(bytes: Uint8Array): string | null {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] as number;
    if (tag === 0) return at === bytes.length && text.length > 0 && isReadable(text) ? text : null;
    if (tag <= 0x80) {
      const long = tag === 0x80;
      if (long && at + 2 > bytes.length) return null;
      const length = long ? (bytes[at] as number) + 256 * (bytes[at + 1] as number) : tag;
      if (long) at += 2;
      if (at + length > bytes.length) return null;
      text += decodeText(bytes, at, at + length);
      at += length;
    } else if (tag >= 0xc0 && tag <= 0xcf) {
      text += '{}';
      at +=
        (tag % 2) * 4 + (Math.floor(tag / 2) % 2) * 2 + (Math.floor(tag / 4) % 2) * 2 + (Math.floor(tag / 8) % 2) * 2;
    } else return null;
  }
  return null;
}

/** In double quotes, control characters escaped, shortened to its start. */
export function quote(text: string): string {
  const characters = [...text];
  const shown = characters.length > SHOWN ? `${characters.slice(0, SHOWN - 1).join('')}…` : text;
  return `"${[...shown].map(escape).join('')}"`;
}

function escape(character: string): string {
  const point = character.charCodeAt(0);
  if (character === '"' || character === '\\') return `\\${character}`;
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  return point < 0x20 || point === 0x7f ? `\\x${point.toString(16).padStart(2, '0')}` : character;
}

/** Two texts quoted so that the place where they differ is seen: a long common start is left out. */
export function quoteChange(before: string, after: string): string {
  let common = 0;
  while (common < before.length && before[common] === after[common]) common++;
  const skip = Math.max(before.length, after.length) > SHOWN && common > SHOWN / 2 ? common - 10 : 0;
  const cut = (text: string): string => quote(skip > 0 ? `…${text.slice(skip)}` : text);
  return `${cut(before)} → ${cut(after)}`;
}

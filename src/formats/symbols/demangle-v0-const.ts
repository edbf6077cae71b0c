// Constants in v0 names (rustc book, "v0 Symbol Format", Const): integers, bool, char, str, references, arrays, tuples
// and structures. Paths inside them are written by the caller's function.
import type { V0Cursor } from './v0-cursor.js';

/** Writes a path; `inValue` as in demangle-v0.ts. */
type WritePath = (cursor: V0Cursor, inValue: boolean) => void;

const UNSIGNED: ReadonlyMap<string, string> = new Map([
  ['h', 'u8'],
  ['t', 'u16'],
  ['m', 'u32'],
  ['y', 'u64'],
  ['o', 'u128'],
  ['j', 'usize'],
]);
const SIGNED: ReadonlyMap<string, string> = new Map([
  ['a', 'i8'],
  ['s', 'i16'],
  ['l', 'i32'],
  ['x', 'i64'],
  ['n', 'i128'],
  ['i', 'isize'],
]);

/** `const`. Outside of values (as a generic argument) anything but a literal stands in braces, as in source. */
export function writeConst(cursor: V0Cursor, inValue: boolean, path: WritePath): void {
  if (!cursor.enter()) return;
  const tag = cursor.next();
  const braces = !inValue && 'eRQATV'.includes(tag) && !(tag === 'R' && cursor.peek() === 'e');
  if (braces) cursor.write('{');
  writeTagged(cursor, tag, inValue, path);
  if (braces) cursor.write('}');
  cursor.leave();
}

function writeTagged(cursor: V0Cursor, tag: string, inValue: boolean, path: WritePath): void {
  switch (tag) {
    case 'p':
      cursor.write('_');
      return;
    case 'b':
      writeBool(cursor);
      return;
    case 'c':
      writeChar(cursor);
      return;
    case 'e':
      // A str by value, which no source can write: the text behind a reference, taken apart again.
      cursor.write('*');
      writeText(cursor);
      return;
    case 'R':
    case 'Q':
      if (tag === 'R' && cursor.eat('e')) {
        writeText(cursor);
        return;
      }
      cursor.write(tag === 'R' ? '&' : '&mut ');
      writeConst(cursor, true, path);
      return;
    case 'A':
      cursor.write('[');
      cursor.list(', ', () => writeConst(cursor, true, path));
      cursor.write(']');
      return;
    case 'T': {
      cursor.write('(');
      const count = cursor.list(', ', () => writeConst(cursor, true, path));
      cursor.write(count === 1 ? ',)' : ')');
      return;
    }
    case 'V':
      writeStructure(cursor, path);
      return;
    case 'B':
      cursor.backReference(() => writeConst(cursor, inValue, path));
      return;
    default:
      writeInteger(cursor, tag);
  }
}

function writeInteger(cursor: V0Cursor, tag: string): void {
  const type = UNSIGNED.get(tag) ?? SIGNED.get(tag);
  if (type === undefined) {
    cursor.fail();
    return;
  }
  if (SIGNED.has(tag) && cursor.eat('n')) cursor.write('-');
  const digits = cursor.hexDigits();
  // Beyond 64 bits decimal digits tell a person nothing.
  cursor.write(digits.length > 16 ? `0x${digits}` : BigInt(`0x${digits}`).toString());
  if (cursor.hashes) cursor.write(type);
}

function writeBool(cursor: V0Cursor): void {
  const digits = cursor.hexDigits();
  if (digits !== '0' && digits !== '1') cursor.fail();
  cursor.write(digits === '1' ? 'true' : 'false');
}

function writeChar(cursor: V0Cursor): void {
  const digits = cursor.hexDigits();
  const point = digits.length > 6 ? -1 : Number.parseInt(digits, 16);
  if (point < 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) cursor.fail();
  else cursor.write(`'${escape(String.fromCodePoint(point), "'")}'`);
}

/** The bytes of a str as hexadecimal pairs, UTF-8. */
function writeText(cursor: V0Cursor): void {
  const pairs = cursor.hexPairs();
  let text: string;
  try {
    text = decodeURIComponent(pairs.replace(/../g, '%$&'));
  } catch {
    cursor.fail();
    return;
  }
  cursor.write(`"${Array.from(text, (character) => escape(character, '"')).join('')}"`);
}

/** As Rust's `escape_debug` writes a character inside the given quotes. */
function escape(character: string, quote: string): string {
  switch (character) {
    case '\\':
      return '\\\\';
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    case '\0':
      return '\\0';
    default:
      break;
  }
  if (character === quote) return `\\${quote}`;
  return /^[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}]$/u.test(character)
    ? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
    : character;
}

/** `V path` and its fields: U none, T by position, S by name. */
function writeStructure(cursor: V0Cursor, path: WritePath): void {
  path(cursor, true);
  switch (cursor.next()) {
    case 'U':
      return;
    case 'T':
      cursor.write('(');
      cursor.list(', ', () => writeConst(cursor, true, path));
      cursor.write(')');
      return;
    case 'S':
      cursor.write(' { ');
      cursor.list(', ', () => {
        cursor.disambiguator();
        cursor.write(`${cursor.identifier()}: `);
        writeConst(cursor, true, path);
      });
      cursor.write(' }');
      return;
    default:
      cursor.fail();
  }
}

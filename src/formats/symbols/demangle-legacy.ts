// Rust's legacy mangling (rustc book, "Legacy Symbol Mangling"): the form of Itanium's nested names with `$…$` escapes
// and a last element `h` + 16 hexadecimal digits, which tells it from C++.

const HASH = /^h[0-9a-f]{16}$/;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['SP', '@'],
  ['BP', '*'],
  ['RF', '&'],
  ['LT', '<'],
  ['GT', '>'],
  ['LP', '('],
  ['RP', ')'],
  ['C', ','],
]);

/** Null when `name`, which starts with `_ZN`, is not a Rust symbol. A suffix such as `.cold` is kept. */
export function demangleLegacy(name: string, hashes: boolean): string | null {
  const elements: string[] = [];
  let at = 3;
  while (name[at] !== 'E') {
    const digits = /^[1-9][0-9]{0,6}/.exec(name.slice(at, at + 7))?.[0];
    if (digits === undefined) return null;
    at += digits.length;
    const size = Number(digits);
    if (at + size > name.length) return null;
    elements.push(name.slice(at, at + size));
    at += size;
  }
  const suffix = name.slice(at + 1);
  const hash = elements.at(-1);
  if (elements.length < 2 || hash === undefined || !HASH.test(hash) || !/^(?:[.@].*)?$/s.test(suffix)) return null;
  const kept = hashes ? elements : elements.slice(0, -1);
  return kept.map(readElement).join('::') + suffix;
}

function readElement(element: string): string {
  // An element that would start with an escape got an underscore, to be an identifier.
  const text = element.startsWith('_$') ? element.slice(1) : element;
  let result = '';
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('..', at)) {
      result += '::';
      at += 2;
    } else if (text[at] === '$') {
      const end = text.indexOf('$', at + 1);
      const character = end < 0 ? null : unescape(text.slice(at + 1, end));
      // Not an escape: the rest is taken as it stands.
      if (character === null) return result + text.slice(at);
      result += character;
      at = end + 1;
    } else {
      result += text.charAt(at);
      at++;
    }
  }
  return result;
}

function unescape(escape: string): string | null {
  const known = ESCAPES.get(escape);
  if (known !== undefined) return known;
  if (!/^u[0-9a-f]{1,6}$/.test(escape)) return null;
  const point = Number.parseInt(escape.slice(1), 16);
  const isControl = point < 0x20 || (point >= 0x7f && point < 0xa0);
  return isControl || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? null : String.fromCodePoint(point);
}

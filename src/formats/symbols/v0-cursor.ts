// The cursor of the v0 demangler: characters, numbers, identifiers, back references, and the text written so far.
// It never throws: after a failure everything is a no-op and `failed` is true. All bounds are checked here.
import { LIMITS } from '../../bytes/limits.js';
import { decodePunycode } from './punycode.js';

const DIGITS_62 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Reads one v0 name from its start and collects what a person reads. A class because it is a cursor. */
export class V0Cursor {
  /** Behind `_R`; back references count from its start. */
  private readonly text: string;
  /** Write what tells equal names apart. */
  readonly hashes: boolean;
  /** Write the number of every named item, as of closures: `app::main#0::LOCAL#1`. */
  readonly numbers: boolean;
  failed = false;
  /** Lifetimes bound by the binders around this place. */
  boundLifetimes = 0;
  private position = 0;
  private depth = 0;
  private steps = 0;
  private muted = false;
  private parts: string[] = [];
  private size = 0;

  constructor(text: string, hashes: boolean, numbers = false) {
    this.text = text;
    this.numbers = numbers;
    this.hashes = hashes;
  }

  get ended(): boolean {
    return this.position >= this.text.length;
  }

  output(): string {
    return this.parts.join('');
  }

  fail(): void {
    this.failed = true;
  }

  write(text: string): void {
    if (this.muted || this.failed) return;
    this.size += text.length;
    if (this.size > LIMITS.demangledLength) this.fail();
    else this.parts.push(text);
  }

  /** Parses without writing. */
  silently(parse: () => void): void {
    const before = this.muted;
    this.muted = true;
    parse();
    this.muted = before;
  }

  /** Counts one level of nesting and one step; false, and failed, when there are too many. */
  enter(): boolean {
    this.depth++;
    this.steps++;
    if (this.depth > LIMITS.demangleDepth || this.steps > LIMITS.demangleSteps) this.fail();
    return !this.failed;
  }

  leave(): void {
    this.depth--;
  }

  /** The next character; empty at the end, which is a failure. */
  next(): string {
    const character = this.text[this.position];
    if (character === undefined || this.failed) {
      this.fail();
      return '';
    }
    this.position++;
    return character;
  }

  /** Undoes the last `next`. */
  back(): void {
    if (!this.failed) this.position--;
  }

  peek(): string {
    return this.failed ? '' : (this.text[this.position] ?? '');
  }

  eat(character: string): boolean {
    if (this.peek() !== character) return false;
    this.position++;
    return true;
  }

  /** `base-62-number`: `_` is 0, otherwise digits + 1. Beyond 2^53 it is not exact, which only hashes reach. */
  base62(): number {
    if (this.eat('_')) return 0;
    let value = 0;
    while (!this.failed && !this.eat('_')) {
      const digit = DIGITS_62.indexOf(this.next());
      if (digit < 0) this.fail();
      value = value * 62 + digit;
    }
    return this.failed ? 0 : value + 1;
  }

  /** A tag and a `base-62-number` + 1, or 0 when the tag is not there. */
  optionalBase62(tag: string): number {
    return this.eat(tag) ? this.base62() + 1 : 0;
  }

  disambiguator(): number {
    return this.optionalBase62('s');
  }

  /** The disambiguator in hexadecimal, exact whatever its size; empty when there is none, or hashes are not wanted. */
  disambiguatorText(): string {
    const start = this.position + 1;
    if (this.disambiguator() === 0 || this.failed || !this.hashes) return '';
    return hexOf62(this.text.slice(start, this.position - 1));
  }

  /** `undisambiguated-identifier`, decoded. */
  identifier(): string {
    const punycode = this.eat('u');
    let size = 0;
    if (!this.eat('0')) {
      const past = this.position + MOST_DIGITS;
      for (; this.position < past; this.position++) {
        const digit = this.text.charCodeAt(this.position) - 0x30;
        if (!(digit >= 0 && digit <= 9)) break;
        size = size * 10 + digit;
      }
      // A zero in front was eaten: what is 0 here has no digits.
      if (size === 0 || this.failed) {
        this.fail();
        return '';
      }
    }
    this.eat('_');
    if (this.failed || this.position + size > this.text.length) {
      this.fail();
      return '';
    }
    const name = this.text.slice(this.position, this.position + size);
    this.position += size;
    if (!punycode) return name;
    const decoded = decodePunycode(name);
    if (decoded === null) this.fail();
    return decoded ?? '';
  }

  /** Hexadecimal digits up to `_`, without leading zeros; `0` for none. */
  hexDigits(): string {
    return this.hexText().replace(/^0+(?=.)/, '') || '0';
  }

  /** Hexadecimal digits up to `_`, two for each byte. */
  hexPairs(): string {
    const digits = this.hexText();
    if (digits.length % 2 !== 0) this.fail();
    return this.failed ? '' : digits;
  }

  private hexText(): string {
    const end = this.text.indexOf('_', this.position);
    const digits = end < 0 ? 'x' : this.text.slice(this.position, end);
    if (this.failed || !/^[0-9a-f]*$/.test(digits)) {
      this.fail();
      return '';
    }
    this.position = end + 1;
    return digits;
  }

  /** Items up to an E; returns how many there were. */
  list(separator: string, item: () => void): number {
    let count = 0;
    while (!this.failed && !this.eat('E')) {
      if (count > 0) this.write(separator);
      item();
      count++;
    }
    return count;
  }

  /** `backref` behind its B: parses again what stands earlier. Where nothing is written it is not followed. */
  backReference(parse: () => void): void {
    const here = this.position - 1;
    const target = this.base62();
    if (target >= here) this.fail();
    if (this.failed || this.muted || !this.enter()) return;
    const after = this.position;
    this.position = target;
    parse();
    this.position = after;
    this.leave();
  }
}

/** Of an identifier's length. */
const MOST_DIGITS = 7;

/** Hashes of crates: every name has some, and they are few. */
const hexBy62 = new Map<string, string>();
/** Hashes that are remembered, at most; then it begins anew. */
const MOST_KNOWN = 1000;

/** The digits of a `base-62-number` that is one more than they say, as a disambiguator, in hexadecimal. */
function hexOf62(digits: string): string {
  let hex = hexBy62.get(digits);
  if (hex !== undefined) return hex;
  let value = 0n;
  for (const digit of digits) value = value * 62n + BigInt(DIGITS_62.indexOf(digit));
  hex = (value + (digits === '' ? 1n : 2n)).toString(16);
  if (hexBy62.size >= MOST_KNOWN) hexBy62.clear();
  hexBy62.set(digits, hex);
  return hex;
}

// The items of a Rust source file, split into what decides how values lie (`shapes`) and the bodies of functions, which
// do so only where they make types of their own: closures, coroutines, types without a name. Macros are not expanded:
// what they are given counts as a shape.
import { endOfGroup, isWord, tokensOf } from './source-tokens.js';

/** A function's body. */
export interface SourceBody {
  readonly text: string;
  /** Why its values cannot be known to lie as before once it changes; null where they can. */
  readonly opaque: string | null;
  /** Per closure what it mentions, in order: from that follows in which order it holds what it captures. */
  readonly closures: readonly string[];
}

/** What a source file declares. Names are paths within the file: `struct shop::Fish`. */
export interface SourceItems {
  readonly shapes: ReadonlyMap<string, string>;
  readonly bodies: ReadonlyMap<string, SourceBody>;
  /** Names that `use` brings in, with the whole path. */
  readonly uses: ReadonlyMap<string, string>;
}

const ITEM_WORDS = ['struct', 'enum', 'union', 'trait', 'impl', 'macro_rules', 'static'] as const;
/** Before `fn`, and before `trait` and `impl`. */
const MODIFIERS: ReadonlySet<string> = new Set(['const', 'async', 'unsafe', 'safe', 'default', 'extern', 'auto']);
/** Attributes that no layout hangs on. */
const HARMLESS: ReadonlySet<string> = new Set([
  'derive',
  'doc',
  'allow',
  'warn',
  'deny',
  'expect',
  'must_use',
  'inline',
  'cold',
  'test',
  'track_caller',
  'deprecated',
]);

/** Splits a source file. */
export function itemsOf(source: string): SourceItems {
  const reader = new ItemReader();
  reader.read(tokensOf(source), '');
  return reader;
}

/** Gathers the items of a file. A class because it gathers. */
class ItemReader implements SourceItems {
  readonly shapes = new Map<string, string>();
  readonly bodies = new Map<string, SourceBody>();
  readonly uses = new Map<string, string>();

  /** The items in a file, a module, or an `impl`. */
  read(tokens: readonly string[], path: string): void {
    let at = 0;
    while (at < tokens.length) at = this.item(tokens, at, path);
  }

  /** Takes one item; gives where the next begins. */
  private item(tokens: readonly string[], start: number, path: string): number {
    let at = start;
    const attributes: string[] = [];
    while (tokens[at] === '#') {
      const open = tokens[at + 1] === '!' ? at + 2 : at + 1;
      const end = endOfGroup(tokens, open);
      if (!HARMLESS.has(tokens[open + 1] ?? '')) attributes.push(...tokens.slice(at, end));
      at = end;
    }
    if (tokens[at] === 'pub') at = tokens[at + 1] === '(' ? endOfGroup(tokens, at + 1) : at + 1;
    const head = at;
    while (MODIFIERS.has(tokens[at] ?? '') && this.leadsOn(tokens, at)) at += /^"/.test(tokens[at + 1] ?? '') ? 2 : 1;
    const word = tokens[at] ?? '';
    const name = tokens[at + 1] ?? '';
    switch (word) {
      case 'fn':
        return this.fn(tokens, head, at, `${path}${name}`);
      case 'struct':
      case 'enum':
      case 'union':
      case 'type':
        if (!isWord(name)) break;
        return this.shape(`${word} ${path}${name}`, tokens, at, attributes, endOfItem(tokens, at));
      case 'static':
      case 'const': {
        const end = endOfItem(tokens, at, true);
        if (name === '_') return end;
        // A constant may be the length of an array; a static's first value is nobody's layout.
        const equals = tokens.indexOf('=', at);
        const until = word === 'static' && equals >= 0 && equals < end ? equals : end;
        const called = tokens[at + 1] === 'mut' ? tokens[at + 2] : name;
        this.shape(`${word} ${path}${called}`, tokens, at, attributes, until);
        return end;
      }
      case 'trait':
        return this.trait(tokens, at, attributes, `${path}${name}`);
      case 'impl': {
        const open = bodyOf(tokens, at);
        const end = endOfGroup(tokens, open);
        this.read(tokens.slice(open + 1, end - 1), `${path}${tokens.slice(at, open).join(' ')}::`);
        return end;
      }
      case 'mod': {
        if (tokens[at + 2] !== '{') return at + 3;
        const end = endOfGroup(tokens, at + 2);
        this.read(tokens.slice(at + 3, end - 1), `${path}${name}::`);
        return end;
      }
      case 'use':
        return this.use(tokens, at);
    }
    // Macros, `extern` blocks, and what is not known: as it stands.
    const end = Math.max(endOfItem(tokens, at), start + 1);
    const called = tokens.slice(at, end).join(' ').split(/[({[]/)[0] ?? '';
    const first = `${path}${called}`.trim();
    let key = first;
    for (let count = 2; this.shapes.has(key); count++) key = `${first} (${count})`;
    if (end > at) this.shape(key, tokens, at, attributes, end);
    return end;
  }

  /** Is this a modifier, and not `const NAME`, `unsafe {` or `extern crate`? */
  private leadsOn(tokens: readonly string[], at: number): boolean {
    const next = /^"/.test(tokens[at + 1] ?? '') ? tokens[at + 2] : tokens[at + 1];
    return next === 'fn' || next === 'trait' || next === 'impl' || (MODIFIERS.has(next ?? '') && tokens[at] !== next);
  }

  private fn(tokens: readonly string[], head: number, at: number, path: string): number {
    const open = bodyOf(tokens, at);
    if (tokens[open] !== '{') return open + 1;
    const end = endOfGroup(tokens, open);
    this.bodies.set(path, sourceBody(tokens.slice(head, open), tokens.slice(open, end)));
    return end;
  }

  private trait(tokens: readonly string[], at: number, attributes: readonly string[], path: string): number {
    const open = bodyOf(tokens, at);
    if (tokens[open] !== '{') return open + 1;
    const end = endOfGroup(tokens, open);
    // All but the bodies: the order of the methods is that of the slots.
    const kept: string[] = [...attributes, ...tokens.slice(at, open)];
    for (let here = open + 1; here < end - 1;) {
      const next = this.item(tokens, here, `${path}::`);
      const body = tokens.indexOf('{', here);
      const isFn = tokens.slice(here, next).includes('fn');
      kept.push(...tokens.slice(here, isFn && body >= 0 && body < next ? body : next), ';');
      here = next;
    }
    this.shapes.set(`trait ${path}`, text(kept));
    return end;
  }

  private use(tokens: readonly string[], at: number): number {
    const semicolon = tokens.indexOf(';', at);
    const end = semicolon < 0 ? tokens.length : semicolon + 1;
    const whole = tokens.slice(at, end);
    whole.forEach((token, place) => {
      const next = whole[place + 1];
      if ((isWord(token) || token === '*') && (next === ';' || next === ',' || next === '}')) {
        this.uses.set(token === '*' ? `* ${whole.join(' ')}` : token, whole.join(' '));
      }
    });
    return end;
  }

  private shape(
    key: string,
    tokens: readonly string[],
    at: number,
    attributes: readonly string[],
    end: number,
  ): number {
    this.shapes.set(key, text([...attributes, ...tokens.slice(at, end)]));
    return end;
  }
}

/** Who may see a field is nothing of its layout. */
function text(tokens: readonly string[]): string {
  return tokens
    .join(' ')
    .replace(/\bpub \( (?:crate|self|super|in [^)]*) \) /g, '')
    .replace(/\bpub /g, '');
}

/** The brace, or the semicolon, that follows a header. */
function bodyOf(tokens: readonly string[], at: number): number {
  let here = at;
  while (here < tokens.length && tokens[here] !== '{' && tokens[here] !== ';') {
    here = tokens[here] === '(' || tokens[here] === '[' ? endOfGroup(tokens, here) : here + 1;
  }
  return here;
}

/** Behind the semicolon or the braces that end an item. */
function endOfItem(tokens: readonly string[], at: number, toSemicolon = false): number {
  for (let here = at; here < tokens.length;) {
    const token = tokens[here];
    if (token === ';') return here + 1;
    if (token === '{' || token === '(' || token === '[') {
      here = endOfGroup(tokens, here);
      if (token === '{' && !toSemicolon) return here;
    } else here++;
  }
  return tokens.length;
}

function sourceBody(header: readonly string[], body: readonly string[]): SourceBody {
  return { text: text([...header, ...body]), opaque: opacity(header, body), closures: closuresIn(body) };
}

function opacity(header: readonly string[], body: readonly string[]): string | null {
  if (header.includes('async') || body.includes('async') || body.includes('await'))
    return 'holds its locals in a future';
  if (header[0] === 'const' || header[1] === 'const') return 'may have been run by the compiler';
  if (header.slice(header.indexOf('->')).includes('impl') && header.includes('->'))
    return 'gives back a type without a name';
  const declares = ITEM_WORDS.find((word) => body.includes(word) && word !== 'union');
  return declares === undefined ? null : `declares a ${declares} inside`;
}

/** What may stand before a closure's first bar. Behind an operand it is an operator. */
const BEFORE_CLOSURE: ReadonlySet<string> = new Set([
  '(',
  ',',
  '=',
  '=>',
  'move',
  'return',
  '{',
  ';',
  '}',
  '[',
  ':',
  '&',
  'else',
  'in',
]);

function closuresIn(body: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (let at = 1; at < body.length; at++) {
    if (body[at] !== '|' || !BEFORE_CLOSURE.has(body[at - 1] as string)) continue;
    const end = endOfClosure(body, at);
    found.push([...new Set(body.slice(at - 1, end).filter(isWord))].join(' '));
    // Those inside it are found on their own; its own second bar begins none.
    at = body.indexOf('|', at + 1);
  }
  return found;
}

function endOfClosure(body: readonly string[], start: number): number {
  for (let at = body.indexOf('|', start + 1) + 1; at < body.length;) {
    const token = body[at] as string;
    if (token === '(' || token === '[' || token === '{') at = endOfGroup(body, at);
    else if (token === ')' || token === ']' || token === '}' || token === ',' || token === ';') return at;
    else at++;
  }
  return body.length;
}

// Words and punctuation of the scripts that linkers read (GNU ld manual, "Scripts" and "VERSION Command"). What they
// mean is in linker-script.ts and version-script.ts.
import { IpbpError, type ErrorDetails } from '../codes/error.js';

/** A word, a quoted word, or one of `{ } ( ) ; , : =`. */
export interface ScriptToken {
  readonly text: string;
  readonly quoted: boolean;
  readonly line: number;
}

/** A cursor over a script. */
export class ScriptReader {
  readonly name: string;
  private readonly tokens: readonly ScriptToken[];
  private position = 0;

  /** `punctuation` are the characters that stand alone. */
  constructor(text: string, name: string, punctuation: string) {
    this.name = name;
    this.tokens = tokensOf(text, name, punctuation);
  }

  get ended(): boolean {
    return this.position >= this.tokens.length;
  }

  /** The next token's text, without taking it; null at the end and for quoted ones. */
  peek(): string | null {
    const token = this.tokens[this.position];
    return token === undefined || token.quoted ? null : token.text;
  }

  /** Takes the next token if it is this one. */
  takes(text: string): boolean {
    if (this.peek() !== text) return false;
    this.position++;
    return true;
  }

  /** The next token; IPBP1020 at the end. */
  next(expected: string): ScriptToken {
    const token = this.tokens[this.position];
    if (token === undefined) this.fail('a script ends too early', { expected });
    this.position++;
    return token;
  }

  /** Takes this token or throws IPBP1020. */
  expect(text: string): void {
    if (!this.takes(text)) this.fail('a script is not understood', { expected: `"${text}"` });
  }

  /** Throws IPBP1020 at the next token. */
  fail(summary: string, details: ErrorDetails = {}): never {
    const token = this.tokens[this.position];
    const line = (token ?? this.tokens[this.tokens.length - 1])?.line ?? 1;
    const actual = token === undefined ? 'the end' : `"${token.text}"`;
    throw new IpbpError('IPBP1020', summary, { actual, where: `${this.name}, line ${line}`, ...details });
  }
}

function tokensOf(text: string, name: string, punctuation: string): ScriptToken[] {
  const tokens: ScriptToken[] = [];
  const fail = (summary: string, at: number): never => {
    throw new IpbpError('IPBP1020', summary, { where: `${name}, line ${at}` });
  };
  let line = 1;
  for (let at = 0; at < text.length;) {
    const letter = text.charAt(at);
    if (letter === '\n') line++;
    if (/\s/.test(letter)) {
      at++;
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2);
      if (end < 0) fail('a comment does not end', line);
      for (; at < end + 2; at++) if (text[at] === '\n') line++;
    } else if (letter === '#') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (letter === '"') {
      const end = text.indexOf('"', at + 1);
      if (end < 0) fail('a quoted name does not end', line);
      tokens.push({ text: text.slice(at + 1, end), quoted: true, line });
      at = end + 1;
    } else if (punctuation.includes(letter)) {
      tokens.push({ text: letter, quoted: false, line });
      at++;
    } else {
      const start = at;
      while (at < text.length && !/[\s"#]/.test(text.charAt(at)) && !punctuation.includes(text.charAt(at))) {
        if (at > start && text.startsWith('/*', at)) break;
        at++;
      }
      tokens.push({ text: text.slice(start, at), quoted: false, line });
    }
  }
  return tokens;
}

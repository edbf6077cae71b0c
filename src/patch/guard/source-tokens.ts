// Rust source as tokens: comments and blanks dropped, literals whole. Enough to find where items begin and end; what
// they mean is in source-items.ts.

const BLANK = /\s+|\/\/[^\n]*/y;
const RAW_STRING = /(?:b|c)?r(#*)"/y;
const OTHERS = [
  /(?:b|c)?"(?:[^"\\]|\\[\s\S])*"/y,
  // Before lifetimes, which have no second quote.
  /b?'(?:[^'\\\n]|\\(?:u\{[^}]*\}|x[\da-fA-F]{2}|.))'/uy,
  /'[\p{L}_][\p{L}\p{N}_]*/uy,
  /(?:r#)?[\p{L}_][\p{L}\p{N}_]*/uy,
  /\d\w*(?:\.\d\w*)?/y,
  /::|->|=>|[\s\S]/y,
] as const;

/** The tokens of a source file, also of one that is not right. */
export function tokensOf(source: string): readonly string[] {
  const tokens: string[] = [];
  for (let at = 0; at < source.length;) {
    const blank = matchAt(BLANK, source, at);
    if (blank !== null) {
      at += blank[0].length;
    } else if (source.startsWith('/*', at)) {
      at = endOfComment(source, at);
    } else {
      const text =
        rawString(source, at) ?? OTHERS.map((kind) => matchAt(kind, source, at)).find((one) => one !== null)?.[0];
      if (text === undefined) break;
      tokens.push(text);
      at += text.length;
    }
  }
  return tokens;
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

function rawString(source: string, at: number): string | null {
  const start = matchAt(RAW_STRING, source, at);
  if (start === null) return null;
  const close = `"${start[1] ?? ''}`;
  const end = source.indexOf(close, at + start[0].length);
  return source.slice(at, end < 0 ? source.length : end + close.length);
}

/** Block comments nest. */
function endOfComment(source: string, start: number): number {
  let depth = 0;
  for (let at = start; at < source.length;) {
    if (source.startsWith('/*', at)) {
      depth++;
      at += 2;
    } else if (source.startsWith('*/', at)) {
      depth--;
      at += 2;
      if (depth === 0) return at;
    } else at++;
  }
  return source.length;
}

/** True for names and keywords. */
export function isWord(token: string | undefined): token is string {
  return token !== undefined && /^[\p{L}_]/u.test(token) && !/["']/.test(token);
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Where the group that begins at `at` ends: behind its closing token, or at the end of all. */
export function endOfGroup(tokens: readonly string[], at: number): number {
  let depth = 0;
  for (let here = at; here < tokens.length; here++) {
    const token = tokens[here] as string;
    if (token in CLOSING) depth++;
    else if (token === ')' || token === ']' || token === '}') {
      depth--;
      if (depth <= 0) return here + 1;
    }
  }
  return tokens.length;
}

// The functions of a Rust source by their names, with what each says without comments and layout. A light scan, made to
// tell which functions an edit touched: it knows strings, comments and braces, and nothing of what the code means.

/** `text` leaves out comments, white space and the functions inside, which come by themselves. */
export interface SourceFunction {
  readonly name: string;
  readonly text: string;
}

/** What opens with a brace; `text` is null for what is no function. */
interface Scope {
  readonly key: string;
  readonly name: string | null;
  readonly text: string[];
}

/** Comments, texts, characters, words, and any other single character. Lifetimes are no characters. */
const TOKEN =
  /\/\/[^\n]*|\/\*|\b(?:br|cr|r)(#*)"|(?:\b[bc])?"(?:[^"\\]|\\[^])*"|(?:\bb)?'(?:[^'\\\n]|\\(?:u\{[^}]*\}|x..|.))'|'\w+|\w+|\S/gu;

/** Functions by where they stand (`impl Offer for Flat::name`); equal ones are numbered. */
export function functionsOf(source: string): ReadonlyMap<string, SourceFunction> {
  const found = new Map<string, SourceFunction>();
  const scopes: Scope[] = [];
  // What stands since the last `;`, `{` or `}`, and the function whose body is to come.
  let header: string[] = [];
  let coming: string | null = null;
  for (const token of tokens(source)) {
    const inside = scopes.findLast((scope) => scope.name !== null) ?? null;
    if (header.at(-1) === 'fn' && /^[a-z_]/iu.test(token)) coming = token;
    if (token === '{') {
      const own = coming !== null ? headerFrom(header, ['fn']) : inside === null ? headerFrom(header, ITEMS) : '';
      const key = `${scopes.at(-1)?.key ?? ''}${own === '' ? '' : `${coming ?? own}::`}`;
      scopes.push({ key, name: coming, text: coming === null ? (inside?.text ?? []) : [own] });
      if (coming === null) inside?.text.push(token);
      coming = null;
      header = [];
    } else if (token === '}') {
      const scope = scopes.pop();
      if (scope?.name == null) inside?.text.push(token);
      else {
        let key = scope.key;
        while (found.has(key)) key += "'";
        found.set(key, { name: scope.name, text: scope.text.join(' ') });
      }
      header = [];
    } else {
      if (coming === null) inside?.text.push(token);
      // A signature may hold `[u8; 3]`; a declaration without a body ends with it.
      if (token === ';' && (coming === null || balanced(header))) {
        header = [];
        coming = null;
      } else header.push(token);
    }
  }
  return found;
}

/** What holds functions. */
const ITEMS: readonly string[] = ['impl', 'mod', 'trait'];

/** A header without the attributes and qualifiers before its keyword; empty where it has none of these. */
function headerFrom(header: readonly string[], keywords: readonly string[]): string {
  const start = header.findIndex((token) => keywords.includes(token));
  return start < 0 ? '' : header.slice(start).join(' ');
}

function balanced(tokens: readonly string[]): boolean {
  const count = (wanted: string): number => tokens.filter((token) => token === wanted).length;
  return count('[') === count(']') && count('(') === count(')');
}

function* tokens(source: string): Generator<string> {
  const matcher = new RegExp(TOKEN);
  for (let match = matcher.exec(source); match !== null; match = matcher.exec(source)) {
    const [token, hashes] = match;
    if (token.startsWith('//')) continue;
    if (token === '/*') {
      matcher.lastIndex = endOfComment(source, matcher.lastIndex);
      continue;
    }
    if (hashes === undefined) {
      yield token;
      continue;
    }
    const end = source.indexOf(`"${hashes}`, matcher.lastIndex);
    if (end < 0) return;
    matcher.lastIndex = end + 1 + hashes.length;
    yield source.slice(match.index, matcher.lastIndex);
  }
}

/** Block comments nest. */
function endOfComment(source: string, from: number): number {
  const marks = /\/\*|\*\//gu;
  marks.lastIndex = from;
  for (let depth = 1; depth > 0;) {
    const mark = marks.exec(source);
    if (mark === null) return source.length;
    depth += mark[0] === '/*' ? 1 : -1;
  }
  return marks.lastIndex;
}

/** Names of the functions that both texts have and that say something else now. */
export function editedFunctions(before: string, after: string): readonly string[] {
  const was = functionsOf(before);
  const names = [...functionsOf(after)].flatMap(([key, { name, text }]) => {
    const old = was.get(key);
    return old === undefined || old.text === text || key.startsWith('mod tests::') ? [] : [name];
  });
  return [...new Set(names)];
}

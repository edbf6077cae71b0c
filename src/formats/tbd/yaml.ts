// The part of YAML 1.2 that text stubs are written in: documents of maps and lists by indentation, lists in brackets over
// several lines, plain and quoted words. No anchors, aliases or blocks of text: those are errors that name their line.
import { IpbpError } from '../../codes/error.js';

/** A value with the line that it begins in, from 1. */
export type YamlValue =
  | { readonly kind: 'text'; readonly line: number; readonly text: string }
  | { readonly kind: 'list'; readonly line: number; readonly items: readonly YamlValue[] }
  | { readonly kind: 'map'; readonly line: number; readonly entries: ReadonlyMap<string, YamlValue> };

/** A document and the tag behind its `---`: `!tapi-tbd`. */
export interface YamlDocument {
  readonly tag: string;
  readonly line: number;
  readonly value: YamlValue;
}

/** Stubs nest four deep. */
const MOST_NESTING = 16;

interface Line {
  readonly number: number;
  readonly indent: number;
  /** Without indentation. */
  readonly text: string;
}

/**
 * Reads all documents. `name` is the file's in messages.
 * @throws IpbpError IPBP1002 with the line
 */
export function readYaml(text: string, name: string): YamlDocument[] {
  const documents: YamlDocument[] = [];
  let open: { readonly tag: string; readonly line: number; readonly lines: Line[] } | null = null;
  const close = (): void => {
    if (open !== null) documents.push({ tag: open.tag, line: open.line, value: parserOf(open.lines, name).document() });
    open = null;
  };
  text.split('\n').forEach((raw, index) => {
    const line = raw.trimEnd();
    const number = index + 1;
    const content = line.trimStart();
    if (content === '' || content.startsWith('#')) return;
    if (/^---(?: |$)/.test(line)) {
      close();
      open = { tag: line.slice(3).trim(), line: number, lines: [] };
    } else if (line === '...') {
      close();
    } else if (open === null) {
      wrong(name, number, 'something stands outside of a document');
    } else {
      if (line.slice(0, line.length - content.length).includes('\t')) wrong(name, number, 'a tab as indentation');
      open.lines.push({ number, indent: line.length - content.length, text: content });
    }
  });
  close();
  return documents;
}

/** Throws IPBP1002 at a line. */
export function wrong(name: string, line: number, actual: string): never {
  throw new IpbpError('IPBP1002', 'a text stub is not understood', { actual, where: `${name}, line ${line}` });
}

function parserOf(lines: Line[], name: string): { document(): YamlValue } {
  let at = 0;
  const fail = (line: number, actual: string): never => wrong(name, line, actual);
  const block = (indent: number, depth: number): YamlValue => {
    const first = lines[at];
    if (first === undefined) return fail(lines.at(-1)?.number ?? 1, 'a value is missing');
    if (depth > MOST_NESTING) fail(first.number, 'too many levels');
    return /^-(?: |$)/.test(first.text) ? list(indent, depth, first.number) : map(indent, depth, first.number);
  };
  const list = (indent: number, depth: number, line: number): YamlValue => {
    const items: YamlValue[] = [];
    for (let next = lines[at]; next?.indent === indent && /^-(?: |$)/.test(next.text); next = lines[at]) {
      const rest = next.text.slice(1).trimStart();
      const inner = indent + next.text.length - rest.length;
      if (rest === '') fail(next.number, 'an entry without content');
      if (!/^[\w-]+:(?: |$)/.test(rest)) {
        items.push(inline(rest, next.number));
        continue;
      }
      // A map whose first key stands behind the dash: as if it stood on a line of its own.
      lines[at] = { number: next.number, indent: inner, text: rest };
      items.push(map(inner, depth + 1, next.number));
    }
    return { kind: 'list', line, items };
  };
  const map = (indent: number, depth: number, line: number): YamlValue => {
    const entries = new Map<string, YamlValue>();
    for (let next = lines[at]; next?.indent === indent; next = lines[at]) {
      const key = /^([\w-]+):(?: +|$)/.exec(next.text);
      if (key?.[1] === undefined) break;
      if (entries.has(key[1])) fail(next.number, `${key[1]} for the second time`);
      const rest = next.text.slice(key[0].length);
      if (rest !== '') {
        entries.set(key[1], inline(rest, next.number));
        continue;
      }
      at++;
      const below = lines[at];
      // A list may stand as far left as its key.
      const deeper =
        below !== undefined && (below.indent > indent || (below.indent === indent && below.text.startsWith('-')));
      if (!deeper) return fail(next.number, `${key[1]} without a value`);
      entries.set(key[1], block(below.indent, depth + 1));
    }
    const next = lines[at];
    if (entries.size === 0 || (next !== undefined && next.indent > indent)) {
      fail(next?.number ?? line, 'no key where one belongs');
    }
    return { kind: 'map', line, entries };
  };
  /** A value that begins behind a key or dash of the current line; the cursor goes to the line behind it. */
  const inline = (rest: string, line: number): YamlValue => {
    at++;
    if (!rest.startsWith('[')) return word(rest, line);
    const items: YamlValue[] = [];
    let text = rest.slice(1);
    let number = line;
    for (let expected: 'item' | 'comma' = 'item'; ;) {
      text = text.trimStart();
      if (text === '' || text.startsWith('#')) {
        const next = lines[at++];
        if (next === undefined) return fail(line, 'a list without its end');
        ({ text, number } = next);
        continue;
      }
      if (text.startsWith(']')) {
        if (!/^\]\s*(?:#.*)?$/.test(text)) fail(number, 'something behind the end of a list');
        return { kind: 'list', line, items };
      }
      if (expected === 'comma') {
        if (!text.startsWith(',')) fail(number, 'no comma between two entries');
        text = text.slice(1);
        expected = 'item';
        continue;
      }
      const token = /^(?:'(?:[^']|'')*'|"[^"\\]*"|[^'",[\]{}&*!|>%@`#][^,\]]*)/.exec(text)?.[0];
      if (token === undefined) return fail(number, 'no entry where one belongs');
      items.push(word(token.trimEnd(), number));
      text = text.slice(token.length);
      expected = 'comma';
    }
  };
  const word = (token: string, line: number): YamlValue => {
    const single = /^'((?:[^']|'')*)'\s*(?:#.*)?$/.exec(token);
    if (single?.[1] !== undefined) return { kind: 'text', line, text: single[1].replaceAll("''", "'") };
    const double = /^"([^"\\]*)"\s*(?:#.*)?$/.exec(token);
    if (double?.[1] !== undefined) return { kind: 'text', line, text: double[1] };
    if (/^['"{}&*!|>%@`]/.test(token)) fail(line, `a value of a form that is not read: ${token.slice(0, 40)}`);
    return { kind: 'text', line, text: token.replace(/\s+#.*$/, '') };
  };
  return {
    document() {
      const value = block(lines[0]?.indent ?? 0, 0);
      const rest = lines[at];
      if (rest !== undefined) fail(rest.number, 'a line that belongs to nothing');
      return value;
    },
  };
}

// Edits a cargo configuration file as a text: sets two keys, and takes just that back. What is added or put aside is
// marked line by line, so that taking it back needs no copy of the file and leaves every other byte alone, also those
// that somebody changed meanwhile. Pure; where the file lies and what the values are is init-project.ts's.
import { IpbpError } from '../../codes/error.js';
import { TomlReader, parseSettings, samePath, type Setting } from './cargo-config.js';

/** Ends each line that was added. */
const ADDED = '# ipbp init';
/** Begins each line that was the user's and is put aside. */
const ASIDE = '# ipbp init put aside: ';
/** The first line of a file that was not there before. */
const MADE = `# Made by ipbp init; ipbp init --undo removes it. ${ADDED}`;

/** A key to set: `['build', 'rustc-wrapper']`, and its value as a text or a list of texts. */
export interface WantedSetting {
  readonly path: readonly string[];
  readonly value: string | readonly string[];
}

/**
 * The text with these settings in place of those it has. `withoutSettings` gives the text back.
 * @param text without marks of an earlier call; null: there is no file
 * @throws IpbpError IPBP5035 when another setting would change
 */
export function withSettings(text: string | null, wanted: readonly WantedSetting[]): string {
  let edited = text ?? `${MADE}\n`;
  for (const { path, value } of wanted) edited = set(edited, path, JSON.stringify(value));
  const ours = (setting: Setting): WantedSetting | undefined => wanted.find(({ path }) => samePath(path, setting.path));
  const others = (of: string): string =>
    JSON.stringify(parseSettings(of, '').filter((setting) => ours(setting) === undefined));
  const placed = parseSettings(edited, '').filter(
    (setting) => JSON.stringify(ours(setting)?.value) === JSON.stringify(setting.value),
  );
  if (placed.length !== wanted.length || others(edited) !== others(text ?? '') || withoutSettings(edited) !== text)
    throw new IpbpError('IPBP5035', "ipbp's settings find no place in cargo's configuration");
  return edited;
}

/** The text without what `withSettings` did; null when the file was made by it and holds nothing else. */
export function withoutSettings(text: string): string | null {
  const lines = text.split('\n');
  const kept = lines.flatMap((line) => {
    if (line.startsWith(ASIDE)) return [line.slice(ASIDE.length)];
    return line.replace(/\r$/, '').endsWith(ADDED) ? [] : [line];
  });
  const rest = kept.join('\n');
  return rest.trim() === '' && lines.includes(MADE) ? null : rest;
}

/** Whether there is anything to take back. */
export function hasOurSettings(text: string): boolean {
  return text.split('\n').some((line) => line.startsWith(ASIDE) || line.replace(/\r$/, '').endsWith(ADDED));
}

/** A piece of the text, by offsets. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** `key = value` on lines of its own, with all pairs and tables that its value holds inline. */
interface Pair extends Span {
  /** Of the table that it stands in. */
  readonly table: readonly string[];
  readonly path: readonly string[];
  /** As written. */
  readonly key: string;
  readonly value: Span;
  readonly inlinePairs: readonly { readonly path: readonly string[]; readonly value: Span }[];
  /** Between the braces. */
  readonly inlineTables: readonly { readonly path: readonly string[]; readonly inside: Span }[];
}

interface Header extends Span {
  readonly path: readonly string[];
}

function set(text: string, path: readonly string[], value: string): string {
  const { headers, pairs } = scan(text);
  for (const pair of pairs) {
    if (samePath(pair.path, path)) return replaceLines(text, pair, `${pair.key} = ${value}`);
    const inline = pair.inlinePairs.find((one) => samePath(one.path, path));
    if (inline !== undefined) return replaceLines(text, pair, spliced(text, pair, inline.value, value));
    const table = pair.inlineTables.filter((one) => isBelow(path, one.path)).at(-1);
    if (table === undefined) continue;
    const { inside } = table;
    const empty = text.slice(inside.start, inside.end).trim() === '';
    const added = ` ${keyText(path.slice(table.path.length))} = ${value}${empty ? ' ' : ','}`;
    return replaceLines(text, pair, spliced(text, pair, { start: inside.start, end: inside.start }, added));
  }
  const header = headers.find((one) => samePath(one.path, path.slice(0, -1)));
  if (header !== undefined) return insertBehind(text, header, [`${keyText(path.slice(-1))} = ${value}`]);
  // A table that dotted keys made may not be opened by a header.
  const dotted = pairs.findLast(
    (pair) => pair.path.length > pair.table.length + 1 && isBelow(path, pair.path.slice(0, pair.table.length + 1)),
  );
  if (dotted !== undefined)
    return insertBehind(text, dotted, [`${keyText(path.slice(dotted.table.length))} = ${value}`]);
  const end = { start: text.length, end: text.length };
  return insertBehind(text, end, [`[${keyText(path.slice(0, -1))}]`, `${keyText(path.slice(-1))} = ${value}`]);
}

function scan(text: string): { readonly headers: readonly Header[]; readonly pairs: readonly Pair[] } {
  const reader = new TomlReader(text);
  const headers: Header[] = [];
  const pairs: Pair[] = [];
  let table: readonly string[] = [];
  for (reader.skip(true); !reader.atEnd(); reader.skip(true)) {
    const start = reader.offset;
    if (reader.take('[')) {
      const isList = reader.take('[');
      table = reader.key();
      if (!isList) headers.push({ start, end: reader.offset, path: table });
    } else {
      const key = reader.key();
      const keyEnd = reader.offset;
      if (key.length > 0 && reader.take('=')) {
        reader.skip(false);
        const found = { inlinePairs: [], inlineTables: [] };
        const path = [...table, ...key];
        const value = readValue(reader, path, found);
        pairs.push({ start, end: value.end, table, path, key: text.slice(start, keyEnd).trim(), value, ...found });
      }
    }
    reader.toLineEnd();
  }
  return { headers, pairs };
}

interface Found {
  readonly inlinePairs: { path: readonly string[]; value: Span }[];
  readonly inlineTables: { path: readonly string[]; inside: Span }[];
}

function readValue(reader: TomlReader, path: readonly string[], found: Found): Span {
  const start = reader.offset;
  if (reader.take('{')) {
    // Before those within it, so that the last one that fits is the deepest.
    const place = found.inlineTables.length;
    const inside = reader.offset;
    let end = inside;
    for (reader.skip(true); !reader.atEnd(); reader.skip(true)) {
      end = reader.offset;
      if (reader.take('}')) break;
      const inner = [...path, ...reader.key()];
      if (!reader.take('=')) break;
      reader.skip(false);
      found.inlinePairs.push({ path: inner, value: readValue(reader, inner, found) });
      reader.skip(true);
      reader.take(',');
    }
    found.inlineTables.splice(place, 0, { path, inside: { start: inside, end } });
  } else if (reader.take('[')) {
    for (reader.skip(true); !reader.atEnd() && !reader.take(']'); reader.skip(true)) {
      const before = reader.offset;
      // What lists hold has no path.
      readValue(reader, [], { inlinePairs: [], inlineTables: [] });
      reader.skip(true);
      reader.take(',');
      if (reader.offset === before) break;
    }
  } else reader.value();
  return { start, end: reader.offset };
}

/** True when `path` lies within the table `table`. */
function isBelow(path: readonly string[], table: readonly string[]): boolean {
  return table.length > 0 && table.length < path.length && samePath(path.slice(0, table.length), table);
}

function keyText(path: readonly string[]): string {
  return path.map((word) => (/^[A-Za-z0-9_-]+$/.test(word) ? word : JSON.stringify(word))).join('.');
}

/** A pair's own text with a piece of it replaced. */
function spliced(text: string, pair: Pair, { start, end }: Span, by: string): string {
  return text.slice(pair.start, start) + by + text.slice(end, pair.end);
}

/** Puts the lines of a pair aside for a new one. */
function replaceLines(text: string, pair: Pair, line: string): string {
  if (line.includes('\n'))
    throw new IpbpError('IPBP5035', 'a table in braces goes over several lines', { where: pair.path.join('.') });
  const first = lineOf(text, pair.start);
  const last = lineOf(text, pair.end);
  const lines = text.split('\n').map((each, index) => (index < first || index > last ? each : ASIDE + each));
  return withLines(lines, last + 1, [line]);
}

function insertBehind(text: string, span: Span, added: readonly string[]): string {
  const lines = text.split('\n');
  const last = lineOf(text, span.end);
  // Behind the last line break there is no line.
  return withLines(lines, lines[last] === '' ? last : last + 1, added);
}

/** Lines end as the others of the file do; one that no line break follows may not end in half of one. */
function withLines(lines: readonly string[], at: number, added: readonly string[]): string {
  const marked = added.map((line, index) => {
    const isLast = at === lines.length && index === added.length - 1;
    return `${line} ${ADDED}${!isLast && lines[0]?.endsWith('\r') === true ? '\r' : ''}`;
  });
  return [...lines.slice(0, at), ...marked, ...lines.slice(at)].join('\n');
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length - 1;
}

// cargo's configuration as far as ipbp needs it: words and lists of them, from `.cargo/config.toml` files and
// `--config` arguments; manifests are read by it too. cargo has no stable way to ask for a setting, so this reads the
// part of TOML 1.0 that such files consist of. What the settings mean is not decided here.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** A setting that is a string, a number, true or false, each as its text, or a list of such; others are left out. */
export interface Setting {
  /** Table and key: `['target', 'cfg(unix)', 'runner']`. */
  readonly path: readonly string[];
  readonly value: string | readonly string[];
  /** Relative paths in the value count from here: the parent of `.cargo`, or where cargo is run. */
  readonly base: string;
}

/**
 * The settings that apply in a directory, strongest first: `--config` arguments, then files, nearest first.
 * @param read gives a configuration file's text
 */
export function readSettings(
  directory: string,
  configArguments: readonly string[],
  read = (path: string): string => readFileSync(path, 'utf8'),
): Setting[] {
  const settings: Setting[] = [];
  for (const argument of [...configArguments].reverse()) {
    const path = resolve(directory, argument);
    if (argument.includes('=')) settings.push(...parseSettings(argument, directory));
    else if (existsSync(path)) settings.push(...parseSettings(readFileSync(path, 'utf8'), directory));
  }
  for (const path of configFiles(directory)) settings.push(...parseSettings(read(path), dirname(dirname(path))));
  return settings;
}

/** cargo's configuration files that apply in a directory, nearest first. */
export function configFiles(directory: string): string[] {
  const files: string[] = [];
  const add = (folder: string): void => {
    const path = ['config', 'config.toml'].map((name) => join(folder, name)).find((candidate) => existsSync(candidate));
    if (path !== undefined && !files.includes(path)) files.push(path);
  };
  for (let at = resolve(directory); ; at = dirname(at)) {
    add(join(at, '.cargo'));
    if (dirname(at) === at) break;
  }
  add(process.env['CARGO_HOME'] ?? join(process.env['HOME'] ?? '/', '.cargo'));
  return files;
}

/** The strongest value of a plain string setting, or null. */
export function stringSetting(settings: readonly Setting[], ...path: readonly string[]): string | null {
  const found = settings.find((setting) => samePath(setting.path, path));
  if (found === undefined) return null;
  const text = typeof found.value === 'string' ? found.value : found.value[0];
  return text === undefined || text === '' ? null : text;
}

/** A setting that names a program: a path where it is one, counted from `base`, else a command of the PATH. */
export function asCommand(word: string, base: string): string {
  return word.includes('/') ? resolve(base, word) : word;
}

/** True when both name the same setting. */
export function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}

/** The words and lists of words of a TOML text. Never throws: what it does not understand ends its line. */
export function parseSettings(text: string, base: string): Setting[] {
  const reader = new TomlReader(text);
  const settings: Setting[] = [];
  let table: readonly string[] = [];
  for (reader.skip(true); !reader.atEnd(); reader.skip(true)) {
    if (reader.take('[')) {
      reader.take('[');
      table = reader.key();
      reader.toLineEnd();
      continue;
    }
    const key = reader.key();
    reader.skip(false);
    if (key.length > 0 && reader.take('=')) collect(reader, [...table, ...key], base, settings);
    reader.toLineEnd();
  }
  return settings;
}

function collect(reader: TomlReader, path: readonly string[], base: string, settings: Setting[]): void {
  reader.skip(false);
  if (!reader.take('{')) {
    const value = reader.value();
    if (value !== null) settings.push({ path, value, base });
    return;
  }
  for (reader.skip(true); !reader.atEnd() && !reader.take('}'); reader.skip(true)) {
    const key = reader.key();
    reader.skip(false);
    if (key.length === 0 || !reader.take('=')) return;
    collect(reader, [...path, ...key], base, settings);
    reader.skip(true);
    reader.take(',');
  }
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\u001b' };

/** A cursor over TOML text. */
export class TomlReader {
  private at = 0;
  constructor(private readonly text: string) {}

  /** Where it stands in the text. */
  get offset(): number {
    return this.at;
  }

  atEnd(): boolean {
    return this.at >= this.text.length;
  }

  take(word: string): boolean {
    const found = this.text.startsWith(word, this.at);
    if (found) this.at += word.length;
    return found;
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? null;
    if (found !== null) this.at += found.length;
    return found;
  }

  /** Over blanks; with `lines` over comments and line ends too. */
  skip(lines: boolean): void {
    this.match(lines ? /(?:[ \t\r\n]|#[^\n]*)*/y : /[ \t]*/y);
  }

  toLineEnd(): void {
    this.match(/[^\n]*\n?/y);
  }

  /** A dotted key; empty when there is none. */
  key(): string[] {
    const words: string[] = [];
    do {
      this.skip(false);
      const word = this.string() ?? this.match(/[A-Za-z0-9_-]+/y);
      if (word === null) return words;
      words.push(word);
      this.skip(false);
    } while (this.take('.'));
    return words;
  }

  /** A string, the text of a number or truth value, or a list of such; null where there is none. */
  value(): string | string[] | null {
    const text = this.string();
    if (text !== null) return text;
    if (!this.take('[')) {
      const bare = this.match(/[^\s,\]}#]*/y);
      return bare === '' ? null : bare;
    }
    const list: string[] = [];
    for (this.skip(true); !this.atEnd() && !this.take(']'); this.skip(true)) {
      const before = this.at;
      const item = this.value();
      if (typeof item === 'string') list.push(item);
      this.skip(true);
      this.take(',');
      if (this.at === before) break;
    }
    return list;
  }

  private string(): string | null {
    const literal = this.match(/'''[^]*?'''|'[^'\n]*'/y);
    if (literal !== null) return literal.replace(/^'''\n?|^'|'''$|'$/g, '');
    const basic = this.match(/"""(?:\\[^]|[^\\])*?"""|"(?:\\.|[^"\\\n])*"/y);
    if (basic === null) return null;
    return basic
      .replace(/^"""\n?|^"|"""$|"$/g, '')
      .replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\s*\n\s*|.)/g, (_, escape: string) =>
        /^[uU]./.test(escape)
          ? String.fromCodePoint(parseInt(escape.slice(1), 16))
          : /^\s/.test(escape)
            ? ''
            : (ESCAPES[escape] ?? escape),
      );
  }
}

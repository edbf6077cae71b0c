// Version scripts and dynamic lists (GNU ld manual, "VERSION Command"): which symbols a library shows. rustc writes one
// for every cdylib. Versions themselves are not made: their nodes are read as if they had no name.
import { IpbpError } from '../codes/error.js';
import { isPattern, matchesPattern } from './name-pattern.js';
import { ScriptReader } from './script-tokens.js';

export interface VersionScript {
  /** What of a name: true shown, false local, null nothing. */
  shows(name: string): boolean | null;
  /** Names of the versions that the script wanted to make. */
  readonly versions: readonly string[];
}

/** Exact names go before patterns, patterns before `*`; of equals the first. As lld has it, which ld agrees with. */
interface Rules {
  readonly exact: Map<string, boolean>;
  readonly patterns: { readonly text: string; readonly shown: boolean }[];
  rest: boolean | null;
}

const PUNCTUATION = '{};,:';

/**
 * Reads a version script.
 * @throws IpbpError IPBP1020 for what is not understood; for patterns over demangled C++ names, too, but `*`.
 */
export function parseVersionScript(text: string, name: string): VersionScript {
  const reader: ScriptReader = new ScriptReader(text, name, PUNCTUATION);
  const rules: Rules = { exact: new Map(), patterns: [], rest: null };
  const versions: string[] = [];
  if (reader.ended) reader.fail('a version script is empty', { expected: '"{"' });
  while (!reader.ended) {
    if (reader.peek() !== '{') versions.push(reader.next('a version').text);
    reader.expect('{');
    let shown = true;
    while (!reader.takes('}')) {
      if (reader.takes('global')) {
        reader.expect(':');
        shown = true;
      } else if (reader.takes('local')) {
        reader.expect(':');
        shown = false;
      } else {
        readEntry(reader, (pattern, quoted) => {
          addRule(rules, pattern, quoted, shown);
        });
      }
    }
    // The version that this one follows.
    while (!reader.takes(';')) reader.next('";"');
  }
  return { shows: (symbol) => shows(rules, symbol), versions };
}

/**
 * Reads a dynamic list: `{ name; pattern*; };`. The answer says whether a name is in it.
 * @throws IpbpError as {@link parseVersionScript}
 */
export function parseDynamicList(text: string, name: string): (symbol: string) => boolean {
  const reader: ScriptReader = new ScriptReader(text, name, PUNCTUATION);
  const rules: Rules = { exact: new Map(), patterns: [], rest: null };
  reader.expect('{');
  while (!reader.takes('}')) {
    readEntry(reader, (pattern, quoted) => {
      addRule(rules, pattern, quoted, true);
    });
  }
  reader.expect(';');
  if (!reader.ended) reader.fail('a dynamic list goes on behind its end');
  return (symbol) => shows(rules, symbol) === true;
}

type Add = (pattern: string, quoted: boolean) => void;

/** One pattern, or a block of them in a language. */
function readEntry(reader: ScriptReader, add: Add): void {
  if (!reader.takes('extern')) {
    const { text, quoted } = reader.next('a name');
    add(text, quoted);
    // The last one needs no semicolon.
    if (reader.peek() !== '}') reader.expect(';');
    return;
  }
  const language = reader.next('a language').text;
  if (language !== 'C' && language !== 'C++') reader.fail('this language of a version script is not supported');
  reader.expect('{');
  while (!reader.takes('}')) {
    readEntry(reader, (pattern, quoted) => {
      if (language === 'C++' && (quoted || pattern !== '*')) {
        throw new IpbpError('IPBP1020', 'C++ names in version scripts are not matched in their readable form', {
          expected: 'names as the symbol table has them, outside extern "C++"',
          actual: pattern,
          where: reader.name,
        });
      }
      add(pattern, quoted);
    });
  }
  if (reader.peek() !== '}') reader.expect(';');
}

function addRule(rules: Rules, pattern: string, quoted: boolean, shown: boolean): void {
  if (quoted || !isPattern(pattern)) {
    if (!rules.exact.has(pattern)) rules.exact.set(pattern, shown);
  } else if (pattern === '*') rules.rest ??= shown;
  else rules.patterns.push({ text: pattern, shown });
}

function shows(rules: Rules, name: string): boolean | null {
  const exact = rules.exact.get(name);
  if (exact !== undefined) return exact;
  for (const { text, shown } of rules.patterns) if (matchesPattern(text, name)) return shown;
  return rules.rest;
}

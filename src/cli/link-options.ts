// The command line of `ipbp link`: the words of ld's, as gcc, clang and rustc write them, to a request. The options are
// in link-option-table.ts; no file is opened here. GNU ld manual, "Command-line Options".
import { IpbpError } from '../codes/error.js';
import { DEFAULT_SHARED_OPTIONS } from '../link/shared/options.js';
import { LINK_OPTIONS, type LinkOption } from './link-option-table.js';
import type { LinkRequest } from './link-request.js';

/** Options by name, without dashes. */
const BY_NAME: ReadonlyMap<string, LinkOption> = new Map(
  LINK_OPTIONS.flatMap((option) => option.names.map((name) => [name, option] as const)),
);

/** Those of one letter whose value may follow at once: `-lm`, `-L/lib`. */
const JOINED: ReadonlyMap<string, LinkOption> = new Map(
  LINK_OPTIONS.flatMap((option) => (option.joined ?? []).map((letter) => [letter, option] as const)),
);

/** What the words ask for, response files expanded. IPBP5901 for what ld does not know, IPBP5902 for what we do not do. */
export function parseLinkOptions(words: readonly string[]): LinkRequest {
  const request: LinkRequest = {
    output: 'a.out',
    shared: false,
    machine: null,
    inputs: [],
    directories: [],
    sysroot: '',
    onlyNamed: false,
    excludedArchives: [],
    versionScripts: [],
    dynamicLists: [],
    options: { ...DEFAULT_SHARED_OPTIONS },
    buildId: 'none',
    mapFile: null,
    printMap: false,
    printDropped: false,
    printFiles: false,
    traced: [],
    fatalWarnings: false,
    warnings: [],
    askedFor: null,
    flags: { whole: false, asNeeded: false, archivesOnly: false },
    saved: [],
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (!word.startsWith('-') || word === '-') {
      request.inputs.push({ name: word, library: false, ...request.flags });
      continue;
    }
    const { option, name, value } = matched(word);
    if (option.value === 'none') {
      if (value !== null) throw new IpbpError('IPBP5901', 'an option takes no value', { actual: word });
      option.apply(request, '', name);
    } else if (value !== null || option.value === 'optional') {
      option.apply(request, value ?? '', name);
    } else {
      const next = words[++at];
      if (next === undefined) throw new IpbpError('IPBP5901', 'an option needs a value', { actual: word });
      option.apply(request, next, name);
    }
  }
  return request;
}

interface Matched {
  readonly option: LinkOption;
  readonly name: string;
  readonly value: string | null;
}

/** Long names with one dash or two, their value behind `=`; then letters with the value at once. */
function matched(word: string): Matched {
  const long = word.startsWith('--') ? word.slice(2) : word.slice(1);
  const equals = long.indexOf('=');
  const name = equals < 0 ? long : long.slice(0, equals);
  const option = BY_NAME.get(name);
  // `-oformat` is ld's `-o format`: names that begin with o need both dashes.
  if (option !== undefined && (word.startsWith('--') || name.length === 1 || !name.startsWith('o'))) {
    return { option, name, value: equals < 0 ? null : long.slice(equals + 1) };
  }
  if (!word.startsWith('--')) {
    const joined = JOINED.get(long.charAt(0));
    if (joined !== undefined) return { option: joined, name: long.charAt(0), value: long.slice(1) };
  }
  throw new IpbpError('IPBP5901', 'an option of the link is not known', { actual: word });
}

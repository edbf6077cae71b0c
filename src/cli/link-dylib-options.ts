// The command line of `ipbp link` for Apple's systems: the words of ld64's, as clang and rustc write them, to a request. The
// options are in link-dylib-option-table.ts; no file is opened here.
import { IpbpError } from '../codes/error.js';
import { DEFAULT_SHARED_OPTIONS } from '../link/shared/options.js';
import { DYLIB_OPTIONS, type DylibOption } from './link-dylib-option-table.js';
import type { DylibRequest } from './link-dylib-request.js';

const BY_NAME: ReadonlyMap<string, DylibOption> = new Map(
  DYLIB_OPTIONS.flatMap((option) => option.names.map((name) => [name, option] as const)),
);
/** In the order of the table: the longer of two that begin alike comes first. */
const JOINED = DYLIB_OPTIONS.flatMap((option) => (option.joined ? option.names.map((name) => ({ name, option })) : []));
/** Options of ld64.lld that have their value behind `=`, and no effect here. */
const LLD_ONLY =
  /^--(?:threads|icf|color-diagnostics|lto-[\w-]+|thinlto-[\w-]+|time-trace[\w-]*|error-limit|[\w-]*warn[\w-]*)(?:=.*)?$/;

/** Words that only a link for Apple's systems has. */
const TELLING = new Set([
  '-dylib',
  '-execute',
  '-bundle',
  '-platform_version',
  '-macos_version_min',
  '-macosx_version_min',
]);

/** Is this the command line of a link for Apple's systems? */
export function isDylibLink(words: readonly string[]): boolean {
  return words.some((word, index) => TELLING.has(word) || (word === '-flavor' && words[index + 1] === 'darwin'));
}

/** What the words ask for, response files expanded. IPBP5901 for what ld64 does not know, IPBP5902 for what we do not do. */
export function parseDylibOptions(words: readonly string[]): DylibRequest {
  const request: DylibRequest = {
    output: 'a.out',
    machine: null,
    platform: null,
    inputs: [],
    directories: [],
    frameworkDirectories: [],
    root: '',
    onlyNamed: false,
    allArchivesWhole: false,
    dropUnusedLibraries: false,
    installName: null,
    currentVersion: 0,
    compatibilityVersion: 0,
    searchPaths: [],
    exported: null,
    unexported: [],
    exportedLists: [],
    unexportedLists: [],
    fixups: null,
    initOffsets: null,
    headerPad: 32,
    signed: true,
    identified: true,
    mapFile: null,
    printFiles: false,
    fatalWarnings: false,
    options: { ...DEFAULT_SHARED_OPTIONS, symbolic: 'strong', unresolved: 'error', now: true, relro: false },
    warnings: [],
    askedForVersion: false,
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (!word.startsWith('-') || word === '-') {
      request.inputs.push({ name: word, kind: 'file', whole: false, hidden: false, how: 'needed' });
      continue;
    }
    if (LLD_ONLY.test(word)) continue;
    const { option, name, value } = matched(word);
    const values = value === null ? words.slice(at + 1, at + 1 + option.values) : [value];
    if (value === null) at += option.values;
    if (values.length < option.values) throw new IpbpError('IPBP5901', 'an option needs a value', { actual: word });
    option.apply(request, values, name);
  }
  return request;
}

interface Matched {
  readonly option: DylibOption;
  readonly name: string;
  readonly value: string | null;
}

function matched(word: string): Matched {
  const name = word.slice(1);
  const option = BY_NAME.get(name);
  if (option !== undefined) return { option, name, value: null };
  const found = JOINED.find((one) => name.startsWith(one.name));
  if (found === undefined) throw new IpbpError('IPBP5901', 'an option of the link is not known', { actual: word });
  return { ...found, value: name.slice(found.name.length) };
}

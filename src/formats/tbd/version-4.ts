// Text stubs of tapi's version 4, which are YAML (yaml.ts). The model is stub.ts's.
import { IpbpError } from '../../codes/error.js';
import { OBJC_NAMES, packedVersion, type StubExports, type StubLibrary } from './stub.js';
import { wrong, type YamlDocument, type YamlValue } from './yaml.js';

/** All that a document of version 4 may say; what is null has no bearing on a link. */
const KEYS = new Set([
  ...['tbd-version', 'targets', 'uuids', 'flags', 'install-name', 'current-version', 'compatibility-version'],
  ...['swift-abi-version', 'parent-umbrella', 'allowable-clients', 'reexported-libraries'],
  ...['exports', 'reexports', 'undefineds', 'rpaths'],
]);
const SYMBOL_KEYS = new Set([
  ...['targets', 'symbols', 'weak-symbols', 'thread-local-symbols'],
  ...['objc-classes', 'objc-eh-types', 'objc-ivars'],
]);

/** One document. */
export function libraryOf({ tag, line, value }: YamlDocument, name: string): StubLibrary {
  const fields = mapOf(value, KEYS, name);
  const version = fields.get('tbd-version');
  if (tag !== '!tapi-tbd' || version === undefined || textOf(version, name) !== '4') {
    const actual = `${tag} ${version?.kind === 'text' ? version.text : 'without a version'}`;
    const where = `${name}, line ${line}`;
    throw new IpbpError('IPBP1003', 'a text stub of another form', { expected: '!tapi-tbd 4', actual, where });
  }
  const versionOf = (key: string): number => {
    const field = fields.get(key);
    const packed = field === undefined ? 0x1_0000 : packedVersion(textOf(field, name));
    return packed ?? wrong(name, field?.line ?? line, 'a version that is none');
  };
  const installName = fields.get('install-name') ?? wrong(name, line, 'no install-name');
  const entries = (key: string): readonly YamlValue[] => {
    const field = fields.get(key);
    return field === undefined ? [] : itemsOf(field, name);
  };
  return {
    installName: textOf(installName, name),
    currentVersion: versionOf('current-version'),
    compatibilityVersion: versionOf('compatibility-version'),
    targets: textsOf(fields.get('targets') ?? wrong(name, line, 'no targets'), name),
    reexported: entries('reexported-libraries').map((entry) => {
      const inside = mapOf(entry, new Set(['targets', 'libraries']), name);
      return { targets: textsOf(inside.get('targets'), name), names: textsOf(inside.get('libraries'), name) };
    }),
    exports: [...entries('exports'), ...entries('reexports')].map((entry) => exportsOf(entry, name)),
  };
}

function exportsOf(entry: YamlValue, name: string): StubExports {
  const inside = mapOf(entry, SYMBOL_KEYS, name);
  const names = (key: string): readonly string[] => textsOf(inside.get(key), name);
  return {
    targets: names('targets'),
    names: [
      ...names('symbols'),
      ...names('objc-classes').flatMap(OBJC_NAMES.classes),
      ...names('objc-eh-types').flatMap(OBJC_NAMES.exceptions),
      ...names('objc-ivars').flatMap(OBJC_NAMES.variables),
    ],
    weak: names('weak-symbols'),
    threadLocal: names('thread-local-symbols'),
  };
}

function mapOf(value: YamlValue, keys: ReadonlySet<string>, name: string): ReadonlyMap<string, YamlValue> {
  if (value.kind !== 'map') return wrong(name, value.line, `a ${value.kind} where a map belongs`);
  for (const [key, { line }] of value.entries) if (!keys.has(key)) wrong(name, line, `unknown: ${key}`);
  return value.entries;
}

function itemsOf(value: YamlValue, name: string): readonly YamlValue[] {
  return value.kind === 'list' ? value.items : wrong(name, value.line, `a ${value.kind} where a list belongs`);
}

function textOf(value: YamlValue, name: string): string {
  return value.kind === 'text' ? value.text : wrong(name, value.line, `a ${value.kind} where a word belongs`);
}

function textsOf(value: YamlValue | undefined, name: string): readonly string[] {
  return value === undefined ? [] : itemsOf(value, name).map((item) => textOf(item, name));
}

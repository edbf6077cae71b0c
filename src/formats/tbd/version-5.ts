// Text stubs of tapi's version 5, which are JSON. The model is stub.ts's. Messages name the path to what is wrong, as
// JSON's reader keeps no lines.
import { IpbpError } from '../../codes/error.js';
import { OBJC_NAMES, packedVersion, type StubExports, type StubLibrary, type TextStub } from './stub.js';

interface Json {
  readonly value: unknown;
  /** `main_library.exported_symbols[0]`. */
  readonly path: string;
  readonly name: string;
}

/**
 * Reads the whole text.
 * @throws IpbpError IPBP1002 for what is not understood, IPBP1003 for another version
 */
export function readVersion5(text: string, name: string): TextStub {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const place = /position (\d+)/.exec(String(cause))?.[1];
    const line = text.slice(0, Number(place ?? text.length)).split('\n').length;
    throw new IpbpError('IPBP1002', 'a text stub is no JSON', { where: `${name}, line ${line}`, cause });
  }
  const whole: Json = { value, path: '', name };
  const version = field(whole, 'tapi_tbd_version')?.value;
  if (version !== 5) {
    const actual = String(version);
    throw new IpbpError('IPBP1003', 'a text stub of another form', { expected: 'version 5', actual, where: name });
  }
  const main = field(whole, 'main_library') ?? wrong(whole, 'no main_library');
  return { main: libraryOf(main), others: items(field(whole, 'libraries')).map(libraryOf) };
}

function wrong({ path, name }: Json, actual: string): never {
  throw new IpbpError('IPBP1002', 'a text stub is not understood', { actual, where: `${name}, ${path || 'the file'}` });
}

function field(of: Json, key: string): Json | undefined {
  const { value, path, name } = of;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(of, 'no object');
  const found = Object.entries(value).find(([known]) => known === key);
  return found === undefined ? undefined : { value: found[1], path: path === '' ? key : `${path}.${key}`, name };
}

function items(of: Json | undefined): readonly Json[] {
  if (of === undefined) return [];
  if (!Array.isArray(of.value)) return wrong(of, 'no list');
  return of.value.map((value: unknown, index) => ({ value, path: `${of.path}[${index}]`, name: of.name }));
}

function text(of: Json): string {
  return typeof of.value === 'string' ? of.value : wrong(of, 'no text');
}

function texts(of: Json | undefined): readonly string[] {
  return items(of).map(text);
}

function libraryOf(library: Json): StubLibrary {
  const targets = items(field(library, 'target_info')).map((one) =>
    text(field(one, 'target') ?? wrong(one, 'no target')),
  );
  const versionOf = (key: string): number => {
    const first = items(field(library, key))[0];
    const version = first === undefined ? undefined : field(first, 'version');
    if (version === undefined) return 0x1_0000;
    return packedVersion(text(version)) ?? wrong(version, 'a version that is none');
  };
  const first = items(field(library, 'install_names'))[0];
  const installName = first === undefined ? undefined : field(first, 'name');
  const own = (entry: Json): readonly string[] => {
    const some = field(entry, 'targets');
    return some === undefined ? targets : texts(some);
  };
  return {
    installName: text(installName ?? wrong(library, 'no install_names')),
    currentVersion: versionOf('current_versions'),
    compatibilityVersion: versionOf('compatibility_versions'),
    targets,
    reexported: items(field(library, 'reexported_libraries')).map((entry) => {
      return { targets: own(entry), names: texts(field(entry, 'names')) };
    }),
    exports: [...items(field(library, 'exported_symbols')), ...items(field(library, 'reexported_symbols'))].flatMap(
      (entry) => {
        const parts = [field(entry, 'text'), field(entry, 'data')].filter((part) => part !== undefined);
        return parts.map((part) => exportsOf(part, own(entry)));
      },
    ),
  };
}

function exportsOf(part: Json, targets: readonly string[]): StubExports {
  const names = (key: string): readonly string[] => texts(field(part, key));
  return {
    targets,
    names: [
      ...names('global'),
      ...names('objc_class').flatMap(OBJC_NAMES.classes),
      ...names('objc_eh_type').flatMap(OBJC_NAMES.exceptions),
      ...names('objc_ivar').flatMap(OBJC_NAMES.variables),
    ],
    weak: names('weak'),
    threadLocal: names('thread_local'),
  };
}

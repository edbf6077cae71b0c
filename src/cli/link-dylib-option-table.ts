// The options of a link for Apple's systems, row by row: those of ld64 that clang and rustc pass for a library, and those of
// ld64.lld. What is accepted without an effect says why; what would change the result and is not there is refused.
import { IpbpError } from '../codes/error.js';
import { packedVersion } from '../formats/tbd/stub.js';
import { machineOfArch, type DylibInputWord } from '../host/link/open-dylib-inputs.js';
import type { DylibRequest } from './link-dylib-request.js';

/** One option under its names, without the dash. Its values are the words that follow. */
export interface DylibOption {
  readonly names: readonly string[];
  /** The value may stand right behind the name. */
  readonly joined: boolean;
  readonly values: number;
  apply(request: DylibRequest, values: readonly string[], name: string): void;
}

function flag(names: string, apply: (request: DylibRequest) => void): DylibOption {
  return { names: names.split(' '), joined: false, values: 0, apply };
}

function valued(names: string, apply: (request: DylibRequest, value: string) => void): DylibOption {
  return {
    names: names.split(' '),
    joined: false,
    values: 1,
    apply: (request, [value = '']) => {
      apply(request, value);
    },
  };
}

function joined(names: string, apply: (request: DylibRequest, value: string) => void): DylibOption {
  return { ...valued(names, apply), joined: true };
}

function nothing(): void {
  // Accepted.
}

const accepted = (names: string, values = 0): DylibOption => ({
  names: names.split(' '),
  joined: false,
  values,
  apply: nothing,
});

function refused(names: string, values: number, reason: string): DylibOption {
  return {
    names: names.split(' '),
    joined: false,
    values,
    apply(_, given, name) {
      throw new IpbpError('IPBP5902', `the link does not do this: ${reason}`, {
        actual: [`-${name}`, ...given].join(' '),
      });
    },
  };
}

function noted(names: string, values: number, note: string): DylibOption {
  return {
    names: names.split(' '),
    joined: false,
    values,
    apply(request, given, name) {
      request.warnings.push(`${[`-${name}`, ...given].join(' ')}: ${note}`);
    },
  };
}

function versionOf(text: string): number {
  const packed = packedVersion(text);
  if (packed !== null) return packed;
  throw new IpbpError('IPBP5901', 'not a version', { expected: 'up to three numbers: 1.2.3', actual: text });
}

/** PLATFORM_… of <mach-o/loader.h>, and what they are called: by -platform_version, and in text stubs. */
const PLATFORMS: readonly (readonly [number: number, name: string, system: string])[] = [
  [1, 'macos', 'macos'],
  [2, 'ios', 'ios'],
  [3, 'tvos', 'tvos'],
  [4, 'watchos', 'watchos'],
  [6, 'mac-catalyst', 'maccatalyst'],
  [7, 'ios-simulator', 'ios-simulator'],
  [8, 'tvos-simulator', 'tvos-simulator'],
  [9, 'watchos-simulator', 'watchos-simulator'],
  [11, 'xros', 'xros'],
  [12, 'xros-simulator', 'xros-simulator'],
];

function setPlatform(request: DylibRequest, name: string, minimum: string, sdk: string): void {
  const found = PLATFORMS.find(([number, known]) => known === name.toLowerCase() || String(number) === name);
  if (found === undefined) {
    throw new IpbpError('IPBP5901', 'not a platform', {
      expected: PLATFORMS.map(([, known]) => known).join(', '),
      actual: name,
    });
  }
  const [number, , system] = found;
  request.platform = { number, system, minimum: versionOf(minimum), sdk: versionOf(sdk) };
}

function input(
  names: string,
  kind: DylibInputWord['kind'],
  facts: Partial<DylibInputWord> = {},
  apply = joined,
): DylibOption {
  return apply(names, ({ inputs }, name) => {
    inputs.push({ name, kind, whole: false, hidden: false, how: 'needed', ...facts });
  });
}

/** What is made. */
const RESULT: readonly DylibOption[] = [
  flag('dylib', nothing),
  refused('execute dylinker preload static', 0, 'programs are linked later (-dylib)'),
  refused('bundle r', 0, 'only libraries are linked (-dylib)'),
  valued('o', (request, path) => (request.output = path)),
  valued('arch', (request, arch) => (request.machine = machineOfArch(arch))),
  {
    names: ['platform_version'],
    joined: false,
    values: 3,
    apply(request, [name = '', minimum = '', sdk = '']) {
      setPlatform(request, name, minimum, sdk);
    },
  },
  valued('macos_version_min macosx_version_min', (request, version) => {
    setPlatform(request, 'macos', version, version);
  }),
  valued('ios_version_min iphoneos_version_min', (request, version) => {
    setPlatform(request, 'ios', version, version);
  }),
  valued('install_name dylib_install_name', (request, name) => (request.installName = name)),
  valued('current_version dylib_current_version', (request, version) => (request.currentVersion = versionOf(version))),
  valued('compatibility_version dylib_compatibility_version', (request, version) => {
    request.compatibilityVersion = versionOf(version);
  }),
  valued('rpath', ({ searchPaths }, path) => searchPaths.push(path)),
  flag('fixup_chains', (request) => (request.fixups = 'chained')),
  flag('no_fixup_chains', (request) => (request.fixups = 'opcodes')),
  flag('init_offsets', (request) => (request.initOffsets = true)),
  flag('no_init_offsets', (request) => (request.initOffsets = false)),
  flag('adhoc_codesign', (request) => (request.signed = true)),
  flag('no_adhoc_codesign', (request) => (request.signed = false)),
  flag('no_uuid', (request) => (request.identified = false)),
  valued('headerpad', (request, size) => {
    request.headerPad = Math.max(request.headerPad, hexadecimal(size));
  }),
  // Names of libraries may become as long as paths can be.
  flag('headerpad_max_install_names', (request) => (request.headerPad = Math.max(request.headerPad, 0x1000))),
  flag('dead_strip', ({ options }) => (options.gc = true)),
  flag('S', ({ options }) => (options.strip = 'debug')),
  flag('x', ({ options }) => (options.discard = 'all')),
  refused('flat_namespace force_flat_namespace', 0, 'names without libraries'),
  refused('init umbrella sub_library sub_umbrella allowable_client client_name image_base seg1addr', 1, 'this'),
  refused('bitcode_bundle no_compact_unwind merge_zero_fill_sections keep_private_externs', 0, 'this'),
  refused('sectcreate segprot add_empty_section segaddr', 3, 'sections and segments by the command line'),
  refused('alias rename_segment move_to_rw_segment move_to_ro_segment', 2, 'other names'),
  refused('rename_section', 4, 'other names'),
  refused('alias_list segs_read_only_addr segs_read_write_addr segalign pagezero_size stack_size e', 1, 'this'),
];

function hexadecimal(text: string): number {
  if (/^(?:0x)?[0-9a-f]{1,6}$/i.test(text)) return parseInt(text, 16);
  throw new IpbpError('IPBP5901', 'not a size', { expected: 'at most six hexadecimal digits', actual: text });
}

/** Inputs, and where they are looked for. */
const INPUTS: readonly DylibOption[] = [
  input('weak-l', 'library', { how: 'weak' }),
  input('reexport-l', 'library', { how: 'reexported' }),
  input('upward-l', 'library', { how: 'upward' }),
  input('needed-l', 'library'),
  input('hidden-l', 'library', { hidden: true }),
  input('l', 'library'),
  input('framework needed_framework', 'framework', {}, valued),
  input('weak_framework', 'framework', { how: 'weak' }, valued),
  input('reexport_framework', 'framework', { how: 'reexported' }, valued),
  input('weak_library', 'file', { how: 'weak' }, valued),
  input('reexport_library', 'file', { how: 'reexported' }, valued),
  input('upward_library', 'file', { how: 'upward' }, valued),
  input('needed_library', 'file', {}, valued),
  input('force_load', 'file', { whole: true }, valued),
  input('load_hidden', 'file', { hidden: true }, valued),
  flag('all_load', (request) => (request.allArchivesWhole = true)),
  flag('noall_load', (request) => (request.allArchivesWhole = false)),
  joined('L', ({ directories }, path) => directories.push(path)),
  joined('F', ({ frameworkDirectories }, path) => frameworkDirectories.push(path)),
  valued('syslibroot', (request, path) => (request.root = path === '/' ? '' : path)),
  flag('Z', (request) => (request.onlyNamed = true)),
  flag('dead_strip_dylibs', (request) => (request.dropUnusedLibraries = true)),
  refused('ObjC', 0, 'classes of Objective-C'),
  refused('search_dylibs_first', 0, 'libraries before archives of an earlier folder'),
  input('filelist', 'list', {}, valued),
  refused('bundle_loader', 1, 'this kind of input'),
];

/** Which symbols are seen, and which may be missing. */
const SYMBOLS: readonly DylibOption[] = [
  valued('exported_symbol', (request, pattern) => (request.exported = [...(request.exported ?? []), pattern])),
  valued('exported_symbols_list', (request, path) => request.exportedLists.push(path)),
  valued('unexported_symbol', ({ unexported }, pattern) => unexported.push(pattern)),
  valued('unexported_symbols_list', (request, path) => request.unexportedLists.push(path)),
  flag('no_exported_symbols', (request) => (request.exported = request.exported ?? [])),
  valued('undefined', ({ options }, how) => {
    if (how === 'dynamic_lookup' || how === 'suppress') options.unresolved = 'allow';
    else if (how === 'warning') options.unresolved = 'warn';
    else if (how === 'error') options.unresolved = 'error';
    else {
      const expected = 'error, warning, suppress or dynamic_lookup';
      throw new IpbpError('IPBP5901', 'not a way to treat undefined symbols', { expected, actual: how });
    }
  }),
  valued('U', ({ options }, name) => (options.unresolvedNames = [...options.unresolvedNames, name])),
  valued('u', ({ options }, name) => (options.keep = [...options.keep, name])),
  refused('interposable', 0, 'exported symbols that other libraries replace'),
  refused('interposable_list weak_reference_mismatches reexported_symbols_list force_symbols_weak_list', 1, 'this'),
];

/** What is said, and what has no effect here. */
const OTHERS: readonly DylibOption[] = [
  valued('map', (request, path) => (request.mapFile = path)),
  flag('t', (request) => (request.printFiles = true)),
  flag('fatal_warnings', (request) => (request.fatalWarnings = true)),
  flag('v version', (request) => (request.askedForVersion = true)),
  noted('order_file', 1, 'sections stay in the order of the inputs'),
  accepted('dynamic twolevel_namespace search_paths_first demangle no_deduplicate deduplicate w no_implicit_dylibs'),
  accepted('no_data_const data_const no_warn_duplicate_libraries warn_duplicate_libraries objc_stubs_fast'),
  accepted('no_function_starts function_starts data_in_code_info no_data_in_code_info application_extension'),
  accepted(
    'no_application_extension no_objc_category_merging ld_classic ld_new reproducible no_dead_strip_inits_and_terms',
  ),
  accepted('warn_compact_unwind no_compact_linkedit mark_dead_strippable_dylib export_dynamic print_statistics'),
  accepted('no_order_inits no_order_data warn_weak_exports no_weak_exports warn_commons why_load arch_multiple'),
  accepted(
    'final_output oso_prefix lto_library mllvm object_path_lto dependency_info add_ast_path why_live commons',
    1,
  ),
  accepted('platform_variant_version max_default_common_align flavor mcpu cache_path_lto random_uuid_seed', 1),
];

/** Longer names before those that they begin with, as values may follow at once. */
export const DYLIB_OPTIONS: readonly DylibOption[] = [...RESULT, ...INPUTS, ...SYMBOLS, ...OTHERS];

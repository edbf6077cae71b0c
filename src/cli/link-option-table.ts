// The options of `ipbp link`, row by row: those of GNU ld that gcc, clang and rustc pass for a shared object, and those of
// lld that they know of. What is accepted without an effect says why; what would change the result and is not there is
// refused.
import { IpbpError } from '../codes/error.js';
import type { MachineName } from '../formats/object-file.js';
import type { LinkRequest } from './link-request.js';
import { applyKeyword } from './link-keywords.js';

/** One option under its names, without dashes. */
export interface LinkOption {
  readonly names: readonly string[];
  /** Letters that may have the value right behind them. */
  readonly joined?: readonly string[];
  /** `optional`: only behind `=`, or joined. */
  readonly value: 'none' | 'required' | 'optional';
  /** `name` is the one that was used. */
  apply(request: LinkRequest, value: string, name: string): void;
}

const EMULATIONS: ReadonlyMap<string, MachineName> = new Map([
  ['elf_x86_64', 'x86_64'],
  ['elf_amd64', 'x86_64'],
  ['aarch64linux', 'arm64'],
  ['aarch64elf', 'arm64'],
]);

function flag(names: readonly string[], apply: (request: LinkRequest) => void): LinkOption {
  return { names, value: 'none', apply };
}

function valued(names: readonly string[], apply: (request: LinkRequest, value: string) => void): LinkOption {
  return { names, value: 'required', apply };
}

/** A value of one letter, joined or not. */
function letter(
  name: string,
  others: readonly string[],
  apply: (request: LinkRequest, value: string) => void,
): LinkOption {
  return { names: [name, ...others], joined: [name], value: 'required', apply };
}

function refused(names: readonly string[], value: LinkOption['value'], reason: string): LinkOption {
  return {
    names,
    value,
    apply(_, given, name) {
      throw new IpbpError('IPBP5902', `the link does not do this: ${reason}`, {
        actual: `--${name}${given === '' ? '' : ` ${given}`}`,
      });
    },
  };
}

function nothing(): void {
  // Accepted.
}

/** A number as ld reads it: decimal, or hexadecimal behind 0x. */
function numberOf(text: string, base: 10 | 16 = 10): number {
  const digits = /^0x([0-9a-f]+)$/i.exec(text)?.[1];
  const plain = base === 16 ? /^[0-9a-f]+$/i : /^\d+$/;
  const value = digits !== undefined ? parseInt(digits, 16) : plain.test(text) ? parseInt(text, base) : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new IpbpError('IPBP5901', 'not a number', { actual: text });
}

/** `NAME=EXPRESSION`, which is a number, a symbol, or a symbol and a number. */
function defineSymbol({ options }: LinkRequest, text: string): void {
  const parts = /^([^=]+)=\s*([^+\-\s]*)\s*(?:([+-])\s*(\w+))?\s*$/.exec(text);
  const [, name, first, sign, second] = parts ?? [];
  if (name === undefined || first === undefined || first === '') {
    throw new IpbpError('IPBP5901', '--defsym is not understood', {
      expected: 'NAME=NUMBER, NAME=SYMBOL or NAME=SYMBOL+NUMBER',
      actual: text,
    });
  }
  const distance = second === undefined ? 0 : numberOf(second) * (sign === '-' ? -1 : 1);
  const isNumber = /^\d/.test(first);
  const base = isNumber ? null : first;
  options.defined = [
    ...options.defined,
    { name: name.trim(), base, offset: distance + (isNumber ? numberOf(first) : 0) },
  ];
}

function emulate(request: LinkRequest, name: string): void {
  const machine = EMULATIONS.get(name);
  if (machine === undefined) {
    throw new IpbpError('IPBP1003', 'this emulation is not supported', {
      expected: [...EMULATIONS.keys()].join(', '),
      actual: name,
    });
  }
  request.machine = machine;
}

const NOT_EXECUTABLE = 'only shared objects are linked (-shared)';

/** Inputs, and where they are looked for. */
const INPUTS: readonly LinkOption[] = [
  letter('l', ['library'], (request, name) => {
    request.inputs.push({ name, library: true, ...request.flags });
  }),
  letter('L', ['library-path'], (request, path) => request.directories.push(path)),
  valued(['sysroot'], (request, path) => (request.sysroot = path)),
  flag(['nostdlib'], (request) => (request.onlyNamed = true)),
  flag(['whole-archive'], (request) => (request.flags = { ...request.flags, whole: true })),
  flag(['no-whole-archive'], (request) => (request.flags = { ...request.flags, whole: false })),
  flag(['as-needed'], (request) => (request.flags = { ...request.flags, asNeeded: true })),
  flag(['no-as-needed'], (request) => (request.flags = { ...request.flags, asNeeded: false })),
  flag(['Bstatic', 'dn', 'non_shared', 'static'], (request) => {
    request.flags = { ...request.flags, archivesOnly: true };
  }),
  flag(['Bdynamic', 'dy', 'call_shared'], (request) => (request.flags = { ...request.flags, archivesOnly: false })),
  flag(['push-state'], (request) => request.saved.push(request.flags)),
  flag(['pop-state'], (request) => {
    const flags = request.saved.pop();
    if (flags === undefined) throw new IpbpError('IPBP5901', '--pop-state without --push-state');
    request.flags = flags;
  }),
  // Archives are searched until nothing is new wherever they stand: all of them are one group.
  flag(['start-group', '(', 'end-group', ')'], nothing),
  valued(['exclude-libs'], (request, names) => request.excludedArchives.push(...names.split(/[,:]/))),
  { names: ['m'], joined: ['m'], value: 'required', apply: emulate },
  refused(['start-lib', 'end-lib'], 'none', 'objects that are taken like members of an archive'),
  refused(['T', 'script', 'dT', 'default-script'], 'required', 'linker scripts that lay sections out'),
  refused(['b', 'format', 'oformat', 'A', 'architecture'], 'required', 'other formats than its inputs have'),
  refused(['just-symbols'], 'required', 'symbols without their code'),
];

/** What is made, and its names. */
const RESULT: readonly LinkOption[] = [
  letter('o', ['output'], (request, path) => (request.output = path)),
  flag(['shared', 'Bshareable'], (request) => (request.shared = true)),
  letter('h', ['soname'], ({ options }, name) => (options.soname = name)),
  letter('e', ['entry'], ({ options }, name) => (options.entry = name)),
  valued(['init'], ({ options }, name) => (options.init = name)),
  valued(['fini'], ({ options }, name) => (options.fini = name)),
  {
    names: ['build-id'],
    value: 'optional',
    apply(request, style) {
      request.buildId = style === '' ? 'sha1' : style;
    },
  },
  flag(['no-build-id'], (request) => (request.buildId = 'none')),
  valued(['hash-style'], ({ options }, style) => {
    if (style !== 'gnu' && style !== 'sysv' && style !== 'both') {
      throw new IpbpError('IPBP5901', 'not a style of hash tables', { expected: 'gnu, sysv or both', actual: style });
    }
    options.hashStyle = style;
  }),
  flag(['eh-frame-hdr'], ({ options }) => (options.unwindHeader = true)),
  flag(['no-eh-frame-hdr'], ({ options }) => (options.unwindHeader = false)),
  valued(['pack-dyn-relocs'], ({ options }, how) => {
    if (how !== 'none' && how !== 'relr') {
      throw new IpbpError('IPBP5902', 'relocations are packed as relr or not at all', { actual: how });
    }
    options.packRelative = how === 'relr';
  }),
  valued(['Ttext'], ({ options }, address) => (options.textAddress = numberOf(address, 16))),
  valued(['rpath'], ({ options }, path) => {
    options.rpath = options.rpath === null ? path : `${options.rpath}:${path}`;
  }),
  letter('R', [], ({ options }, path) => {
    options.rpath = options.rpath === null ? path : `${options.rpath}:${path}`;
  }),
  flag(['enable-new-dtags'], ({ options }) => (options.runpath = true)),
  flag(['disable-new-dtags'], ({ options }) => (options.runpath = false)),
  {
    names: ['z'],
    joined: ['z'],
    value: 'required',
    apply: applyKeyword,
  },
  flag(['s', 'strip-all'], ({ options }) => (options.strip = 'all')),
  flag(['S', 'strip-debug'], ({ options }) => {
    if (options.strip !== 'all') options.strip = 'debug';
  }),
  flag(['x', 'discard-all'], ({ options }) => (options.discard = 'all')),
  flag(['X', 'discard-locals'], ({ options }) => (options.discard = 'temporary')),
  flag(['discard-none'], ({ options }) => (options.discard = 'none')),
  refused(['pie', 'pic-executable', 'static-pie', 'no-pie'], 'none', NOT_EXECUTABLE),
  refused(['r', 'relocatable', 'Ur'], 'none', 'objects of objects'),
  refused(['q', 'emit-relocs'], 'none', 'relocations in what it makes'),
  refused(
    ['Tbss', 'Tdata', 'Ttext-segment', 'Trodata-segment', 'Tldata-segment'],
    'required',
    'addresses of single segments',
  ),
  refused(['section-start', 'image-base'], 'required', 'addresses of single sections'),
  refused(
    ['sort-section', 'symbol-ordering-file', 'call-graph-ordering-file', 'section-ordering-file'],
    'required',
    'another order of sections',
  ),
  refused(['f', 'auxiliary', 'F', 'filter'], 'required', 'filters'),
  refused(['retain-symbols-file'], 'required', 'lists of kept symbols'),
  refused(['EB'], 'none', 'big-endian machines'),
  refused(['noinhibit-exec'], 'none', 'results in spite of errors'),
  refused(['allow-multiple-definition'], 'none', 'two definitions of one symbol'),
];

/** Which symbols are there, and which may be replaced. */
const SYMBOLS: readonly LinkOption[] = [
  valued(['version-script'], (request, path) => request.versionScripts.push(path)),
  valued(['dynamic-list'], (request, path) => request.dynamicLists.push(path)),
  // A shared object shows all that is visible without being asked.
  flag(['export-dynamic', 'E', 'no-export-dynamic'], nothing),
  valued(['export-dynamic-symbol', 'export-dynamic-symbol-list'], nothing),
  flag(['Bsymbolic'], ({ options }) => (options.symbolic = 'all')),
  flag(['Bsymbolic-functions'], ({ options }) => (options.symbolic = 'functions')),
  flag(['Bno-symbolic'], ({ options }) => (options.symbolic = 'none')),
  refused(['Bsymbolic-non-weak', 'Bsymbolic-non-weak-functions', 'Bgroup'], 'none', 'this way of binding'),
  valued(['defsym'], defineSymbol),
  letter('u', ['undefined', 'require-defined'], ({ options }, name) => (options.keep = [...options.keep, name])),
  valued(['wrap'], ({ options }, name) => (options.wrap = [...options.wrap, name])),
  flag(['no-undefined'], ({ options }) => (options.unresolved = 'error')),
  valued(['unresolved-symbols'], ({ options }, how) => {
    options.unresolved = how === 'report-all' || how === 'ignore-in-shared-libs' ? 'error' : 'allow';
  }),
  flag(['warn-unresolved-symbols'], ({ options }) => {
    if (options.unresolved === 'error') options.unresolved = 'warn';
  }),
  flag(['error-unresolved-symbols'], ({ options }) => {
    if (options.unresolved === 'warn') options.unresolved = 'error';
  }),
  flag(['gc-sections'], ({ options }) => (options.gc = true)),
  flag(['no-gc-sections'], ({ options }) => (options.gc = false)),
];

/** What is said. */
const REPORTS: readonly LinkOption[] = [
  valued(['Map'], (request, path) => (request.mapFile = path)),
  flag(['M', 'print-map'], (request) => (request.printMap = true)),
  flag(['print-gc-sections'], (request) => (request.printDropped = true)),
  flag(['no-print-gc-sections'], (request) => (request.printDropped = false)),
  flag(['t', 'trace'], (request) => (request.printFiles = true)),
  letter('y', ['trace-symbol'], (request, name) => request.traced.push(name)),
  flag(['fatal-warnings'], (request) => (request.fatalWarnings = true)),
  flag(['no-fatal-warnings'], (request) => (request.fatalWarnings = false)),
  flag(['v', 'V', 'version'], (request) => (request.askedFor = 'version')),
];

/** Accepted, with no effect, and why. */
const ACCEPTED: readonly LinkOption[] = [
  // No link-time optimisation: objects of its form are refused when they come.
  valued(['plugin'], nothing),
  { names: ['plugin-opt'], value: 'optional', apply: nothing },
  // How hard to try to make it small.
  { names: ['O'], joined: ['O'], value: 'optional', apply: nothing },
  // Relaxations save loads and change nothing else.
  flag(['relax', 'no-relax'], nothing),
  // A shared object has no interpreter.
  letter('I', ['dynamic-linker'], nothing),
  flag(['no-dynamic-linker'], nothing),
  // Libraries of libraries are not looked into.
  valued(['rpath-link'], nothing),
  flag(['allow-shlib-undefined', 'no-allow-shlib-undefined'], nothing),
  flag(['copy-dt-needed-entries', 'no-copy-dt-needed-entries', 'add-needed', 'no-add-needed'], nothing),
  // Names of a version script that nothing defines are no matter, nor is their absence.
  flag(['undefined-version', 'no-undefined-version'], nothing),
  { names: ['color-diagnostics', 'threads', 'thread-count'], value: 'optional', apply: nothing },
  flag(['no-color-diagnostics', 'no-threads'], nothing),
  { names: ['demangle'], value: 'optional', apply: nothing },
  flag(
    ['no-demangle', 'cref', 'stats', 'no-keep-memory', 'reduce-memory-overheads', 'd', 'dc', 'dp', 'g', 'Qy'],
    nothing,
  ),
  flag(['EL'], nothing),
  // Work-arounds for single processors.
  flag(
    ['fix-cortex-a53-843419', 'no-fix-cortex-a53-843419', 'fix-cortex-a53-835769', 'no-fix-cortex-a53-835769'],
    nothing,
  ),
  flag(['check-sections', 'no-check-sections', 'accept-unknown-input-arch', 'no-accept-unknown-input-arch'], nothing),
  flag(['no-warn-mismatch', 'warn-mismatch', 'warn-common', 'no-warn-common', 'warn-once', 'warn-textrel'], nothing),
  flag(
    ['warn-execstack', 'no-warn-execstack', 'no-warn-rwx-segments', 'warn-rwx-segments', 'no-warnings', 'w'],
    nothing,
  ),
  flag(
    ['warn-constructors', 'warn-section-align', 'warn-shared-textrel', 'warn-alternate-em', 'warn-backrefs'],
    nothing,
  ),
  flag(['no-warn-backrefs', 'warn-symbol-ordering', 'no-warn-symbol-ordering', 'warn-ifunc-textrel'], nothing),
  flag(['ld-generated-unwind-info', 'no-ld-generated-unwind-info', 'no-rosegment', 'rosegment'], nothing),
  flag(['no-omagic', 'no-nmagic', 'no-mmap-output-file', 'mmap-output-file', 'no-lto', 'no-gdb-index'], nothing),
  { names: ['spare-dynamic-tags', 'hash-size', 'retain-symbols', 'sort-common'], value: 'optional', apply: nothing },
  {
    names: ['icf'],
    value: 'required',
    apply({ warnings }, how) {
      if (how !== 'none') warnings.push(`--icf=${how}: equal functions are not folded`);
    },
  },
  {
    names: ['compress-debug-sections'],
    value: 'required',
    apply({ warnings }, how) {
      if (how !== 'none') warnings.push(`--compress-debug-sections=${how}: debug sections are not compressed`);
    },
  },
  flag(['gdb-index'], ({ warnings }) => warnings.push('--gdb-index: no index is made')),
];

/** All of them. */
export const LINK_OPTIONS: readonly LinkOption[] = [...INPUTS, ...RESULT, ...SYMBOLS, ...REPORTS, ...ACCEPTED];

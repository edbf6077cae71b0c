// Seeds that no compiler makes: mangled names, code, patch files and messages, made by our own encoders.
import { encodePatchFile } from '../../src/patch/image/image-file.js';
import type { PatchImage } from '../../src/patch/image/image.js';
import {
  encodeChallenge,
  encodeDone,
  encodeFrame,
  encodeOpened,
  encodeProgram,
  encodeReserved,
  encodeTransaction,
} from '../../src/patch/wire/frame-codec.js';
import type { AgentOp, ProgramInfo } from '../../src/patch/wire/frames.js';

const NAMES = [
  '_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE',
  '_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE',
  '_ZN3foo3bar17h05af221e174051e9E.llvm.9D1C9369',
  '_ZNSt6vectorIiSaIiEE9push_backEOi',
  '_RNvCs1234_7mycrate3foo',
  '_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y',
  '_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_',
  '_RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKanb_E',
  '_RINvC1a1bKRe616263_E',
  '_RINvC1a1bKVNtB2_3FooS1xh1_1yh2_EE',
  '_RINvC1a1bKoffffffffffffffffffffffffffffffff_E',
  '_RINvC1a1bRSeQhPxOuAtj4_TaETabEE',
  '_RINvC1a1bFUKCmEbFG_RL0_hEuE',
  '_RINvC1a1bDNtC4core5CloneINtBa_2FnuEp6OutputhNtBa_4SendEL_E',
  '_RNvXs_C1aNtB4_3FooNtB4_3Bar3baz',
  '_RNvMs0_NtCs5iZEK8fWFGx_4core3fmtNtB5_9Formatter9write_str',
];

/** Mangled names, a seed each. */
export function nameSeeds(): Uint8Array[] {
  return NAMES.map((name) => new TextEncoder().encode(name));
}

const SCRIPTS = [
  '/* GNU ld script */\nOUTPUT_FORMAT(elf64-x86-64)\nGROUP ( /lib/libc.so.6 libc_nonshared.a AS_NEEDED ( /lib/ld.so.2 ) )\n',
  'SEARCH_DIR("/usr/lib"); INPUT(-lm, "a file.o" libx.a)\n',
  '{\n  global:\n    work;\n    _ZN*;\n  local:\n    *;\n};\n',
  'V_1.0 { global: "a"; extern "C++" { "foo()"; b*; }; local: *; };\nV_2.0 { c?[a-z]*; } V_1.0;\n',
  '{ work; a*b*c*d; [!x]?; };\n',
];

/** Linker scripts, version scripts and dynamic lists. */
export function scriptSeeds(): Uint8Array[] {
  return SCRIPTS.map((text) => new TextEncoder().encode(text));
}

/** Text stubs of both versions, with all that they may say. */
const STUBS = [
  `--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
uuids:
  - target: x86_64-macos
    value: 00000000-0000-0000-0000-000000000001
flags: [ flat_namespace ]
install-name: '/usr/lib/liba.dylib'
current-version: 1.2.3
compatibility-version: 1
parent-umbrella:
  - targets: [ arm64-macos ]
    umbrella: System
reexported-libraries:
  - targets: [ arm64-macos ]
    libraries: [ '/usr/lib/libb.dylib' ]
exports:
  - targets: [ arm64-macos,
               x86_64-macos ]
    symbols: [ _one, 'it''s', "two" ]
    weak-symbols: [ _weak ]
    thread-local-symbols: [ _local ]
    objc-classes: [ Thing ]
...
--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos ]
install-name: '/usr/lib/libb.dylib'
reexported-libraries:
- targets: [ arm64-macos ]
  libraries: [ '/usr/lib/liba.dylib' ]
`,
  JSON.stringify({
    tapi_tbd_version: 5,
    main_library: {
      target_info: [{ target: 'arm64-macos', min_deployment: '11' }],
      install_names: [{ name: '/usr/lib/liba.dylib' }],
      current_versions: [{ version: '1.2' }],
      reexported_libraries: [{ names: ['/usr/lib/libb.dylib'] }],
      exported_symbols: [
        { targets: ['arm64-macos'], text: { global: ['_f'], weak: ['_w'] }, data: { objc_class: ['C'] } },
      ],
    },
    libraries: [{ target_info: [], install_names: [{ name: '/usr/lib/libb.dylib' }] }],
  }),
];

/** The text of each. */
export function stubSeeds(): Uint8Array[] {
  return STUBS.map((text) => new TextEncoder().encode(text));
}

const CODE = [
  // endbr64; push rbp; mov rbp,rsp; sub rsp,16; call; test eax,eax; je +3; nop; leave; ret; int3 …
  'f30f1efa 55 4889e5 4883ec10 e800000000 85c0 7403 0f1f00 c9 c3 cccccc',
  // lea rcx,[rip+table]; movsxd rax,[rcx+rdi*4]; add rax,rcx; jmp rax
  '4157 4156 53 488d0d10000000 486304b9 4801c8 ffe0 c3 90 66662e0f1f840000000000',
  // VEX, EVEX, lock cmpxchg, movabs, rep stos, loop, jmp back, ud2
  'c5f877 62f17c4810c1 f0480fb10f 48b8ffffffffffffff7f f348ab e2fe 64488b042500000000 ebf0 0f0b',
  // data16 lea rdi,[rip+x@tlsgd]; data16 data16 rex call __tls_get_addr (general dynamic), and jmp [rip+x]
  '66488d3d00000000 666648e800000000 ff2500000000 48ff2500000000 41ff5510 8fe97812c0',
  // arm64. bti c; adrp x16,slot; ldr x16,[x16]; br x16; ret; nop; brk; b back; bl; cbz; adr
  '5f2403d5 10000090 100240f9 00021fd6 c0035fd6 1f2003d5 200020d4 fcffff17 00000094 400000b4 01000010',
  // adrp x0,desc; ldr x1,[x0]; add x0,x0,lo12; blr x1; mrs x1,tpidr_el0; adrp x0,got; ldr x0,[x0]; ldr x0,literal
  '00000090 010040f9 00000091 20003fd6 41d03bd5 00000090 000040f9 00000058',
];

/** Code, a function each. */
export function codeSeeds(): Uint8Array[] {
  return CODE.map((digits) => Uint8Array.from(Buffer.from(digits.replaceAll(' ', ''), 'hex')));
}

/** The process that patch files and transactions are for. */
export const PROGRAM: ProgramInfo = {
  pid: 4711,
  reservation: { at: -0x8000_0000, size: 0x4000_0000 },
  beside: { at: 0x100_0000, size: 0x200_0000 },
  tls: { offset: -4096, size: 4096, align: 64 },
  modules: [
    { base: 0x5555_5555_0000, identity: { kind: 'build-id', id: Uint8Array.of(1, 2, 3, 4) }, path: '/app/program' },
    { base: 0x7fff_f7a0_0000, identity: { kind: 'text-sha256', id: new Uint8Array(32).fill(9) }, path: '/lib/libx.so' },
  ],
  abilities: { pages: true, libraries: true, code: false },
  pageSize: 4096,
};

const bytes = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);

const IMAGE: PatchImage = {
  library: null,
  modules: PROGRAM.modules.map(({ identity, path }) => ({ name: path, ...identity })),
  after: [bytes(32, 7)],
  segments: [
    { address: -0x7000_0000, size: 0x2000, protection: 'rx', bytes: bytes(90, 0x90) },
    { address: -0x6fff_0000, size: 0x1000, protection: 'rw', bytes: bytes(0, 0) },
  ],
  code: {
    types: ['(i32) -> i32'],
    globals: ['__stack_pointer'],
    imports: [{ name: 'tell', type: 0 }],
    stubs: [{ name: 'callee', slot: 4, type: 0 }],
    functions: [{ name: 'work', slot: 9, type: 0, bytes: bytes(6, 0x0b) }],
    slotsEnd: 10,
  },
  rebases: [{ at: -0x7000_0000, module: 1, value: 0x1234 }],
  tlsWords: [{ at: -0x7000_0000 + 8, size: 8, value: 64 }],
  tlsInit: [{ offset: 64, length: 8, at: -0x7000_0000 }],
  tlsUsed: 72,
  imports: [{ at: -0x7000_0000 + 16, name: 'malloc', weak: false, byResolver: false, addend: 0 }],
  checks: [{ module: 0, at: 0x4000, bytes: bytes(6, 0x55) }],
  cells: [{ module: 0, at: 0x4000, oldBytes: bytes(5, 0x55), newBytes: bytes(5, 0xe9), guardFrom: 1, guardTo: 5 }],
  slots: [{ module: 0, at: 0x9000, oldTarget: 0x4000, newTarget: -0x7000_0000 }],
  unwind: -0x6fff_ff00,
  unwindEntries: [
    {
      start: -0x7000_0000,
      length: 32,
      encoding: 0x0200_0000,
      personalityWord: -0x6fff_fff8,
      lsda: null,
      frameRecord: null,
    },
  ],
  threadLocals: { descriptors: [{ at: -0x6fff_0000, size: 24 }], template: null, zero: { at: -0x6ffe_ffe8, size: 8 } },
  init: [-0x6fff_fe00],
  symbols: [{ name: '_RNvC1a1b', kind: 'function', address: -0x7000_0000, size: 32, moved: true, entryWord: null }],
  bodies: [{ name: '_RNvC1a1b', address: -0x7000_0000 }],
  sources: [{ object: 'a.o', functions: [{ name: '_RNvC1a1b', address: -0x7000_0000 }] }],
  items: [{ name: 'a::b', mangled: '_RNvC1a1b', kind: 'function', verdict: 'redirected', reason: 'changed' }],
  warnings: [{ code: 'IPBP3020', message: 'initialiser changed' }],
};
const EMPTY: PatchImage = {
  ...IMAGE,
  ...{ after: [], segments: [], rebases: [], tlsWords: [], tlsInit: [], imports: [], checks: [], cells: [], slots: [] },
  ...{
    unwind: null,
    unwindEntries: [],
    threadLocals: null,
    init: [],
    symbols: [],
    bodies: [],
    sources: [],
    items: [],
    warnings: [],
  },
};

/** Patch files, one with something of everything and one with next to nothing. */
export function patchSeeds(): Uint8Array[] {
  return [IMAGE, EMPTY].map((image) => encodePatchFile(image).bytes);
}

const OPS: readonly AgentOp[] = [
  { op: 'map', at: -4096, length: 4096 },
  { op: 'write', at: -4096, bytes: bytes(12, 1) },
  { op: 'word', at: -4000, module: 1, value: 5 },
  { op: 'tls', at: -3992, size: 4, value: -8 },
  { op: 'import', at: -3984, weak: true, byResolver: false, addend: 0, scope: 1, name: 'free' },
  { op: 'protect', at: -4096, length: 4096, protection: 'rx' },
  { op: 'tls-init', offset: 0, length: 8, at: -4096 },
  { op: 'check', module: 0, at: 64, bytes: bytes(4, 0x55) },
  { op: 'unwind', at: -4096 },
  { op: 'cell', module: 0, at: 64, oldBytes: bytes(5, 1), newBytes: bytes(5, 2), guardFrom: 0, guardTo: 5 },
  { op: 'init', at: -4096 },
  { op: 'library', at: -8192, length: 4096, bytes: bytes(40, 5) },
  { op: 'slot', module: 0, at: 128, oldTarget: 64, newTarget: -4096 },
  { op: 'renew', module: 0, at: 136, word: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80) },
];

/** Notes as a linker writes them: the build id alone, and behind another. */
export function noteSeeds(): Uint8Array[] {
  const note = (type: number, size: number): Buffer => {
    const head = Buffer.alloc(16);
    [4, size, type].forEach((word, index) => head.writeUInt32LE(word, 4 * index));
    head.write('GNU\0', 12, 'latin1');
    return Buffer.concat([head, bytes(size, type)]);
  };
  const [property, buildId] = [note(5, 16), note(3, 20)];
  return [Uint8Array.from(buildId), Uint8Array.from(Buffer.concat([property, buildId]))];
}

/** Payloads of every message, and whole frames. */
export function frameSeeds(): Uint8Array[] {
  const payloads = [
    encodeTransaction(3, OPS),
    encodeProgram(PROGRAM),
    encodeProgram({ ...PROGRAM, atStart: 1 }),
    encodeOpened(PROGRAM.modules),
    encodeDone({
      patch: 3,
      status: 'bytes-differ',
      retries: 2,
      heldNanoseconds: 900,
      message: 'module 0 at 0x40',
      moved: [{ start: 0x5000, length: 4096, by: -0x1000 }],
    }),
    encodeReserved({ ...PROGRAM, threadLocals: -8 }),
    encodeReserved({ ...PROGRAM, threadLocals: null }),
    encodeChallenge(bytes(32, 1), bytes(32, 2)),
  ];
  const frames = payloads.map((payload) => {
    const { length, signed } = encodeFrame('transaction', 9, payload, true);
    return Uint8Array.from([...length, ...signed, ...bytes(32, 3)]);
  });
  return [...payloads, ...frames];
}

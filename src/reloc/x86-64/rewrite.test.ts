// What sequences become, and that nothing else is taken for one. The forms are those of the documents that rewrite.ts names.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RewriteGoal } from '../machine.js';
import { machineFor } from '../machines.js';

const machine = machineFor('elf', 'x86_64', 'x');

/** Numbers of the rows, by what they are called in the cases. */
const TYPES = {
  gd: 19,
  ld: 20,
  ie: 22,
  desc: 34,
  'desc-call': 35,
  gotpcrel: 9,
  gotpcrelx: 41,
  'rex-gotpcrelx': 42,
  'code-4-gotpcrelx': 43,
  'code-4-gottpoff': 44,
  'code-4-desc': 45,
} as const;

function bytesOf(text: string): number[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => Number.parseInt(word, 16));
}

/** `@` in the code stands before the relocated field, of which nothing is written yet. */
function rewritten(type: keyof typeof TYPES, goal: RewriteGoal, code: string): string | null {
  const [head = '', tail = ''] = code.split('@');
  const offset = bytesOf(head).length;
  const bytes = Uint8Array.from(bytesOf(head + tail));
  const row = machine.rows.get(TYPES[type]);
  assert.ok(row !== undefined);
  const rewrite = machine.rewrite(row, goal, bytes, offset);
  if (rewrite === null) return null;
  bytes.set(rewrite.bytes, offset + rewrite.from);
  const fields = rewrite.fields.map(({ at, row: { name }, addend }) => `${name.slice(9)}@${offset + at}+${addend}`);
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return [text, ...fields, ...(rewrite.swallow > 0 ? [`swallows ${rewrite.swallow}`] : [])].join(', ');
}

const LARGE = '48 b8 00 00 00 00 00 00 00 00 4c 01 f8 ff d0';

const CASES: readonly (readonly [
  what: string,
  type: keyof typeof TYPES,
  goal: RewriteGoal,
  code: string,
  wanted: string | null,
])[] = [
  [
    'general-dynamic, call through the PLT',
    'gd',
    'local-exec',
    '66 48 8d 3d @ 00 00 00 00 66 66 48 e8 00 00 00 00',
    '64 48 8b 04 25 00 00 00 00 48 8d 80 00 00 00 00, TPOFF32@12+4, swallows 1',
  ],
  [
    'general-dynamic, call through a slot',
    'gd',
    'local-exec',
    '66 48 8d 3d @ 00 00 00 00 66 48 ff 15 00 00 00 00',
    '64 48 8b 04 25 00 00 00 00 48 8d 80 00 00 00 00, TPOFF32@12+4, swallows 1',
  ],
  [
    'general-dynamic to a slot with the offset',
    'gd',
    'initial-exec',
    '66 48 8d 3d @ 00 00 00 00 66 66 48 e8 00 00 00 00',
    '64 48 8b 04 25 00 00 00 00 48 03 05 00 00 00 00, GOTTPOFF@12+0, swallows 1',
  ],
  [
    'general-dynamic in large code',
    'gd',
    'local-exec',
    `48 8d 3d @ 00 00 00 00 ${LARGE}`,
    '64 48 8b 04 25 00 00 00 00 48 8d 80 00 00 00 00 66 0f 1f 44 00 00, TPOFF32@12+4, swallows 1',
  ],
  [
    'local-dynamic, call through the PLT',
    'ld',
    'local-exec',
    '48 8d 3d @ 00 00 00 00 e8 00 00 00 00',
    '66 66 66 64 48 8b 04 25 00 00 00 00, swallows 1',
  ],
  [
    'local-dynamic, call through a slot',
    'ld',
    'local-exec',
    '48 8d 3d @ 00 00 00 00 ff 15 00 00 00 00',
    '66 66 66 66 64 48 8b 04 25 00 00 00 00, swallows 1',
  ],
  [
    'local-dynamic in large code',
    'ld',
    'local-exec',
    `48 8d 3d @ 00 00 00 00 ${LARGE}`,
    '66 66 66 64 48 8b 04 25 00 00 00 00 66 2e 0f 1f 84 00 00 00 00 00, swallows 1',
  ],
  ['local-dynamic to a slot', 'ld', 'initial-exec', '48 8d 3d @ 00 00 00 00 e8 00 00 00 00', null],
  ['mov x@gottpoff(%rip), %rax', 'ie', 'local-exec', '48 8b 05 @ 00 00 00 00', '48 c7 c0 00 00 00 00, TPOFF32@3+4'],
  ['mov x@gottpoff(%rip), %r15', 'ie', 'local-exec', '4c 8b 3d @ 00 00 00 00', '49 c7 c7 00 00 00 00, TPOFF32@3+4'],
  ['add x@gottpoff(%rip), %rcx', 'ie', 'local-exec', '48 03 0d @ 00 00 00 00', '48 81 c1 00 00 00 00, TPOFF32@3+4'],
  ['add x@gottpoff(%rip), %r12', 'ie', 'local-exec', '4c 03 25 @ 00 00 00 00', '49 81 c4 00 00 00 00, TPOFF32@3+4'],
  [
    'mov x@gottpoff(%rip), %r31',
    'code-4-gottpoff',
    'local-exec',
    'd5 4c 8b 3d @ 00 00 00 00',
    'd5 19 c7 c7 00 00 00 00, TPOFF32@4+4',
  ],
  ['cmp x@gottpoff(%rip), %rax', 'ie', 'local-exec', '48 3b 05 @ 00 00 00 00', null],
  ['lea x@tlsdesc(%rip), %rax', 'desc', 'local-exec', '48 8d 05 @ 00 00 00 00', '48 c7 c0 00 00 00 00, TPOFF32@3+4'],
  ['the same to a slot', 'desc', 'initial-exec', '48 8d 05 @ 00 00 00 00', '48 8b 05 00 00 00 00, GOTTPOFF@3+0'],
  [
    'lea x@tlsdesc(%rip), %r16',
    'code-4-desc',
    'local-exec',
    'd5 48 8d 05 @ 00 00 00 00',
    'd5 18 c7 c0 00 00 00 00, TPOFF32@4+4',
  ],
  ['call *x@tlscall(%rax)', 'desc-call', 'local-exec', '@ ff 10', '66 90'],
  ['call *x@tlscall(%rax), to a slot', 'desc-call', 'initial-exec', '@ ff 10', '66 90'],
  ['mov x@GOTPCREL(%rip), %rdi', 'rex-gotpcrelx', 'direct', '48 8b 3d @ 00 00 00 00', '48 8d 3d 00 00 00 00, PC32@3+0'],
  ['mov x@GOTPCREL(%rip), %edi', 'gotpcrelx', 'direct', '8b 3d @ 00 00 00 00', '8d 3d 00 00 00 00, PC32@2+0'],
  [
    'mov x@GOTPCREL(%rip), %r16',
    'code-4-gotpcrelx',
    'direct',
    'd5 48 8b 05 @ 00 00 00 00',
    'd5 48 8d 05 00 00 00 00, PC32@4+0',
  ],
  ['call *x@GOTPCREL(%rip)', 'gotpcrelx', 'direct', 'ff 15 @ 00 00 00 00', '67 e8 00 00 00 00, PC32@2+0'],
  ['jmp *x@GOTPCREL(%rip)', 'gotpcrelx', 'direct', 'ff 25 @ 00 00 00 00', 'e9 00 00 00 00 90, PC32@1+0'],
  ['push x@GOTPCREL(%rip)', 'gotpcrelx', 'direct', 'ff 35 @ 00 00 00 00', null],
  // These would need the address itself in 32 bits, which a library has not.
  ['add x@GOTPCREL(%rip), %rax', 'rex-gotpcrelx', 'direct', '48 03 05 @ 00 00 00 00', null],
  ['test %rax, x@GOTPCREL(%rip)', 'rex-gotpcrelx', 'direct', '48 85 05 @ 00 00 00 00', null],
  ['an old GOTPCREL', 'gotpcrel', 'direct', '48 8b 3d @ 00 00 00 00', null],
];

for (const [what, type, goal, code, wanted] of CASES) {
  test(`${what}: ${goal}`, () => {
    assert.is(rewritten(type, goal, code), wanted);
  });
}

test('other code is not rewritten, and what is stays within the bytes', () => {
  const goals: readonly RewriteGoal[] = ['direct', 'initial-exec', 'local-exec'];
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 32 }),
      fc.integer({ min: -4, max: 32 }),
      fc.constantFrom(...machine.rows.values()),
      fc.constantFrom(...goals),
      (bytes, offset, row, goal) => {
        const rewrite = machine.rewrite(row, goal, bytes, offset);
        if (rewrite === null) return;
        assert.ok(row.relaxable);
        assert.ok(offset + rewrite.from >= 0);
        assert.ok(offset + rewrite.from + rewrite.bytes.length <= bytes.length);
      },
    ),
  );
});

test.run();

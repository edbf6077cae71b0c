import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PatchedEvent, SessionEvent } from '../host/events.js';
import { renderEvent, type View } from './render.js';

const PLAIN: View = { color: false, quiet: false, verbose: false, compileMs: 151 };

const PATCHED: PatchedEvent = {
  event: 'patched',
  at: 1200,
  patch: 3,
  functions: [
    { name: 'aquarium::tank::paint_fish', verdict: 'redirected' },
    { name: 'aquarium::tick', verdict: 'redirected', reason: 'its code differs' },
    { name: 'aquarium::tank::bubble', verdict: 'added' },
  ],
  data: [{ name: 'aquarium::BUBBLES', verdict: 'added' }],
  bytes: 12_698,
  ms: { scan: 1, diff: 3, link: 4, apply: 1, total: 9 },
  sinceSaveMs: 171,
  warnings: [],
};

/** The remedy of IPBP3001. */
const RESTART_OR_SLOTS =
  '        Rebuild and restart; started with ipbp run --redirect slots, every function of the workspace can be redirected.';

/** Every event as it is shown by default, with --quiet and with --verbose. */
const CASES: readonly (readonly [
  name: string,
  event: SessionEvent,
  shown: readonly string[],
  quiet: readonly string[],
  verbose: readonly string[],
])[] = [
  [
    'ready',
    {
      event: 'ready',
      at: 900,
      session: 'a1b2',
      pid: 77,
      executable: '/home/me/t/debug/aquarium',
      buildId: 'c0ffee',
      target: 'x86_64-unknown-linux-gnu',
      functions: 63551,
      redirect: 'jump',
      indexMs: 1250,
      crates: ['aquarium', 'fish'],
      watching: ['/home/me/aquarium/src'],
    },
    ['ipbp  ready  aquarium (pid 77)  63,551 functions indexed in 1.25 s  following aquarium, fish'],
    [],
    [
      'ipbp  ready  aquarium (pid 77)  63,551 functions indexed in 1.25 s  following aquarium, fish',
      '      session a1b2, build id c0ffee, x86_64-unknown-linux-gnu',
      '      watching /home/me/aquarium/src',
    ],
  ],
  ['change', { event: 'change', at: 1, files: ['src/main.rs'] }, [], [], ['ipbp  changed  src/main.rs']],
  [
    'compiled',
    { event: 'compiled', at: 1, ms: 151, objects: 1, crates: ['aquarium'], rendered: 'warning: unused\n' },
    ['warning: unused'],
    [],
    ['warning: unused', 'ipbp  compiled  aquarium: 1 object changed in 151 ms'],
  ],
  [
    'compile-error',
    { event: 'compile-error', at: 1, rendered: 'error[E0425]: cannot find value `x`\n --> src/main.rs:1:1\n' },
    [
      'error[E0425]: cannot find value `x`\n --> src/main.rs:1:1',
      'ipbp  waiting  rustc found errors; the program goes on as it was',
    ],
    ['error[E0425]: cannot find value `x`\n --> src/main.rs:1:1'],
    [
      'error[E0425]: cannot find value `x`\n --> src/main.rs:1:1',
      'ipbp  waiting  rustc found errors; the program goes on as it was',
    ],
  ],
  [
    'unchanged',
    { event: 'unchanged', at: 1, reason: 'no function or data differs' },
    ['ipbp  unchanged  no function or data differs'],
    [],
    ['ipbp  unchanged  no function or data differs'],
  ],
  [
    'patched',
    PATCHED,
    ['ipbp  patched #3  paint_fish, tick (+2 new)  rustc 151 ms + 9 ms'],
    [],
    [
      'ipbp  patched #3  aquarium::tank::paint_fish, aquarium::tick (+2 new)  rustc 151 ms + 9 ms',
      '      redirected  aquarium::tank::paint_fish',
      '      redirected  aquarium::tick: its code differs',
      '      added  aquarium::tank::bubble',
      '      added  aquarium::BUBBLES',
      '      12.4 KiB; scan 1 ms, diff 3 ms, link 4 ms, apply 1 ms; 171 ms since the save',
    ],
  ],
  [
    'refused',
    {
      event: 'refused',
      at: 1,
      items: [
        { code: 'IPBP3001', name: 'app::spin', message: 'no jump fits', because: ['a branch leads to +0x3', 'a loop'] },
      ],
      restarting: false,
    },
    [
      'ipbp  refused  spin: no jump fits (IPBP3001)',
      '        because a branch leads to +0x3',
      '          because a loop',
      RESTART_OR_SLOTS,
      'ipbp  refused  the program goes on as it was',
    ],
    [
      'ipbp  refused  spin: no jump fits (IPBP3001)',
      '        because a branch leads to +0x3',
      '          because a loop',
      RESTART_OR_SLOTS,
      'ipbp  refused  the program goes on as it was',
    ],
    [
      'ipbp  refused  app::spin: no jump fits (IPBP3001)',
      '        because a branch leads to +0x3',
      '          because a loop',
      RESTART_OR_SLOTS,
      'ipbp  refused  the program goes on as it was',
    ],
  ],
  [
    'undone',
    { event: 'undone', at: 1, patch: 3, now: 2 },
    ['ipbp  undone  #3; #2 is the newest now'],
    [],
    ['ipbp  undone  #3; #2 is the newest now'],
  ],
  [
    'restarted',
    { event: 'restarted', at: 1, pid: 78, reason: 'the change was refused' },
    ['ipbp  restarted  pid 78  the change was refused'],
    [],
    ['ipbp  restarted  pid 78  the change was refused'],
  ],
  [
    'note',
    { event: 'note', at: 1, code: 'IPBP5011', message: 'build.rs changed' },
    ['ipbp  note  build.rs changed (IPBP5011)'],
    [],
    ['ipbp  note  build.rs changed (IPBP5011)'],
  ],
  ['exit', { event: 'exit', at: 1, code: 3, signal: null }, [], [], ['ipbp  ended  the program ended with status 3']],
];

for (const [name, event, shown, quiet, verbose] of CASES) {
  test(`${name} is shown in its lines`, () => {
    assert.equal(renderEvent(event, PLAIN), shown);
    assert.equal(renderEvent(event, { ...PLAIN, quiet: true }), quiet);
    assert.equal(renderEvent(event, { ...PLAIN, verbose: true }), verbose);
  });
}

test('a program that was killed is worth a line, a plain end and Ctrl-C are not', () => {
  assert.equal(renderEvent({ event: 'exit', at: 1, code: null, signal: 'SIGINT' }, PLAIN), []);
  assert.equal(renderEvent({ event: 'exit', at: 1, code: null, signal: 'SIGSEGV' }, PLAIN), [
    'ipbp  ended  the program was ended by SIGSEGV',
  ]);
  assert.equal(renderEvent({ event: 'exit', at: 1, code: 0, signal: null }, PLAIN), []);
});

test('a patch without rustc names its own time alone', () => {
  const [first] = renderEvent({ ...PATCHED, sinceSaveMs: null }, { ...PLAIN, compileMs: null });
  assert.is(first, 'ipbp  patched #3  paint_fish, tick (+2 new)  9 ms');
});

test('a patch that only adds names what is new; one without functions says data only', () => {
  const added = { ...PATCHED, functions: [{ name: 'a::new_one', verdict: 'added' }], data: [] } as const;
  assert.is(renderEvent(added, PLAIN)[0], 'ipbp  patched #3  new_one (new)  rustc 151 ms + 9 ms');
  assert.is(
    renderEvent({ ...PATCHED, functions: [], data: [] }, PLAIN)[0],
    'ipbp  patched #3  data only  rustc 151 ms + 9 ms',
  );
});

test('many names and many refusals are cut, and --verbose shows all', () => {
  const functions = Array.from(
    { length: 9 },
    (_, index) => ({ name: `app::f${index}`, verdict: 'redirected' }) as const,
  );
  const event: SessionEvent = { ...PATCHED, functions, data: [] };
  assert.is(renderEvent(event, PLAIN)[0], 'ipbp  patched #3  f0, f1, f2, f3 and 5 more  rustc 151 ms + 9 ms');
  assert.ok(renderEvent(event, { ...PLAIN, verbose: true })[0]?.includes('app::f8'));

  const items = functions.map(({ name }) => ({ code: 'IPBP3002', name, message: 'not there', because: [] }));
  const refused: SessionEvent = { event: 'refused', at: 1, items, restarting: true };
  const lines = renderEvent(refused, PLAIN);
  assert.ok(lines.includes('      and 4 more (--verbose names them)'));
  assert.is(lines.at(-1), 'ipbp  refused  restarting the program');
  assert.is(renderEvent(refused, { ...PLAIN, verbose: true }).filter((text) => text.includes('not there')).length, 9);
});

test('warnings follow the patch, and a kept initial value is said once', () => {
  const warnings = [{ code: 'IPBP3009', message: 'app::LIMIT keeps its value' }];
  const data = [{ name: 'app::LIMIT', verdict: 'initialiser-changed' }] as const;
  assert.equal(renderEvent({ ...PATCHED, data, warnings }, PLAIN).slice(1), [
    'ipbp  warning  app::LIMIT keeps its value (IPBP3009)',
  ]);
  assert.equal(renderEvent({ ...PATCHED, data }, PLAIN).slice(1), [
    'ipbp  kept  LIMIT: its initial value changed; the live one stays',
  ]);
});

test('control characters in names never reach the terminal; rustc keeps its colours', () => {
  const functions = [{ name: 'evil\u001b]0;title\u0007', verdict: 'redirected' }] as const;
  assert.not.ok(
    renderEvent({ ...PATCHED, functions }, PLAIN)
      .join('')
      .includes('\u001b'),
  );
  assert.equal(
    renderEvent({ event: 'compile-error', at: 1, rendered: '\u001b[31merror\u001b[0m\n' }, { ...PLAIN, quiet: true }),
    ['\u001b[31merror\u001b[0m'],
  );
});

test('colours appear only when they are wanted', () => {
  assert.ok(renderEvent(PATCHED, { ...PLAIN, color: true })[0]?.includes('\u001b[32mpatched #3\u001b[0m'));
});

test.run();

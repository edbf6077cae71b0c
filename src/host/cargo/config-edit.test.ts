import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { parseSettings } from './cargo-config.js';
import { hasOurSettings, withSettings, withoutSettings, type WantedSetting } from './config-edit.js';

const TRIPLE = 'x86_64-unknown-linux-gnu';
const WANTED: readonly WantedSetting[] = [
  { path: ['target', TRIPLE, 'runner'], value: ['.cargo/ipbp/runner'] },
  { path: ['build', 'rustc-wrapper'], value: '.cargo/ipbp/rustc-wrapper' },
];

function settingsOf(text: string): Map<string, unknown> {
  return new Map(parseSettings(text, '').map(({ path, value }) => [path.join(' '), value]));
}

test('a file that is made holds the two settings, and goes again', () => {
  const text = withSettings(null, WANTED);
  assert.equal(
    [...settingsOf(text)],
    WANTED.map(({ path, value }) => [path.join(' '), value]),
  );
  assert.is(withoutSettings(text), null);
  assert.ok(hasOurSettings(text));
});

test('an empty file is not taken for one that was made', () => {
  assert.is(withoutSettings(withSettings('', WANTED)), '');
});

test('settings that are there are put aside where they stand, comments and all', () => {
  const text = `# mine\n[build] # speed\nrustc-wrapper = "sccache" # cached\n\n[target.${TRIPLE}]\nrunner = [\n  "env",\n  "A=b",\n]\nlinker = "clang"\n`;
  const edited = withSettings(text, WANTED);
  assert.is(
    edited,
    [
      '# mine',
      '[build] # speed',
      '# ipbp init put aside: rustc-wrapper = "sccache" # cached',
      'rustc-wrapper = ".cargo/ipbp/rustc-wrapper" # ipbp init',
      '',
      `[target.${TRIPLE}]`,
      '# ipbp init put aside: runner = [',
      '# ipbp init put aside:   "env",',
      '# ipbp init put aside:   "A=b",',
      '# ipbp init put aside: ]',
      'runner = [".cargo/ipbp/runner"] # ipbp init',
      'linker = "clang"',
      '',
    ].join('\n'),
  );
  assert.is(withoutSettings(edited), text);
});

test('what others wrote since stays when it is taken back', () => {
  const edited = withSettings('[build]\njobs = 2\n', WANTED);
  const since = `# new\n${edited.replace('jobs = 2', 'jobs = 3')}[net]\noffline = true\n`;
  assert.is(withoutSettings(since), '# new\n[build]\njobs = 3\n[net]\noffline = true\n');
});

test('tables in braces and dotted keys are not opened a second time', () => {
  const texts = [
    'build = { jobs = 2, rustc-wrapper = "sccache" }\n',
    `target = { ${TRIPLE} = { linker = "clang" } }\nbuild = {}`,
    `build.jobs = 1\ntarget.${TRIPLE}.linker = "clang"\n`,
    `[target]\n${TRIPLE}.linker = "clang"\n'cfg(unix)'.runner = "env"\n`,
  ];
  const headers = /^\[(build|target\.x86_64-unknown-linux-gnu)\]/m;
  assert.not.match(withSettings(texts[0] ?? '', WANTED), /^\[build\]/m);
  for (const text of texts.slice(1, 3)) assert.not.match(withSettings(text, WANTED), headers);
  for (const text of texts) assert.is(withoutSettings(withSettings(text, WANTED)), text);
});

test('a table in braces over several lines is refused', () => {
  try {
    withSettings('build = { rustflags = [\n"-g"] }\n', WANTED);
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof IpbpError && error.code === 'IPBP5035');
  }
});

const comment = fc.constantFrom('', ' # said the user', ' # "[build]"');
const own = {
  build: fc.constantFrom(
    'jobs = 2',
    'rustc-wrapper = "sccache"',
    "rustc-wrapper='a b'",
    'rustflags = [\n "-g", # why\n]',
  ),
  target: fc.constantFrom('linker = "clang"', 'runner = "env A=b"', 'runner = [ "a",\n "b" ]', '"runner" = \'x\''),
  other: fc.constantFrom('x = 1', 'y = """\n[build]\nz"""', 'when = 1979-05-27 07:32:00', "t = [{ a = ']' }, 2]"),
};
const body = (line: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc
    .uniqueArray(fc.tuple(line, comment), {
      maxLength: 3,
      selector: ([text]) => text.split(/[ =]/)[0]?.replaceAll('"', ''),
    })
    .map((lines) => lines.map(([text, said]) => text + said));
const section = (head: string, line: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc.tuple(body(line), comment).map(([lines, said]) => [`[${head}]${said}`, ...lines, '']);
const document = fc
  .tuple(
    body(own.other),
    fc.shuffledSubarray(['build', 'target', 'quoted', 'other'] as const).chain((kinds) =>
      fc.tuple(
        ...kinds
          .filter((kind) => kind !== 'quoted' || !kinds.includes('target'))
          .map((kind) => {
            if (kind === 'build') return section('build', own.build);
            if (kind === 'other') return section('net', own.other);
            return section(kind === 'target' ? `target.${TRIPLE}` : `target . '${TRIPLE}'`, own.target);
          }),
      ),
    ),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([top, sections, dos, cut]) => {
    const text = [...top, ...sections.flat(), ''].join('\n');
    const whole = cut ? text.trimEnd() : text;
    return dos ? whole.replaceAll('\n', '\r\n') : whole;
  });

test('any file: both settings hold, all others stay, twice is once, and undo gives the bytes back', () => {
  fc.assert(
    fc.property(document, (text) => {
      const edited = withSettings(text, WANTED);
      const before = settingsOf(text);
      const after = settingsOf(edited);
      for (const { path, value } of WANTED) {
        assert.equal(after.get(path.join(' ')), value);
        before.delete(path.join(' '));
        after.delete(path.join(' '));
      }
      assert.equal(after, before);
      assert.is(withoutSettings(edited), text);
      assert.is(withSettings(withoutSettings(edited), WANTED), edited);
    }),
    { numRuns: 500 },
  );
});

test.run();

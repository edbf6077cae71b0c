// How a program is put together: shared libraries of the workspace, std as a shared library, panics that abort.
import { suite } from 'uvu';
import { manifest } from '../cargo-fixture.js';
import { WORD, runShape, speaker, type Shape } from './project.js';

const test = suite('linking');

const talker = (rest = ''): Readonly<Record<string, string>> => ({
  'Cargo.toml': manifest('talker', rest),
  'src/main.rs': speaker('word()', WORD),
});
const edits = [{ file: 'src/main.rs', from: '"hello"', to: '"bye"', says: 'bye' }];

const withLibrary = (type: string, body = WORD): Readonly<Record<string, string>> => ({
  'Cargo.toml': manifest('talker', '[dependencies]\nshared = { path = "shared" }\n[workspace]\nmembers = ["shared"]\n'),
  'src/main.rs': speaker(
    'shared::word() + mark() + &shared::wide(1)',
    '#[inline(never)]\nfn mark() -> &\'static str {\n    "."\n}\n',
  ),
  'shared/Cargo.toml': manifest('shared', `[lib]\ncrate-type = [${type}]\n`),
  'shared/src/lib.rs': `${body}
pub fn wide<T: std::fmt::Debug>(value: T) -> String {
    format!("{value:?}")
}
`,
});

const SHAPES: readonly Shape[] = [
  { name: 'panics that abort', files: talker('[profile.dev]\npanic = "abort"\n'), edits },
  {
    name: 'std as a shared library',
    files: talker(),
    environment: { RUSTFLAGS: '-Cprefer-dynamic' },
    edits: [
      ...edits,
      {
        file: 'src/main.rs',
        from: 'String::from("bye")',
        to: 'format!("{:?}", std::collections::BTreeMap::from([(1, 2)]))',
        says: '{1: 2}',
      },
    ],
  },
  {
    name: 'a library that is both rlib and cdylib',
    files: withLibrary('"rlib", "cdylib"'),
    says: 'hello.1',
    edits: [
      { file: 'shared/src/lib.rs', from: '"hello"', to: '"bye"', says: 'bye.1' },
      { file: 'src/main.rs', from: '"."', to: '","', says: 'bye,1' },
    ],
  },
  {
    name: 'a dylib, and an edit of the program that uses it',
    files: withLibrary('"dylib"'),
    says: 'hello.1',
    edits: [
      { file: 'src/main.rs', from: '"."', to: '","', says: 'hello,1' },
      { file: 'shared/src/lib.rs', from: '{value:?}', to: '<{value:?}>', says: 'hello,<1>' },
    ],
  },
  {
    name: 'a dylib, and edits of it and of the program',
    files: withLibrary('"dylib"'),
    says: 'hello.1',
    edits: [
      { file: 'shared/src/lib.rs', from: '"hello"', to: '"bye"', says: 'bye.1' },
      { file: 'src/main.rs', from: '"."', to: '","', says: 'bye,1' },
      { file: 'shared/src/lib.rs', from: '"bye"', to: '"bye bye"', says: 'bye bye,1' },
    ],
  },
  {
    name: 'a dylib without symbols, and an edit of it',
    files: {
      ...withLibrary('"dylib"'),
      'Cargo.toml': `${withLibrary('"dylib"')['Cargo.toml'] ?? ''}[profile.dev.package.shared]\nstrip = true\n`,
    },
    says: 'hello.1',
    edits: [
      {
        file: 'shared/src/lib.rs',
        from: '"hello"',
        to: '"bye"',
        says: 'hello.1',
        verdict: 'refused',
        code: 'IPBP5020',
      },
      { file: 'shared/src/lib.rs', from: '"bye"', to: '"hello"', says: 'hello.1', verdict: 'unchanged' },
      { file: 'src/main.rs', from: '"."', to: '","', says: 'hello,1' },
    ],
  },
];

for (const shape of SHAPES) test(shape.name, () => runShape(shape));

test.run();

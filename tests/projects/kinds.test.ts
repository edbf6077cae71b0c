// What `cargo run` can start, and what `cargo test` can: binaries of a virtual workspace, one of several binaries beside
// a library, examples, integration tests, a library's own tests.
import { suite } from 'uvu';
import { manifest } from '../cargo-fixture.js';
import { WORD, runShape, speaker, type Shape } from './project.js';

const test = suite('kinds of targets');

/** A test that talks: the harness runs it on a thread of its own. */
const TALKING_TEST = speaker('shelf::word()').replace('fn main', '#[test]\nfn talk');

const package_ = {
  'Cargo.toml': manifest('shelf'),
  'src/lib.rs': `${WORD}\n#[cfg(test)]\nmod tests {\n${TALKING_TEST.replace('shelf::', 'super::')}}\n`,
  'src/bin/one.rs': speaker('shelf::word()'),
  'src/bin/two.rs': speaker('shelf::word() + tail()', '#[inline(never)]\nfn tail() -> &\'static str {\n    "!"\n}\n'),
  'examples/show.rs': speaker('shelf::word()'),
  'tests/talk.rs': TALKING_TEST,
};

const word = { file: 'src/lib.rs', from: '"hello"', to: '"bye"', says: 'bye' };

const SHAPES: readonly Shape[] = [
  {
    name: 'a package of a virtual workspace, by -p, with its library',
    files: {
      'Cargo.toml': '[workspace]\nmembers = ["parts/*", "app"]\nresolver = "2"\n',
      'parts/words/Cargo.toml': manifest('my-words'),
      'parts/words/src/lib.rs': WORD,
      'app/Cargo.toml': manifest('app', '[dependencies]\nmy-words = { path = "../parts/words" }\n'),
      'app/src/main.rs': speaker('my_words::word()'),
    },
    args: ['-p', 'app'],
    edits: [{ ...word, file: 'parts/words/src/lib.rs' }],
  },
  {
    name: 'one of two binaries beside a library, by --bin',
    files: package_,
    args: ['--bin', 'two'],
    says: 'hello!',
    edits: [
      { ...word, says: 'bye!' },
      { file: 'src/bin/two.rs', from: '"!"', to: '"?"', says: 'bye?' },
    ],
  },
  { name: 'an example', files: package_, args: ['--example', 'show'], edits: [word] },
  {
    name: 'an integration test',
    files: package_,
    args: ['--test', 'talk', '--', '--nocapture'],
    edits: [word],
  },
  {
    name: "a library's own tests",
    files: package_,
    args: ['--lib', '--', '--nocapture'],
    edits: [word],
  },
];

for (const shape of SHAPES) test(shape.name, () => runShape(shape));

test.run();

// What a program is made of: features, one library in two forms, renamed crates, editions, paths outside of the
// workspace, included files, generated sources, and what the compiler reads of the environment.
import { suite } from 'uvu';
import { manifest } from '../cargo-fixture.js';
import { WORD, runShape, speaker, type Shape } from './project.js';

const test = suite('crates');

const edition = (name: string, year: number, rest = ''): string =>
  manifest(name, rest).replace('edition = "2021"', `edition = "${year}"`);

const SHAPES: readonly Shape[] = [
  {
    name: 'a feature that is off by default',
    files: {
      'Cargo.toml': manifest('talker', '[features]\nloud = []\n'),
      'src/main.rs': speaker(
        'word() + mark()',
        `${WORD}
#[cfg(feature = "loud")]
#[inline(never)]
fn mark() -> &'static str { "!" }
#[cfg(not(feature = "loud"))]
#[inline(never)]
fn mark() -> &'static str { "." }
`,
      ),
    },
    args: ['--features', 'loud'],
    says: 'hello!',
    edits: [{ file: 'src/main.rs', from: '"!"', to: '"!!"', says: 'hello!!' }],
  },
  {
    name: 'one library twice, with other features for the build script',
    files: {
      'Cargo.toml': manifest(
        'talker',
        '[dependencies]\ntwice = { path = "twice" }\n[build-dependencies]\ntwice = { path = "twice", features = ["loud"] }\n',
      ),
      'build.rs': 'fn main() { assert_eq!(twice::mark(), "!"); println!("cargo:rustc-env=BUILT=built") }',
      'src/main.rs': speaker('twice::word() + twice::mark() + env!("BUILT")'),
      'twice/Cargo.toml': manifest('twice', '[features]\nloud = []\n'),
      'twice/src/lib.rs': `${WORD}
pub fn mark() -> &'static str { if cfg!(feature = "loud") { "!" } else { "." } }
`,
    },
    says: 'hello.built',
    edits: [{ file: 'twice/src/lib.rs', from: '"hello"', to: '"bye"', says: 'bye.built' }],
  },
  {
    name: 'renamed crates of three editions, one outside of the workspace',
    files: {
      'inside/Cargo.toml': edition(
        'talker',
        2024,
        '[dependencies]\nfoo = { package = "old-one", path = "parts/old" }\nfar-away = { path = "../outside" }\n[workspace]\n',
      ),
      'inside/src/main.rs': speaker('foo::word() + &far_lib::far()'),
      'inside/parts/old/Cargo.toml': edition('old-one', 2018),
      'inside/parts/old/src/lib.rs': WORD,
      'outside/Cargo.toml': edition('far-away', 2021, '[lib]\nname = "far_lib"\npath = "here.rs"\n'),
      'outside/here.rs': '#[inline(never)]\npub fn far() -> String {\n    " far".to_string()\n}\n',
    },
    args: ['--manifest-path', 'inside/Cargo.toml'],
    says: 'hello far',
    edits: [
      { file: 'inside/parts/old/src/lib.rs', from: '"hello"', to: '"bye"', says: 'bye far' },
      { file: 'outside/here.rs', from: '" far"', to: '" farther"', says: 'bye farther' },
    ],
  },
  {
    name: 'texts and bytes that are included, and generated sources',
    files: {
      'Cargo.toml': manifest('talker'),
      'build.rs': `fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{out}/made.rs"), "pub fn made() -> &'static str { \\"made\\" }").unwrap();
}
`,
      'text file.txt': 'hello',
      'bytes.bin': 'abc',
      'src/main.rs': speaker(
        'word() + made() + &tail()',
        `include!(concat!(env!("OUT_DIR"), "/made.rs"));
#[inline(never)]
fn word() -> String { include_str!("../text file.txt").to_string() }
#[inline(never)]
fn tail() -> String { include_bytes!("../bytes.bin").len().to_string() }
`,
      ),
    },
    says: 'hellomade3',
    edits: [
      { file: 'text file.txt', from: 'hello', to: 'bye', says: 'byemade3' },
      { file: 'bytes.bin', from: 'abc', to: 'abcd', says: 'byemade4' },
      { file: 'src/main.rs', from: '.to_string() }\n#', to: '.to_uppercase() }\n#', says: 'BYEmade4' },
    ],
  },
];

for (const shape of SHAPES) test(shape.name, () => runShape(shape));

test.run();

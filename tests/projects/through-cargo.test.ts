// Changes that only cargo can build: it builds them beside the running program, which is then patched from the new
// objects. Also where cargo's build gives the crates other names than those that run.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NoteEvent, SessionEvent } from '../../src/host/events.js';
import { manifest } from '../cargo-fixture.js';
import { WORD, runShape, speaker, type Shape } from './project.js';

const test = suite('through cargo');

/** Every edit of these was told to go through cargo. */
function throughCargo(events: readonly SessionEvent[], times: number): void {
  const notes = events.filter((event): event is NoteEvent => event.event === 'note' && event.code === 'IPBP5011');
  assert.is(notes.length, times, JSON.stringify(notes));
}

const GENERATING = `fn main() {
    println!("cargo:rerun-if-changed=words.txt");
    println!("cargo:rerun-if-changed=build.rs");
    let text = std::fs::read_to_string("words.txt").unwrap();
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{out}/made.rs"), format!("pub fn made() -> String {{ {:?}.to_string() }}", text.trim())).unwrap();
    println!("cargo:rustc-env=BUILT=one");
}
`;

const SHAPES: readonly (Shape & { readonly builds: number })[] = [
  {
    name: "a build script's input, its source, and a build that fails meanwhile",
    files: {
      'Cargo.toml': manifest('talker'),
      'build.rs': GENERATING,
      'words.txt': 'hello\n',
      'src/main.rs': speaker(
        'word()',
        `include!(concat!(env!("OUT_DIR"), "/made.rs"));
#[inline(never)]
fn word() -> String {
    made() + " " + env!("BUILT")
}
`,
      ),
    },
    says: 'hello one',
    builds: 4,
    edits: [
      { file: 'words.txt', from: 'hello', to: 'bye', says: 'bye one' },
      { file: 'build.rs', from: 'BUILT=one', to: 'BUILT=two', says: 'bye two' },
      { file: 'src/main.rs', from: '" "', to: '"-"', says: 'bye-two' },
      { file: 'build.rs', from: 'fn main() {', to: 'fn main() { oops', says: 'bye-two', verdict: 'compile-error' },
      { file: 'build.rs', from: '{ oops', to: '{', says: 'bye-two', verdict: 'unchanged' },
      { file: 'src/main.rs', from: '"-"', to: '"+"', says: 'bye+two' },
    ],
  },
  {
    name: "a macro crate's source",
    files: {
      'Cargo.toml': manifest('talker', '[dependencies]\nmacros = { path = "macros" }\n'),
      'src/main.rs': speaker('word()', '#[inline(never)]\nfn word() -> String {\n    macros::word!().to_string()\n}\n'),
      'macros/Cargo.toml': manifest('macros', '[lib]\nproc-macro = true\n'),
      'macros/src/lib.rs': `mod inner;
#[proc_macro]
pub fn word(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    inner::TEXT.parse().unwrap()
}
`,
      'macros/src/inner.rs': 'pub const TEXT: &str = "\\"hello\\"";\n',
    },
    builds: 1,
    edits: [{ file: 'macros/src/inner.rs', from: 'hello', to: 'bye', says: 'bye' }],
  },
  {
    name: 'new dependencies, of the workspace and of a registry, features, and a variable of the configuration',
    files: {
      'Cargo.toml': manifest(
        'talker',
        '[features]\ndefault = []\nloud = []\n\n[dependencies]\nlib = { path = "lib" }\n',
      ),
      'src/main.rs': speaker(
        'word()',
        `#[inline(never)]
fn word() -> String {
    lib::word() + if cfg!(feature = "loud") { "!" } else { "" } + option_env!("EXTRA").unwrap_or("")
}
`,
      ),
      'lib/Cargo.toml': manifest('lib'),
      'lib/src/lib.rs': WORD,
      'more/Cargo.toml': manifest('more'),
      'more/src/lib.rs': `use std::sync::atomic::{AtomicU32, Ordering};
static CALLS: AtomicU32 = AtomicU32::new(0);
pub fn more() -> &'static str {
    if CALLS.fetch_add(1, Ordering::Relaxed) < 1000000 { "more " } else { "" }
}
`,
      '.cargo/config.toml': '[env]\n',
    },
    builds: 6,
    edits: [
      { file: 'Cargo.toml', from: 'default = []', to: 'default = ["loud"]', says: 'hello!' },
      {
        file: 'Cargo.toml',
        from: '[dependencies]',
        to: '[dependencies]\nmore = { path = "more" }',
        says: 'hello!',
        verdict: 'unchanged',
      },
      { file: 'src/main.rs', from: 'lib::word()', to: 'more::more().to_string() + &lib::word()', says: 'more hello!' },
      { file: 'more/src/lib.rs', from: '"more "', to: '"much more "', says: 'much more hello!' },
      { file: 'lib/src/lib.rs', from: '"hello"', to: '"bye"', says: 'much more bye!' },
      {
        file: 'lib/Cargo.toml',
        from: 'edition',
        to: 'description = "x"\nedition',
        says: 'much more bye!',
        verdict: 'unchanged',
      },
      {
        file: 'Cargo.toml',
        from: '[dependencies]',
        to: '[dependencies]\nitoa = "1"',
        says: 'much more bye!',
        verdict: 'unchanged',
      },
      {
        file: 'src/main.rs',
        from: 'more::more().to_string()',
        to: 'itoa::Buffer::new().format(40u64 + 2).to_string() + more::more()',
        says: '42much more bye!',
      },
      { file: '.cargo/config.toml', from: '[env]', to: '[env]\nEXTRA = "?"', says: '42much more bye!?' },
      { file: 'Cargo.toml', from: 'default = ["loud"]', to: 'default = []', says: '42much more bye?' },
    ],
  },
  {
    name: 'a dependency that the program holds is built anew',
    files: {
      'Cargo.toml': manifest('talker', '[dependencies]\nitoa = "1"\n\n[profile.dev.package.itoa]\nopt-level = 0\n'),
      'src/main.rs': speaker(
        'word()',
        '#[inline(never)]\nfn word() -> String {\n    itoa::Buffer::new().format(7).to_string()\n}\n',
      ),
    },
    says: '7',
    builds: 1,
    edits: [
      {
        file: 'Cargo.toml',
        from: 'opt-level = 0',
        to: 'opt-level = 1',
        says: '7',
        verdict: 'refused',
        code: 'IPBP5022',
      },
      { file: 'src/main.rs', from: '7', to: '8', says: '8' },
    ],
  },
];

for (const shape of SHAPES) test(shape.name, () => runShape(shape, (events) => throughCargo(events, shape.builds)));

test.run();

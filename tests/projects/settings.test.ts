// Where cargo takes its settings from: profiles, target directories, target triples, configuration files, variables,
// wrappers that somebody else set.
import { execFileSync } from 'node:child_process';
import { suite } from 'uvu';
import { manifest } from '../cargo-fixture.js';
import { WORD, runShape, speaker, type Shape } from './project.js';

const test = suite('settings');

const HOST = /^host: (.+)$/m.exec(execFileSync('rustc', ['-vV'], { encoding: 'utf8' }))?.[1] ?? '';

const files = (more: Readonly<Record<string, string>> = {}, rest = ''): Readonly<Record<string, string>> => ({
  'Cargo.toml': manifest('talker', rest),
  'src/main.rs': speaker('word()', WORD),
  ...more,
});

const edits = [{ file: 'src/main.rs', from: '"hello"', to: '"bye"', says: 'bye' }];

const SHAPES: readonly Shape[] = [
  {
    name: '--release, made incremental',
    files: files({}, '[profile.release]\nincremental = true\n'),
    args: ['--release'],
    edits,
  },
  {
    name: 'a profile of its own',
    files: files({}, '[profile.quick]\ninherits = "dev"\nopt-level = 1\n'),
    args: ['--profile', 'quick'],
    edits,
  },
  { name: '--target-dir', files: files(), args: ['--target-dir', 'out/of/the/way'], edits },
  { name: 'CARGO_TARGET_DIR', files: files(), environment: { CARGO_TARGET_DIR: 'elsewhere' }, edits },
  {
    name: 'build.target-dir',
    files: files({ '.cargo/config.toml': '[build]\ntarget-dir = "configured"\n' }),
    edits,
  },
  {
    name: 'build.target-dir by --config',
    files: files(),
    args: ['--config', 'build.target-dir="configured"'],
    edits,
  },
  {
    name: 'build.build-dir, and a target directory elsewhere',
    files: files({ '.cargo/config.toml': '[build]\nbuild-dir = "{workspace-root}/made/of"\n' }),
    args: ['--target-dir', 'made/in'],
    edits,
  },
  { name: '--target with the host itself', files: files(), args: ['--target', HOST], edits },
  {
    name: 'build.target = "host-tuple"',
    files: files({ '.cargo/config.toml': '[build]\ntarget = "host-tuple"\n' }),
    edits,
  },
  {
    name: 'rustflags, env and a linker in .cargo/config.toml',
    files: files({
      'src/main.rs': speaker('word() + env!("EXTRA") + if cfg!(special) { "!" } else { "" }', WORD),
      '.cargo/config.toml': `[build]\nrustflags = ["--cfg", "special"]\n[env]\nEXTRA = " and more"\n[target.${HOST}]\nlinker = "gcc"\n`,
    }),
    says: 'hello and more!',
    edits: [{ ...edits[0], file: 'src/main.rs', from: '"hello"', to: '"bye"', says: 'bye and more!' }],
  },
  {
    name: 'RUSTFLAGS',
    files: files({ 'src/main.rs': speaker('word() + if cfg!(special) { "!" } else { "" }', WORD) }),
    environment: { RUSTFLAGS: '--cfg special -Cforce-frame-pointers=yes' },
    says: 'hello!',
    edits: [{ file: 'src/main.rs', from: '"hello"', to: '"bye"', says: 'bye!' }],
  },
  {
    name: "the user's own runner, a text",
    files: files({
      'src/main.rs': speaker('word() + &std::env::var("WRAPPED").unwrap_or_default()', WORD),
      '.cargo/config.toml': `[target.${HOST}]\nrunner = "env WRAPPED=yes"\n`,
    }),
    says: 'helloyes',
    edits: [{ file: 'src/main.rs', from: '"hello"', to: '"bye"', says: 'byeyes' }],
  },
  {
    name: "the user's own runner, a list, for all that is unix",
    files: files({
      'src/main.rs': speaker('word() + &std::env::var("WRAPPED").unwrap_or_default()', WORD),
      '.cargo/config.toml': `[target.'cfg(unix)']\nrunner = ["env", "WRAPPED= twice over"]\n`,
    }),
    says: 'hello twice over',
    edits: [{ file: 'src/main.rs', from: '"hello"', to: '"bye"', says: 'bye twice over' }],
  },
  {
    name: 'a wrapper for rustc that is there already',
    files: files({ 'wrap.sh': '#!/bin/sh\nexec "$@"\n' }),
    executable: ['wrap.sh'],
    environment: { RUSTC_WRAPPER: './wrap.sh' },
    edits,
  },
  {
    name: 'a wrapper for rustc of workspace crates',
    files: files({
      'wrap.sh': '#!/bin/sh\nexec "$@" --cfg wrapped\n',
      'src/main.rs': speaker('word() + if cfg!(wrapped) { "!" } else { "" }', WORD),
    }),
    executable: ['wrap.sh'],
    environment: { RUSTC_WORKSPACE_WRAPPER: './wrap.sh' },
    says: 'hello!',
    edits: [{ file: 'src/main.rs', from: '"hello"', to: '"bye"', says: 'bye!' }],
  },
];

for (const shape of SHAPES) test(shape.name, () => runShape(shape));

test.run();

// The checks of what cargo compiles with, on manifests, configurations and environments made up both ways.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSettings } from '../cargo/cargo-config.js';
import { checkBuildSettings } from './build-settings.js';
import type { Finding } from './finding.js';
import { linkerOf, profileOf, profileSetting, profiles, type BuildFacts } from './profile.js';

const test = suite('doctor: build settings');

interface Written {
  readonly profile?: string;
  readonly target?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** cargo's configuration. */
  readonly config?: string;
  readonly manifest?: string;
  readonly held?: readonly string[];
}

function build({ profile = 'dev', target, env = {}, config = '', manifest = '', held = [] }: Written): BuildFacts {
  return {
    profile,
    targetTriple: target ?? 'x86_64-unknown-linux-gnu',
    env,
    settings: parseSettings(config, '/'),
    manifest: parseSettings(manifest, '/'),
    heldConditions: new Set(held),
  };
}

function faults(written: Written): Finding[] {
  return checkBuildSettings(build(written), ['app', 'inner']).filter(({ status }) => status !== 'ok');
}

const RELEASE_DEBUG = '[profile.release]\nincremental = true\ndebug = true\n';

/** Nothing to complain about. */
const FINE: readonly Written[] = [
  {},
  { profile: 'test' },
  {
    manifest: '[profile.dev]\nopt-level = 3\nlto = "off"\nstrip = "debuginfo"\nsplit-debuginfo = "off"\ndebug = "full"',
  },
  { manifest: '[profile.release]\nlto = true\n[profile.bench]\nstrip = true' },
  { profile: 'release', manifest: RELEASE_DEBUG },
  { profile: 'bench', manifest: RELEASE_DEBUG },
  { profile: 'release', manifest: '[profile.release]\ndebug = 2', env: { CARGO_INCREMENTAL: '1' } },
  { profile: 'fast', manifest: '[profile.fast]\ninherits = "dev"\nopt-level = 1' },
  { manifest: '[profile.dev]\nlto = true', config: '[profile.dev]\nlto = false' },
  { manifest: '[profile.dev]\nlto = "fat"', env: { CARGO_PROFILE_DEV_LTO: 'off' } },
  { config: 'build.rustflags = ["-Cstrip=symbols"]', env: { RUSTFLAGS: '' } },
  { config: '[target."cfg(windows)"]\nrustflags = "-C target-feature=+crt-static"' },
  { target: 'x86_64-unknown-linux-musl' },
  { config: `[target.'cfg(unix)']\nrustflags = ["-Ctarget-feature=+aes,+crt-static"]`, held: ['cfg(unix)'] },
  { manifest: '[profile.dev.package.serde]\ndebug = false' },
  { manifest: '[profile.dev]\nsplit-debuginfo = "packed"' },
  { env: { RUSTFLAGS: '-Csplit-debuginfo=unpacked' } },
];

for (const written of FINE) {
  test(`nothing missing: ${JSON.stringify(written)}`, () => assert.equal(faults(written), []));
}

/** One fault each, with its code and a word of the remedy. */
const FAULTS: readonly (readonly [Written, string, Finding['status'], string | undefined, RegExp])[] = [
  [{ env: { CARGO_INCREMENTAL: '0' } }, 'incremental', 'missing', 'IPBP5003', /Unset CARGO_INCREMENTAL,/],
  [{ config: '[build]\nincremental = false' }, 'incremental', 'missing', 'IPBP5003', /CARGO_INCREMENTAL=1/],
  [
    { manifest: '[profile.dev]\nincremental = false' },
    'incremental',
    'missing',
    'IPBP5003',
    /incremental = true in \[profile\.dev\]/,
  ],
  [
    { profile: 'release', manifest: '[profile.release]\ndebug = true' },
    'incremental',
    'missing',
    'IPBP5003',
    /\[profile\.release\]/,
  ],
  [{ manifest: '[profile.dev]\ndebug = 1' }, 'debug', 'warning', 'IPBP3040', /debug = true in \[profile\.dev\]/],
  [{ manifest: '[profile.dev]\ndebug = "line-tables-only"' }, 'debug', 'warning', 'IPBP3040', /debug = true/],
  [{ env: { CARGO_PROFILE_DEV_DEBUG: '0' } }, 'debug', 'warning', 'IPBP3040', /Unset CARGO_PROFILE_DEV_DEBUG/],
  [{ env: { RUSTFLAGS: '-C debuginfo=1' } }, 'debug', 'warning', 'IPBP3040', /out of RUSTFLAGS/],
  [{ manifest: '[profile.dev.package.inner]\ndebug = 0' }, 'debug', 'warning', 'IPBP3040', /package/],
  [{ manifest: '[profile.dev]\nlto = true' }, 'lto', 'missing', 'IPBP5004', /lto = false in \[profile\.dev\]/],
  [{ manifest: '[profile.dev]\nlto = "thin"' }, 'lto', 'missing', 'IPBP5004', /lto = false/],
  [{ config: 'profile.dev.lto = "fat"' }, 'lto', 'missing', 'IPBP5004', /lto = false/],
  [{ manifest: '[profile.dev]\nstrip = true' }, 'strip', 'missing', 'IPBP3004', /debuginfo/],
  [{ env: { RUSTFLAGS: '-Cstrip=symbols' } }, 'strip', 'missing', 'IPBP3004', /RUSTFLAGS/],
  [{ env: { RUSTFLAGS: '-Zsanitizer=address' } }, 'rustflags', 'missing', 'IPBP5004', /RUSTFLAGS/],
  [
    { env: { CARGO_ENCODED_RUSTFLAGS: '-Z\u001fsanitizer=thread' } },
    'rustflags',
    'missing',
    'IPBP5004',
    /CARGO_ENCODED_RUSTFLAGS/,
  ],
  [
    { config: '[build]\nrustflags = ["-C", "instrument-coverage"]' },
    'rustflags',
    'missing',
    'IPBP5004',
    /build\.rustflags/,
  ],
  [{ env: { RUSTFLAGS: '-C linker-plugin-lto' } }, 'rustflags', 'missing', 'IPBP5004', /RUSTFLAGS/],
  [{ env: { RUSTFLAGS: '-C relocation-model=static' } }, 'rustflags', 'missing', 'IPBP3005', /RUSTFLAGS/],
  [{ manifest: '[profile.dev]\ncodegen-units = 1' }, 'codegen-units', 'warning', undefined, /codegen-units = 16/],
  [
    { env: { RUSTFLAGS: '-C target-feature=-crt-static' }, target: 'x86_64-unknown-linux-musl' },
    'static',
    'missing',
    'IPBP4008',
    /without -crt-static/,
  ],
];

for (const [written, check, status, code, remedy] of FAULTS) {
  test(`project.${check}: ${JSON.stringify(written)}`, () => {
    const found = faults(written);
    assert.equal(
      found.map((finding) => [finding.check, finding.status, finding.code]),
      [[`project.${check}`, status, code]],
    );
    assert.match(found[0]?.remedy ?? '', remedy);
  });
}

test('which profile cargo builds', () => {
  assert.is(profileOf('run', null, false), 'dev');
  assert.is(profileOf('run', null, true), 'release');
  assert.is(profileOf('run', 'debug', false), 'dev');
  assert.is(profileOf('test', null, false), 'test');
  assert.is(profileOf('bench', null, false), 'bench');
});

test('profiles that inherit from each other end', () => {
  const facts = build({ profile: 'a', manifest: '[profile.a]\ninherits = "b"\n[profile.b]\ninherits = "a"' });
  assert.is(profileSetting(facts, 'lto').value, 'false');
  assert.equal(profiles(facts), ['dev', 'release', 'a', 'b']);
});

test('the linker', () => {
  assert.is(linkerOf(build({})).value, 'cc');
  assert.is(linkerOf(build({ config: '[target.x86_64-unknown-linux-gnu]\nlinker = "clang"' })).value, 'clang');
  assert.is(linkerOf(build({ env: { RUSTFLAGS: '-Clinker=wild' } })).value, 'wild');
  assert.is(linkerOf(build({ env: { CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER: 'mine' } })).value, 'mine');
});

test.run();

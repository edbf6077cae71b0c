// The checks of a project, on facts made up both ways.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkNoProject, checkProject, type ProjectFacts } from './project.js';

const test = suite('doctor: project');

const PROJECT: ProjectFacts['project'] = {
  buildDirectory: '/p/target',
  workspaceRoot: '/p',
  targetTriple: 'x86_64-unknown-linux-gnu',
  packages: [
    {
      name: 'app',
      manifest: '/p/Cargo.toml',
      crates: [
        { name: 'app', kinds: ['bin'] },
        { name: 'build_script_build', kinds: ['custom-build'] },
      ],
    },
    { name: 'my-lib', manifest: '/p/lib/Cargo.toml', crates: [{ name: 'my_lib', kinds: ['lib'] }] },
    { name: 'derive', manifest: '/p/derive/Cargo.toml', crates: [{ name: 'derive', kinds: ['proc-macro'] }] },
  ],
  rustcWrapper: null,
  runner: null,
  emulated: false,
};

const GOOD: ProjectFacts = {
  project: PROJECT,
  wrapperIsThere: false,
  runnerIsThere: false,
  init: { isSet: false, overruledBy: [] },
  buildDirectory: { writes: true, hardLinks: true, executes: true },
  fileSystem: 0xef53,
};

const WRAPPED: ProjectFacts = { ...GOOD, project: { ...PROJECT, rustcWrapper: 'sccache' } };

function running(asText: boolean, buildDirectory = '/p/target'): ProjectFacts['project'] {
  return { ...PROJECT, buildDirectory, runner: { words: ['sudo', '-E'], asText } };
}

const library = PROJECT.packages.slice(1, 2);

const INIT: ProjectFacts = {
  ...GOOD,
  project: {
    ...PROJECT,
    rustcWrapper: '/p/.cargo/ipbp/rustc-wrapper',
    runner: { words: ['/p/.cargo/ipbp/runner'], asText: false },
  },
  wrapperIsThere: true,
  runnerIsThere: true,
  init: { isSet: true, overruledBy: [] },
};

const CASES: readonly (readonly [ProjectFacts, string, 'warning' | 'missing', string | undefined, RegExp])[] = [
  [{ ...INIT, wrapperIsThere: false }, 'project.rustc-wrapper', 'missing', 'IPBP5008', /ipbp init again/],
  [{ ...INIT, runnerIsThere: false }, 'project.runner', 'missing', 'IPBP5001', /ipbp init again/],
  [{ ...INIT, init: { isSet: true, overruledBy: ['RUSTC_WRAPPER'] } }, 'project.init', 'warning', 'IPBP5039', /chains/],
  [{ ...INIT, project: { ...INIT.project, runner: null } }, 'project.init', 'warning', undefined, /ipbp init again/],
  [WRAPPED, 'project.rustc-wrapper', 'missing', 'IPBP5008', /RUSTC_WRAPPER/],
  [
    { ...GOOD, project: { ...PROJECT, targetTriple: 'aarch64-apple-darwin', emulated: true } },
    'project.runner',
    'missing',
    'IPBP5001',
    /target\.aarch64-apple-darwin\] runner/,
  ],
  [{ ...GOOD, project: running(true) }, 'project.runner', 'missing', 'IPBP5001', /Install/],
  [
    { ...GOOD, project: running(true, '/p/my target'), runnerIsThere: true },
    'project.runner',
    'missing',
    'IPBP5021',
    /as a list/,
  ],
  [
    { ...GOOD, buildDirectory: { ...GOOD.buildDirectory, writes: 'EROFS' } },
    'project.target-directory',
    'missing',
    'IPBP5014',
    /--target-dir/,
  ],
  [
    { ...GOOD, buildDirectory: { ...GOOD.buildDirectory, executes: 'EACCES' } },
    'project.target-directory',
    'missing',
    'IPBP5001',
    /--target-dir/,
  ],
  [
    { ...GOOD, buildDirectory: { ...GOOD.buildDirectory, hardLinks: 'EPERM' } },
    'project.target-directory',
    'warning',
    undefined,
    /--target-dir/,
  ],
  [{ ...GOOD, fileSystem: 0x01021997 }, 'project.watching', 'warning', undefined, /local file system/],
  [{ ...GOOD, project: { ...PROJECT, packages: library } }, 'project.crates', 'warning', undefined, /--lib/],
];

test('crates of type dylib are followed like others', () => {
  const packages = [...PROJECT.packages, { name: 's', manifest: '', crates: [{ name: 's', kinds: ['dylib'] }] }];
  const findings = checkProject({ ...GOOD, project: { ...PROJECT, packages } });
  const crates = findings.find(({ check }) => check === 'project.crates');
  assert.is(crates?.status, 'ok');
  assert.match(crates?.message ?? '', /live in app, my_lib, s,/);
});

test('a project that has all: which crates are followed, and which cargo builds', () => {
  const findings = checkProject(GOOD);
  assert.ok(findings.every(({ status }) => status === 'ok'));
  assert.match(
    findings.find(({ check }) => check === 'project.crates')?.message ?? '',
    /live in app, my_lib,.* macro crate derive, build script of app$/,
  );
});

test('a wrapper and a runner that are there are chained', () => {
  const facts: ProjectFacts = {
    ...GOOD,
    project: { ...running(false, '/p/my target'), rustcWrapper: 'sccache' },
    wrapperIsThere: true,
    runnerIsThere: true,
  };
  assert.ok(checkProject(facts).every(({ status }) => status === 'ok'));
});

for (const [facts, check, status, code, remedy] of CASES) {
  test(`${check} ${status} ${code ?? ''}`, () => {
    const bad = checkProject(facts).filter((finding) => finding.status !== 'ok');
    assert.equal(
      bad.map((finding) => [finding.check, finding.status, finding.code]),
      [[check, status, code]],
    );
    assert.match(bad[0]?.remedy ?? '', remedy);
  });
}

test('a module needs no runner, and is a program', () => {
  const packages = [{ name: 'page', manifest: '', crates: [{ name: 'page', kinds: ['cdylib'] }] }];
  const project = { ...PROJECT, packages, targetTriple: 'wasm32-unknown-unknown', emulated: true };
  const findings = checkProject({ ...GOOD, project });
  assert.equal(
    findings.filter(({ status }) => status !== 'ok'),
    [],
  );
  assert.match(findings.find(({ check }) => check === 'project.runner')?.message ?? '', /pages run it/);
});

test('after ipbp init', () => {
  const findings = checkProject(INIT);
  assert.ok(findings.every(({ status }) => status === 'ok'));
  assert.match(findings.find(({ check }) => check === 'project.init')?.message ?? '', /plain cargo run is followed/);
});

test('no project is a fault only where one was meant', () => {
  assert.is(checkNoProject({ reason: 'could not find', isMeant: false }).status, 'warning');
  const broken = checkNoProject({ reason: 'expected a value at line 3', isMeant: true });
  assert.is(broken.status, 'missing');
  assert.match(broken.message, /line 3/);
});

test.run();

// The checks of cargo, rustc and the agent, on facts made up both ways.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkToolchain, type AgentFacts, type ToolchainFacts } from './toolchain.js';

const test = suite('doctor: toolchain');

const AGENT: AgentFacts = {
  library: '/cache/ipbp/agent-1/libipbp_agent.so',
  isBuilt: true,
  oldestRustc: '1.80',
  cacheError: null,
  trial: { kind: 'came-up', hasRoom: true },
  isFiltered: false,
};

const GOOD: ToolchainFacts = {
  cargo: { text: 'cargo 1.95.0' },
  rustc: { text: 'rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n' },
  targetTriple: 'x86_64-unknown-linux-gnu',
  std: { directory: '/lib', isThere: true },
  linker: { name: 'cc', from: "rustc's default", path: '/usr/bin/cc' },
  agent: AGENT,
};

const CASES: readonly (readonly [
  Partial<ToolchainFacts>,
  string,
  'warning' | 'missing',
  string | undefined,
  RegExp,
])[] = [
  [{ cargo: { error: 'not there' } }, 'toolchain.cargo', 'missing', 'IPBP5001', /PATH/],
  [{ rustc: { error: 'not there' }, agent: null }, 'toolchain.rustc', 'missing', 'IPBP5001', /PATH/],
  [{ rustc: { text: 'release: 1.79.0' } }, 'toolchain.rustc', 'missing', 'IPBP4008', /1\.80/],
  [{ targetTriple: 'aarch64-unknown-linux-gnu' }, 'toolchain.target', 'missing', 'IPBP1003', /--target/],
  [{ targetTriple: 'i686-unknown-linux-gnu' }, 'toolchain.target', 'missing', 'IPBP1003', /--target/],
  [{ std: { directory: '/lib', isThere: false } }, 'toolchain.std', 'missing', 'IPBP4008', /rustup target add x86/],
  [{ linker: { ...GOOD.linker, path: null } }, 'toolchain.linker', 'missing', 'IPBP4008', /gcc/],
  [{ linker: { name: 'clang', from: 'x', path: null } }, 'toolchain.linker', 'missing', 'IPBP4008', /Install clang/],
  [
    { agent: { ...AGENT, isBuilt: false, cacheError: '/cache: EACCES', trial: null } },
    'toolchain.agent',
    'missing',
    'IPBP4008',
    /XDG_CACHE_HOME/,
  ],
  [
    { agent: { ...AGENT, trial: { kind: 'failed', reason: 'no' }, isFiltered: true } },
    'toolchain.agent',
    'missing',
    'IPBP5006',
    /membarrier/,
  ],
  [
    { agent: { ...AGENT, trial: { kind: 'came-up', hasRoom: false } } },
    'toolchain.agent',
    'warning',
    'IPBP2005',
    /ulimit/,
  ],
];

test('a toolchain that has all', () => {
  assert.ok(checkToolchain(GOOD).every(({ status }) => status === 'ok'));
});

for (const [change, check, status, code, remedy] of CASES) {
  test(`${check}: ${JSON.stringify(change).slice(0, 70)}`, () => {
    const bad = checkToolchain({ ...GOOD, ...change }).filter((finding) => finding.status !== 'ok');
    assert.equal(
      bad.map((finding) => [finding.check, finding.status, finding.code]),
      [[check, status, code]],
    );
    assert.match(bad[0]?.remedy ?? '', remedy);
  });
}

test('an agent that is not built yet is no fault, and the build is announced', () => {
  const findings = checkToolchain({ ...GOOD, agent: { ...AGENT, isBuilt: false, trial: null } });
  assert.match(
    findings.find(({ check }) => check === 'toolchain.agent')?.message ?? '',
    /first ipbp run.*cargo build --release --locked --target x86_64-unknown-linux-gnu/,
  );
  assert.ok(findings.every(({ status }) => status === 'ok'));
});

test('a newer rustc is taken, and said to be untested', () => {
  const findings = checkToolchain({ ...GOOD, rustc: { text: 'release: 1.97.0-nightly' } });
  assert.match(
    findings.find(({ check }) => check === 'toolchain.rustc')?.message ?? '',
    /tests of ipbp run with 1\.95/,
  );
});

test.run();

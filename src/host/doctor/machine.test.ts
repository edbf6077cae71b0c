// The checks of the machine, on facts made up both ways, and once on this machine.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAtLeast } from './finding.js';
import { checkMachine, type MachineFacts } from './machine.js';
import { findCommand, readMachine } from './machine-facts.js';

const test = suite('doctor: machine');

const GOOD: MachineFacts = {
  platform: 'linux',
  arch: 'x64',
  nodeVersion: '20.11.1',
  kernelRelease: '6.1.0-13-amd64',
  memoryFile: { opens: true, passesProtection: true },
  selinuxEnforcing: false,
  ptraceScope: 1,
  inotify: { maxInstances: 128, maxWatches: 65536, instances: 3, watches: 90, trial: true },
  absentCommands: [],
  sockets: { directory: '/run/user/1000/ipbp' },
};

/** What differs from the good machine, and the one check that must say so, with a word of the remedy. */
const CASES: readonly (readonly [Partial<MachineFacts>, string, 'warning' | 'missing', RegExp])[] = [
  [{ arch: 'arm64' }, 'machine.target', 'missing', /x86_64/],
  [{ nodeVersion: '18.20.4' }, 'machine.node', 'missing', /Node 20/],
  [{ kernelRelease: '4.15.0-20-generic' }, 'machine.kernel', 'missing', /4\.17/],
  [{ kernelRelease: '4.4.0-19041-Microsoft' }, 'machine.kernel', 'missing', /WSL 2/],
  [{ memoryFile: { opens: 'EACCES', passesProtection: false } }, 'machine.memory', 'missing', /\/proc/],
  [
    { memoryFile: { opens: true, passesProtection: false }, selinuxEnforcing: true },
    'machine.memory',
    'warning',
    /proc_mem\.force_override=always/,
  ],
  [{ ptraceScope: 2 }, 'machine.stacks', 'warning', /ptrace_scope=1/],
  [{ inotify: { ...GOOD.inotify, trial: 'EMFILE' } }, 'machine.inotify', 'missing', /max_user_instances=512/],
  [{ inotify: { ...GOOD.inotify, trial: 'ENOSPC' } }, 'machine.inotify', 'missing', /max_user_watches=131072/],
  [{ inotify: { ...GOOD.inotify, instances: 127 } }, 'machine.inotify', 'warning', /max_user_instances/],
  [{ inotify: { ...GOOD.inotify, watches: 65000 } }, 'machine.inotify', 'warning', /max_user_watches/],
  [{ absentCommands: ['flock'] }, 'machine.commands', 'warning', /util-linux/],
  [{ absentCommands: ['flock', 'mkfifo'] }, 'machine.commands', 'missing', /coreutils/],
  [{ sockets: { error: 'the directory for control sockets is not ours' } }, 'machine.sockets', 'missing', /XDG_RUN/],
  [{ sockets: { directory: `/${'a'.repeat(90)}` } }, 'machine.sockets', 'missing', /shorter/],
];

test('a machine that has all', () => {
  assert.equal(
    checkMachine(GOOD).filter(({ status }) => status !== 'ok'),
    [],
  );
});

for (const [change, check, status, remedy] of CASES) {
  test(`${check}: ${JSON.stringify(change).slice(0, 60)}`, () => {
    const bad = checkMachine({ ...GOOD, ...change }).filter((finding) => finding.status !== 'ok');
    assert.equal(
      bad.map((finding) => [finding.check, finding.status]),
      [[check, status]],
    );
    assert.match(bad[0]?.remedy ?? '', remedy);
  });
}

test('a restricted memory file alone is no fault, nor a kernel without Yama or inotify limits', () => {
  const facts: MachineFacts = {
    ...GOOD,
    memoryFile: { opens: true, passesProtection: false },
    ptraceScope: null,
    inotify: { ...GOOD.inotify, maxInstances: null, maxWatches: null },
  };
  assert.ok(checkMachine(facts).every(({ status }) => status === 'ok'));
});

test('on another system only what can be said there', () => {
  const checks = checkMachine({ ...GOOD, platform: 'freebsd' });
  assert.equal(
    checks.map(({ check, status }) => [check, status]),
    [
      ['machine.target', 'missing'],
      ['machine.node', 'ok'],
    ],
  );
  const mac = checkMachine({ ...GOOD, platform: 'darwin', arch: 'arm64', absentCommands: ['flock'] });
  assert.equal(
    mac.map(({ check, status }) => [check, status]),
    [
      ['machine.target', 'ok'],
      ['machine.node', 'ok'],
      ['machine.commands', 'warning'],
      ['machine.sockets', 'ok'],
    ],
  );
});

test('versions', () => {
  assert.ok(isAtLeast('1.80.0', '1.80'));
  assert.ok(isAtLeast('1.96.0-nightly', '1.80'));
  assert.not(isAtLeast('1.79.9', '1.80'));
  assert.ok(isAtLeast('10.0', '9.9'));
  assert.not(isAtLeast('4', '4.17'));
});

test('this machine', () => {
  const facts = readMachine();
  assert.is(facts.memoryFile.opens, true);
  assert.is(facts.inotify.trial, true);
  assert.equal(facts.absentCommands, []);
  assert.is(checkMachine(facts).filter(({ status }) => status === 'missing').length, 0);
  assert.ok(findCommand('sh')?.endsWith('/sh'));
  assert.is(findCommand('no-such-command-anywhere'), null);
});

test.run();

// The checks that only a Mac needs, on what its tools print.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkMac, type MacFacts, type MacProgram } from './macos.js';
import { newestProgram, readMac } from './macos-facts.js';

const test = suite('doctor: macOS');

function signed(flags: string): string {
  return `Executable=/p/target/debug/app
Identifier=app-9f8e7d
Format=Mach-O thin (arm64)
CodeDirectory v=20400 size=4567 flags=${flags} hashes=139+0 location=embedded
Signature=adhoc
`;
}

function entitled(...names: readonly string[]): string {
  const keys = names.map((name) => `<key>com.apple.security.${name}</key><true/>`).join('\n');
  return `<?xml version="1.0"?><plist version="1.0"><dict>${keys}</dict></plist>`;
}

const PROGRAM: MacProgram = {
  path: '/p/target/debug/app',
  isQuarantined: false,
  signature: signed('0x20002(adhoc,linker-signed)'),
  entitlements: '',
};
const HARDENED = { ...PROGRAM, signature: signed('0x10000(runtime)') };
const DYLD = 'cs.allow-dyld-environment-variables';
const VALIDATION = 'cs.disable-library-validation';

const CASES: readonly (readonly [Partial<MacFacts>, string, 'warning' | 'missing', RegExp])[] = [
  [{ developerTools: null }, 'machine.developer-tools', 'missing', /xcode-select --install/],
  [
    { program: { ...PROGRAM, isQuarantined: true } },
    'project.quarantine',
    'warning',
    /xattr -d com\.apple\.quarantine/,
  ],
  [{ program: HARDENED }, 'project.signature', 'missing', /codesign --force -s - .*entitlements/],
  [{ program: { ...HARDENED, entitlements: entitled(DYLD) } }, 'project.signature', 'missing', /entitlements/],
  [
    { program: { ...PROGRAM, signature: signed('0x2002(adhoc,library-validation)') } },
    'project.signature',
    'missing',
    /codesign --force/,
  ],
  [{ program: { ...PROGRAM, entitlements: entitled('app-sandbox') } }, 'project.signature', 'warning', /codesign/],
  [{ program: { ...PROGRAM, path: '/usr/bin/app' } }, 'project.place', 'missing', /--target-dir/],
];

const GOOD: MacFacts = { developerTools: '/Library/Developer/CommandLineTools', program: PROGRAM };

for (const [change, check, status, remedy] of CASES) {
  test(`${check}: ${status}`, () => {
    const bad = checkMac({ ...GOOD, ...change }).filter((finding) => finding.status !== 'ok');
    assert.equal(
      bad.map((finding) => [finding.check, finding.status]),
      [[check, status]],
    );
    assert.match(bad[0]?.remedy ?? '', remedy);
  });
}

test('what cargo makes, what is entitled, and what has no signature, lets the agent in', () => {
  const entitlements = entitled(DYLD, VALIDATION);
  const unsigned = { ...PROGRAM, signature: '/p/target/debug/app: code object is not signed at all\n' };
  for (const program of [PROGRAM, { ...HARDENED, entitlements }, unsigned, { ...PROGRAM, path: '/usr/local/x/app' }]) {
    assert.ok(checkMac({ ...GOOD, program }).every(({ status }) => status === 'ok'));
  }
  assert.is(checkMac({ ...GOOD, program: null }).length, 1);
});

test('the newest program of all profiles and targets', () => {
  const targetDirectory = mkdtempSync(join(tmpdir(), 'ipbp-doctor-'));
  const packages = [{ name: 'my-app', manifest: '', crates: [{ name: 'my_app', kinds: ['bin'] }] }];
  assert.is(newestProgram({ targetDirectory, packages }), null);
  const paths = ['debug', 'aarch64-apple-darwin/debug', 'release'].map((folder, age) => {
    const path = join(targetDirectory, folder, 'my-app');
    mkdirSync(join(targetDirectory, folder), { recursive: true });
    writeFileSync(path, '');
    utimesSync(path, 1000 - Math.abs(age - 1), 1000 - Math.abs(age - 1));
    return path;
  });
  assert.is(newestProgram({ targetDirectory, packages }), paths[1]);
  assert.is(newestProgram({ targetDirectory: join(targetDirectory, 'absent'), packages }), null);
  rmSync(targetDirectory, { recursive: true });
});

test('elsewhere none of this is asked', () => {
  if (process.platform !== 'darwin') assert.is(readMac(null), null);
  else assert.ok(readMac(null));
});

test.run();

// Builds whose code changes after the objects are written: each says IPBP5004 before the program starts; what only
// looks like one is followed.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest } from '../cargo-fixture.js';
import { ipbp } from '../talker.js';
import { WORD, runShape, speaker } from './project.js';

const test = suite('builds that cannot be patched');

const files = (profile = ''): Readonly<Record<string, string>> => ({
  'Cargo.toml': manifest('talker', profile),
  'src/main.rs': speaker('word()', WORD),
});

const BARRED = [
  { name: 'thin LTO of a profile', profile: 'lto = "thin"' },
  { name: 'fat LTO of a profile', profile: 'lto = true' },
  { name: 'coverage', flags: ['-Cinstrument-coverage'] },
  { name: 'a sanitizer', flags: ['-Zsanitizer=address'] },
  { name: "LTO in the linker's plugin", flags: ['-Clinker-plugin-lto'] },
] as const;

for (const barred of BARRED)
  test(barred.name, async () => {
    const profile = 'profile' in barred ? `[profile.dev]\n${barred.profile}\n` : '';
    const fixture = cargoFixture(files(profile));
    const flags = 'flags' in barred ? ['--config', `build.rustflags=${JSON.stringify(barred.flags)}`] : [];
    // Sanitizers are for unstable compilers only.
    if (barred.name === 'a sanitizer') process.env['RUSTC_BOOTSTRAP'] = '1';
    try {
      const { status, output } = await ipbp(fixture.root, 'run', ...flags);
      assert.match(output, 'IPBP5004');
      assert.is(status, 1);
    } finally {
      delete process.env['RUSTC_BOOTSTRAP'];
      fixture.remove();
    }
  });

for (const lto of ['false', '"off"'])
  test(`lto = ${lto} is none`, () =>
    runShape({
      name: lto,
      files: files(`[profile.dev]\nlto = ${lto}\n`),
      edits: [{ file: 'src/main.rs', from: '"hello"', to: '"bye"', says: 'bye' }],
    }));

test.run();

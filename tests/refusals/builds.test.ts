// Builds that cannot be patched: the program runs as it would without ipbp, and ipbp says why and what would help.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NoteEvent } from '../../src/host/events.js';
import type { CargoFixture } from '../cargo-fixture.js';
import { startTalker, talkerFixture, talkerSource } from '../talker.js';

const LIMIT_MS = 60_000;
const test = suite('builds that are refused');
let fixture: CargoFixture;

const BUILDS = [
  {
    name: 'fully stripped',
    code: 'IPBP3004',
    says: /runs unpatched: .*no symbols.*Build without strip/,
    config: ['--config', 'profile.dev.strip=true'],
  },
  {
    name: 'not position independent',
    code: 'IPBP3005',
    says: /runs unpatched: .*not position independent.*relocation-model=pic/,
    config: ['--config', 'build.rustflags=["-Crelocation-model=static"]'],
  },
  {
    name: 'linked statically without the agent, for which there is no place,',
    code: 'IPBP5023',
    says: /runs unpatched: .*linked statically.*crt-static/,
    config: ['--config', 'build.rustflags=["-Ctarget-feature=+crt-static"]'],
    environment: { XDG_CACHE_HOME: '/dev/null' },
  },
] as const;

test.before(() => {
  fixture = talkerFixture();
});

test.after(() => fixture.remove());

for (const { name, code, says, config, ...more } of BUILDS) {
  test(`an executable that is ${name} runs unpatched, and ipbp says why`, async () => {
    fixture.write('src/main.rs', talkerSource());
    const talker = startTalker(fixture.root, ['--target-dir', `target-${code}`, ...config], {
      ...('environment' in more ? more.environment : {}),
    });
    try {
      const note = await talker.session.waitFor(
        (event): event is NoteEvent => event.event === 'note' && event.code === code,
        0,
        LIMIT_MS,
      );
      assert.match(note.message, says);
      await talker.says('hello.');
      // A save is no reason to touch it either.
      await talker.untouchedBy(async () => {
        fixture.write('src/main.rs', talkerSource('"never"'));
        await new Promise((done) => setTimeout(done, 500));
      });
      assert.not.ok(talker.session.events.some(({ event }) => event === 'ready' || event === 'patched'));
    } finally {
      await talker.session.stop();
    }
    assert.is(talker.session.events.at(-1)?.event, 'exit');
  });
}

test.run();

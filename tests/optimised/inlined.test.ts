// An edited function that the compiler inlined has no code of its own: its callers are patched, and the event says so.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cargoFixture, manifest, type CargoFixture } from '../cargo-fixture.js';
import { startTalker, talkerSource, type Talker } from '../talker.js';

const test = suite('inlined functions');
let fixture: CargoFixture;
let talker: Talker;

const source = (adjective: string): string =>
  talkerSource('format!("{} words", crate::adjective())', `fn adjective() -> &'static str {\n    "${adjective}"\n}\n`);

test.before(async () => {
  fixture = cargoFixture({
    'Cargo.toml': manifest('talker', '[profile.dev]\nopt-level = 3\ndebug = false\n'),
    'src/main.rs': source('plain'),
  });
  talker = startTalker(fixture.root);
  await talker.ready();
  await talker.says('plain words.');
});

test.after(async () => {
  await talker.session.stop();
  fixture.remove();
});

test('the caller is patched and named', async () => {
  const { functions } = await talker.save(fixture, source('other'), 'patched');
  await talker.says('other words.');
  const inlined = functions.filter(({ verdict }) => verdict === 'inlined');
  assert.equal(
    inlined.map(({ name }) => name),
    ['adjective'],
  );
  assert.match(inlined[0]?.reason ?? '', /words::word$/);
});

test('a function with code of its own is not called inlined', async () => {
  const edited = source('other').replace('"."', '"!"');
  const { functions } = await talker.save(fixture, edited, 'patched');
  await talker.says('other words!');
  assert.not(functions.some(({ verdict }) => verdict === 'inlined'));
});

test.run();

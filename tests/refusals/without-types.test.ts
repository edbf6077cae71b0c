// A profile that leaves descriptions of types out: bodies are patched, what may change a layout is refused by what the
// sources say, and a value that was made before is never misread.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { manifest, type CargoFixture } from '../cargo-fixture.js';
import { startTalker, talkerFixture, talkerSource, type Talker } from '../talker.js';

const test = suite('without descriptions of types');
let fixture: CargoFixture;
let talker: Talker;

const FISH = 'pub struct Fish { pub hp: u32, pub age: u32 }\npub static FISH: Fish = Fish { hp: 3, age: 40 };\n';
const says = (expression: string, rest = FISH): string => talkerSource(`format!("{}", ${expression})`, rest);

test.before(async () => {
  fixture = talkerFixture({
    'Cargo.toml': manifest('talker', '[profile.dev]\ndebug = "line-tables-only"\n'),
    'src/main.rs': says('crate::FISH.hp'),
  });
  talker = startTalker(fixture.root);
  await talker.ready();
});

test.after(async () => {
  await talker.session.stop();
  fixture.remove();
});

test('a body goes live, without a warning', async () => {
  const { warnings } = await talker.save(fixture, says('crate::FISH.age'), 'patched');
  assert.equal(warnings, []);
  await talker.says('40.');
});

test('a declaration that changed is refused, and the setting that would help is named', async () => {
  const swapped = FISH.replace('hp: u32, pub age: u32', 'age: u32, pub hp: u32');
  const { items } = await talker.untouchedBy(() =>
    talker.save(fixture, says('crate::FISH.age + 1', swapped), 'refused'),
  );
  assert.equal(
    items.map(({ code, name }) => [code, name]),
    [['IPBP3040', 'src/main.rs: struct Fish']],
  );
  assert.match(items[0]?.because.join() ?? '', 'debug = true');
});

test('when it is taken back, the next body goes live', async () => {
  await talker.save(fixture, says('crate::FISH.age + 2'), 'patched');
  await talker.says('42.');
});

test.run();

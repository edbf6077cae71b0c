// Debug information in files of its own: layouts of types are compared all the same, from what rustc split off.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { manifest } from '../cargo-fixture.js';
import { startTalker, talkerFixture, talkerSource } from '../talker.js';

const test = suite('split debug information');

const POND = `
pub struct Fish { pub hp: u32, pub age: u32 }
static POND: std::sync::Mutex<Vec<Fish>> = std::sync::Mutex::new(Vec::new());
#[inline(never)]
pub fn oldest(more: u32) -> String {
    let mut pond = POND.lock().unwrap();
    if pond.is_empty() {
        pond.push(Fish { hp: 3, age: 40 });
    }
    format!("{}/{}", pond[0].hp, pond[0].age + more as u32)
}
`;
const says = (more: number, rest = POND): string => talkerSource(`crate::oldest(${more})`, rest);

const RUNS: readonly (readonly [kind: string, args: readonly string[]])[] = [
  ['unpacked', []],
  ['packed', []],
  // Objects are rewritten for the link; the table of addresses that a skeleton keeps with them.
  ['packed', ['--redirect', 'slots']],
];

for (const [kind, args] of RUNS) {
  test(`${[kind, ...args].join(' ')}: a field of a live value gets another type, and a body changes`, async () => {
    const fixture = talkerFixture({
      'Cargo.toml': manifest('talker', `[profile.dev]\nsplit-debuginfo = "${kind}"\n`),
      'src/main.rs': says(0),
    });
    const talker = startTalker(fixture.root, args);
    try {
      await talker.ready();
      await talker.says('3/40.');
      const { warnings } = await talker.save(fixture, says(1), 'patched');
      assert.equal(warnings, []);
      await talker.says('3/41.');
      const wider = POND.replace('hp: u32', 'hp: u64');
      const { items } = await talker.untouchedBy(() => talker.save(fixture, says(1, wider), 'refused'));
      assert.equal(
        items.map(({ code, name }) => [code, name]),
        [['IPBP3006', 'talker::Fish']],
      );
      assert.is(items[0]?.message, 'field `hp` of `talker::Fish` was u32 at offset 0, is u64');
      await talker.save(fixture, says(2), 'patched');
      await talker.says('3/42.');
    } finally {
      await talker.session.stop();
      fixture.remove();
    }
  });
}

test.run();

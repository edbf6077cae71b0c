// Pairing, on objects that rustc made: each kind of edit that moves numbers or changes types behind names, under both kinds
// of mangling, with and without debug information.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { identifyEdit, PROFILES, type Found, type Profile } from './identify.test-support.js';

// The program holds a closure in a structure that does not mention it, which takes a feature not stable yet.
process.env['RUSTC_BOOTSTRAP'] = '1';

const PLAIN = PROFILES.filter(({ optimised }) => !optimised);
/** Older names hide numbers in a hash: without debug information only mentions tell their order. */
const TELLING = PLAIN.filter(({ v0, described }) => v0 || described);
const DESCRIBED = PLAIN.filter(({ described }) => described);

function forEach(profiles: readonly Profile[], what: string, check: (profile: Profile) => void): void {
  for (const profile of profiles) test(`${profile.name}: ${what}`, () => check(profile));
}

const codes = ({ warnings }: Found): readonly string[] => warnings.map(({ code }) => code);
const has = ({ changes }: Found, change: RegExp): boolean => changes.some((one) => change.test(one));

forEach(PROFILES, 'a body', (profile) => {
  const found = identifyEdit(profile, [['black_box(x) + 40', 'black_box(x) + 41']]);
  assert.is(found.moved, 0);
  assert.ok(has(found, /^body app::sum$/));
  assert.is(found.identified.pathOf('app::jobs::{closure_env#1}'), 'app::jobs::{closure_env#1}');
});

forEach(PLAIN, 'a static with a shorter name beside another one leaves it what it is', (profile) => {
  const found = identifyEdit(profile, [
    ['/* in store */', 'static A: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(3);'],
    ['black_box(2)', 'black_box(A.load(Relaxed) as u32)'],
  ]);
  assert.ok(has(found, /^body app::store::count$/));
  assert.not(has(found, /COUNTED/));
});

// The macro makes two statics of one name for it, of different types, of which one is used.
forEach(PLAIN, 'a thread-local that nobody mentions any more is what it was', (profile) => {
  const found = identifyEdit(profile, [
    ['OWN.get()', '8'],
    ['/* before events */', 'event!("zero");'],
  ]);
  assert.not(has(found, /OWN.*VAL/));
  assert.equal(codes(found), []);
});

forEach(PLAIN, 'the body of a closure moves nothing', (profile) => {
  const found = identifyEdit(profile, [['rotate_left(7)', 'rotate_left(9)']]);
  assert.is(found.moved, 0);
  assert.is(found.changes.length, 1);
});

forEach(
  [...PLAIN, ...PROFILES.filter((one) => one.v0 && one.optimised)],
  'a closure before two others is the new one',
  (profile) => {
    const found = identifyEdit(profile, [['/* before jobs */', 'start(move |x| black_box(u32::from(x == 5) + k));']]);
    assert.ok(found.moved > 0);
    assert.not(has(found, /^body .*closure/), 'closures that were there are as they were');
    assert.not(has(found, /^removed/));
    assert.is(found.changes.filter((one) => /^added app::jobs::\{+closure/.test(one)).length, 1);
    assert.equal(found.forked, []);
  },
);

forEach(TELLING, 'two closures that change places keep their names', (profile) => {
  const [one, other] = ['black_box(x * k + 100)', 'black_box((x ^ k).rotate_left(7))'];
  const found = identifyEdit(profile, [
    [`start(move |x| ${one});`, `start(move |x| ${other} );`],
    [`start(move |x| ${other});`, `start(move |x| ${one});`],
  ]);
  assert.ok(found.moved > 0);
  assert.not(has(found, /^(?:added|removed)/));
});

forEach(PLAIN, 'an event before two others has statics of its own', (profile) => {
  const found = identifyEdit(profile, [['/* before events */', 'event!("zero");']]);
  assert.equal(
    found.changes.filter((one) => /META|SITE/.test(one)),
    ['added app::log::META', 'added app::log::SITE'],
  );
});

forEach(TELLING, 'an impl block before others', (profile) => {
  const found = identifyEdit(profile, [
    [
      '/* before impls */',
      'struct Owl; impl Owl { #[inline(never)] fn hoot(&self) -> u32 { black_box(9) } }\n' +
        'impl Speak for Owl { #[inline(never)] fn speak(&self) -> u32 { black_box(self.hoot()) } }',
    ],
    ['    twins();', '    twins(); println!("{}", black_box(&Owl as &dyn Speak).speak());'],
  ]);
  assert.ok(found.moved > 0);
  assert.not(has(found, /^(?:added|removed) .*(?:Cat|Dog)/));
  assert.ok(has(found, /^added <app::Owl as app::Speak>::speak/));
});

forEach(DESCRIBED, 'a local across an await', (profile) => {
  const found = identifyEdit(profile, [
    ['let kept = black_box(n);', 'let kept = black_box(n); let more = [n; 8];'],
    ['kept + 10', 'kept + black_box(&more).len() as u32'],
  ]);
  assert.ok(found.forked.includes('app::work'));
  assert.ok(has(found, /^removed app::work::\{/));
  assert.not(has(found, /^body .*serve::\{/), 'what holds one is another one, too');

  assert.ok(has(found, /^removed .*serve::\{/));
  assert.equal(found.refused, []);
});

forEach(DESCRIBED, 'a function that takes another type has another name', (profile) => {
  const found = identifyEdit(profile, [
    ['fn sum(x: u32) -> u32 { black_box(x) + 40 }', 'fn sum(x: u64) -> u32 { black_box(x) as u32 + 40 }'],
  ]);
  assert.ok(has(found, /^added app::sum$/));
  assert.ok(has(found, /^removed app::sum$/));
  assert.equal(found.forked, profile.v0 ? ['app::sum'] : []);
});

forEach(DESCRIBED, 'a static of another type starts anew, and nothing else does', (profile) => {
  const found = identifyEdit(profile, [['LIMIT: Mutex<u32>', 'LIMIT: Mutex<i32>']]);
  assert.equal(codes(found), ['IPBP3031']);
  assert.ok(has(found, /^added app::LIMIT$/));
  assert.equal(found.forked, [], 'instances of generic closures that others share');
});

forEach(DESCRIBED, 'a closure that holds more, in a structure that does not say so', (profile) => {
  const found = identifyEdit(profile, [['move |x| black_box(x + k)', 'move |x| black_box(x + k + wide as u32)']]);
  assert.equal(
    found.refused.map(({ code, name }) => `${code} ${name}`),
    ['IPBP3032 app::Holder'],
  );
});

forEach(PLAIN, 'a closure unlike the one that went is new, not forked', (profile) => {
  const found = identifyEdit(profile, [
    ['start(move |x| black_box(x * k + 100));', ''],
    ['/* second */', 'start(move |x| { for i in 0..x { print!("{i} {wide}"); } println!("{k}"); wide.count_ones() });'],
  ]);
  assert.equal(found.forked, []);
});

test.run();

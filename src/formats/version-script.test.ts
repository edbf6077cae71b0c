import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { matchesPattern } from './name-pattern.js';
import { parseDynamicList, parseVersionScript } from './version-script.js';

test('what rustc writes for a cdylib shows its names and no other', () => {
  const { shows, versions } = parseVersionScript('{\n  global:\n    add;\n    sub;\n\n  local:\n    *;\n};', 'list');
  assert.equal(['add', 'sub', 'other'].map(shows), [true, true, false]);
  assert.equal(versions, []);
});

test('exact names go before patterns, patterns before the rest', () => {
  const text = '{ local: *; b*; global: b?c; bar; "x*"; extern "C" { in_c; }; }; # done';
  const { shows } = parseVersionScript(text, 'list');
  assert.equal(['bar', 'bxc', 'baz', 'x*', 'xy', 'in_c'].map(shows), [true, false, false, true, false, true]);
  const { shows: open } = parseVersionScript('{ global: a; };', 'list');
  assert.equal(['a', 'b'].map(open), [true, null]);
});

test('versions are read and named', () => {
  const { shows, versions } = parseVersionScript('V1 { global: a; };\nV2 { global: b; local: *; } V1;', 'list');
  assert.equal(versions, ['V1', 'V2']);
  assert.equal(['a', 'b', 'c'].map(shows), [true, true, false]);
});

test('a dynamic list', () => {
  const has = parseDynamicList('{ a; b*; extern "C++" { *; } };', 'list');
  assert.equal(['a', 'bc', 'c'].map(has), [true, true, true]);
  assert.not(parseDynamicList('{ a };', 'list')('b'));
});

test('broken scripts are refused with their line', () => {
  for (const text of ['', '{', '{ a }', '{ a b };', '{ extern "D" { a; }; };', '{ extern "C++" { "a::b()"; }; };']) {
    assert.throws(() => parseVersionScript(text, 'v.map'), /IPBP1020/, text);
  }
  assert.throws(() => parseVersionScript('{\n a;\n b c;\n};', 'v.map'), /v\.map, line 3/);
});

test('patterns match as the shell has them', () => {
  const cases: [string, string, boolean][] = [
    ['*', '', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abbcd', false],
    ['a?c', 'abc', true],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['*[0-9]', 'a1b2', true],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['[', '[', true],
  ];
  for (const [pattern, name, matches] of cases) assert.is(matchesPattern(pattern, name), matches, `${pattern} ${name}`);
});

test('patterns of stars and letters match what the regular expression matches', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 }).map((list) => list.join(''));
  const names = fc.array(fc.constantFrom('a', 'b'), { maxLength: 10 }).map((list) => list.join(''));
  fc.assert(
    fc.property(letters, names, (pattern, name) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      assert.is(matchesPattern(pattern, name), expression.test(name));
    }),
    { numRuns: 500 },
  );
});

test.run();

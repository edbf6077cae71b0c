import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IpbpError } from '../../codes/error.js';
import { encodeProperties, hasLandings, mergeProperties, readProperties, type Property } from './properties.js';

const IBT_SHSTK: Property = { type: 0xc0000002, value: 3 };
const IBT: Property = { type: 0xc0000002, value: 1 };
const NEEDED: Property = { type: 0xc0008002, value: 1 };
const MORE_NEEDED: Property = { type: 0xc0008002, value: 4 };
const USED: Property = { type: 0xc0010002, value: 2 };
const UNKNOWN: Property = { type: 0xd0000000, value: 1 };

const map = (...properties: Property[]): Map<number, number> =>
  new Map(properties.map(({ type, value }) => [type, value]));
const merged = (...objects: Map<number, number>[]): Property[] => mergeProperties('x86_64', objects);

test('what is written is read back', () => {
  const properties = [IBT_SHSTK, NEEDED, USED];
  assert.equal(readProperties(encodeProperties(properties), 'note'), map(...properties));
});

test('promises hold if all make them, needs if one has them, uses if all say theirs', () => {
  assert.equal(merged(map(IBT_SHSTK), map(IBT)), [IBT]);
  assert.equal(merged(map(IBT_SHSTK), map()), []);
  assert.equal(merged(map(IBT), map({ type: IBT.type, value: 2 })), []);
  assert.equal(merged(map(NEEDED), map(), map(MORE_NEEDED)), [{ type: NEEDED.type, value: 5 }]);
  assert.equal(merged(map(USED), map({ type: USED.type, value: 1 })), [{ type: USED.type, value: 3 }]);
  assert.equal(merged(map(USED, NEEDED), map(NEEDED)), [NEEDED]);
  assert.equal(merged(map(UNKNOWN)), []);
  // The number means another thing on each machine.
  assert.equal(mergeProperties('arm64', [map({ type: 0xc0000000, value: 3 }), map({ type: 0xc0000000, value: 1 })]), [
    { type: 0xc0000000, value: 1 },
  ]);
});

test('landings are what their bit says', () => {
  assert.ok(hasLandings('x86_64', [IBT_SHSTK]));
  assert.not(hasLandings('x86_64', [{ type: IBT.type, value: 2 }, NEEDED]));
  assert.ok(hasLandings('arm64', [{ type: 0xc0000000, value: 1 }]));
  assert.not(hasLandings('arm64', [{ type: 0xc0000000, value: 2 }]));
});

test('a property longer than its note is an error with a place', () => {
  const note = encodeProperties([IBT]);
  note[20] = 200;
  assert.throws(
    () => readProperties(note, 'a.o'),
    (error: unknown) => error instanceof IpbpError && error.code === 'IPBP1001' && error.message.includes('a.o'),
  );
});

test.run();

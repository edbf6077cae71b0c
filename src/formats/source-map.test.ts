import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readSourceMap, sourceMapIn } from '../../tests/source-map.js';
import { encodeSourceMap, sourceMapUrl, type Mapping } from './source-map.js';

const place = fc.nat(2 ** 31 - 1);
const plain = { noNullPrototype: true };
const origin = fc.record({ source: fc.constantFrom('a.rs', '/b/ä.rs', 'c.rs'), line: place, column: place }, plain);
const mappings = fc
  .uniqueArray(fc.record({ column: place, origin: fc.option(origin, { nil: null }) }, plain), {
    maxLength: 20,
    selector: ({ column }) => column,
  })
  .map((list): Mapping[] => list.sort((a, b) => a.column - b.column));

test('what is read of a map is what was mapped', () => {
  fc.assert(fc.property(mappings, (list) => assert.equal(readSourceMap(encodeSourceMap(list)), list)));
});

test('numbers are as the specification has them', () => {
  const { mappings: text } = JSON.parse(
    encodeSourceMap([
      { column: 0, origin: { source: 'a', line: 0, column: 0 } },
      { column: 16, origin: { source: 'b', line: 500, column: 15 } },
      { column: 17, origin: null },
      { column: 18, origin: { source: 'a', line: 0, column: 0 } },
    ]),
  ) as { mappings: string };
  assert.is(text, 'AAAA,gBCofe,C,CDpff');
});

test('the URL holds the text, of any length', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => assert.is(sourceMapIn(sourceMapUrl(text)), text)));
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isStableName } from './names.js';

test('names that another compilation gives again', () => {
  for (const name of ['main', '_ZN3app4bodyE', '_RNvC3app4body', 'rust_eh_personality', 'tlv$init']) {
    assert.ok(isStableName(name), name);
  }
});

test('labels, literals and what is taken as it is are what their content is', () => {
  for (const name of [
    '',
    '.Lanon.1',
    '\u0001ltmp0',
    '\u0001l_anon.x',
    '\u0001GCC_except_table0',
    '\u0001dyld_stub_binder',
  ]) {
    assert.not.ok(isStableName(name), name);
  }
  assert.not.ok(isStableName('_ZN3app5LOCALE$tlv$init'));
});

test.run();

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { IpbpError } from '../codes/error.js';
import { errorRecord, exitStatus, renderError, toIpbpError } from './failure.js';

const VIEW = { color: false, verbose: false };

function thrownBy(action: () => unknown): IpbpError {
  try {
    action();
  } catch (error) {
    return toIpbpError(error);
  }
  throw new Error('nothing was thrown');
}

test('an error says code, expected, found, where, the chain and what to do', () => {
  const error = new IpbpError('IPBP2002', 'relocation out of range', {
    expected: 'a value of 32 bits',
    actual: '0x100000000',
    where: 'a.o: .text.main+0x4',
    because: ['the library is far away', 'it was loaded first'],
  });
  assert.equal(renderError(error, VIEW), [
    'ipbp: error IPBP2002 relocation out of range',
    '  expected a value of 32 bits',
    '  found 0x100000000',
    '  at a.o: .text.main+0x4',
    '  because the library is far away',
    '    because it was loaded first',
    '  Restart the program; if it happens again, please report it.',
  ]);
  assert.equal(errorRecord(error), {
    event: 'error',
    code: 'IPBP2002',
    message: 'relocation out of range',
    expected: 'a value of 32 bits',
    actual: '0x100000000',
    where: 'a.o: .text.main+0x4',
    because: ['the library is far away', 'it was loaded first'],
  });
});

test('a missing file and a directory read as a file have codes, not stacks', () => {
  const missing = thrownBy(() => readFileSync('/no/such/file'));
  assert.is(missing.code, 'IPBP5903');
  assert.is(missing.facts.where, '/no/such/file');
  const directory = thrownBy(() => readFileSync('/proc/1/mem/x'));
  assert.is(directory.code, 'IPBP5904');
});

test('what nobody foresaw is an internal error, its stack only under --verbose', () => {
  const error = thrownBy(() => (undefined as unknown as { readonly x: number }).x);
  assert.is(error.code, 'IPBP5999');
  assert.is(
    renderError(error, VIEW).some((line) => line.includes('failure.test')),
    false,
  );
  assert.is(
    renderError(error, { ...VIEW, verbose: true }).some((line) => line.includes('failure.test')),
    true,
  );
  assert.is(toIpbpError('a string').code, 'IPBP5999');
});

test('wrong arguments end with 2, all else with 1', () => {
  assert.is(exitStatus(new IpbpError('IPBP5901', '')), 2);
  assert.is(exitStatus(new IpbpError('IPBP5902', '')), 2);
  assert.is(exitStatus(new IpbpError('IPBP1001', '')), 1);
  assert.is(exitStatus(new IpbpError('IPBP5903', '')), 1);
});

test('an error of another copy of the class is one: commands in one file have their own', async () => {
  const url = new URL('../codes/error.js?another', import.meta.url).href;
  const { IpbpError: Other } = (await import(url)) as { IpbpError: typeof IpbpError };
  assert.is.not(Other, IpbpError);
  const error: unknown = new Other('IPBP5903', 'an input of the link is not there');
  assert.instance(error, IpbpError);
  assert.not.instance(new Error('an input of the link is not there'), IpbpError);
});

test.run();

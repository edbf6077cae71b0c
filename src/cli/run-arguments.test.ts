import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as fc from 'fast-check';
import { IpbpError } from '../codes/error.js';
import { moduleOptions, splitRunArguments } from './run-arguments.js';

/** A command line as typed, and what the program gets of it. */
const CASES: readonly (readonly [typed: string, options: string, program: string])[] = [
  ['', '', ''],
  ['--release -p server', '--release -p server', ''],
  ['--release -- --port 80', '--release', '--port 80'],
  ['-- -- x', '', '-- x'],
  ['-p server 8080 --json', '-p server', '8080 --json'],
  ['--bin a --json file', '--bin a --json', 'file'],
  ['--features=tls --bin=a b', '--features=tls --bin=a', 'b'],
  ['-Ftls -pserver x', '-Ftls -pserver', 'x'],
  ['-rp server x', '-rp server', 'x'],
  ['-v -q x', '-v -q', 'x'],
  ['-j -1 --release', '-j -1 --release', ''],
  ['-j 4 x', '-j 4', 'x'],
  ['--on-refusal restart x', '--on-refusal restart', 'x'],
  ['--color never --target-dir /t/x a', '--color never --target-dir /t/x', 'a'],
  // cargo lists the binaries then; the flag behind it is no value.
  ['--bin --release', '--bin --release', ''],
  ['-p', '-p', ''],
];

for (const [typed, options, program] of CASES) {
  test(`run ${typed}`, () => {
    const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');
    assert.equal(splitRunArguments(words(typed)), { options: words(options), program: words(program) });
  });
}

test("all that follows -- is the program's, unchanged", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (program) => {
      assert.equal(splitRunArguments(['--release', '--', ...program]), { options: ['--release'], program });
    }),
  );
});

test('no argument is lost or moved', () => {
  const word = fc.constantFrom('-p', '--bin', '--release', 'x', '-j', '-1', '--json', '--features', 'a=b', '-vp');
  fc.assert(
    fc.property(fc.array(word), (args) => {
      const { options, program } = splitRunArguments(args);
      assert.equal([...options, ...program], args);
    }),
  );
});

test('a toolchain is refused with the way to say it', () => {
  try {
    splitRunArguments(['+nightly', '--release']);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, IpbpError);
    assert.is((error as IpbpError).code, 'IPBP5901');
    assert.match((error as IpbpError).message, /RUSTUP_TOOLCHAIN=nightly/);
  }
});

test('options for modules', () => {
  assert.equal(moduleOptions({}), {});
  const given = { serve: 'www', port: '8080', patchable: 'app,rules,' };
  assert.equal(moduleOptions(given), { serve: 'www', port: 8080, patchable: ['app', 'rules'] });
  for (const port of ['65536', '-1', 'x', '']) assert.throws(() => moduleOptions({ port }), /IPBP5901/, port);
});

test.run();

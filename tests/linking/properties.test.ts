// What objects promise (.note.gnu.property): merged as GNU ld merges it, and kept by the code that the link makes.
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compiled, host, ipbpLink, run, scratch } from './linked.js';

const folder = scratch();

/** What readelf says of the properties of a file, and whether a program header leads to them. */
function properties(file: string, tools: string): string {
  const notes = run(`${tools}readelf`, ['-nW', file]);
  const said = /NT_GNU_PROPERTY_TYPE_0\s+Properties:\s*(.*)$/m.exec(notes)?.[1] ?? '';
  const headers = run(`${tools}readelf`, ['-lW', file]);
  return `${said.trim()}${/^ +GNU_PROPERTY +0x/m.test(headers) ? ' loaded' : ''}`;
}

function linkBoth(name: string, inputs: readonly string[], ld: string, emulation: string): string[] {
  const [ours, theirs] = [join(folder, `${name}-ours.so`), join(folder, `${name}-ld.so`)];
  const { status, stderr } = ipbpLink(['-m', emulation, '-shared', '-o', ours, ...inputs], folder);
  assert.is(status, 0, stderr);
  run(ld, ['-shared', '-o', theirs, ...inputs]);
  return [ours, theirs];
}

for (const { machine, compiler, tools, emulation, all, half, more } of [
  {
    machine: 'x86_64',
    compiler: 'gcc',
    tools: '',
    emulation: 'elf_x86_64',
    all: ['-fcf-protection=full'],
    half: ['-fcf-protection=branch'],
    more: ['-Wa,-mx86-used-note=yes'],
  },
  {
    machine: 'arm64',
    compiler: 'aarch64-linux-gnu-gcc',
    tools: 'aarch64-linux-gnu-',
    emulation: 'aarch64linux',
    all: ['-mbranch-protection=standard'],
    half: ['-mbranch-protection=bti'],
    more: [],
  },
]) {
  test(`${machine}: what all objects promise, and what one needs, is said of the library as ld says it`, () => {
    const object = (name: string, options: readonly string[]): string =>
      compiled(folder, `${machine}-${name}.c`, `int ${name}(int x) { return x; }`, options, compiler);
    const [one, two] = [object('one', all), object('two', [...all, ...more])];
    const [less, none, used] = [object('less', half), object('none', []), object('used', more)];
    const cases = [[one], [one, two], [one, less], [one, none], [two, used], [two, less, two.replace('two', 'used')]];
    const found = cases.map((inputs, index) => {
      const [ours = '', theirs = ''] = linkBoth(`${machine}${index}`, inputs, `${tools}ld`, emulation);
      assert.is(properties(ours, tools), properties(theirs, tools), inputs.join(' '));
      return properties(ours, tools);
    });
    assert.match(found[0] ?? '', /(IBT, SHSTK|BTI, PAC) loaded$/);
    assert.match(found[2] ?? '', /(IBT|BTI) loaded$/);
    assert.is(found[3], '');
  });
}

test('x86_64: calls through the PLT of a library with landings are bound at the first call and at the start', () => {
  const source = 'int puts(const char *); int abs(int); int f(int x) { puts("called"); return abs(x) + abs(x - 1); }';
  const object = compiled(folder, 'calls.c', source, ['-fcf-protection=full', '-fno-builtin']);
  const program = host(folder);
  for (const options of [[], ['-z', 'now']]) {
    const library = join(folder, 'calls.so');
    assert.is(ipbpLink(['-shared', '-o', library, ...options, object], folder).status, 0);
    assert.is(run(program, [library, 'f', '-3']), 'called\nf(-3) = 7\n');
    const code = run('objdump', ['-d', '-j', '.plt', '--no-show-raw-insn', library]);
    // Of two entries, each has one for the call and one for the slot that is not bound yet.
    assert.is(code.match(/endbr64/g)?.length, 4);
  }
});

test('arm64: so they are there, and the header lets unbound slots in', () => {
  const compiler = 'aarch64-linux-gnu-gcc';
  const source = 'int puts(const char *); int abs(int); int f(int x) { puts("called"); return abs(x) + abs(x - 1); }';
  const object = compiled(folder, 'calls64.c', source, ['-mbranch-protection=standard', '-fno-builtin'], compiler);
  const library = join(folder, 'calls64.so');
  assert.is(ipbpLink(['-m', 'aarch64linux', '-shared', '-o', library, object], folder).status, 0);
  const called = run('qemu-aarch64-static', [
    '-L',
    '/usr/aarch64-linux-gnu',
    host(folder, compiler),
    library,
    'f',
    '-3',
  ]);
  assert.is(called, 'called\nf(-3) = 7\n');
  assert.match(
    run('aarch64-linux-gnu-objdump', ['-d', '-j', '.plt', library]),
    /section \.plt:\n\n[^\n]*>:\n[^\n]*\bbti\tc\n/,
  );
});

test.run();

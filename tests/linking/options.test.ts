import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compiled, exported, host, ipbpLink, run, scratch } from './linked.js';

const folder = scratch();
const program = host(folder);

/** Two functions, one of which nothing calls, and a table that the loader has to rebase. */
const BASIC = compiled(
  folder,
  'basic.c',
  `int twice(int x) { return x * 2; }
   int f(int x) { return twice(x) + 1; }
   __attribute__((visibility("hidden"))) int unused(int x) { return x - 7; }
   static int one = 1, two = 2, three = 3;
   int *table[] = {&one, &two, &three};
   int g(int x) { return *table[x]; }`,
  ['-ffunction-sections', '-fdata-sections', '-fno-inline'],
);

/** Links with these options beside the object; the library's path. */
function link(name: string, options: readonly string[], inputs: readonly string[] = [BASIC]): string {
  const library = join(folder, name);
  const { status, stderr } = ipbpLink(['-shared', '-o', library, ...inputs, ...options], folder);
  assert.is(status, 0, stderr);
  return library;
}

/** How a link that must fail ended. */
function failed(options: readonly string[]): string {
  const { status, stderr } = ipbpLink(['-o', join(folder, 'none.so'), ...options], folder);
  assert.is(status === 1 || status === 2, true, stderr);
  assert.not(existsSync(join(folder, 'none.so')));
  return `${status} ${stderr}`;
}

const readelf = (what: string, library: string): string => run('readelf', [what, '-W', library]);

test('a plain link gives a library that runs', () => {
  const library = link('plain.so', []);
  assert.equal(exported(library), ['f', 'g', 'table', 'twice']);
  assert.is(run(program, [library, 'f', '20', 'g', '2']), 'f(20) = 41\ng(2) = 3\n');
});

test('-soname, -rpath, -z now, -z nodelete, -Bsymbolic and --disable-new-dtags are in the dynamic table', () => {
  const options = ['-soname=libx.so.1', '-rpath', '/a', '-rpath=/b', '-z', 'now', '-z', 'nodelete', '-Bsymbolic'];
  const dynamic = readelf('-d', link('tags.so', options));
  assert.match(dynamic, /SONAME.*\[libx\.so\.1\]/);
  assert.match(dynamic, /RUNPATH.*\[\/a:\/b\]/);
  assert.match(dynamic, /FLAGS\).*SYMBOLIC BIND_NOW|FLAGS\).*BIND_NOW/);
  assert.match(dynamic, /FLAGS_1.*NOW.*NODELETE/);
  assert.match(readelf('-d', link('rpath.so', ['-R', '/a', '--disable-new-dtags'])), /\(RPATH\)/);
});

test('--build-id takes all its styles, and the same inputs have the same id', () => {
  const id = (style: string): string | undefined =>
    /Build ID: ([0-9a-f]+)/.exec(readelf('-n', link('id.so', style === '' ? [] : [style])))?.[1];
  assert.is(id(''), undefined);
  assert.is(id('--build-id=none'), undefined);
  assert.is(id('--build-id=0xabcdef'), 'abcdef');
  assert.match(id('--build-id') ?? '', /^[0-9a-f]{40}$/);
  assert.is(id('--build-id=sha1'), id('--build-id'));
  assert.match(id('--build-id=md5') ?? '', /^[0-9a-f]{32}$/);
  assert.match(id('--build-id=fast') ?? '', /^[0-9a-f]{16}$/);
  assert.is.not(id('--build-id=uuid'), id('--build-id=uuid'));
});

test('--hash-style chooses the tables, each of which the loader finds symbols in', () => {
  for (const [style, tables] of [
    ['gnu', ['GNU_HASH']],
    ['sysv', ['HASH']],
    ['both', ['GNU_HASH', 'HASH']],
  ] as const) {
    const library = link(`hash-${style}.so`, [`--hash-style=${style}`]);
    const found = [...readelf('-d', library).matchAll(/\((GNU_HASH|HASH)\)/g)].map(([, name]) => name).sort();
    assert.equal(found, [...tables]);
    assert.is(run(program, [library, 'f', '1']), 'f(1) = 3\n');
  }
});

test('--gc-sections drops what nothing reaches, --print-gc-sections says what, -u keeps', () => {
  const has = (library: string): boolean => readelf('-s', library).includes(' unused');
  assert.ok(has(link('all.so', [])));
  assert.not(has(link('dropped.so', ['--gc-sections'])));
  assert.ok(has(link('kept.so', ['--gc-sections', '-u', 'unused'])));
  const { stdout } = ipbpLink(['-shared', '-o', 'x.so', BASIC, '--gc-sections', '--print-gc-sections'], folder);
  assert.match(stdout, /^removing unused section .*basic\.o:\(\.text\.unused\)$/m);
});

test('-s, -S and -x leave symbols and debug information out', () => {
  const object = compiled(folder, 'debug.c', 'static int here; int f(int x) { return x + here++; }', ['-g']);
  const parts = (name: string, options: readonly string[]): boolean[] => {
    const library = link(name, options, [object]);
    const [sections, symbols] = [readelf('-S', library), readelf('-s', library)];
    return [sections.includes('.symtab'), sections.includes('.debug_info'), symbols.includes(' here')];
  };
  assert.equal(parts('full.so', []), [true, true, true]);
  assert.equal(parts('no-debug.so', ['-S']), [true, false, true]);
  assert.equal(parts('stripped.so', ['-s']), [false, false, false]);
  assert.equal(parts('discarded.so', ['-x']), [true, true, false]);
});

test('version scripts and --exclude-libs say what is shown', () => {
  writeFileSync(join(folder, 'list'), '{ global: f; local: *; };');
  assert.equal(exported(link('script.so', ['--version-script=list'])), ['f']);
  run('ar', ['rc', join(folder, 'libbasic.a'), BASIC]);
  const caller = compiled(folder, 'caller.c', 'int f(int); int call(int x) { return f(x); }');
  assert.equal(exported(link('shown.so', ['-L.', '-lbasic'], [caller])), ['call', 'f', 'g', 'table', 'twice']);
  assert.equal(exported(link('hidden.so', ['-L.', '-lbasic', '--exclude-libs=ALL'], [caller])), ['call']);
  assert.equal(exported(link('named.so', ['-L.', '-l:libbasic.a', '--exclude-libs', 'libbasic.a'], [caller])), [
    'call',
  ]);
});

test('a version script with versions is a warning', () => {
  writeFileSync(join(folder, 'versions'), 'V1 { global: f; local: *; };');
  const { status, stderr } = ipbpLink(['-shared', '-o', 'v.so', BASIC, '--version-script=versions'], folder);
  assert.is(status, 0);
  assert.match(stderr, /warning.*V1/);
});

test('archives give what is asked for; --whole-archive gives all', () => {
  const other = compiled(folder, 'other.c', 'int other(int x) { return x; }');
  run('ar', ['rc', join(folder, 'libtwo.a'), BASIC, other]);
  const caller = compiled(folder, 'caller2.c', 'int f(int); int call(int x) { return f(x); }');
  assert.equal(exported(link('lazy.so', ['libtwo.a'], [caller])), ['call', 'f', 'g', 'table', 'twice']);
  const whole = ['--whole-archive', 'libtwo.a', '--no-whole-archive'];
  assert.equal(exported(link('whole.so', whole, [caller])), ['call', 'f', 'g', 'other', 'table', 'twice']);
});

test('--defsym, --wrap, -e and -Ttext set symbols and addresses', () => {
  const library = link('defined.so', ['--defsym=alias=f', '--defsym', 'number=0x123', '-e', 'f', '-Ttext=50000']);
  const symbols = readelf('--dyn-syms', library);
  const value = (name: string): string | undefined => new RegExp(`([0-9a-f]{16}) .* ${name}$`, 'm').exec(symbols)?.[1];
  assert.is(value('alias'), value('f'));
  assert.is(parseInt(value('number') ?? '', 16), 0x123);
  // Stubs before it stay where they are without, as ld has it.
  assert.match(readelf('-S', library), /\.text +PROGBITS +0*50000 /);
  assert.match(readelf('-S', library), /\.plt +PROGBITS +0*1[0-9a-f]{3} /);
  assert.match(readelf('-l', library), /LOAD +0x[0-9a-f]+ 0x0*1[^\n]* R E [^]*LOAD +0x[0-9a-f]+ 0x0*50000 [^\n]* R E /);
  assert.is(run(program, [library, 'f', '4', 'alias', '5', 'g', '0']), 'f(4) = 9\nalias(5) = 11\ng(0) = 1\n');
  assert.match(failed(['-shared', BASIC, '-Ttext=500']), /^1 [^]*IPBP2002[^]*-Ttext/);
  assert.match(readelf('-h', library), new RegExp(`Entry point address: +0x${value('f')?.replace(/^0+/, '')}$`, 'm'));
  const object = compiled(
    folder,
    'wrapped.c',
    'int inner(int x) { return x; } int __real_inner(int); int __wrap_inner(int x) { return __real_inner(x) + 100; }',
  );
  const caller = compiled(folder, 'wrapper.c', 'int inner(int); int f(int x) { return inner(x); }');
  assert.is(run(program, [link('wrap.so', ['--wrap=inner'], [object, caller]), 'f', '1']), 'f(1) = 101\n');
});

test('-z pack-relative-relocs packs rebases, and the library runs', () => {
  const library = link('packed.so', ['-z', 'pack-relative-relocs', '-lc']);
  assert.match(readelf('-d', library), /\(RELR\)/);
  assert.is(run(program, [library, 'g', '1']), 'g(1) = 2\n');
});

test('--as-needed names a library only where something refers to it', () => {
  const needed = (name: string, options: readonly string[], inputs?: readonly string[]): string[] =>
    [...readelf('-d', link(name, options, inputs)).matchAll(/NEEDED.*\[(.*)\]/g)].map((match) => match[1] ?? '');
  assert.equal(needed('named.so', ['--no-as-needed', '-lm']), ['libm.so.6']);
  assert.equal(needed('unnamed.so', ['--as-needed', '-lm']), []);
  assert.equal(needed('twice.so', ['--as-needed', '-lm', '--no-as-needed', '-lm']), ['libm.so.6']);
  const object = compiled(folder, 'sine.c', 'double sin(double); int f(int x) { return (int)sin(x); }', [
    '-fno-builtin',
  ]);
  assert.equal(needed('used.so', ['--as-needed', '-lm'], [object]), ['libm.so.6']);
});

test('what is undefined is left to the loader, or an error with --no-undefined', () => {
  const object = compiled(folder, 'open.c', 'int missing(int); int f(int x) { return missing(x); }');
  link('open.so', [], [object]);
  for (const option of ['--no-undefined', '-zdefs']) {
    assert.match(failed(['-shared', object, option]), /^1 [^]*missing[^]*open\.o/);
  }
  const warned = ipbpLink(['-shared', '-o', 'w.so', object, '--no-undefined', '--warn-unresolved-symbols'], folder);
  assert.is(warned.status, 0);
  assert.match(warned.stderr, /warning.*missing/);
});

test('maps, traces and the list of files', () => {
  const args = ['-shared', '-o', 'm.so', BASIC, '-lm', '-Map=m.map', '-y', 'twice', '-t', '--print-map'];
  const { stdout } = ipbpLink(args, folder);
  const map = readFileSync(join(folder, 'm.map'), 'utf8');
  assert.match(map, /^ +[0-9a-f]+ +[0-9a-f]+ +[0-9a-f]+ +\d+ \.text$/m);
  assert.match(map, /basic\.o:\(\.text\.twice\)$/m);
  assert.ok(stdout.includes(map.trimEnd()));
  assert.match(stdout, /basic\.o: definition of twice$/m);
  assert.match(stdout, /libm\.so\.6$/m);
});

test('response files and -Bstatic', () => {
  writeFileSync(join(folder, 'response'), `-shared\n"-o" 'from response.so'\n${BASIC}`);
  assert.is(ipbpLink(['@response'], folder).status, 0);
  assert.is(run(program, [join(folder, 'from response.so'), 'f', '2']), 'f(2) = 5\n');
  assert.match(
    failed(['-shared', BASIC, '-L.', '-Bstatic', '-lthat_is_not_there']),
    /IPBP5903[^]*libthat_is_not_there\.a/,
  );
});

test('--json has one object per line', () => {
  const good = ipbpLink(['--json', '-shared', '-o', 'j.so', BASIC], folder);
  const { event, output, bytes } = JSON.parse(good.stdout) as { event: string; output: string; bytes: number };
  assert.equal([event, output, bytes], ['linked', 'j.so', readFileSync(join(folder, 'j.so')).length]);
  const bad = ipbpLink(['--json', '-shared', '-o', 'j.so', 'not-there.o'], folder);
  assert.is(bad.status, 1);
  assert.is((JSON.parse(bad.stdout) as { code: string }).code, 'IPBP5903');
});

test('what it does not do is refused, and no file is written', () => {
  assert.match(failed([BASIC]), /^2 [^]*IPBP5902[^]*-shared/);
  assert.match(failed(['-shared', BASIC, '-r']), /^2 [^]*IPBP5902/);
  assert.match(failed(['-shared', BASIC, '-Ttext-segment=50000']), /^2 [^]*IPBP5902/);
  assert.match(failed(['-shared', BASIC, '--no-such-option']), /^2 [^]*IPBP5901[^]*--no-such-option/);
  assert.match(failed(['-shared', BASIC, program]), /^1 [^]*IPBP1003/);
  assert.match(failed(['-shared', BASIC, BASIC]), /^1 [^]*IPBP2030/);
});

test('a library that is in use is replaced, not written into', () => {
  const library = link('replaced.so', []);
  const before = readFileSync(library);
  run('ln', ['-f', library, join(folder, 'kept-name.so')]);
  link('replaced.so', ['-s']);
  assert.equal(readFileSync(join(folder, 'kept-name.so')), before);
});

test('it tells its version as build scripts expect', () => {
  const { status, stdout } = ipbpLink(['-v'], folder);
  assert.is(status, 0);
  assert.match(stdout, /^ipbp \d+\.\d+\.\d+ \(compatible with GNU linkers\)\n$/);
});

test.run();

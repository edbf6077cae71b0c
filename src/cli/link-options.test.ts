import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { responseWords } from '../host/link/response-file.js';
import { mapText } from './link-map.js';
import { parseLinkOptions } from './link-options.js';

const parse = (text: string): ReturnType<typeof parseLinkOptions> => parseLinkOptions(text.split(' '));

test('one dash or two, values joined, behind an equals sign or in the next word', () => {
  for (const text of ['-soname a', '--soname a', '-soname=a', '--soname=a', '-h a', '-ha']) {
    assert.is(parse(text).options.soname, 'a', text);
  }
  for (const text of ['-o x', '-ox', '--output x', '--output=x']) assert.is(parse(text).output, 'x', text);
  for (const text of ['-z now', '-znow']) assert.is(parse(text).options.now, true, text);
  assert.is(parse('-omagic').output, 'magic', "names that begin with o need two dashes, as with ld's");
  assert.equal(parse('-L a -Lb --library-path=c').directories, ['a', 'b', 'c']);
});

test('inputs keep the flags that stand before them', () => {
  const { inputs } = parse(
    'a.o --as-needed -lm --push-state -Bstatic --whole-archive b.a --pop-state -l c --no-as-needed -l:d.so -Bstatic e.a',
  );
  assert.equal(
    inputs.map(({ name, library, whole, asNeeded, archivesOnly }) => [name, library, whole, asNeeded, archivesOnly]),
    [
      ['a.o', false, false, false, false],
      ['m', true, false, true, false],
      ['b.a', false, true, true, true],
      ['c', true, false, true, false],
      [':d.so', true, false, false, false],
      ['e.a', false, false, false, true],
    ],
  );
});

test('what gcc and rustc pass is understood', () => {
  const gcc =
    '-plugin /usr/lib/liblto_plugin.so -plugin-opt=/usr/lib/lto-wrapper -plugin-opt=-pass-through=-lgcc --sysroot=/ ' +
    '--build-id --eh-frame-hdr -m elf_x86_64 --hash-style=gnu --as-needed -shared -X -EL --fix-cortex-a53-843419';
  const rustc =
    '--version-script=list --no-undefined-version --as-needed -Bstatic -Bdynamic -z noexecstack --gc-sections -z relro ' +
    '-z now -O1 --strip-debug --start-group --end-group';
  const { options, ...request } = parse(`${gcc} ${rustc}`);
  assert.equal([request.shared, request.machine, request.buildId], [true, 'x86_64', 'sha1']);
  assert.equal(request.versionScripts, ['list']);
  const { unwindHeader, hashStyle, gc, relro, now, strip, discard } = options;
  assert.equal(
    { unwindHeader, hashStyle, gc, relro, now, strip, discard },
    { unwindHeader: true, hashStyle: 'gnu', gc: true, relro: true, now: true, strip: 'debug', discard: 'temporary' },
  );
  assert.equal(request.warnings, []);
});

test('each option changes its part of the request', () => {
  const option = (text: string): unknown => {
    const base = parse('-shared').options as unknown as Record<string, unknown>;
    const changed = parse(`-shared ${text}`).options as unknown as Record<string, unknown>;
    return Object.fromEntries(
      Object.keys(changed).flatMap((key) =>
        JSON.stringify(changed[key]) === JSON.stringify(base[key]) ? [] : [[key, changed[key]]],
      ),
    );
  };
  const cases: [string, object][] = [
    ['-e start', { entry: 'start' }],
    ['-init=a -fini=b', { init: 'a', fini: 'b' }],
    ['--defsym=a=0x10', { defined: [{ name: 'a', base: null, offset: 16 }] }],
    ['--defsym a=b+4', { defined: [{ name: 'a', base: 'b', offset: 4 }] }],
    ['--defsym a=b-0x4', { defined: [{ name: 'a', base: 'b', offset: -4 }] }],
    ['--defsym=a=b', { defined: [{ name: 'a', base: 'b', offset: 0 }] }],
    ['-Ttext=1000', { textAddress: 0x1000 }],
    ['-Ttext 0x2000', { textAddress: 0x2000 }],
    ['-u a --undefined=b', { keep: ['a', 'b'] }],
    ['--wrap=malloc', { wrap: ['malloc'] }],
    ['-Bsymbolic', { symbolic: 'all' }],
    ['-Bsymbolic-functions', { symbolic: 'functions' }],
    ['-z defs', { unresolved: 'error' }],
    ['--no-undefined', { unresolved: 'error' }],
    ['--no-undefined --warn-unresolved-symbols', { unresolved: 'warn' }],
    ['--no-undefined -z undefs', {}],
    ['-z nodelete -z origin -z nodlopen', { noDelete: true, origin: true, noOpen: true }],
    ['-z norelro -z notext -z execstack', { relro: false, textRelocations: true, executableStack: true }],
    ['-z max-page-size=0x10000', { maxPageSize: 0x10000 }],
    ['-z pack-relative-relocs', { packRelative: true }],
    ['--pack-dyn-relocs=relr', { packRelative: true }],
    ['-s', { strip: 'all' }],
    ['-S', { strip: 'debug' }],
    ['-x', { discard: 'all' }],
    ['--discard-none', { discard: 'none' }],
    ['-rpath a -rpath=b', { rpath: 'a:b' }],
    ['--disable-new-dtags', { runpath: false }],
    ['--gc-sections --no-gc-sections', {}],
    ['-E --export-dynamic -O2 --no-relax --color-diagnostics=auto --threads=4 -dynamic-linker x -rpath-link y', {}],
  ];
  for (const [text, want] of cases) assert.equal(option(text), want, text);
});

test('reports', () => {
  const request = parse('-Map=a.map --print-map --print-gc-sections -t -y f --trace-symbol=g --fatal-warnings -v');
  const { mapFile, printMap, printDropped, printFiles, traced, fatalWarnings, askedFor } = request;
  assert.equal(
    { mapFile, printMap, printDropped, printFiles, traced, fatalWarnings, askedFor },
    {
      mapFile: 'a.map',
      printMap: true,
      printDropped: true,
      printFiles: true,
      traced: ['f', 'g'],
      fatalWarnings: true,
      askedFor: 'version',
    },
  );
  assert.equal(parse('--icf=all -z unheard').warnings.length, 2);
});

test('what is not known, and what is not done, is refused by name', () => {
  assert.throws(() => parse('--no-such-option'), /IPBP5901.*--no-such-option/);
  assert.throws(() => parse('-o'), /IPBP5901.*needs a value/);
  assert.throws(() => parse('--gc-sections=1'), /IPBP5901.*takes no value/);
  assert.throws(() => parse('--pop-state'), /IPBP5901/);
  assert.throws(() => parse('-z max-page-size=5'), /IPBP5901/);
  assert.throws(() => parse('--defsym=a'), /IPBP5901/);
  assert.throws(() => parse('-m elf_i386'), /IPBP1003.*elf_i386/);
  for (const text of ['-pie', '-r', '-T x.ld', '--sort-section=name', '-q', '-z muldefs', '--start-lib', '-f x']) {
    assert.throws(() => parse(text), /IPBP5902/, text);
  }
});

test('words of response files', () => {
  assert.equal(responseWords(`a "b c" 'd"e' f\\ g\n\th"i"j ""`), ['a', 'b c', 'd"e', 'f g', 'hij', '']);
});

test('a map has a line for each output section and for what is in it', () => {
  const entry = {
    output: '.text',
    file: 'a.o',
    section: '.text.f',
    address: 0x1000,
    offset: 0x200,
    size: 5,
    align: 16,
  };
  const made = { ...entry, file: null, section: '.plt', address: 0x1010, offset: 0x210, size: 16 };
  assert.equal(mapText([entry, made]).split('\n').slice(1), [
    '            1000             1000       20    16 .text',
    '            1000             1000        5    16         a.o:(.text.f)',
    '            1010             1010       10    16         <internal>:(.plt)',
    '',
  ]);
});

test.run();

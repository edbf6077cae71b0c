import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isDylibLink, parseDylibOptions } from './link-dylib-options.js';
import type { DylibRequest } from './link-dylib-request.js';

const parse = (text: string): DylibRequest => parseDylibOptions(text.split(' '));

test('what rustc passes for a cdylib', () => {
  const request = parse(
    '-flavor darwin -exported_symbols_list list a.o libstd.rlib -lSystem -lc -arch arm64 -platform_version macos 11.0 14.2 ' +
      '-syslibroot /sdk -o liba.dylib -dead_strip -dylib -install_name @rpath/liba.dylib -L/libs -L more',
  );
  assert.is(request.output, 'liba.dylib');
  assert.is(request.machine, 'arm64');
  assert.equal(request.platform, { number: 1, system: 'macos', minimum: 0xb_0000, sdk: 0xe_0200 });
  assert.equal(
    request.inputs.map(({ name, kind }) => `${kind} ${name}`),
    ['file a.o', 'file libstd.rlib', 'library System', 'library c'],
  );
  assert.equal(request.directories, ['/libs', 'more']);
  assert.equal([request.root, request.installName, request.exportedLists], ['/sdk', '@rpath/liba.dylib', ['list']]);
  assert.ok(request.options.gc);
  assert.equal(request.warnings, []);
});

test('libraries and frameworks in their ways', () => {
  const request = parse(
    '-weak-lz -reexport-ly -upward-lw -framework Foundation -weak_framework Metal -force_load a.a -load_hidden b.a -hidden-lx',
  );
  assert.equal(
    request.inputs.map(({ name, kind, how, whole, hidden }) => `${name} ${kind} ${how} ${whole} ${hidden}`),
    [
      'z library weak false false',
      'y library reexported false false',
      'w library upward false false',
      'Foundation framework needed false false',
      'Metal framework weak false false',
      'a.a file needed true false',
      'b.a file needed false true',
      'x library needed false true',
    ],
  );
});

test('a list of inputs stands where its files do', () => {
  const request = parse('a.o -filelist list,/folder b.o');
  assert.equal(
    request.inputs.map(({ name, kind }) => `${kind} ${name}`),
    ['file a.o', 'list list,/folder', 'file b.o'],
  );
});

test('versions, platforms, fixups, symbols', () => {
  const request = parse(
    '-current_version 1.2.3 -compatibility_version 1 -platform_version 7 15.0 17 -no_fixup_chains -no_adhoc_codesign ' +
      '-no_uuid -headerpad 0x80 -S -x -U _a -u _b -undefined dynamic_lookup -exported_symbol _c* -unexported_symbol _d',
  );
  assert.equal([request.currentVersion, request.compatibilityVersion], [0x1_0203, 0x1_0000]);
  assert.is(request.platform?.system, 'ios-simulator');
  assert.equal(
    [request.fixups, request.signed, request.identified, request.headerPad],
    ['opcodes', false, false, 0x80],
  );
  assert.equal(
    ['-dylib', '-init_offsets', '-no_init_offsets'].map((word) => parse(word).initOffsets),
    [null, true, false],
  );
  const { strip, discard, unresolved, unresolvedNames, keep } = request.options;
  assert.equal([strip, discard, unresolved, unresolvedNames, keep], ['debug', 'all', 'allow', ['_a'], ['_b']]);
  assert.equal([request.exported, request.unexported], [['_c*'], ['_d']]);
});

test('what is not known, and what is not done, is refused by name', () => {
  assert.throws(() => parse('-no_such_option'), /IPBP5901.*-no_such_option/);
  assert.throws(() => parse('-o'), /IPBP5901.*needs a value/);
  assert.throws(() => parse('-platform_version macos 11.0'), /IPBP5901.*needs a value/);
  assert.throws(() => parse('-platform_version beos 1 1'), /IPBP5901.*beos/);
  assert.throws(() => parse('-arch ppc'), /IPBP1003.*ppc/);
  for (const text of [
    '-execute',
    '-bundle',
    '-r',
    '-ObjC',
    '-flat_namespace',
    '-sectcreate a b c',
    '-bundle_loader x',
  ]) {
    assert.throws(() => parse(text), /IPBP5902/, text);
  }
  assert.match(parse('-order_file x').warnings.join(), /-order_file x/);
});

test('which command line is for which system', () => {
  assert.ok(isDylibLink(['-dylib', 'a.o']));
  assert.ok(isDylibLink(['-flavor', 'darwin']));
  assert.not.ok(isDylibLink(['-shared', '-o', 'a.so', 'a.o']));
});

test.run();

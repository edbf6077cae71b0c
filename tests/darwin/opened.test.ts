// Libraries that a macOS program opens as it runs, and one that is inserted: thread-locals in threads that were there
// before, panics, backtraces, initialisers, names, protections.
import { copyFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CALLS_BACK, INSERTED, OPENER, PLUGIN } from './opened.js';
import { darwinWorkshop } from './programs.js';

const test = suite('opened libraries of macOS');

const answers = (file: string, back: number): readonly string[] => [
  'count 1010 1030 in the thread (1001, 1003)',
  'caught 11037',
  'trace 1',
  `back ${back}`,
  'initialised 1',
  'no such true',
  'error symbol not found: no_such',
  `dladdr 1 ${file} count`,
  'closed 0',
];

for (const target of ['x86_64-apple-darwin', 'aarch64-apple-darwin'] as const) {
  test(`${target}: dlopen, insertion, protections`, () => {
    const workshop = darwinWorkshop(target);
    try {
      const opener = workshop.compile('opener', OPENER, '-Clink-arg=-Wl,-export_dynamic');
      const flat = ['-Clink-arg=-Wl,-undefined,dynamic_lookup', '-Clink-arg=-Wl,-fixup_chains'];
      const plugin = workshop.compile('libplugin.dylib', PLUGIN, '--crate-type=cdylib');
      const other = workshop.compile('libother.dylib', PLUGIN + CALLS_BACK, '--crate-type=cdylib', ...flat);
      copyFileSync(plugin, workshop.path('libcopy.dylib'));
      const inserted = workshop.compile('libinserted.dylib', INSERTED, '--crate-type=cdylib');
      const said = workshop.run(opener, [plugin, other, workshop.path('libcopy.dylib'), workshop.path('libno.dylib')], {
        DYLD_INSERT_LIBRARIES: inserted,
      });
      const expected = [
        'inserted before main',
        'inserted thread',
        'images 2 true',
        'program opener opener',
        'own 300 300',
        ...answers('libplugin.dylib', 0),
        ...answers('libother.dylib', 500),
        ...answers('libcopy.dylib', 0),
        'refused libno.dylib: not found',
        'images 5 true',
        'write to code -1 PermissionDenied',
        'write to code -1',
        'writable and executable -1',
        '',
      ];
      assert.equal(said.stdout.split('\n'), expected, said.stderr);
      assert.is(said.status, 0, said.stderr);
    } finally {
      workshop.remove();
    }
  });
}

test.run();

// Libraries for macOS that `ipbp link` makes, opened and called in the loader, beside those that ld64.lld makes of the same:
// of C, with what only a linker knows; and of a crate with dependencies, where cargo is told to link by ours.
import { cpSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CRATES, type Call } from '../../conformance/cases/crates.js';
import { archOf, targetOf } from '../../conformance/dylibs/cases.js';
import { exerciseDylib } from '../../conformance/dylibs/exercise.js';
import { ROOT } from '../../conformance/record.js';
import { ensureDebianTools, MACHO_TOOLS } from '../../conformance/setup/debian-tools.js';
import { darwinToolchain } from '../../conformance/setup/darwin-toolchain.js';
import { run } from '../../conformance/setup/run.js';
import { MACHINES, type MachineName } from '../../conformance/suite.js';

ensureDebianTools(MACHO_TOOLS);

const OURS = join(ROOT, 'linker', 'ld64.lld');
const folder = mkdtempSync(join(tmpdir(), 'ipbp-library-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Two initialisers, the edges of what there is and of what there is not. */
const SOURCES: Readonly<Record<string, string>> = {
  'starts.c': `
volatile int order;
__attribute__((constructor)) static void first(void) { order = order * 10 + 1; }
__attribute__((constructor)) void second(void) { order = order * 10 + 2; }
__attribute__((section("__DATA,__table"), used)) static int rows[] = { 5, 6, 7 };`,
  'edges.c': `
#define EDGE(name, symbol) extern char name[] __asm(symbol)
EDGE(data, "segment$start$__DATA"); EDGE(data_end, "segment$end$__DATA"); EDGE(text, "segment$start$__TEXT");
EDGE(table, "section$start$__DATA$__table"); EDGE(table_end, "section$end$__DATA$__table");
EDGE(none, "section$start$__DATA$__none"); EDGE(none_end, "section$end$__DATA$__none");
EDGE(nowhere, "segment$start$__NOWHERE"); EDGE(nowhere_end, "segment$end$__NOWHERE");
extern char header[] __asm("___dso_handle");
extern volatile int order;
static char *decimal(char *to, long value) {
  if (value >= 10) to = decimal(to, value / 10);
  *to = '0' + value % 10;
  return to + 1;
}
unsigned long report(const char *input, unsigned long size, char *output, unsigned long room) {
  volatile char *a = data, *b = data_end, *c = none, *d = nowhere, *e = text, *f = (char *)&order;
  long sum = 0;
  for (int *row = (int *)table; row < (int *)table_end; row++) sum = sum * 10 + *row;
  char *to = decimal(output, order);
  *to++ = ' ', to = decimal(to, sum);
  *to++ = ' ', *to++ = '0' + (a <= f && f < b);
  *to++ = '0' + (c == none_end), *to++ = '0' + (d == nowhere_end), *to++ = '0' + (e == header);
  return to - output;
}`,
};
const ANSWER: readonly Call[] = [{ name: 'report', input: '', output: '12 567 1111' }];

const FORMS: Readonly<Record<string, readonly string[]>> = {
  'chains and offsets of initialisers': [],
  'programs and pointers to initialisers': ['-no_fixup_chains'],
  'programs and offsets': ['-no_fixup_chains', '-init_offsets'],
};

/** Compiles the sources and links what a list names. */
function linkOfC(machine: MachineName, linker: string, name: string, form: readonly string[]): string {
  const work = join(folder, machine);
  run('mkdir', ['-p', work]);
  for (const [file, source] of Object.entries(SOURCES)) {
    writeFileSync(join(work, file), source);
    const target = ['-target', `${archOf(machine)}-apple-macos13`, '-O1', '-w'];
    run('clang-19', [...target, '-c', join(work, file), '-o', join(work, `${file}.o`)]);
  }
  // Apple's linkers take a folder behind the list's name, ld64.lld does not.
  const isOurs = linker === OURS;
  const listed = Object.keys(SOURCES).map((file) => (isOurs ? `${file}.o` : join(work, `${file}.o`)));
  writeFileSync(join(work, 'list'), [...listed, ''].join('\n'));
  const output = join(work, `lib${name}.dylib`);
  const { sdk } = darwinToolchain(targetOf(machine));
  const system = ['-platform_version', 'macos', '13.0', '13.0', '-syslibroot', sdk, '-lSystem'];
  const names = [
    '-install_name',
    '@rpath/libedges.dylib',
    '-o',
    output,
    '-filelist',
    join(work, 'list') + (isOurs ? `,${work}` : ''),
  ];
  run(linker, ['-dylib', '-arch', archOf(machine), ...system, ...names, '-dead_strip', ...form]);
  return output;
}

for (const machine of MACHINES) {
  for (const [name, form] of Object.entries(FORMS)) {
    test(`${machine}: initialisers, edges of sections and segments, a list of inputs; ${name}`, () => {
      const { ld } = darwinToolchain(targetOf(machine));
      for (const [by, linker] of [
        ['lld', ld],
        ['ours', OURS],
      ] as const) {
        const library = linkOfC(machine, linker, by, form);
        assert.equal(exerciseDylib(machine, library, ANSWER), [], by);
        const sections = run('llvm-objdump-22', ['--macho', '--section-headers', library]);
        const wanted = form.length === 1 ? '__mod_init_func' : '__init_offsets';
        assert.ok(sections.includes(wanted), `${by} ${sections}`);
      }
    });
  }

  test(`${machine}: cargo builds a cdylib with dependencies, linked by ours`, () => {
    const target = targetOf(machine);
    const { env, ld } = darwinToolchain(target);
    const source = join(folder, 'crates');
    cpSync(join(ROOT, 'conformance', 'crates'), source, { recursive: true });
    const variable = `CARGO_TARGET_${target.toUpperCase().replaceAll('-', '_')}`;
    const built = join(source, 'target', target, 'debug', 'libconform_threads.dylib');
    const linkedBy = (linker: string): string => {
      // The crate itself is compiled again, its dependencies are not.
      const now = new Date();
      utimesSync(join(source, 'threads', 'src', 'lib.rs'), now, now);
      rmSync(built, { force: true });
      const variables = {
        ...env,
        CARGO_TARGET_DIR: join(source, 'target'),
        RUSTC_BOOTSTRAP: '1',
        [`${variable}_LINKER`]: linker,
        [`${variable}_RUSTFLAGS`]: '-Clinker-flavor=ld64.lld',
      };
      const args = ['build', '-q', '--locked', '--lib', '--package', 'conform-threads', '--target', target];
      run('cargo', args, { cwd: source, env: variables });
      return built;
    };
    const facts = (library: string): string[] => {
      const said = run('llvm-objdump-22', ['--macho', '--exports-trie', '--dylibs-used', library]);
      // Names, without the places that they have in one file.
      return said
        .split('\n')
        .slice(1)
        .map((line) => line.replace(/^0x[0-9A-F]+ +/, ''))
        .sort();
    };
    const ofLld = facts(linkedBy(ld));
    const library = linkedBy(OURS);
    assert.equal(facts(library), ofLld);
    assert.ok(ofLld.some((line) => line.includes('_sum_squares')));
    assert.equal(exerciseDylib(machine, library, CRATES.threads ?? []), []);
  });
}

test.run();

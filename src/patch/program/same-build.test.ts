// Real programs and the objects they were linked from, with what linkers rewrite: slots of the GOT, thread-locals.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readObjectFile } from '../../formats/read-object.js';
import { objectsAt } from '../../host/files/object-paths.js';
import { openLinkObject } from '../../link/atoms.js';
import type { LinkObject } from '../../link/graph.js';
import { openBaseProgram } from './base-program.js';
import { freshProgram, type Program } from './program.js';
import { refuseOtherBuild } from './same-build.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'ipbp-same-build-'));
process.on('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

const TEXT = `use std::{cell::Cell, collections::HashMap, hint::black_box};
thread_local! { static COUNT: Cell<u64> = const { Cell::new(3) }; static NAMES: Cell<Vec<String>> = Cell::new(vec![]); }
mod sums {
    #[inline(never)]
    pub fn sum(x: u64) -> u64 { std::hint::black_box(x) + 17 }
}
fn main() {
    let words: HashMap<u64, String> = (0..black_box(3)).map(|i| (i, format!("{i}"))).collect();
    COUNT.with(|count| count.set(sums::sum(count.get())));
    NAMES.with(|names| names.set(words.values().cloned().collect()));
    println!("{words:?} {}", COUNT.with(|count| count.get()));
}
`;

interface Built {
  readonly program: Program;
  readonly objects: readonly LinkObject[];
}

function build(name: string, text: string, ...flags: readonly string[]): Built {
  const folder = join(FOLDER, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'demo.rs'), text);
  const options = ['-C', 'incremental=incremental', '--crate-name', 'demo', '-o', 'demo', 'demo.rs', ...flags];
  execFileSync('rustc', options, { cwd: folder });
  const executable = readObjectFile(readFileSync(join(folder, 'demo')), 'demo');
  return {
    program: freshProgram(openBaseProgram(executable, () => [])),
    objects: objectsAt([join(folder, 'incremental')]).map((file) =>
      openLinkObject(readObjectFile(file.read(), file.name)),
    ),
  };
}

const CHANGED = TEXT.replace('17', '18');

for (const [name, ...flags] of [
  ['debug', '-g'],
  ['optimised', '-O'],
  ['v0', '-Csymbol-mangling-version=v0'],
] as const) {
  test(`${name}: its own objects are taken, those of another text are not`, () => {
    const [one, two] = [build(`${name}-1`, TEXT, ...flags), build(`${name}-2`, CHANGED, ...flags)];
    assert.equal(refuseOtherBuild(one.program, one.objects), []);
    assert.equal(refuseOtherBuild(two.program, two.objects), []);
    const [refused, ...more] = refuseOtherBuild(one.program, two.objects);
    assert.is(more.length, 0);
    assert.is(refused?.code, 'IPBP3002');
    assert.equal(refused?.because, ['demo::sums::sum has other code there']);
  });
}

test('objects of which the program holds nothing', () => {
  const { program } = build('alone', 'fn main() {}');
  const { objects } = build('strange', 'mod sums { #[no_mangle] pub fn sum() {} } fn main() { sums::sum() }');
  const strange = objects.filter((object) => object.definition('sum') !== null);
  assert.is(strange.length, 1);
  assert.equal(refuseOtherBuild(program, strange)[0]?.because, ['it holds none of their functions']);
});

test.run();

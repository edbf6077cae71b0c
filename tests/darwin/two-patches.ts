// Two patches for a macOS program, one after the other, as the command builds them from objects alone; and what a program
// without an agent needs to open them.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../conformance/setup/run.js';
import { readObjectFile } from '../../src/formats/read-object.js';
import { readPatch } from '../../src/patch/image/library.js';
import { patchScript } from '../patch-script.js';
import { type DarwinWorkshop } from './programs.js';
import { edited, slottedProgram, type Version } from './slotted.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const SOURCE = readFileSync(fileURLToPath(new URL('patched-program.rs', import.meta.url)), 'utf8');

type Edit = readonly [from: string, to: string];

function withEdits(source: string, edits: readonly Edit[]): string {
  let text = source;
  for (const [from, to] of edits) {
    if (text.split(from).length !== 2) throw new Error(`"${from}" does not stand in the program just once`);
    text = text.replace(from, () => to);
  }
  return text;
}

/** What a first edit brings: a function, a static, thread-locals, a closure, a trait's method, text, a panic. */
const FIRST: readonly Edit[] = [
  ['    x + 1 // step', '    fresh(x) + HITS.fetch_add(1, Ordering::SeqCst) + local() + kept()'],
  [
    '// more',
    `static HITS: AtomicU32 = AtomicU32::new(100);
    thread_local! {
        static NEW: std::cell::Cell<u32> = const { std::cell::Cell::new(7000) };
        static TEXT: std::cell::RefCell<Vec<u32>> = std::cell::RefCell::new(vec![10_000]);
    }
    #[inline(never)]
    fn fresh(x: u32) -> u32 {
        let add = |y: u32| x + y;
        [1u32, 2].iter().map(|&y| add(y)).sum::<u32>() * 1_000_000
    }
    #[inline(never)]
    fn local() -> u32 {
        NEW.with(|n| n.replace(n.get() + 1)) + TEXT.with(|t| { t.borrow_mut().push(1); t.borrow().iter().sum::<u32>() })
    }`,
  ],
  ['"a square"', '"a square, patched"'],
  ['format!("fine {x}")', 'if x > 1 { panic!("no {x}") } else { format!("fine {x}") }'],
];
/** What the first brought changes, too. */
const SECOND: readonly Edit[] = [...FIRST, ['* 1_000_000', '* 2_000_000'], ['Cell::new(7000)', 'Cell::new(9000)']];

/** The target's std, as cargo's command line would name it. */
function archives({ tools }: DarwinWorkshop): readonly string[] {
  const folder = run(tools.rustc, ['--print', 'target-libdir', '--target', tools.target]).trim();
  return readdirSync(folder).flatMap((name) => (name.endsWith('.rlib') ? [join(folder, name)] : []));
}

function build(
  workshop: DarwinWorkshop,
  base: Version,
  from: Version,
  to: Version,
  name: string,
  after: string[],
): string {
  const file = workshop.path(`${name}.patch`);
  const rlibs = ['--lib', ...archives(workshop)];
  const sides = ['--old', from.incremental, '--new', to.incremental, ...rlibs];
  const before = after.length === 0 ? [] : ['--after', ...after];
  const args = ['build-patch', '--base', base.executable, ...sides, ...before, '-o', file];
  run('node', ['--import', 'tsx', MAIN, ...args, '--explain']);
  const target = readObjectFile(readFileSync(base.executable), base.executable);
  const script = workshop.path(`${name}.script`);
  const { image } = readPatch(readFileSync(file), file);
  writeFileSync(script, patchScript(image, target, workshop.path(`${name}.dylib`)));
  return file;
}

/** What was built. */
export interface TwoPatches {
  readonly executable: string;
  /** What is done with each patch, for the program. */
  readonly scripts: readonly string[];
  /** The patches as files. */
  readonly files: readonly string[];
  /** What of them a loader opens. */
  readonly libraries: readonly string[];
}

/** rustc's options for the program and for each edit. */
export const PATCHED_PROFILES = {
  debug: ['-Copt-level=0'],
  release: ['-Copt-level=3', '-Cllvm-args=-aarch64-enable-global-merge=false'],
} as const;

/** Builds the program and both patches in the workshop's folder. */
export function twoPatches(workshop: DarwinWorkshop, flags: readonly string[]): TwoPatches {
  const first = slottedProgram(workshop, SOURCE, ...flags);
  const second = edited(workshop, 'second', first, withEdits(SOURCE, FIRST), ...flags);
  const third = edited(workshop, 'third', second, withEdits(SOURCE, SECOND), ...flags);
  const one = build(workshop, first, first, second, 'one', []);
  const two = build(workshop, first, second, third, 'two', [one]);
  const named = (ending: string): string[] => ['one', 'two'].map((name) => workshop.path(`${name}.${ending}`));
  return { executable: first.executable, scripts: named('script'), files: [one, two], libraries: named('dylib') };
}

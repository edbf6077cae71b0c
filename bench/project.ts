// A copy of an example to edit and measure: it leaves the checkout alone, and two copies can be edited side by side.
// Owns copying, building, editing. What is measured is in the benchmarks.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './record.js';

/** An example and one of its function bodies that can be edited over and over. */
export interface Subject {
  readonly name: string;
  /** Under examples/. */
  readonly example: string;
  /** As rustc spells the crate. */
  readonly crate: string;
  readonly file: string;
  /** Stands in the file once; `variant` is put in its place. */
  readonly original: string;
  /** Another body for every number. */
  variant(number: number): string;
  /** Of the program. */
  readonly environment: Readonly<Record<string, string>>;
}

export const SUBJECTS: readonly Subject[] = [
  {
    name: 'example',
    example: 'garden',
    crate: 'garden',
    file: 'src/fish.rs',
    original: 'fish.strokes.is_multiple_of(11)',
    variant: (number) => `fish.strokes.is_multiple_of(${number + 12})`,
    environment: {},
  },
  {
    name: 'server',
    example: 'server',
    crate: 'order_desk',
    file: 'src/desk/offers.rs',
    original: 'cents + 1\n',
    variant: (number) => `cents + ${number + 2}\n`,
    // Any free port: nobody asks it anything here.
    environment: { LISTEN: '127.0.0.1:0' },
  },
];

/** One copy. */
export interface Project {
  readonly folder: string;
  /** Puts variant `number` into the source; the file's other text stays. */
  edit(number: number): void;
}

/** Copies an example's sources to `folder`. */
export function copyExample(example: string, folder: string): void {
  const source = join(ROOT, 'examples', example);
  cpSync(source, folder, { recursive: true, filter: (path) => !path.startsWith(join(source, 'target')) });
}

/** Copies the example's sources to `folder`; with `builtFrom`, that copy's target directory too, to build only once. */
export function copyProject(subject: Subject, folder: string, builtFrom: string | null): Project {
  copyExample(subject.example, folder);
  if (builtFrom !== null && existsSync(join(builtFrom, 'target'))) {
    // cp keeps times, which cargo's freshness hangs on, and hard links, which incremental directories are full of.
    execFileSync('cp', ['-a', join(builtFrom, 'target'), join(folder, 'target')]);
  }
  const file = join(folder, subject.file);
  const text = readFileSync(file, 'utf8');
  if (text.split(subject.original).length !== 2) throw new Error(`${subject.file} must hold ${subject.original} once`);
  return {
    folder,
    edit: (number) => writeFileSync(file, text.replace(subject.original, subject.variant(number))),
  };
}

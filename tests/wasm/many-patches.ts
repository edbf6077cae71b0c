// Many patches of one program, one upon the other, in Node and in a page: edits of real Rust by turns, every answer looked
// at after every patch, connections cut while patches are under way. Counts what is lost and what comes twice, and says what
// memory each patch took.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LinkedInput } from '../../src/formats/wasm/known-places.js';
import { builtFile } from './built-program.js';
import { type PatchChain, patchChain } from './edited-module.js';
import type { MemoryUse } from './instance/main.js';
import { type Both, openInstances, type OpenInstances } from './open-instances.js';

const SOURCE = readFileSync(fileURLToPath(new URL('rust-program.rs', import.meta.url)), 'utf8');
/** What `calls` begins with. */
const FIRST_CALLS = 40;

/** The program with another number in it, and whatever else is edited. */
interface Version {
  readonly added: number;
  readonly objects: readonly LinkedInput[];
}

/** Another body; a function that is new; a static that is new; other text behind a trait object. */
const EDITS: readonly ((source: string, added: number) => string)[] = [
  (source, added) => source.replace('x + 3', `x + ${added}`),
  (source, added) =>
    `${source.replace('x + 3', 'helped(x)')}\n#[inline(never)]\nfn helped(x: u32) -> u32 {\n    x + ${added}\n}\n`,
  (source, added) => {
    // A static of the same name would keep the value that it has.
    const name = `ADDED_${added}`;
    const body = `static ${name}: AtomicU32 = AtomicU32::new(${added});\n    x + ${name}.load(Ordering::Relaxed)`;
    return source.replace('x + 3', body);
  },
  (source, added) => source.replace('x + 3', `x + ${added}`).replace('circle {}', `circle number {} of ${added}`),
];
const ROUNDS = 2;

/** How much is done. */
export interface ManyOptions {
  readonly patches: number;
  /** Spread over the patches, each while one is under way. */
  readonly cuts: number;
  /** Memory is looked at so many times, at equal distances. */
  readonly looks: number;
}

/** Memory after so many patches. */
export interface Look {
  readonly patches: number;
  readonly node: MemoryUse;
  readonly page: MemoryUse;
}

/** What came of it. */
export interface ManyResult {
  readonly patches: number;
  readonly undone: number;
  readonly cuts: number;
  /** Patches that an instance never told of, and those that it told of more than once or out of turn. */
  readonly lost: number;
  readonly twice: number;
  /** Of the patches' modules, in bytes. */
  readonly moduleBytes: readonly number[];
  readonly looks: readonly Look[];
}

/** Every so many patches the last is taken back and brought in again. */
const UNDO_EVERY = 50;

/** An answer that is wrong is thrown. */
async function check(open: OpenInstances, added: number, calls: number): Promise<void> {
  const answers = [await open.call('step', calls), await open.call('calls', 0)];
  const right = [calls + added, FIRST_CALLS + calls + 1];
  for (const [index, both] of answers.entries()) {
    for (const answer of both) {
      if (answer !== right[index]) throw new Error(`${answer} in place of ${right[index]} behind ${calls} calls`);
    }
  }
}

function versionsOf(compile: (source: string) => readonly LinkedInput[]): Version[] {
  return Array.from({ length: ROUNDS * EDITS.length }, (_, index): Version => {
    const added = 1000 * (index + 1) + 3;
    const edit = EDITS[index % EDITS.length] as (typeof EDITS)[number];
    return { added, objects: compile(edit(SOURCE, added)) };
  });
}

function countWrong(
  patched: Both<readonly number[]>,
  added: number,
): { readonly lost: number; readonly twice: number } {
  let [lost, twice] = [0, 0];
  for (const one of patched) {
    const times = new Map<number, number>();
    for (const number of one) times.set(number, (times.get(number) ?? 0) + 1);
    for (let number = 1; number <= added; number++) if (!times.has(number)) lost++;
    twice +=
      one.length - times.size + one.filter((number, index) => index > 0 && number < (one[index - 1] ?? 0)).length;
  }
  return { lost, twice };
}

async function bring(open: OpenInstances, chain: PatchChain, { objects }: Version, cut: boolean): Promise<number> {
  const { patch, bytes } = chain.to(objects);
  const adding = open.host.add(patch, bytes);
  const back = cut ? open.cut() : Promise.resolve();
  await adding;
  await back;
  return bytes.length;
}

/** Brings them in. Throws at the first wrong answer. */
export async function manyPatches({ patches, cuts, looks: times }: ManyOptions): Promise<ManyResult> {
  const built = builtFile(SOURCE);
  const versions = versionsOf((source) => built.compile({ 'src/lib.rs': source }));
  built.remove();
  const chain = patchChain(built, (name) => /page|^(?:step|calls|run)$/.test(name));
  const open = await openInstances(chain.prepared);
  const looks: Look[] = [];
  const moduleBytes: number[] = [];
  const look = async (at: number): Promise<void> => {
    const [node, page] = await open.memory();
    looks.push({ patches: at, node, page });
  };
  let [calls, added, undone] = [0, 0, 0];
  try {
    await check(open, 3, calls++);
    await look(0);
    for (let index = 0; index < patches; index++) {
      const version = versions[index % versions.length] as Version;
      const cutting = Math.floor(((index + 1) * cuts) / patches) > Math.floor((index * cuts) / patches);
      moduleBytes.push(await bring(open, chain, version, cutting));
      added++;
      await check(open, version.added, calls++);
      if (index % UNDO_EVERY === UNDO_EVERY - 1) {
        await open.host.undo();
        chain.undone();
        undone++;
        await check(open, (versions[(index - 1) % versions.length] as Version).added, calls++);
        await bring(open, chain, version, false);
        added++;
        await check(open, version.added, calls++);
      }
      if ((index + 1) % Math.ceil(patches / times) === 0) await look(index + 1);
    }
    const { lost, twice } = countWrong(await open.patched(), added);
    return { patches: added, undone, cuts, lost, twice, moduleBytes, looks };
  } finally {
    await open.close();
  }
}

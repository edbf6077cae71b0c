// What many patches leave in one instance: a thousand, each a real edit of a Rust function, in a process of Node and in a
// page of a browser, with connections cut in between. Says what memory each took; how they are made and checked is
// tests/wasm/many-patches.ts's.
import { manyPatches, type Look } from '../tests/wasm/many-patches.js';
import { round, summarise, type Summary } from './statistics.js';

const PATCHES = 1000;
const CUTS = 20;
const LOOKS = 10;

/** Bytes, elements of the table. */
interface PerPatch {
  readonly resident: number;
  readonly heap: number;
  readonly memory: number;
  readonly table: number;
}

interface PagesResult {
  readonly patches: number;
  readonly undone: number;
  readonly cuts: number;
  readonly lost: number;
  readonly twice: number;
  readonly moduleBytes: Summary;
  /** Between the first look after patches and the last: what an engine has anyway is there by then. */
  readonly perPatch: { readonly node: PerPatch; readonly page: PerPatch };
  readonly looks: readonly Look[];
}

function perPatch(looks: readonly Look[], where: 'node' | 'page'): PerPatch {
  const [first, last] = [looks[1], looks.at(-1)];
  if (first === undefined || last === undefined) throw new Error('memory was looked at too seldom');
  const of = (what: keyof PerPatch): number =>
    round((last[where][what] - first[where][what]) / (last.patches - first.patches));
  return { resident: of('resident'), heap: of('heap'), memory: of('memory'), table: of('table') };
}

/** Brings the patches in and measures. Throws at the first wrong answer. */
export async function benchPages(): Promise<PagesResult> {
  const { moduleBytes, looks, ...counts } = await manyPatches({ patches: PATCHES, cuts: CUTS, looks: LOOKS });
  const result = {
    ...counts,
    moduleBytes: summarise(moduleBytes),
    perPatch: { node: perPatch(looks, 'node'), page: perPatch(looks, 'page') },
    looks,
  };
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const { patches, lost, twice, cuts } = result;
  say(`${patches} patches of ${result.moduleBytes.median} bytes, ${cuts} cuts: ${lost} lost, ${twice} twice`);
  for (const [where, { resident, heap, memory, table }] of Object.entries(result.perPatch)) {
    say(`  ${where}: ${resident} bytes resident, ${heap} of heap, ${memory} of memory, ${table} slots for each patch`);
  }
  return result;
}

// The suite `meaning` for Mach-O: every case linked by every linker; the libraries are opened and called, every relocated
// place of every piece means what its object says, code is unwound as it says, and dyld is told the same.
import { verifyCodeSignature } from '../../src/formats/macho/code-signature.js';
import { ensureDebianTools, MACHO_TOOLS } from '../setup/debian-tools.js';
import { tryRun } from '../setup/run.js';
import { type Suite } from '../suite.js';
import { dylibCases, type DylibCase } from './cases.js';
import { exerciseDylib } from './exercise.js';
import { compareLoaderFacts } from './facts.js';
import { Judge } from './judge.js';
import { judgeLinked } from './judge-linked.js';
import { openLinked, type LinkedFile } from './linked-file.js';
import { DYLIB_LINKERS, linkDylibCase, type DylibLinker } from './linkers.js';
import { Objects, placedByMap, placedByNames, type PlacedObject } from './placed-objects.js';
import { judgeUnwind } from './unwind.js';

/** Without --full: what no cargo is needed for. */
const QUICK = /^(?:c|cpp)-/;
/** How many lines of one kind of failure are kept. */
const LINES = 5;

/** What one linker's file showed. */
interface DylibResult {
  readonly linker: DylibLinker;
  readonly objects: number;
  readonly places: number;
  readonly untold: number;
  readonly functions: number;
  readonly byRecord: number;
  readonly failures: readonly string[];
}

interface Judged {
  readonly file: LinkedFile;
  readonly placed: readonly PlacedObject[];
  readonly result: DylibResult;
}

function shown(what: string, lines: readonly string[]): string[] {
  const more = lines.length > LINES ? [`${what}: ${lines.length - LINES} more`] : [];
  return [...lines.slice(0, LINES).map((line) => `${what}: ${line}`), ...more];
}

function judgeFile(
  one: DylibCase,
  linker: DylibLinker,
  path: string,
  placedIn: (file: LinkedFile) => readonly PlacedObject[],
): Judged {
  const file = openLinked(path);
  const placed = placedIn(file);
  const { places, untold, wrong } = judgeLinked(file, placed);
  const unwind = judgeUnwind(new Judge(file, placed), placed);
  const failures = [
    ...shown(linker, wrong),
    ...shown(`${linker} unwind`, unwind.wrong),
    ...shown(`${linker} answers`, one.opens && linker !== 'zig' ? exerciseDylib(one.machine, path, one.calls) : []),
  ];
  const { functions, byRecord } = unwind;
  const counts = { objects: placed.length, places, untold, functions, byRecord };
  return { file, placed, result: { linker, ...counts, failures } };
}

/** Every page's hash, and what other readers say. */
function accepted(linker: DylibLinker, { bytes, path, view }: LinkedFile): string[] {
  const failures: string[] = [];
  const LC_CODE_SIGNATURE = 0x1d;
  let signed = false;
  for (let at = 32, left = view.getUint32(16, true); left > 0; left--, at += view.getUint32(at + 4, true)) {
    if (view.getUint32(at, true) !== LC_CODE_SIGNATURE) continue;
    signed = true;
    verifyCodeSignature(bytes, view.getUint32(at + 8, true), view.getUint32(at + 12, true), path);
  }
  if (!signed) failures.push(`${linker}: no signature`);
  const { status, stderr } = tryRun('llvm-objdump-22', ['--macho', '-d', '--private-headers', path]);
  if (status !== 0 || stderr !== '') failures.push(`${linker}: llvm-objdump says ${stderr.slice(0, 300)}`);
  return failures;
}

/** Links and judges one case. */
function compareDylibs(
  one: DylibCase,
  objects: Objects,
): { results: DylibResult[]; facts: number; failures: string[] } {
  const failures: string[] = [];
  const judged: Judged[] = [];
  for (const linker of DYLIB_LINKERS) {
    const { output, map, said } = linkDylibCase(one, linker);
    if (said.status !== 0) {
      failures.push(`${linker} ended with ${said.status}: ${said.stderr.slice(0, 1500)}`);
      continue;
    }
    const like = judged[0]?.placed ?? [];
    judged.push(
      judgeFile(one, linker, output, (file) => (map === null ? placedByNames(like, file) : placedByMap(objects, map))),
    );
    if (linker === 'ipbp') failures.push(...accepted(linker, (judged.at(-1) as Judged).file));
  }
  const of = (name: DylibLinker): Judged | undefined => judged.find(({ result }) => result.linker === name);
  const [lld, ipbp] = [of('lld'), of('ipbp')];
  let facts = 0;
  if (lld !== undefined && ipbp !== undefined) {
    const compared = compareLoaderFacts(lld.file, ipbp.file);
    facts = compared.facts;
    failures.push(...shown('lld | ipbp', compared.differences));
  }
  failures.push(...programs(one, objects));
  const results = judged.map(({ result }) => result);
  return { results, facts, failures: [...results.flatMap((result) => result.failures), ...failures] };
}

/** The same case with programs of LC_DYLD_INFO in place of chains. */
function programs(one: DylibCase, objects: Objects): string[] {
  const { output, map, said } = linkDylibCase(one, 'ipbp', ['-no_fixup_chains']);
  if (said.status !== 0 || map === null) return [`ipbp without chains ended with ${said.status}: ${said.stderr}`];
  const { result, file } = judgeFile(one, 'ipbp', output, () => placedByMap(objects, map));
  return [...result.failures, ...accepted('ipbp', file)].map((line) => `without chains: ${line}`);
}

/** Compares all cases that the options name. */
export const dylibSuite: Suite = {
  name: 'meaning',
  run: ({ full, only, machines }, say) => {
    ensureDebianTools(MACHO_TOOLS);
    const objects = new Objects();
    const cases: object[] = [];
    let [all, places, functions, facts] = [0, 0, 0, 0];
    for (const one of machines.flatMap(dylibCases)) {
      if (only === '' ? !full && !QUICK.test(one.name) : !one.name.includes(only)) continue;
      const compared = compareDylibs(one, objects);
      const { results, failures } = compared;
      const most = (count: (result: DylibResult) => number): number => Math.max(0, ...results.map(count));
      all += most((result) => result.objects);
      places += results.reduce((sum, result) => sum + result.places, 0);
      functions += results.reduce((sum, result) => sum + result.functions, 0);
      facts += compared.facts;
      cases.push({ name: one.name, machine: one.machine, results, facts: compared.facts });
      const counts = results.map(({ linker, places: count }) => `${linker} ${count}`).join(', ');
      const found = `${most((result) => result.objects)} objects, places: ${counts}; unwound ${most((result) => result.functions)}; facts ${compared.facts}`;
      say({ machine: one.machine, name: one.name, found, failures });
    }
    return Promise.resolve({ linkers: DYLIB_LINKERS, objects: all, places, functions, facts, cases });
  },
};

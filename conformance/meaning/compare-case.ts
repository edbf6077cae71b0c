// One case: linked by every linker, exercised, judged place by place, and the outputs held against each other.
import { readFileSync } from 'node:fs';
import { type Case } from '../cases/all-cases.js';
import { replay } from '../cases/capture.js';
import { exercise } from '../cases/exercise.js';
import { type LinkerName } from '../cases/machine-tools.js';
import { compareOutputs } from '../compare/between.js';
import { compareFacts, dynamicFacts, type DynamicFacts } from '../compare/dynamic-facts.js';
import { noneIgnored, type IgnoredCounts } from '../compare/ignored.js';
import { Inputs, placeInputs } from '../compare/inputs.js';
import { reasonOf, tellKept, type KeepingOutput } from '../compare/kept-by-one.js';
import { readMap } from '../compare/link-map.js';
import { viewLinked } from '../compare/linked-view.js';
import { judgeOutput, type JudgedOutput } from '../compare/places.js';
import { cacheFolder } from '../setup/cache.js';

/** What one linker's output showed. */
export interface LinkerResult {
  readonly linker: LinkerName;
  readonly objects: number;
  readonly places: number;
  /** Functions whose unwind records were compared, and the relocated places of those. */
  readonly unwound: number;
  readonly unwindPlaces: number;
  readonly ignored: IgnoredCounts;
  readonly wrong: readonly string[];
  /** Calls that were answered otherwise than they must be. */
  readonly answers: readonly string[];
}

/** What two outputs showed against each other. */
export interface PairResult {
  readonly linkers: readonly [LinkerName, LinkerName];
  readonly places: number;
  readonly keptByOne: number;
  /** The places in sections that only one kept, by class. */
  readonly kept: IgnoredCounts;
  /** Places whose outcomes differ for a reason, by class. */
  readonly allowed: IgnoredCounts;
  readonly differences: readonly string[];
  /** What is told to the loader: facts compared, and those that differ. */
  readonly facts: number;
  readonly weakImports: number;
  readonly importsOfDropped: number;
  readonly aliases: number;
  readonly markless: number;
  readonly factDifferences: readonly string[];
}

/** A case's whole result. */
export interface CaseResult {
  readonly name: string;
  readonly machine: string;
  readonly linkers: readonly LinkerResult[];
  readonly pairs: readonly PairResult[];
  /** All that is wrong, in words. */
  readonly failures: readonly string[];
}

/** Two that do not take the members of archives in the same order: lld's is ours. */
function isOtherOrder(names: readonly LinkerName[]): boolean {
  return names.includes('ld') || names.includes('mold');
}

/** How many lines of one kind of failure are kept. */
const LINES = 5;

function shown(what: string, lines: readonly string[]): string[] {
  const more = lines.length > LINES ? [`${what}: ${lines.length - LINES} more`] : [];
  return [...lines.slice(0, LINES).map((line) => `${what}: ${line}`), ...more];
}

/** Links, exercises and compares one case. */
export function compareCase(one: Case, linkers: readonly LinkerName[]): CaseResult {
  const link = one.link();
  const folder = cacheFolder('links', one.machine, one.name);
  const inputs = new Inputs();
  const failures: string[] = [];
  const outputs: (KeepingOutput & { judged: JudgedOutput; facts: DynamicFacts; result: LinkerResult })[] = [];
  const dropsUnused = link.args.includes('--gc-sections');
  for (const linker of linkers) {
    const linked = replay(link, linker, folder);
    if (linked.said.status !== 0) {
      failures.push(`${linker} ended with ${linked.said.status}: ${linked.said.stderr.slice(0, 1500)}`);
      continue;
    }
    const answers = one.calls.length === 0 ? [] : exercise(one.machine, linked.output, one.calls);
    const placed = placeInputs(inputs, readMap(readFileSync(linked.map, 'utf8')), folder);
    const view = viewLinked(readFileSync(linked.output), linked.output);
    const judged = judgeOutput(view, placed);
    const { places, wrong, unwind } = judged;
    const ignored = { ...judged.ignored, 'stub-unwind': unwind.linkerMade };
    failures.push(...shown(`${linker} answers`, answers), ...shown(linker, wrong));
    const facts = dynamicFacts(view, placed);
    const counts = { objects: placed.size, places, unwound: unwind.functions, unwindPlaces: unwind.places };
    outputs.push({ linker, placed, judged, facts, result: { linker, ...counts, ignored, wrong, answers } });
  }
  const mentions = new Set(inputs.objects.flatMap(({ elf }) => elf.symbols.map(({ name }) => name)));
  const pairs = outputs.flatMap((first, index) =>
    outputs.slice(index + 1).map((second): PairResult => {
      const names = [first.result.linker, second.result.linker] as const;
      const { places, keptByOne, allowed, differences } = compareOutputs(first.judged, second.judged, names);
      const kept = noneIgnored();
      const keptForNothing: string[] = [];
      for (const section of keptByOne) {
        const [having, without] = section.by === 'one' ? [first, second] : [second, first];
        const reason = reasonOf(section, having, without, { dropsUnused, reordered: isOtherOrder(names) });
        if (reason === null) keptForNothing.push(tellKept(section));
        else kept[reason] += section.places;
      }
      const facts = compareFacts(first.facts, second.facts);
      const mentioned = (line: string): boolean => mentions.has(/^symbol (.*?): /.exec(line)![1]!);
      // Each of the four is what one linker does, and is looked at before it is left out.
      const mold = names.includes('mold');
      const weakImports = mold ? facts.weakness : [];
      const importsOfDropped = mold ? facts.extraImports.filter(mentioned) : [];
      const aliases =
        names[0] === 'ld' ? facts.extraImports.filter((line) => !mentioned(line) && line.endsWith('| missing')) : [];
      const unmarked = 'static thread-locals: false | true';
      const markless =
        names[0] === 'ld' && one.machine === 'aarch64' ? facts.differences.filter((line) => line === unmarked) : [];
      const leftOut = new Set([...weakImports, ...importsOfDropped, ...aliases, ...markless]);
      const factDifferences = [...facts.differences, ...facts.weakness, ...facts.extraImports].filter(
        (line) => !leftOut.has(line),
      );
      const counts = {
        weakImports: weakImports.length,
        importsOfDropped: importsOfDropped.length,
        aliases: aliases.length,
        markless: markless.length,
      };
      failures.push(...shown(names.join(' and '), keptForNothing));
      failures.push(...shown(names.join(' and '), differences), ...shown(names.join(' | '), factDifferences));
      return {
        linkers: names,
        places,
        keptByOne: keptByOne.reduce((sum, one) => sum + one.places, 0),
        kept,
        allowed,
        differences,
        facts: first.facts.size,
        ...counts,
        factDifferences,
      };
    }),
  );
  const results = outputs.map(({ result }) => result);
  return { name: one.name, machine: one.machine, linkers: results, pairs, failures };
}

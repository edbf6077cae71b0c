// One case: linked by every linker, exercised, judged place by place, and the outputs held against each other.
import { readFileSync } from 'node:fs';
import { type Case } from '../cases/all-cases.js';
import { replay, type Linked } from '../cases/capture.js';
import { exercise } from '../cases/exercise.js';
import { type LinkerName } from '../cases/machine-tools.js';
import { compareOutputs } from '../compare/between.js';
import { type IgnoredCounts } from '../compare/ignored.js';
import { Inputs, placeInputs } from '../compare/inputs.js';
import { readMap } from '../compare/link-map.js';
import { viewLinked } from '../compare/linked-view.js';
import { judgeOutput, type JudgedOutput } from '../compare/places.js';
import { cacheFolder } from '../setup/cache.js';

/** What one linker's output showed. */
export interface LinkerResult {
  readonly linker: LinkerName;
  readonly objects: number;
  readonly places: number;
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
  readonly differences: readonly string[];
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

/** How many lines of one kind of failure are kept. */
const LINES = 20;

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
  const outputs: { linked: Linked; judged: JudgedOutput; result: LinkerResult }[] = [];
  for (const linker of linkers) {
    const linked = replay(link, linker, folder);
    if (linked.said.status !== 0) {
      failures.push(`${linker} ended with ${linked.said.status}: ${linked.said.stderr.slice(0, 1500)}`);
      continue;
    }
    const answers = exercise(one.machine, linked.output, one.calls);
    const placed = placeInputs(inputs, readMap(readFileSync(linked.map, 'utf8')), folder);
    const judged = judgeOutput(viewLinked(readFileSync(linked.output), linked.output), placed);
    const { places, ignored, wrong } = judged;
    failures.push(...shown(`${linker} answers`, answers), ...shown(linker, wrong));
    outputs.push({ linked, judged, result: { linker, objects: placed.size, places, ignored, wrong, answers } });
  }
  const pairs = outputs.flatMap((first, index) =>
    outputs.slice(index + 1).map((second): PairResult => {
      const names = [first.result.linker, second.result.linker] as const;
      const between = compareOutputs(first.judged, second.judged);
      failures.push(...shown(names.join(' and '), between.differences));
      return { linkers: names, ...between };
    }),
  );
  const results = outputs.map(({ result }) => result);
  return { name: one.name, machine: one.machine, linkers: results, pairs, failures };
}

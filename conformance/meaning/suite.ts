// The suite `meaning`: every case linked by every linker; the libraries run, and every relocated place of every kept
// section means the same.
import { casesOf } from '../cases/all-cases.js';
import { PEERS, type LinkerName } from '../cases/machine-tools.js';
import { addAllowed, addIgnored, noneIgnored, withReasons, type IgnoredClass } from '../compare/ignored.js';
import { ensureDebianTools } from '../setup/debian-tools.js';
import { type Suite } from '../suite.js';
import { compareCase, type CaseResult } from './compare-case.js';

const LINKERS: readonly LinkerName[] = [...PEERS, 'ipbp'];

/** Without --full: one C++ library, all forms of references, choices, and what was asked for by name. */
const QUICK = /^(?:cpp-gcc-sections|references|choices)$/;

/** Counts over all cases, for the record. */
function totals(results: readonly CaseResult[]): object {
  const ignored = noneIgnored();
  let [objects, places, unwound, compared, facts] = [0, 0, 0, 0, 0];
  for (const { linkers, pairs } of results) {
    objects += Math.max(0, ...linkers.map((one) => one.objects));
    for (const one of linkers) {
      places += one.places + one.unwindPlaces;
      unwound += one.unwound;
      for (const [name, count] of Object.entries(one.ignored)) ignored[name as IgnoredClass] += count;
    }
    for (const pair of pairs) {
      compared += pair.places;
      facts += pair.facts;
      addIgnored(ignored, pair.kept);
      ignored['weak-import'] += pair.weakImports;
      ignored['import-of-dropped'] += pair.importsOfDropped;
      ignored['weak-alias'] += pair.aliases;
      addAllowed(ignored, pair.allowed);
      ignored['unmarked-static-tls'] += pair.markless;
    }
  }
  return { objects, places, unwound, compared, facts, ignored: withReasons(ignored) };
}

/** Compares all cases that the options name. */
export const meaningSuite: Suite = {
  name: 'meaning',
  run: ({ full, only, machines }, say) => {
    ensureDebianTools();
    const results: CaseResult[] = [];
    for (const one of machines.flatMap(casesOf)) {
      if (only === '' ? !full && !QUICK.test(one.name) : !one.name.includes(only)) continue;
      const result = compareCase(one, LINKERS);
      results.push(result);
      const objects = Math.max(0, ...result.linkers.map((linker) => linker.objects));
      const places = result.linkers.map(({ linker, places: count }) => `${linker} ${count}`).join(', ');
      const unwound = Math.max(0, ...result.linkers.map((linker) => linker.unwound));
      const keptByOne = result.pairs.reduce((sum, pair) => sum + pair.keptByOne, 0);
      const found = `${objects} objects, places: ${places}; unwound ${unwound}; kept by one ${keptByOne}`;
      say({ machine: one.machine, name: one.name, found, failures: result.failures });
    }
    return Promise.resolve({ linkers: LINKERS, ...totals(results), cases: results });
  },
};

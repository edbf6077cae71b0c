// The suite `properties`: random links, assembled, linked by every linker, compared by meaning; the order of the inputs
// changes nothing. A failure is shrunk and told with its seed.
import fc from 'fast-check';
import { type LinkerName } from '../cases/machine-tools.js';
import { cacheFolder } from '../setup/cache.js';
import { addIgnored, noneIgnored, withReasons } from '../compare/ignored.js';
import { ensureDebianTools } from '../setup/debian-tools.js';
import { type Suite } from '../suite.js';
import { graphArbitrary } from './draw.js';
import { type Graph } from './graph.js';
import { linkGraph } from './link-graph.js';

/** Ours, beside one peer that looks into archives in order, and one that does not mind the order. */
const LINKERS: readonly LinkerName[] = ['ld', 'lld', 'ipbp'];

const RUNS = { quick: 10, full: 150 } as const;
/** In ms. What fails is made smaller no longer than that. */
const TIME = { quick: 240_000, full: 3_600_000 } as const;

/** Runs the random links of each machine. */
export const propertiesSuite: Suite = {
  name: 'properties',
  run: ({ full, only, machines, seed }, say) => {
    ensureDebianTools();
    const summary: Record<string, object> = {};
    const name = 'random links';
    if (!name.includes(only)) return Promise.resolve(summary);
    for (const machine of machines) {
      const folder = cacheFolder('properties', machine);
      let [links, places] = [0, 0];
      const ignored = noneIgnored();
      const property = fc.property(graphArbitrary, (graph: Graph) => {
        const result = linkGraph(graph, machine, LINKERS, folder);
        links++;
        places += result.places;
        addIgnored(ignored, result.ignored);
        if (result.failures.length > 0) throw new Error(result.failures.join('\n'));
      });
      const size = full ? 'full' : 'quick';
      const runs = RUNS[size];
      const details = fc.check(property, { seed, numRuns: runs, interruptAfterTimeLimit: TIME[size] });
      const failures = details.failed
        ? [`${String(details.errorInstance)} (seed ${details.seed}, path ${details.counterexamplePath})`]
        : [];
      summary[machine] = { runs, links, places, linkers: LINKERS, ignored: withReasons(ignored) };
      say({ machine, name, found: `${links} links, ${places} places by ${LINKERS.join(', ')}`, failures });
    }
    return Promise.resolve(summary);
  },
};

// What a patch needs and nobody has: neither the program nor its objects and libraries. Says, where objects do, that it is
// something of the host's.
import { demangle } from '../../formats/symbols/demangle.js';
import type { LinkObject } from '../../link/graph.js';
import { stableName } from '../../link/names.js';
import { SHARED } from '../../link/patch-instance.js';
import type { RefusedItem } from '../engine.js';
import { missingBinding } from './bindings.js';

/** A name, and who needs it, the nearest first. */
interface Missing {
  readonly name: string;
  readonly chain: readonly string[];
}

/**
 * What is missing, as refusals, each once: IPBP3050 where bindings would have to be made, IPBP3023 for functions of the
 * host, else IPBP2003.
 */
export function refuseMissing(missing: readonly Missing[], objects: readonly LinkObject[]): RefusedItem[] {
  const items = missing.map((one) => missingBinding(one) ?? refuseOne(one, objects));
  // A type is described by several functions.
  return items.filter(({ code, name }, at) => items.findIndex((one) => one.code === code && one.name === name) === at);
}

function refuseOne({ name, chain }: Missing, objects: readonly LinkObject[]): RefusedItem {
  const named = { name: demangle(name), because: chain.map((user) => `needed by ${demangle(user)}`) };
  for (const { file } of objects) {
    const symbol = file.symbols.find(({ host, name: own }) => host !== undefined && stableName(own) === name);
    // What nobody says more of is an ordinary name that the linker would have looked for, too.
    if (symbol?.host === undefined || symbol.host.module === SHARED.module) continue;
    const { module, field } = symbol.host;
    return { code: 'IPBP3023', ...named, message: `the program does not import ${field} of ${module} from its host` };
  }
  return {
    ...{ code: 'IPBP2003', ...named },
    message: 'is defined neither in the running program nor in its objects and libraries',
  };
}

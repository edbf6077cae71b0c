// What two linkers' files tell dyld, held against each other: exports with their kinds, imports with the library that they
// are asked of, the libraries that are needed.
import type { LinkedFile } from './linked-file.js';

/** Facts, each a line; `NAME: FACT`. */
function factsOf({ exports, binds, libraries, dataInCode }: LinkedFile): Map<string, string> {
  const facts = new Map<string, string>();
  for (const [name, kind] of exports) facts.set(`export ${name}`, kind);
  for (const { name, library, weak } of binds.values())
    facts.set(`import ${name}`, `${library}${weak ? ', weak' : ''}`);
  libraries.forEach((name, index) => facts.set(`library ${index}`, name));
  for (const kind of new Set(dataInCode)) {
    facts.set(`data in code, ${kind}`, String(dataInCode.filter((one) => one === kind).length));
  }
  return facts;
}

/** How many facts the first has, and those that differ: `FACT: FIRST | SECOND`. */
export function compareLoaderFacts(first: LinkedFile, second: LinkedFile): { facts: number; differences: string[] } {
  const [one, other] = [factsOf(first), factsOf(second)];
  const names = new Set([...one.keys(), ...other.keys()]);
  const differences = [...names].flatMap((name) => {
    const [a, b] = [one.get(name) ?? 'missing', other.get(name) ?? 'missing'];
    return a === b ? [] : [`${name}: ${a} | ${b}`];
  });
  return { facts: one.size, differences };
}

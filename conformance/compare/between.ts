// Two outputs of the same inputs, held against each other: places, definitions.
import { type Meant } from './definitions.js';
import { SHN_UNDEF } from './elf-file.js';
import { type PlaceResult, type JudgedOutput } from './places.js';

/** What differs between two outputs. */
export interface Between {
  /** Places that both kept. */
  readonly places: number;
  /** Places of sections that only one kept, each counted once. */
  readonly keptByOne: number;
  readonly differences: readonly string[];
  /** Places for which one took a library's symbol, and the other an archive member's. */
  readonly fromLibrary: { readonly one: readonly string[]; readonly other: readonly string[] };
}

/** Names that an output leaves to libraries. */
function importsOf({ resolver }: JudgedOutput): Set<string> {
  return new Set(resolver.view.symbols.filter(({ section }) => section === SHN_UNDEF).map(({ name }) => name));
}

/** Where a name is defined, in words that do not depend on which copy of a group was kept. */
function labelOf({ kind, at }: Meant): string {
  if (at === null) return kind;
  const signature = at.object.groups.get(at.section);
  const section = at.object.elf.sections[at.section]!.name;
  return signature === undefined
    ? `${at.object.key}:${section}+${at.value}`
    : `group ${signature} ${section}+${at.value}`;
}

function sameOutcome(one: PlaceResult, other: PlaceResult): boolean {
  // What one dropped and its debug information tells of may be kept by the other.
  const debug = one === 'dropped-debug' || other === 'dropped-debug';
  const open = one === 'unsure-place' || other === 'unsure-place';
  // A thread-local sequence that one rewrote: its call is gone.
  const rewritten = one === 'marker' || other === 'marker';
  return one === other || debug || open || rewritten;
}

/** Compares two outputs. A place that leads nowhere is not told again: each output's own list has it. */
export function compareOutputs(one: JudgedOutput, other: JudgedOutput): Between {
  const differences: string[] = [];
  const fromLibrary = { one: [] as string[], other: [] as string[] };
  const [oneImports, otherImports] = [importsOf(one), importsOf(other)];
  let places = 0;
  let keptByOne = 0;
  const objects = new Set([...one.results.keys(), ...other.results.keys()]);
  for (const object of objects) {
    const first = one.results.get(object) ?? new Map<number, readonly PlaceResult[]>();
    const second = other.results.get(object) ?? new Map<number, readonly PlaceResult[]>();
    for (const section of new Set([...first.keys(), ...second.keys()])) {
      const [left, right] = [first.get(section), second.get(section)];
      if (left === undefined || right === undefined) {
        keptByOne += (left ?? right)!.length;
        continue;
      }
      places += left.length;
      left.forEach((outcome, index) => {
        const counterpart = right[index]!;
        if (outcome.startsWith('wrong') || counterpart.startsWith('wrong') || sameOutcome(outcome, counterpart)) return;
        const { offset, type, symbol } = object.relocations.get(section)![index]!;
        const { name } = object.elf.symbols[symbol]!;
        const where = `${object.key}:${object.elf.sections[section]!.name}+0x${offset.toString(16)}`;
        const line = `${where} type ${type} ${name}: ${outcome} and ${counterpart}`;
        if (outcome === 'dynamic' && oneImports.has(name)) fromLibrary.one.push(line);
        else if (counterpart === 'dynamic' && otherImports.has(name)) fromLibrary.other.push(line);
        else differences.push(line);
      });
    }
  }
  for (const [name, meant] of one.definitions.globals) {
    const there = other.definitions.globals.get(name);
    if (there === undefined) continue;
    const [left, right] = [labelOf(meant), labelOf(there)];
    if (left !== right) differences.push(`${name} is ${left} and ${right}`);
  }
  return { places, keptByOne, differences, fromLibrary };
}

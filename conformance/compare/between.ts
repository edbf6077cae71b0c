// Two outputs of the same inputs, held against each other: places, definitions.
import { type LinkerName } from '../cases/machine-tools.js';
import { type Meant } from './definitions.js';
import { SHF_ALLOC, SHN_UNDEF, STT_TLS } from './elf-file.js';
import { noneIgnored, type IgnoredClass, type IgnoredCounts } from './ignored.js';
import { hasFlag, ofOneArchive, type InputObject } from './inputs.js';
import { isOwnByName } from './linked-view.js';
import { type PlaceResult, type JudgedOutput } from './places.js';

/** A section that one output has and the other has not. */
export interface KeptByOne {
  readonly object: InputObject;
  readonly section: number;
  /** Which of the two has it. */
  readonly by: 'one' | 'other';
  readonly places: number;
}

/** A place of which both outputs are asked. */
interface ComparedPlace {
  readonly machine: number;
  readonly type: number;
  /** Of the symbol. */
  readonly name: string;
  /** In a section that is loaded. */
  readonly loaded: boolean;
  /** The symbol is a thread-local, or the function that finds them. */
  readonly ofThread: boolean;
}

/** What differs between two outputs. */
export interface Between {
  /** Places that both kept. */
  readonly places: number;
  /** Sections that only one kept, with the places in them. */
  readonly keptByOne: readonly KeptByOne[];
  /** Places whose outcomes differ in a way that a class allows. */
  readonly allowed: IgnoredCounts;
  readonly differences: readonly string[];
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

/** Relocation types whose call goes when a thread-local's sequence is rewritten: x86-64's four calls, arm64's add. */
const SEQUENCE_TYPES: Readonly<Record<number, ReadonlySet<number>>> = {
  62: new Set([2, 4, 9, 41]),
  183: new Set([564]),
};

/**
 * The class that lets two outcomes of one place stand side by side; null where none does. `linker` made the output that
 * has the outcome `left`.
 */
function allowance(
  left: PlaceResult,
  right: PlaceResult,
  place: ComparedPlace,
  linker: LinkerName,
  output: JudgedOutput,
): IgnoredClass | null {
  // The map of one leaves open which copy it kept: nothing was judged there.
  if (left === 'unsure-place') return left;
  // What one dropped the other kept, and the debug information of both tells of it.
  if (left === 'dropped-debug' && right === 'local' && !place.loaded) return left;
  // One rewrote the sequence, so that its call is gone; the other left it.
  const inSequence = SEQUENCE_TYPES[place.machine]?.has(place.type) === true && place.ofThread;
  if (left === 'marker' && inSequence && (right === 'local' || right === 'dynamic')) return left;
  if (left !== 'dynamic' || right !== 'local') return null;
  const named = output.resolver.view.dynamicNamed.get(place.name);
  if (named === undefined) return null;
  if (linker === 'mold' && named.section === SHN_UNDEF) return 'library-first';
  return linker === 'ld' && isOwnByName(output.resolver.view, named) ? 'own-by-name' : null;
}

/** Compares two outputs. A place that leads nowhere is not told again: each output's own list has it. */
export function compareOutputs(
  one: JudgedOutput,
  other: JudgedOutput,
  linkers: readonly [LinkerName, LinkerName],
): Between {
  const differences: string[] = [];
  let places = 0;
  const keptByOne: KeptByOne[] = [];
  const allowed = noneIgnored();
  const objects = new Set([...one.results.keys(), ...other.results.keys()]);
  for (const object of objects) {
    const first = one.results.get(object) ?? new Map<number, readonly PlaceResult[]>();
    const second = other.results.get(object) ?? new Map<number, readonly PlaceResult[]>();
    for (const section of new Set([...first.keys(), ...second.keys()])) {
      const [left, right] = [first.get(section), second.get(section)];
      if (left === undefined || right === undefined) {
        const by = right === undefined ? 'one' : 'other';
        keptByOne.push({ object, section, by, places: (left ?? right)!.length });
        continue;
      }
      places += left.length;
      left.forEach((outcome, index) => {
        const counterpart = right[index]!;
        if (outcome.startsWith('wrong') || counterpart.startsWith('wrong') || outcome === counterpart) return;
        const { offset, type, symbol } = object.relocations.get(section)![index]!;
        const { name, type: kind } = object.elf.symbols[symbol]!;
        const place: ComparedPlace = {
          machine: object.elf.machine,
          type,
          name,
          loaded: hasFlag(object.elf.sections[section]!.flags, SHF_ALLOC),
          ofThread: kind === STT_TLS || name === '__tls_get_addr',
        };
        const reason =
          allowance(outcome, counterpart, place, linkers[0], one) ??
          allowance(counterpart, outcome, place, linkers[1], other);
        if (reason !== null) {
          allowed[reason]++;
          return;
        }
        const where = `${object.key}:${object.elf.sections[section]!.name}+0x${offset.toString(16)}`;
        const line = `${where} type ${type} ${name}: ${outcome} and ${counterpart}`;
        differences.push(line);
      });
    }
  }
  for (const [name, meant] of one.definitions.globals) {
    const there = other.definitions.globals.get(name);
    if (there === undefined) continue;
    const [left, right] = [labelOf(meant), labelOf(there)];
    if (left === right) continue;
    if (linkers.includes('mold') && ofOneArchive(meant.at?.object, there.at?.object)) allowed['other-member']++;
    else differences.push(`${name} is ${left} and ${right}`);
  }
  return { places, keptByOne, allowed, differences };
}

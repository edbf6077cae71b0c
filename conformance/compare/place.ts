// A relocated place of an output, as the machines' files are given it, and what they answer.
import { type Meant } from './definitions.js';
import { type ElfRelocation } from './elf-file.js';
import { type InputObject } from './inputs.js';
import { type Outcome, type Resolver } from './resolver.js';

/** One place: an input section's relocation, and where it came to lie. */
export interface Place {
  readonly object: InputObject;
  readonly section: number;
  /** Of the section's relocations, in order, and which of them this is. */
  readonly relocations: readonly ElfRelocation[];
  readonly number: number;
  readonly relocation: ElfRelocation;
  readonly meant: Meant;
  /** The place's address (an offset in the output's section where that is not loaded), and its offset in the file. */
  readonly address: number;
  readonly at: number;
  readonly loaded: boolean;
}

/** What is found of a place: an outcome, or that it holds nothing to compare. */
export type Found = Outcome | 'marker';

/** Judges the places of one machine. Throws on a type that it does not know. */
export type Judge = (resolver: Resolver, place: Place) => Found;

/** A number of 1, 2, 4 or 8 bytes in the output, sign-extended. */
export function signedAt(resolver: Resolver, at: number, bytes: 1 | 2 | 4 | 8): number {
  const { view } = resolver.view.elf;
  switch (bytes) {
    case 1:
      return view.getInt8(at);
    case 2:
      return view.getInt16(at, true);
    case 4:
      return view.getInt32(at, true);
    case 8:
      return Number(view.getBigInt64(at, true));
  }
}

/** A word that the loader may fill, or one of a section that is not loaded. */
export function judgeWord(resolver: Resolver, place: Place): Outcome {
  const { meant, address, relocation, loaded } = place;
  if (loaded) return resolver.isWord(meant, address, relocation.addend);
  return judgeFixed(resolver, place, 8);
}

/** A field that holds S + A as it is. */
export function judgeFixed(
  resolver: Resolver,
  { meant, at, relocation, loaded }: Place,
  bytes: 1 | 2 | 4 | 8,
): Outcome {
  const value = signedAt(resolver, at, bytes);
  const unsigned = value < 0 && bytes < 8 ? value + 2 ** (bytes * 8) : value;
  const { addend } = relocation;
  const judge = (found: number): Outcome =>
    loaded ? resolver.isAddress(meant, found - addend, addend) : resolver.isOffset(meant, found - addend, addend);
  const first = judge(value);
  return first.startsWith('wrong') ? judge(unsigned) : first;
}

/** A thread-local's offset in the module's block. */
export function judgeThreadOffset(resolver: Resolver, { meant, at, relocation }: Place, bytes: 4 | 8): Outcome {
  const found = signedAt(resolver, at, bytes) - relocation.addend;
  const offset = resolver.threadOffset(meant);
  return found === offset ? 'local' : `wrong: thread offset ${found}, meant ${meant.name} ${offset}`;
}

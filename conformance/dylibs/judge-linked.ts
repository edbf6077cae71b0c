// Judges a linked library against the objects it was made of: every relocated place of every piece that is there must mean
// what the object says.
import { Judge, type Place } from './judge.js';
import { judgeArm64 } from './judge-arm64.js';
import { judgeX8664 } from './judge-x86-64.js';
import type { LinkedFile } from './linked-file.js';
import { isZeroFill, offsetOf, type RawMacho, type RawRelocation, type RawSection } from './object-file.js';
import type { PlacedObject } from './placed-objects.js';

/** What was found. */
export interface Judgement {
  places: number;
  objects: number;
  /** Places of pieces that are there, of which the target cannot be told by this file's map or symbols. */
  untold: number;
  readonly wrong: string[];
}

const SUBTRACTOR = { arm64: 1, x86_64: 5 } as const;
const ADDEND = 10;
/** Of these something else is asked. */
const OTHER_SECTIONS = /^(?:__LD,|__DWARF,|__LLVM,|__TEXT,__eh_frame$)/;

/** Judges all places of all objects. */
export function judgeLinked(file: LinkedFile, placed: readonly PlacedObject[]): Judgement {
  const judge = new Judge(file, placed);
  const result: Judgement = { places: 0, objects: placed.length, untold: 0, wrong: [] };
  const judgeOne = file.machine === 'arm64' ? judgeArm64 : judgeX8664;
  for (const { object } of placed) {
    for (const section of object.sections) {
      if (OTHER_SECTIONS.test(section.name) || isZeroFill(section)) continue;
      let pair: RawRelocation | null = null;
      for (const relocation of section.relocations) {
        const first =
          relocation.type === SUBTRACTOR[file.machine] || (file.machine === 'arm64' && relocation.type === ADDEND);
        if (first) {
          pair = relocation;
          continue;
        }
        const place = placeFor(judge, object, section, relocation, pair);
        pair = null;
        if (place === null) continue;
        const said = judgeOne(judge, place);
        if (said === null) {
          result.untold++;
          continue;
        }
        result.places++;
        if (said !== '')
          result.wrong.push(`${object.path}: ${section.name}+0x${relocation.address.toString(16)}: ${said}`);
      }
    }
  }
  return result;
}

function placeFor(
  judge: Judge,
  object: RawMacho,
  section: RawSection,
  relocation: RawRelocation,
  pair: RawRelocation | null,
): Place | null {
  const at = judge.placeOf(object, section, section.address + relocation.address);
  if (at === null) return null;
  const to = offsetOf(judge.file, at);
  if (to < 0) return null;
  return { object, section, relocation, pair, at, from: section.offset + relocation.address, to };
}

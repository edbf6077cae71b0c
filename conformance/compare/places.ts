// Judges every relocated place of every kept input section of one output.
import { Definitions } from './definitions.js';
import { SHF_ALLOC, SHT_NOBITS } from './elf-file.js';
import { noneIgnored, type IgnoredClass, type IgnoredCounts } from './ignored.js';
import { hasFlag, isMerged, type InputObject, type PlacedObject } from './inputs.js';
import { judgeArm64 } from './judge-arm64.js';
import { judgeX86 } from './judge-x86-64.js';
import { type LinkedView } from './linked-view.js';
import { signedAt, type Found, type Judge, type Place } from './place.js';
import { Resolver, type Outcome } from './resolver.js';
import { checkUnwind, type UnwindResult } from './unwind.js';

const JUDGES: Readonly<Record<number, Judge>> = { 62: judgeX86, 183: judgeArm64 };

/** A place's outcome, or the class under which it was left out. */
export type PlaceResult = Outcome | IgnoredClass;

/** What was found of one output. */
export interface JudgedOutput {
  readonly definitions: Definitions;
  readonly resolver: Resolver;
  /** Per object, per section, in the order of the section's relocations. */
  readonly results: ReadonlyMap<InputObject, ReadonlyMap<number, readonly PlaceResult[]>>;
  readonly places: number;
  readonly ignored: IgnoredCounts;
  /** Places that do not lead to what they mean, in words. */
  readonly wrong: readonly string[];
  readonly unwind: UnwindResult;
}

const WRONG_KEPT = 200;

/** Copies of COMDAT sections that were kept, by signature and name; NaN where the map leaves open where it is. */
function keptCopies(placed: ReadonlyMap<InputObject, PlacedObject>): Map<string, number> {
  const copies = new Map<string, number>();
  for (const [object, { addresses, unsure }] of placed) {
    for (const [section, signature] of object.groups) {
      const address = addresses[section]!;
      if (!Number.isNaN(address) || unsure.has(section))
        copies.set(`${signature} ${object.elf.sections[section]!.name}`, address);
    }
  }
  return copies;
}

/** Debug information that tells of dropped code: is one of the usual values there? */
function judgeDropped(resolver: Resolver, place: Place, copies: ReadonlyMap<string, number>): PlaceResult {
  const { meant, relocation, at } = place;
  const usual = new Set([0, 1, -1, -2, relocation.addend]);
  const { object, section, value } = meant.at!;
  const copy = copies.get(`${object.groups.get(section)} ${object.elf.sections[section]!.name}`);
  if (Number.isNaN(copy)) return 'unsure-place';
  if (copy !== undefined) usual.add(copy + value + relocation.addend);
  const narrow = relocation.type === 10 || relocation.type === 258;
  const found = signedAt(resolver, at, narrow ? 4 : 8);
  return usual.has(found) ? 'dropped-debug' : `wrong: ${found} for what was dropped`;
}

/** Judges all places of an output. Throws on a relocation type that is not known. */
export function judgeOutput(view: LinkedView, placed: ReadonlyMap<InputObject, PlacedObject>): JudgedOutput {
  const definitions = new Definitions(placed, view);
  const resolver = new Resolver(view);
  const judge = JUDGES[view.elf.machine]!;
  const copies = keptCopies(placed);
  const ignored = noneIgnored();
  const wrong: string[] = [];
  const results = new Map<InputObject, Map<number, PlaceResult[]>>();
  let places = 0;

  const result = (place: Place): PlaceResult => {
    const { meant, loaded } = place;
    if (meant.kind === 'unsure') return 'unsure-place';
    if (meant.kind === 'dropped' && !loaded) return judgeDropped(resolver, place, copies);
    const found: Found = judge(resolver, place);
    return found;
  };

  for (const [object, { addresses, unsure }] of placed) {
    const bySection = new Map<number, PlaceResult[]>();
    results.set(object, bySection);
    for (const [section, relocations] of object.relocations) {
      const header = object.elf.sections[section]!;
      if (header.type === SHT_NOBITS || isMerged(object, section)) continue;
      // Edited by linkers, and so compared record by record: unwind.ts.
      if (header.name === '.eh_frame') continue;
      if (unsure.has(section)) {
        ignored['unsure-place'] += relocations.length;
        continue;
      }
      const start = addresses[section]!;
      if (Number.isNaN(start)) continue;
      const loaded = hasFlag(header.flags, SHF_ALLOC);
      const output = loaded ? undefined : view.elf.sections.find(({ name }) => name === header.name);
      const list: PlaceResult[] = [];
      relocations.forEach((relocation, number) => {
        const address = start + relocation.offset;
        const at = loaded ? view.offsetOf(address) : (output?.offset ?? Number.NaN) + address;
        const meant = definitions.meant(object, relocation.symbol);
        const rest = { object, section, relocations, number, relocation, meant, address, at, loaded };
        const one = at >= 0 ? result(rest) : (`wrong: no bytes at 0x${address.toString(16)}` as const);
        list.push(one);
        places++;
        if (one.startsWith('wrong')) {
          const where = `${object.key}:${header.name}+0x${relocation.offset.toString(16)}`;
          if (wrong.length < WRONG_KEPT) wrong.push(`${where} type ${relocation.type}: ${one}`);
          else wrong[WRONG_KEPT] = 'and more';
        } else if (one in ignored) ignored[one as IgnoredClass]++;
      });
      bySection.set(section, list);
    }
  }
  const unwind = checkUnwind(view, resolver, definitions, placed.keys(), (place) => judge(resolver, place));
  wrong.push(...unwind.wrong.slice(0, WRONG_KEPT));
  return { definitions, resolver, results, places, ignored, wrong, unwind };
}

// Unwind tables of one output held against the inputs': each kept function's record is there once, says the same, its
// pointers lead where they should, and the search table finds it.
import { type Definitions } from './definitions.js';
import { type ElfRelocation } from './elf-file.js';
import { frameEncoding, frameRecords, pointerSize, type FrameRecord } from './frame-records.js';
import { type InputObject } from './inputs.js';
import { type LinkedView } from './linked-view.js';
import { type Found, type Place } from './place.js';
import { type Resolver } from './resolver.js';

const PT_GNU_EH_FRAME = 0x6474e550;

/** What the unwind tables of an output showed. */
export interface UnwindResult {
  /** Functions of the inputs whose records were found and compared. */
  readonly functions: number;
  /** Relocated places of those records. */
  readonly places: number;
  /** Records of code that the linker made itself (stubs). */
  readonly linkerMade: number;
  readonly wrong: readonly string[];
}

/** A record of the output, by the address of its code. */
interface OutputFrame {
  readonly record: FrameRecord;
  readonly address: number;
  readonly begin: number;
  readonly range: number;
}

function outputFrames(view: LinkedView, wrong: string[]): Map<number, OutputFrame> {
  const frames = new Map<number, OutputFrame>();
  const section = view.elf.sections.find(({ name }) => name === '.eh_frame');
  if (section === undefined) return frames;
  const { elf } = view;
  for (const record of frameRecords(elf, section.offset, section.offset + section.size)) {
    if (record.cie === null) continue;
    const { code } = frameEncoding(elf, record.cie);
    const address = record.start - section.offset + section.address;
    const small = pointerSize(code) === 4;
    const value = small ? elf.view.getInt32(record.body, true) : Number(elf.view.getBigInt64(record.body, true));
    const relative = Math.floor(code / 16) % 8 === 1;
    const begin = relative ? address + 8 + value : value;
    const at = record.body + (small ? 4 : 8);
    const range = small ? elf.view.getUint32(at, true) : Number(elf.view.getBigUint64(at, true));
    if (frames.has(begin)) wrong.push(`two unwind records for 0x${begin.toString(16)}`);
    frames.set(begin, { record, address, begin, range });
  }
  return frames;
}

/** The search table: complete, sorted, each entry the right record. */
function checkTable(view: LinkedView, frames: ReadonlyMap<number, OutputFrame>, wrong: string[]): void {
  const segment = view.elf.segments.find(({ type }) => type === PT_GNU_EH_FRAME);
  if (segment === undefined) {
    if (frames.size > 0) wrong.push('no search table of unwind records');
    return;
  }
  const header = [0, 1, 2, 3].map((at) => view.byte(segment.address + at)).join(' ');
  // Version 1; then the encodings 0x1b (sdata4, pcrel), 0x03 (udata4), 0x3b (sdata4, datarel).
  // GNU ld says `omitted` (255) where there is nothing to find.
  if (header === '1 27 255 255' && frames.size === 0) return;
  if (header !== '1 27 3 59') wrong.push(`the search table starts with ${header}`);
  const eh = view.elf.sections.find(({ name }) => name === '.eh_frame')?.address;
  if (segment.address + 4 + view.int32(segment.address + 4) !== eh)
    wrong.push('the search table is of another .eh_frame');
  const count = view.uint32(segment.address + 8);
  if (count !== frames.size) wrong.push(`${count} entries in the search table, ${frames.size} records`);
  let before = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < count; index++) {
    const at = segment.address + 12 + index * 8;
    const [begin, record] = [segment.address + view.int32(at), segment.address + view.int32(at + 4)];
    if (frames.get(begin)?.address !== record)
      wrong.push(`entry ${index} of the search table is not of 0x${begin.toString(16)}`);
    if (begin <= before) wrong.push(`entry ${index} of the search table is out of order`);
    before = begin;
  }
}

/** Compares an output's unwind tables with its inputs'. `judge` says where a place leads. */
export function checkUnwind(
  view: LinkedView,
  resolver: Resolver,
  definitions: Definitions,
  objects: Iterable<InputObject>,
  judge: (place: Place) => Found,
): UnwindResult {
  const wrong: string[] = [];
  const frames = outputFrames(view, wrong);
  checkTable(view, frames, wrong);
  const seen = new Set<number>();
  let places = 0;
  for (const object of objects) {
    for (const section of object.elf.sections) {
      if (section.name !== '.eh_frame') continue;
      const relocations = object.relocations.get(section.index) ?? [];
      const byOffset = new Map(relocations.map((one) => [one.offset, one]));

      /** Holds a record of the output against the input's: equal bytes, but where a relocation or the CIE pointer is. */
      const compare = (input: FrameRecord, output: FrameRecord, address: number, what: string): void => {
        const patched = new Set<number>();
        for (let at = input.body; at < input.start + input.size; at++) {
          const relocation = byOffset.get(at - section.offset);
          if (relocation === undefined) continue;
          places++;
          for (
            let step = 0;
            step <
            (relocation.type === 1 || relocation.type === 24 || relocation.type === 257 || relocation.type === 260
              ? 8
              : 4);
            step++
          )
            patched.add(at + step);
          const rest = placeOf(object, section.index, relocations, relocation, definitions);
          const distance = at - input.start;
          const place = { ...rest, address: address + distance, at: output.start + distance, loaded: true };
          const found = judge(place);
          if (found.startsWith('wrong')) wrong.push(`unwind record of ${what}: ${found}`);
        }
        for (let at = input.body; at < input.start + input.size; at++) {
          if (patched.has(at)) continue;
          const there =
            output.start + at - input.start < output.start + output.size
              ? view.elf.bytes[output.start + at - input.start]!
              : 0;
          if (there !== object.elf.bytes[at]) {
            wrong.push(`unwind record of ${what} differs at +${at - input.start}`);
            return;
          }
        }
      };

      for (const input of frameRecords(object.elf, section.offset, section.offset + section.size)) {
        if (input.cie === null) continue;
        const relocation = byOffset.get(input.body - section.offset);
        if (relocation === undefined) continue;
        const meant = definitions.meant(object, relocation.symbol);
        if (meant.kind === 'unsure') continue;
        // A group's other copy has records of its own.
        if (meant.at?.object !== object || Number.isNaN(meant.address)) continue;
        const begin = meant.address + relocation.addend;
        const what = `${object.key} 0x${begin.toString(16)}`;
        const frame = frames.get(begin);
        if (frame === undefined) {
          wrong.push(`no unwind record of ${what}`);
          continue;
        }
        seen.add(begin);
        compare(input, frame.record, frame.address, what);
        const cie = frameRecords(object.elf, input.cie, input.cie + 4 + object.elf.view.getUint32(input.cie, true))[0]!;
        const outputCie = {
          ...frame.record,
          start: frame.record.cie!,
          size: view.elf.view.getUint32(frame.record.cie!, true) + 4,
        };
        compare(cie, outputCie, frame.address - frame.record.start + outputCie.start, `${what} (CIE)`);
      }
    }
  }
  const stubs = view.elf.sections.filter(({ name }) => name.startsWith('.plt') || name === '.iplt');
  let linkerMade = 0;
  for (const begin of frames.keys()) {
    if (seen.has(begin)) continue;
    if (stubs.some(({ address, size }) => begin >= address && begin < address + size)) linkerMade++;
    else wrong.push(`unwind record of 0x${begin.toString(16)}, which no input has`);
  }
  return { functions: seen.size, places, linkerMade, wrong };
}

function placeOf(
  object: InputObject,
  section: number,
  relocations: readonly ElfRelocation[],
  relocation: ElfRelocation,
  definitions: Definitions,
): Omit<Place, 'address' | 'at' | 'loaded'> {
  const number = relocations.indexOf(relocation);
  return { object, section, relocations, number, relocation, meant: definitions.meant(object, relocation.symbol) };
}

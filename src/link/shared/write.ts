// Pass: copies what is kept into the file and fixes it up.
import { copyRange } from '../../bytes/plain.js';
import type { FdeColumns } from '../../formats/dwarf/eh-frame-header.js';
import { codeOfFde } from '../../formats/dwarf/eh-frame-records.js';
import { contentOf } from './content.js';
import { applyLoaded, applyUnloaded, type FixupContext, type FixupRange } from './fixups.js';
import { isPackable } from './loader-work.js';
import { arrayOf } from './output-names.js';
import type { OutputSection } from './output-section.js';
import { relocationsOf } from './references.js';
import { MADE_FILE } from './sections.js';
import { firstOfContent, type UnwindSection } from './unwind.js';

/** Copies and fixes up the sections of all objects. `bytes` is the file. */
export function writeSections(context: FixupContext, outputs: readonly OutputSection[], bytes: Uint8Array): void {
  const { link } = context;
  const { sections } = link;
  const view = viewOf(bytes);
  for (const output of outputs) {
    if (output.zero) continue;
    let filled = output.offset;
    for (const member of output.members) {
      const number = sections.file[member] as number;
      const file = link.files[number];
      const section = sections.section[member];
      const start = output.offset + (sections.offset[member] as number);
      // Gaps between code trap.
      if (output.executable && filled < start) bytes.fill(link.machine.codeFill, filled, start);
      filled = start + (sections.size[member] as number);
      if (number === MADE_FILE || file === undefined || section === undefined) continue;
      if (section.fileSize === 0) continue;
      if (section.packing === null) copyRange(file.bytes, section.offset, section.fileSize, bytes, start);
      else bytes.set(contentOf(file.file, section, link.options), start);
      const { rows, first, end } = relocationsOf(link, file, section.index);
      if (first === end) continue;
      const range = {
        file,
        section: member,
        relocations: rows,
        first,
        end,
        bytes,
        view,
        start,
        size: section.size,
        address: sections.address[member] as number,
        from: 0,
        packable: isPackable(link, member),
      };
      if (arrayOf(link, member) !== null) writeBackwards(context, range);
      else if (output.alloc) applyLoaded(context, range);
      else applyUnloaded(context, range);
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Turns a table of words round, and fixes the words up where they are then. See {@link arrayOf}. */
function writeBackwards(context: FixupContext, range: FixupRange): void {
  const { bytes, start, size } = range;
  const word = context.link.machine.pointerSize;
  const last = size - word;
  const table = bytes.slice(start, start + size);
  for (let at = 0; at <= last; at += word) bytes.set(table.subarray(at, at + word), start + last - at);
  for (let index = range.first; index < range.end; index++) {
    const offset = range.relocations.offset[index] as number;
    const from = offset - (offset % word);
    const to = last - from;
    const place = { start: start + to, size: word, address: range.address + to, from };
    applyLoaded(context, { ...range, ...place, first: index, end: index + 1 });
  }
}

/** Writes the unwind records, and says where each FDE and its code are. `bytes` is the made section. */
export function writeUnwind(context: FixupContext, unwind: UnwindSection, bytes: Uint8Array): FdeColumns {
  const { link } = context;
  const view = viewOf(bytes);
  const start = link.sections.address[unwind.section] as number;
  const code = new Float64Array(unwind.fdeCount);
  const fde = new Float64Array(unwind.fdeCount);
  let count = 0;
  for (const { input, record, offset, size, cieOffset, encoding } of unwind.records) {
    const from = unwind.inputs[input];
    const file = link.files[link.sections.file[from?.section ?? -1] ?? -1];
    if (from === undefined || file === undefined) continue;
    const { records, relocations } = from;
    const first = records.offset[record] as number;
    copyRange(from.bytes, first, records.size[record] as number, bytes, offset);
    view.setUint32(offset, size - 4, true);
    if (cieOffset >= 0) view.setUint32(offset + 4, offset + 4 - cieOffset, true);
    applyLoaded(context, {
      file,
      section: from.section,
      relocations,
      first: cieOffset < 0 ? (records.firstRelocation[record] as number) : firstOfContent(from, record),
      end: records.firstRelocation[record + 1] as number,
      bytes,
      view,
      start: offset,
      size,
      address: start + offset,
      from: first,
      packable: false,
    });
    if (cieOffset < 0) continue;
    fde[count] = start + offset;
    code[count] = codeOfFde(bytes, view, offset + 8, encoding, start);
    count++;
  }
  return { count, code, fde };
}

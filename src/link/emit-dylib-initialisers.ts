// Initialisers of a Mach-O library as distances from the file's start (S_INIT_FUNC_OFFSETS): 4 bytes each in pages that are
// never written, for 8 that the loader fills. Apple's <mach-o/loader.h>.
import { IpbpError } from '../codes/error.js';
import * as macho from '../formats/macho/constants.js';
import { isMachoFile } from '../formats/macho/read.js';
import type { Relocation } from '../formats/object-file.js';
import { addressOf } from './emit-dylib-unwind.js';
import { TO_DYNAMIC } from './shared/bindings.js';
import { placeIn, report, type TakenFile } from './shared/link-state.js';
import type { Scanning } from './shared/scan.js';
import { addMadeSection, SECTION_CONSUMED, SECTION_KEPT } from './shared/sections.js';
import { STATE_COMMON } from './shared/symbols.js';
import type { PlacedLink } from './shared/veneers.js';

/** Segment and section. */
export const INIT_OFFSETS = '__TEXT,__init_offsets';
const ENTRY_SIZE = 4;

/** What is run when the library is loaded, in this order. */
export interface Initialisers {
  /** Number of the made section; −1 without any. */
  readonly section: number;
  readonly entries: readonly { readonly file: TakenFile; readonly relocation: Relocation }[];
}

/** Takes the pointers of all objects out of the link, once it is known what lives. */
export function takeInitialisers({ link, bound }: Scanning): Initialisers {
  const { sections } = link;
  const entries: { file: TakenFile; relocation: Relocation }[] = [];
  for (const taken of link.files) {
    const { file, base } = taken;
    if (!isMachoFile(file)) continue;
    const pointers = file.macho.headers.sections
      .filter(({ type }) => type === macho.S_MOD_INIT_FUNC_POINTERS)
      .map(({ segment, name }) => `${segment},${name}`);
    if (pointers.length === 0) continue;
    for (const { name, index } of file.sections) {
      const number = base + index;
      if (!pointers.includes(name) || sections.fate[number] !== SECTION_KEPT) continue;
      for (const relocation of file.relocations(index)) {
        const global = taken.globals[relocation.symbol] as number;
        if (global >= 0 && (link.symbols.state[global] as number) < STATE_COMMON && bound[global] === TO_DYNAMIC) {
          const where = placeIn(link, number, relocation.offset);
          report(link, new IpbpError('IPBP2035', 'an initialiser is a function of another library', { where }));
        }
        entries.push({ file: taken, relocation });
      }
      sections.fate[number] = SECTION_CONSUMED;
    }
  }
  if (entries.length === 0) return { section: -1, entries };
  const facts = { name: INIT_OFFSETS, align: ENTRY_SIZE, size: entries.length * ENTRY_SIZE };
  return { section: addMadeSection(sections, facts), entries };
}

/** Writes the made section's bytes. */
export function writeInitialisers({ entries }: Initialisers, placed: PlacedLink, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  entries.forEach(({ file, relocation }, index) => {
    view.setUint32(index * ENTRY_SIZE, addressOf(placed, file, relocation), true);
  });
}

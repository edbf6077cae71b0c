// Pass, for formats without groups: of weak definitions of one name one was taken; a section of which all definitions lost
// is left out. Who refers to it by a place in it, not by name, means the same place of what was taken.
import { BINDING_LOCAL } from '../../formats/columns.js';
import type { Link, TakenFile } from './link-state.js';
import { SECTION_DUPLICATE, SECTION_KEPT } from './sections.js';

/** Leaves out what lost, and notes what stands for it. */
export function dropCopies(link: Link): void {
  if (!link.target.symbols.coalesces) return;
  for (const file of link.files) dropCopiesOf(link, file);
}

function dropCopiesOf(link: Link, { number, columns, globals, base }: TakenFile): void {
  const { sections, symbols, copies } = link;
  /** Section → row of a definition that lost. */
  const lost = new Map<number, number>();
  const won = new Set<number>();
  for (let row = columns.firstGlobal; row < columns.count; row++) {
    const section = columns.section[row] as number;
    const symbol = globals[row] as number;
    if (section < 0 || symbol < 0 || columns.binding[row] === BINDING_LOCAL) continue;
    if (symbols.file[symbol] === number && symbols.row[symbol] === row) won.add(section);
    else if (!lost.has(section)) lost.set(section, row);
  }
  for (const [section, row] of lost) {
    if (won.has(section) || sections.fate[base + section] !== SECTION_KEPT) continue;
    sections.fate[base + section] = SECTION_DUPLICATE;
    copies.set(base + section, { symbol: globals[row] as number, offset: columns.value[row] as number });
  }
}

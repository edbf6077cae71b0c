// The model's sections of a Mach-O file: pieces of the file's sections (subsections.ts). Each looks its facts up when it is
// asked, as a file has tens of thousands.
import type { Section, SectionKind } from '../object-file.js';
import * as macho from './constants.js';
import { isZeroFill, type MachoSection } from './header.js';
import { entrySize, isCode, isLiteral, sectionKind, sectionName } from './section-kinds.js';
import type { Pieces } from './subsections.js';

/** What all pieces of one section have in common. */
interface Facts {
  readonly section: MachoSection;
  readonly name: string;
  readonly kind: SectionKind;
  readonly entrySize: number;
  readonly pieces: Pieces;
  readonly linked: boolean;
}

class MachoPiece implements Section {
  readonly #facts: Facts;

  constructor(
    facts: Facts,
    readonly index: number,
  ) {
    this.#facts = facts;
  }

  get group(): null {
    return null;
  }

  get packing(): null {
    return null;
  }

  get describes(): null {
    return null;
  }

  get name(): string {
    return this.#facts.name;
  }

  nameBegins(text: string): boolean {
    return this.#facts.name.startsWith(text);
  }

  get kind(): SectionKind {
    return this.#facts.kind;
  }

  get alloc(): boolean {
    const { kind, section } = this.#facts;
    return kind !== 'debug' && kind !== 'other' && section.segment !== '__LD';
  }

  get writable(): boolean {
    return this.alloc && this.#facts.section.segment !== '__TEXT';
  }

  get executable(): boolean {
    return isCode(this.#facts.section.attributes);
  }

  get mergeable(): boolean {
    return !this.#facts.linked && isLiteral(this.#facts.section.type);
  }

  get strings(): boolean {
    return this.#facts.section.type === macho.S_CSTRING_LITERALS;
  }

  get entrySize(): number {
    return this.#facts.entrySize;
  }

  get address(): number {
    return this.#facts.linked ? this.#facts.section.address : 0;
  }

  get offset(): number {
    const { section } = this.#facts;
    return isZeroFill(section.type)
      ? section.offset
      : section.offset + (this.#facts.pieces.start[this.index] as number);
  }

  get size(): number {
    return this.#facts.pieces.size[this.index] as number;
  }

  get fileSize(): number {
    return isZeroFill(this.#facts.section.type) ? 0 : this.size;
  }

  /** The largest that is true of where it lies in its section. */
  get align(): number {
    let { align } = this.#facts.section;
    const start = this.#facts.pieces.start[this.index] as number;
    while (start % align !== 0) align /= 2;
    return align;
  }

  /** Literals are as long as they say themselves. */
  get padded(): boolean {
    return !this.#facts.linked && this.#facts.entrySize === 0;
  }

  get retain(): boolean {
    const { attributes } = this.#facts.section;
    return (attributes & macho.S_ATTR_NO_DEAD_STRIP) !== 0 || this.#facts.pieces.retain[this.index] === 1;
  }

  get consumed(): boolean {
    const { segment } = this.#facts.section;
    return segment === '__LD' || segment === '__LLVM';
  }
}

/** The model's sections, by the index of their piece. */
export function makeSections(sections: readonly MachoSection[], pieces: Pieces, linked: boolean): Section[] {
  const facts = sections.map((section): Facts => {
    const size = section.type === macho.S_CSTRING_LITERALS ? 1 : (entrySize(section) ?? 0);
    const [name, kind] = [sectionName(section), sectionKind(section)];
    return { section, name, kind, entrySize: size, pieces, linked };
  });
  const made: Section[] = [];
  for (let index = 0; index < pieces.count; index++) {
    made.push(new MachoPiece(facts[pieces.section[index] as number] as Facts, index));
  }
  return made;
}

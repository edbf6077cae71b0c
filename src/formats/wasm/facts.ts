// What a file says of itself, section by section, each decoded when it is first asked for and kept.
import { once } from '../once.js';
import { openWindows, wholeSource, type Windows } from '../../bytes/source.js';
import * as wasm from './constants.js';
import { decodeSection } from './decode-sections.js';
import { readLinking, type LinkingPart } from './linking.js';
import type {
  Body,
  DataSegment,
  ElementSegment,
  ExternKind,
  Import,
  ModuleSection,
  SectionContent,
  SectionId,
} from './module.js';
import { readNames, type NamePart } from './names.js';
import { readDynamicLinking, readProducers, readTargetFeatures } from './producers.js';
import type { DynamicLinking, Producer, TargetFeature } from './producers.js';
import { readRelocationSection, type RelocationSection } from './relocations.js';
import { readSections, sectionReader, type FileSection } from './sections.js';
import type { FunctionType, Limits } from './value-types.js';

/** A module or relocatable object. All but `files` may throw IPBP1001, 1002 and 1003 when first asked for. */
export interface WasmFacts {
  /** Where the sections lie, in the order of the file. */
  readonly files: readonly FileSection[];
  /** Section `index` of `files`, decoded. */
  section(index: number): ModuleSection;
  /** All of them, as encodeModule takes them. */
  sections(): readonly ModuleSection[];
  /** The one section of a kind; null where there is none. */
  content<I extends Exclude<SectionId, 'custom'>>(id: I): Extract<SectionContent, { readonly id: I }> | null;
  /** Index in `files` of the one section of a number, or of the first custom one of a name; −1 where there is none. */
  indexOf(id: number, name?: string): number;
  /** The content of the first custom section of a name; null where there is none. */
  custom(name: string): Uint8Array | null;
  types(): readonly FunctionType[];
  imports(kind: ExternKind): readonly Import[];
  /** Of the first memory, whether it is imported or the file's own; null where there is none. */
  memoryLimits(): Limits | null;
  bodies(): readonly Body[];
  dataSegments(): readonly DataSegment[];
  elementSegments(): readonly ElementSegment[];
  /** Index of the type of each function, imported ones first. */
  functionTypes(): readonly number[];
  /** Empty where there is no name section. */
  names(): readonly NamePart[];
  /** Null in files that are linked and say nothing to linkers. */
  linking(): readonly LinkingPart[] | null;
  /** Relocations by index in `files` of the section that they apply to. */
  relocations(): ReadonlyMap<number, readonly RelocationSection[]>;
  producers(): readonly Producer[];
  targetFeatures(): readonly TargetFeature[];
  dynamicLinking(): DynamicLinking | null;
}

/** The same of a file whose bytes are at hand. */
export function factsOf(bytes: Uint8Array, name: string): WasmFacts {
  return openFacts(openWindows(wholeSource(bytes), name));
}

/** Opens a file; where its sections lie is read at once. */
export function openFacts(file: Windows): WasmFacts {
  const files = readSections(file);
  const decoded = files.map((section) => once(() => decodeSection(sectionReader(file, section), section)));
  const indexOf = (id: number, name?: string): number =>
    files.findIndex((section) => section.id === id && (name === undefined || section.name === name));
  const content: WasmFacts['content'] = (id) => {
    const found = decoded[indexOf(wasm.SECTION_NAMES.indexOf(id))]?.();
    // A known section's number says what it holds.
    return (found ?? null) as Extract<SectionContent, { readonly id: typeof id }> | null;
  };
  const custom = <T>(name: string, read: (reader: ReturnType<typeof sectionReader>) => T): (() => T | null) =>
    once(() => {
      const section = files[indexOf(wasm.SECTION_CUSTOM, name)];
      return section === undefined ? null : read(sectionReader(file, section));
    });
  const names = custom('name', readNames);
  const producers = custom('producers', readProducers);
  const targetFeatures = custom('target_features', readTargetFeatures);
  const byKind = new Map<ExternKind, readonly Import[]>();
  // Asked for with every symbol.
  const imports = (kind: ExternKind): readonly Import[] => {
    const known = byKind.get(kind);
    if (known !== undefined) return known;
    const found = content('import')?.imports.filter((one) => one.kind === kind) ?? [];
    byKind.set(kind, found);
    return found;
  };
  return {
    files,
    section: (index) => (decoded[index] ?? noSection(index))(),
    sections: () => decoded.map((section) => section()),
    content,
    indexOf,
    imports,
    custom(name) {
      const section = decoded[indexOf(wasm.SECTION_CUSTOM, name)]?.();
      return section?.id === 'custom' ? section.bytes : null;
    },
    memoryLimits() {
      const [imported] = imports('memory');
      const limits = imported?.kind === 'memory' ? imported.limits : content('memory')?.memories[0];
      return limits ?? null;
    },
    types: () => content('type')?.types ?? [],
    bodies: () => content('code')?.bodies ?? [],
    dataSegments: () => content('data')?.segments ?? [],
    elementSegments: () => content('element')?.segments ?? [],
    functionTypes: once(() => [
      ...imports('function').map((one) => (one.kind === 'function' ? one.type : 0)),
      ...(content('function')?.types ?? []),
    ]),
    names: () => names() ?? [],
    linking: custom('linking', readLinking),
    relocations: once(() => readRelocations(file, files)),
    producers: () => producers() ?? [],
    targetFeatures: () => targetFeatures() ?? [],
    dynamicLinking: custom('dylink.0', readDynamicLinking),
  };
}

function noSection(index: number): never {
  throw new RangeError(`no section ${index}`);
}

function readRelocations(file: Windows, files: readonly FileSection[]): Map<number, RelocationSection[]> {
  const found = new Map<number, RelocationSection[]>();
  for (const section of files) {
    if (section.id !== wasm.SECTION_CUSTOM || !section.name.startsWith('reloc.')) continue;
    const relocations = readRelocationSection(sectionReader(file, section));
    const { target } = relocations;
    if (files[target] === undefined) {
      file.malformed('relocations of a section that is not there', { actual: `${target}` }, section.offset);
    }
    found.set(target, [...(found.get(target) ?? []), relocations]);
  }
  return found;
}

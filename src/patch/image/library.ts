// A patch as a shared library: what the process's loader opens, and the file that is both that and the whole patch. How
// such a file is made is src/link/emit-library.ts's; what the process does with it, transaction.ts's.
import { IpbpError, hex } from '../../codes/error.js';
import { detectFormat } from '../../formats/detect.js';
import type { LinkedInfo, ObjectFile, Segment } from '../../formats/object-file.js';
import { readObjectFile } from '../../formats/read-object.js';
import { emitLibrary, libraryFront } from '../../link/emit-library.js';
import type { LinkedImage } from '../../link/linked-image.js';
import { PATCH_SECTION, isPatchSection } from '../../link/names.js';
import { machineFor } from '../../reloc/machines.js';
import type { ImageSegment, PatchImage } from './image.js';
import { decodePatchFile, encodePatchFile, isPatchFile, type PatchFile } from './image-file.js';

/** What the program is: its libraries are alike. */
export interface LibraryTarget extends Pick<ObjectFile, 'format' | 'machine'> {
  readonly linked?: Pick<LinkedInfo, 'platform'> | null;
  /** Where the object lies that messages call so; null where it lies nowhere that lasts as long as the patch. */
  objectPath?(name: string): string | null;
}

/** Is this part of the patch in its library? */
export function isInside({ library }: Pick<PatchImage, 'library'>, address: number): boolean {
  return library !== null && address >= library.at && address < library.at + library.size;
}

/**
 * All of a linked image stands for one library, with what the format has in front of it; null where there is nothing that
 * has to be code or data.
 * @throws IpbpError IPBP2005 when that would lie below `bottom`
 */
export function libraryRange(
  linked: LinkedImage,
  { format, machine }: LibraryTarget,
  bottom: number,
): PatchImage['library'] {
  const [first] = linked.segments;
  const last = linked.segments.at(-1);
  if (first === undefined || last === undefined) return null;
  const content = { machine, words: [], functions: [], sources: [], platform: null };
  const at = first.address - libraryFront(format, { ...linked, ...content });
  if (at < bottom) {
    throw new IpbpError('IPBP2005', 'the memory reserved for patches is used up', {
      expected: `addresses from ${hex(bottom)} on`,
      actual: hex(at),
    });
  }
  return { at, size: last.address + last.size - at };
}

/** Whole pages, one behind the other, in the library's range: what a file says need not be so. */
function checkPlaces(
  image: PatchImage,
  { at, size }: { readonly at: number; readonly size: number },
  { format, machine }: LibraryTarget,
): void {
  const { pageSize } = machineFor(format, machine, 'patch');
  let end = at;
  const wrong = (place: number): never => {
    throw new IpbpError('IPBP1011', 'the patch does not fit its library', {
      expected: `whole pages from ${hex(at)} to ${hex(at + size)}, rising`,
      actual: `something at ${hex(place)}`,
    });
  };
  if (at % pageSize !== 0 || size % pageSize !== 0) wrong(at);
  for (const segment of image.segments.filter(({ address }) => isInside(image, address))) {
    const whole = segment.address % pageSize === 0 && segment.size % pageSize === 0;
    if (!whole || segment.address < end || segment.bytes.length > segment.size) wrong(segment.address);
    end = segment.address + segment.size;
  }
  if (end > at + size) wrong(end);
}

/** The library; with its description it is a file that {@link readPatch} reads. Needs a patch that has a library. */
function emitted(image: PatchImage, target: LibraryTarget, description: Uint8Array | null): Uint8Array {
  const { library } = image;
  if (library === null) throw new Error('internal: a patch without a library');
  checkPlaces(image, library, target);
  const words = [...image.rebases, ...image.imports, ...image.tlsWords].map(({ at }) => at);
  const symbols = image.symbols.filter(({ kind }) => kind === 'function');
  const segments = image.segments.filter(({ address }) => isInside(image, address));
  const content = {
    machine: target.machine,
    segments,
    words,
    unwind: image.unwind,
    unwindEntries: image.unwindEntries,
    threadLocals: image.threadLocals,
    functions: [...image.bodies, ...symbols].filter(({ address }) => isInside(image, address)),
    sources: image.sources.flatMap(({ object, functions }) => {
      const path = target.objectPath?.(object) ?? null;
      return path === null ? [] : { object: path, functions };
    }),
    platform: target.linked?.platform ?? null,
  };
  return emitLibrary(target.format, { ...content, ...library, description });
}

const libraries = new WeakMap<PatchImage, Uint8Array>();

/** What the process is to open. Made once per image. */
export function libraryOf(image: PatchImage, target: LibraryTarget): Uint8Array {
  const made = libraries.get(image) ?? emitted(image, target, null);
  libraries.set(image, made);
  return made;
}

function withSegments(image: PatchImage, bytesOf: (segment: ImageSegment) => Uint8Array): PatchImage {
  const segments = image.segments.map((segment) =>
    isInside(image, segment.address) ? { ...segment, bytes: bytesOf(segment) } : segment,
  );
  return { ...image, segments };
}

/** A patch that has a library as a file: that library, with all else in a section that is not loaded. */
export function encodePatchLibrary(image: PatchImage, target: LibraryTarget): PatchFile {
  const { bytes: description } = encodePatchFile(withSegments(image, () => new Uint8Array(0)));
  return { bytes: emitted(image, target, description), digest: encodePatchFile(image).digest };
}

function sectionNamed(bytes: Uint8Array, name: string): { readonly file: ObjectFile; readonly content: Uint8Array } {
  const file = readObjectFile(bytes, name);
  const section = file.sections.find(({ name: called }) => isPatchSection(called));
  if (section === undefined) {
    throw new IpbpError('IPBP1010', 'this is no patch file', { expected: `a section ${PATCH_SECTION}`, where: name });
  }
  return { file, content: file.sectionBytes(section.index) };
}

/** Bytes of a segment up to where its last section ends: behind it the file may be filled up to a whole page. */
function contentOf({ sections }: ObjectFile, segment: Segment): number {
  const end = segment.offset + segment.fileSize;
  return sections.reduce((most, { offset, fileSize }) => {
    const inside = fileSize > 0 && offset >= segment.offset && offset < end;
    return inside ? Math.max(most, offset + fileSize - segment.offset) : most;
  }, 0);
}

/**
 * Decodes a patch file of either form.
 * @throws IpbpError IPBP1001, IPBP1002, IPBP1003, IPBP1010, IPBP1011
 */
export function readPatch(
  bytes: Uint8Array,
  name: string,
): { readonly image: PatchImage; readonly digest: Uint8Array } {
  if (isPatchFile(bytes) || detectFormat(bytes) === null) return decodePatchFile(bytes, name);
  const { file, content } = sectionNamed(bytes, name);
  const described = decodePatchFile(content, name).image;
  const image = withSegments(described, ({ address, size }) => {
    const at = address - (described.library?.at ?? 0);
    const loaded = file.linked?.segments.find((one) => one.address === at);
    const length = loaded === undefined ? NaN : contentOf(file, loaded);
    if (loaded === undefined || !(length <= Math.min(size, loaded.fileSize))) {
      throw new IpbpError('IPBP1011', 'the patch file is damaged', { expected: `a segment at ${at}`, where: name });
    }
    return file.range(loaded.offset, length);
  });
  return { image, digest: encodePatchFile(image).digest };
}

/** True for files that {@link readPatch} decodes. */
export function isPatch(bytes: Uint8Array, name: string): boolean {
  if (isPatchFile(bytes)) return true;
  try {
    return readObjectFile(bytes, name).sections.some((section) => isPatchSection(section.name));
  } catch (error) {
    if (error instanceof IpbpError) return false;
    throw error;
  }
}

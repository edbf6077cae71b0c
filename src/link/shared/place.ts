// Pass: gives output sections their addresses and their places in the file. Regions of unlike protection lie in different
// pages; the file holds them one behind the other, so that address and offset agree in what is below a page.
import { alignUp } from '../../bytes/align.js';
import { LIMITS } from '../../bytes/limits.js';
import { IpbpError, hex } from '../../codes/error.js';
import type { Link } from './link-state.js';
import type { OutputSection, Region } from './output-section.js';

/** A range that the loader maps. */
export interface Segment {
  readonly region: Region;
  readonly address: number;
  readonly offset: number;
  readonly fileSize: number;
  memorySize: number;
}

/** The thread-local template. */
export interface TemplatePlace {
  readonly address: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

export interface Layout {
  readonly segments: readonly Segment[];
  readonly template: TemplatePlace | null;
  readonly pageSize: number;
  /** First address behind all that is loaded. */
  readonly end: number;
  /** Behind all that has bytes in the file. */
  readonly fileEnd: number;
}

/** Output sections that are loaded together. */
export interface ImagePart {
  readonly region: Region;
  readonly members: readonly OutputSection[];
  /** Where it has to begin; null for behind the part before. */
  readonly wanted: number | null;
}

/**
 * The parts of the image in the order of their addresses. An address for the text cuts its region in two: what comes before it
 * stays where it is without, as ld and mold have it.
 */
export function imageParts(link: Link, outputs: readonly OutputSection[]): ImagePart[] {
  const { textAddress } = link.options;
  const { regions, textName } = link.target.layout;
  const all = new Set([...regions, ...outputs.map(({ region }) => region)]);
  all.delete('none');
  return [...all].flatMap((region) => {
    const members = outputs.filter((output) => output.region === region);
    const text = textAddress === null ? -1 : members.findIndex(({ name }) => name === textName);
    const before = { region, members: text < 0 ? members : members.slice(0, text), wanted: null };
    const parts = text < 0 ? [before] : [before, { region, members: members.slice(text), wanted: textAddress }];
    // The headers are in the first.
    return parts.filter((part) => part.members.length > 0 || region === regions[0]);
  });
}

/** Room above it for what is rounded up to pages. */
const FARTHEST = 2 ** 52;

/** Places everything; the image starts at address 0 with `headerSize` bytes of headers. */
export function placeOutputs(link: Link, outputs: readonly OutputSection[], headerSize: number): Layout {
  const { options, machine, sections, target } = link;
  const pageSize = options.maxPageSize ?? machine.shared.maxPageSize;
  const segments: Segment[] = [];
  let address = headerSize;
  let offset = headerSize;
  for (const { region, members, wanted } of imageParts(link, outputs)) {
    const first = segments.length === 0;
    if (!first) {
      if (target.layout.wholePages) offset = alignUp(offset, pageSize);
      const free = alignUp(address, pageSize);
      if (wanted !== null) {
        checkTextAddress(wanted, free);
        // What the loader maps with the part's first page must be in the file where the address says.
        offset += (((wanted - offset) % pageSize) + pageSize) % pageSize;
        address = wanted;
      } else address = free + (offset % pageSize);
    }
    const start = first ? 0 : address;
    const startOffset = first ? 0 : offset;
    let memoryEnd = address;
    for (const output of members) {
      const at = alignUp(memoryEnd, output.align);
      output.address = at;
      output.offset = startOffset + at - start;
      if (output.kind === 'tls-zero' && !target.layout.templateTakesRoom) continue;
      memoryEnd = at + output.size;
      if (!output.zero) offset = output.offset + output.size;
    }
    if (!target.layout.templateTakesRoom) placeTemplateEnd(members);
    address = memoryEnd;
    if (target.layout.wholePages) offset = alignUp(offset, pageSize);
    segments.push({
      region,
      address: start,
      offset: startOffset,
      fileSize: Math.max(offset, startOffset) - startOffset,
      memorySize: memoryEnd - start,
    });
    if (target.layout.fillsPages(region, options.relro)) {
      // The rest of the last page is nobody's.
      const padded = alignUp(memoryEnd, pageSize);
      (segments.at(-1) as Segment).memorySize = padded - start;
      address = padded;
    }
  }
  const end = address;
  for (const output of outputs) {
    if (output.region !== 'none') continue;
    offset = alignUp(offset, output.align);
    output.offset = offset;
    output.address = 0;
    offset += output.size;
  }
  checkFileSize(link, outputs, offset);
  checkReach(outputs);
  for (const output of outputs) {
    for (const member of output.members) {
      sections.address[member] = output.alloc ? output.address + (sections.offset[member] as number) : 0;
    }
  }
  return { segments, template: templateOf(outputs), pageSize, end, fileEnd: offset };
}

function checkTextAddress(wanted: number, free: number): void {
  if (wanted >= free) return;
  throw new IpbpError('IPBP2002', 'the address of the text is taken by what comes before it', {
    expected: `at least ${hex(free)}`,
    actual: hex(wanted),
    where: '-Ttext',
  });
}

/** An alignment is a number in an input that costs what it says: at most what {@link LIMITS} has for a link. */
function checkFileSize({ sections }: Link, outputs: readonly OutputSection[], fileEnd: number): void {
  let held = 0;
  for (const { zero, members } of outputs) {
    if (!zero) for (const member of members) held += sections.size[member] as number;
  }
  // So in nearly every link. What was read is asked of every section: that costs.
  if (fileEnd - held <= LIMITS.linkedPadding) return;
  const read = sections.section.reduce((sum, { packing, size, fileSize }) => sum + (packing ? size : fileSize), 0);
  const most = LIMITS.linkedTimes * read + LIMITS.linkedPadding;
  if (fileEnd <= most) return;
  const widest = outputs.reduce((one, other) => (other.align > one.align ? other : one));
  throw new IpbpError('IPBP2035', 'the alignment of a section makes the file larger than is linked', {
    expected: `at most ${most} bytes from ${read}`,
    actual: `${fileEnd} bytes`,
    where: `${widest.name}, aligned to ${hex(widest.align)}`,
  });
}

/** Zero-filled sections take no bytes, and may say any size: addresses are exact up to 2^53. */
function checkReach(outputs: readonly OutputSection[]): void {
  for (const { name, address, size } of outputs) {
    if (address + size <= FARTHEST) continue;
    throw new IpbpError('IPBP2035', 'a section makes the image larger than is linked', {
      expected: `at most ${hex(FARTHEST)}`,
      actual: `an end at ${hex(address + size)}`,
      where: name,
    });
  }
}

/** Zero-filled thread-locals follow one another, although none takes room in the image. */
function placeTemplateEnd(members: readonly OutputSection[]): void {
  let end = 0;
  for (const output of members) {
    if (output.kind === 'tls-zero') {
      const at = alignUp(Math.max(end, output.address), output.align);
      output.offset += at - output.address;
      output.address = at;
      end = at + output.size;
    }
  }
}

function templateOf(outputs: readonly OutputSection[]): TemplatePlace | null {
  const parts = outputs.filter(({ kind }) => kind === 'tls-data' || kind === 'tls-zero');
  const [first] = parts;
  if (first === undefined) return null;
  const align = Math.max(...parts.map((part) => part.align));
  let fileEnd = first.address;
  let end = first.address;
  for (const part of parts) {
    end = Math.max(end, part.address + part.size);
    if (part.kind === 'tls-data') fileEnd = Math.max(fileEnd, part.address + part.size);
  }
  const { address, offset } = first;
  return { address, offset, fileSize: fileEnd - address, memorySize: end - address, align };
}

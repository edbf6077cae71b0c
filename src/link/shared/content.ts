// What a section of an object holds, unpacked where it is packed. How that is done comes with the link's options.
import { IpbpError } from '../../codes/error.js';
import type { ObjectFile, Section } from '../../formats/object-file.js';
import type { SharedOptions } from './options.js';

/** Is the content to be had with these options? */
export function isReadable({ packing }: Section, { unpack }: SharedOptions): boolean {
  return packing === null || (packing.method !== null && unpack[packing.method] !== undefined);
}

/**
 * The content of a section that is readable.
 * @throws IpbpError IPBP1002 when what is packed does not unpack to what the section says
 */
export function contentOf(file: ObjectFile, section: Section, { unpack }: SharedOptions): Uint8Array {
  const bytes = file.sectionBytes(section.index);
  const { packing, size } = section;
  if (packing === null) return bytes;
  const unpacker = packing.method === null ? undefined : unpack[packing.method];
  if (unpacker === undefined) throw new Error('internal: a packed section is part of a link that cannot unpack it');
  let cause: unknown;
  try {
    const content = unpacker(bytes.subarray(packing.start), size);
    if (content.length === size) return content;
  } catch (error) {
    cause = error;
  }
  throw new IpbpError('IPBP1002', 'a packed section does not unpack', {
    expected: `${size} bytes by ${packing.method}`,
    where: `${file.name}: ${section.name}`,
    cause,
  });
}

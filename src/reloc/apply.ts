// The one place where a computed value is checked and written into a field.
import { IpbpError, hex } from '../codes/error.js';
import type { Field } from './fixup.js';

/** For messages: what is being written and where. */
export interface FixupPlace {
  readonly what: string;
  readonly where: string;
}

/**
 * Writes `value` into a field at `offset`.
 * @throws IpbpError IPBP2002 when the value does not fit or is no multiple of what the field asks for, IPBP2004 when the
 * field lies outside the bytes or in an instruction that has none.
 */
export function applyField(given: Field, bytes: Uint8Array, offset: number, value: number, place: FixupPlace): void {
  if (offset < 0 || offset + given.size > bytes.length) {
    throw new IpbpError('IPBP2004', `${place.what} lies outside its atom`, {
      expected: `an offset below ${hex(bytes.length - given.size)}`,
      actual: hex(offset),
      where: place.where,
    });
  }
  const field = given.chosenBy === null ? given : given.chosenBy(bytes, offset);
  if (field === null) {
    throw new IpbpError('IPBP2004', `${place.what} stands in an instruction that has no such field`, {
      expected: given.name,
      actual: [...bytes.subarray(offset, offset + given.size)].map((byte) => hex(byte)).join(' '),
      where: place.where,
    });
  }
  if (!Number.isSafeInteger(value) || value < field.min || value > field.max) {
    throw new IpbpError('IPBP2002', `${place.what} is out of range`, {
      expected: `${hex(field.min)} to ${hex(field.max)} (${field.name})`,
      actual: hex(value),
      where: place.where,
    });
  }
  if (value % field.multiple !== 0) {
    throw new IpbpError('IPBP2002', `${place.what} is not aligned`, {
      expected: `a multiple of ${field.multiple} (${field.name})`,
      actual: hex(value),
      where: place.where,
    });
  }
  field.encode(bytes, offset, value);
}

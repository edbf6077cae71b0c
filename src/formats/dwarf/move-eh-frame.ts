// Moves a block of frame records within its file: what its pointers count from moves with it. LSB Core 5.0 §10.6.1.
import { ByteReader } from '../../bytes/reader.js';
import { IpbpError, hex } from '../../codes/error.js';
import { splitEhFrame } from './eh-frame.js';
import {
  DW_EH_PE_absptr,
  DW_EH_PE_omit,
  DW_EH_PE_pcrel,
  DW_EH_PE_sdata4,
  DW_EH_PE_sdata8,
  DW_EH_PE_udata8,
  readEncoded,
} from './pointer-encoding.js';

/**
 * The records of a linked file, from an address to another; what they refer to stays where it is.
 * @throws IpbpError IPBP1001, IPBP1002 for broken records; IPBP2002 where a distance does not fit its field any more
 */
export function movedEhFrame(records: Uint8Array, from: number, to: number, where: string): Uint8Array<ArrayBuffer> {
  const moved = new Uint8Array(records);
  const { cies, fdes } = splitEhFrame(moved, [], where);
  const reader = new ByteReader(moved, where);
  const view = new DataView(moved.buffer);
  const move = (offset: number, encoding: number): void => {
    if (encoding === DW_EH_PE_omit || Math.floor(encoding / DW_EH_PE_pcrel) % 8 !== 1) return;
    const value = readEncoded(reader.seek(offset), encoding);
    // None, whatever it would count from.
    if (value === 0) return;
    const distance = value + from - to;
    switch (encoding % 16) {
      case DW_EH_PE_absptr:
      case DW_EH_PE_udata8:
      case DW_EH_PE_sdata8:
        view.setBigInt64(offset, BigInt(distance), true);
        return;
      case DW_EH_PE_sdata4:
        if (distance !== Math.min(Math.max(distance, -0x8000_0000), 0x7fff_ffff)) tooFar(distance, offset, where);
        view.setInt32(offset, distance, true);
        return;
      default:
        reader.malformed('a frame record cannot be moved', { actual: `pointers of form ${hex(encoding)}` }, offset);
    }
  };
  for (const { personality } of cies) if (personality !== null) move(personality.offset, personality.encoding);
  for (const { cie, pcBegin, lsda } of fdes) {
    const { fdeEncoding = DW_EH_PE_omit, lsdaEncoding = DW_EH_PE_omit } = cies[cie] ?? {};
    move(pcBegin.offset, fdeEncoding);
    if (lsda !== null) move(lsda.offset, lsdaEncoding);
  }
  return moved;
}

function tooFar(distance: number, offset: number, where: string): never {
  throw new IpbpError('IPBP2002', 'code is too far from its frame record', {
    expected: 'less than 2 GiB',
    actual: hex(distance),
    where: `${where}, offset ${hex(offset)}`,
  });
}

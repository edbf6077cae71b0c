// .eh_frame_hdr: by which function's address unwinders find an FDE (LSB Core 5.0 §10.6.2). Its counterparts that read
// .eh_frame are eh-frame.ts and frame-rules.ts.
import { ByteWriter } from '../../bytes/writer.js';
import { IpbpError, hex } from '../../codes/error.js';

// DWARF pointer encodings (LSB Core 5.0 §10.5.1).
const PCREL_SDATA4 = 0x1b;
const UDATA4 = 0x03;
const DATAREL_SDATA4 = 0x3b;

/** FDEs as columns: where the code starts that each describes, and where each lies. Addresses. */
export interface FdeColumns {
  readonly count: number;
  readonly code: Float64Array;
  readonly fde: Float64Array;
}

/** The header's size for so many FDEs, in bytes. */
export function ehFrameHeaderSize(count: number): number {
  return 12 + count * 8;
}

/**
 * The header at `address`, of the .eh_frame at `frame`. Any order; the table is sorted.
 * @throws IpbpError IPBP2002 where a distance does not fit its 32 bits.
 */
export function encodeEhFrameHeader(address: number, frame: number, fdes: FdeColumns): Uint8Array<ArrayBuffer> {
  const { count, code, fde } = fdes;
  const order = new Uint32Array(count);
  for (let row = 0; row < count; row++) order[row] = row;
  order.sort((a, b) => (code[a] as number) - (code[b] as number) || a - b);
  const header = new ByteWriter(ehFrameHeaderSize(count));
  header.u8(1).u8(PCREL_SDATA4).u8(UDATA4).u8(DATAREL_SDATA4);
  header.i32(distance(frame, address + 4)).u32(count);
  for (const row of order) {
    header.i32(distance(code[row] as number, address)).i32(distance(fde[row] as number, address));
  }
  return header.finish();
}

function distance(to: number, from: number): number {
  const value = to - from;
  if (value >= -0x8000_0000 && value <= 0x7fff_ffff) return value;
  throw new IpbpError('IPBP2002', 'code is too far from the table of its unwind information', {
    expected: 'less than 2 GiB',
    actual: `${hex(to)} from ${hex(from)}`,
    where: `address ${hex(from)}`,
  });
}

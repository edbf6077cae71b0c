// A patch image as the agent's operations. The modules that the image names are looked up among those of the process:
// by identity, never by path.
import { IpbpError } from '../../codes/error.js';
import { isInside, libraryOf, type LibraryTarget } from './library.js';
import { identityText, sameIdentity } from '../program/base-program.js';
import type { InitialWord } from '../program/remembered-images.js';
import type { AgentOp, ProgramInfo } from '../wire/frames.js';
import type { PatchImage, Redirection } from './image.js';

/** Index in the process of each module that the image names. */
function moduleIndices(image: PatchImage, info: ProgramInfo): number[] {
  return image.modules.map((wanted, i) => {
    // Module 0 is the program itself: a library of the same identity would be a different place.
    const index = i === 0 ? 0 : info.modules.findIndex((module) => sameIdentity(wanted, module.identity));
    const found = info.modules[index];
    if (found !== undefined && sameIdentity(wanted, found.identity)) return index;
    throw new IpbpError('IPBP3010', 'the patch is for another build', {
      expected: `${wanted.name} with ${identityText(wanted)}`,
      actual:
        found === undefined ? 'no such module in the process' : identityText({ name: found.path, ...found.identity }),
    });
  });
}

function redirectOps({ cells, slots }: Redirection, indices: readonly number[]): AgentOp[] {
  return [
    ...cells.map((cell): AgentOp => ({ op: 'cell', ...cell, module: indices[cell.module] ?? 0 })),
    ...slots.map((slot): AgentOp => ({ op: 'slot', ...slot, module: indices[slot.module] ?? 0 })),
  ];
}

/**
 * The operations that make an image live in one process.
 * @param target what the program is
 * @param renewed words to be put back once the program has another library
 * @throws IpbpError IPBP3010 when the process runs another build, IPBP2005 when its reservation is too small.
 */
export function transactionOf(
  image: PatchImage,
  info: ProgramInfo,
  target: LibraryTarget,
  renewed: readonly InitialWord[] = [],
): AgentOp[] {
  const indices = moduleIndices(image, info);
  const kept = [info.reservation, info.beside];
  const ops: AgentOp[] = [];
  for (const segment of image.segments) {
    const end = segment.address + segment.size;
    if (!kept.some(({ at, size }) => segment.address >= at && end <= at + size)) {
      throw new IpbpError('IPBP2005', 'the process has no room where the patch belongs', {
        expected: `pages at ${segment.address} from the program's base`,
        actual: kept.map(({ at, size }) => `${size} bytes at ${at}`).join(', '),
      });
    }
    if (isInside(image, segment.address)) continue;
    ops.push({ op: 'map', at: segment.address, length: segment.size });
    if (segment.bytes.length > 0) ops.push({ op: 'write', at: segment.address, bytes: segment.bytes });
  }
  const { library } = image;
  if (library !== null) {
    ops.push({ op: 'library', at: library.at, length: library.size, bytes: libraryOf(image, target) });
  }
  for (const check of image.checks) ops.push({ op: 'check', ...check, module: indices[check.module] ?? 0 });
  for (const rebase of image.rebases) ops.push({ op: 'word', ...rebase, module: indices[rebase.module] ?? 0 });
  for (const word of image.tlsWords) ops.push({ op: 'tls', ...word });
  for (const item of image.imports) ops.push({ op: 'import', ...item });
  for (const init of image.tlsInit) ops.push({ op: 'tls-init', ...init });
  for (const { address, size, protection } of image.segments) {
    // The loader has mapped a library's code as code, and its data as data.
    if (isInside(image, address) && protection !== 'r') continue;
    ops.push({ op: 'protect', at: address, length: size, protection });
  }
  // A library's frame records are found as every library's.
  if (image.unwind !== null && library === null) ops.push({ op: 'unwind', at: image.unwind });
  ops.push(...redirectOps(image, indices));
  for (const at of image.init) ops.push({ op: 'init', at });
  if (library !== null) ops.push(...renewed.map((one): AgentOp => ({ op: 'renew', module: 0, ...one })));
  return ops;
}

/** A step of the program's history: what to send, and which patch it is about. */
export interface HistoryStep {
  readonly image: PatchImage;
  /** Made when they are asked for: not every program is told operations. */
  readonly ops: readonly AgentOp[];
}

/** The step of an undo or redo: what is redirected only. */
export function historyStep(image: PatchImage, redirection: Redirection, info: () => ProgramInfo): HistoryStep {
  return {
    image,
    get ops() {
      return redirectOps(redirection, moduleIndices(image, info()));
    },
  };
}

// What only linked files have: segments, the file's identity, the libraries it needs, what others can see of it. Apple's
// <mach-o/loader.h>.
import type { Windows } from '../../bytes/source.js';
import { symbolsOf } from '../column-symbols.js';
import type { SymbolColumns } from '../columns.js';
import type { LinkedInfo, Segment } from '../object-file.js';
import * as commands from './commands.js';
import * as macho from './constants.js';
import { dynamicSymbols } from './dynamic-symbols.js';
import type { TrieExport } from './encode-export-trie.js';
import { readExportTrie } from './export-trie.js';
import { readFunctionStarts } from './function-starts.js';
import type { MachoHeaders, MachoSegment } from './header.js';
import { openSizes, type SizeAt } from './linked-sizes.js';
import { once } from '../once.js';
import { openSectionsByAddress } from './sections-by-address.js';
import type { NlistTable } from './symbol-table.js';

const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXECUTE = 4;
/** Pages as the loader maps them. */
const PAGE = { x86_64: 0x1000, arm64: 0x4000 } as const;

/** `LinkedInfo` and what else is asked of linked files. */
export interface LinkedParts {
  readonly info: LinkedInfo;
  readonly base: number;
  /** Addresses at which functions begin, rising; empty where the file does not say it. */
  readonly functionStarts: () => readonly number[];
  /** What the export trie holds; null where there is none. */
  readonly exports: () => readonly TrieExport[] | null;
  readonly sizeAt: () => SizeAt;
}

/** Reads what load commands say, and what they lead to at first use. */
export function readLinked(file: Windows, headers: MachoHeaders, table: () => NlistTable): LinkedParts {
  const base = headers.segments.find(({ offset, fileSize }) => offset === 0 && fileSize > 0)?.address ?? 0;
  const functionStarts = once(() => {
    const reader = commands.functionStartsOf(file, headers);
    if (reader === null) return [];
    return readFunctionStarts(reader.bytes, file.name, reader.base).map((offset) => base + offset);
  });
  const exports = once(() => {
    const reader = commands.exportTrieOf(file, headers);
    return reader === null ? null : readExportTrie(reader);
  });
  const sizeAt = once(() => openSizes(table(), functionStarts()));
  const dynamicColumns = (): SymbolColumns =>
    dynamicSymbols({
      ...{ exports: exports(), table: table(), base, sections: headers.sections, sizeAt: sizeAt() },
      sectionAt: openSectionsByAddress(headers.sections),
    });
  const symbols = once(() => symbolsOf(dynamicColumns()));
  const executable = headers.type === macho.MH_EXECUTE;
  return {
    ...{ base, functionStarts, exports, sizeAt },
    info: {
      segments: headers.segments.filter(isMapped).map((segment) => modelSegment(segment, PAGE[headers.machine])),
      tls: null,
      buildId: commands.uuidOf(file, headers),
      needed: commands.neededLibraries(file, headers),
      soname: commands.ownInstallName(file, headers),
      platform: commands.platformOf(file, headers),
      positionIndependent: !executable || (headers.flags & macho.MH_PIE) !== 0,
      loaded: commands.hasLoader(headers),
      keepsOwnNames: (headers.flags & macho.MH_TWOLEVEL) !== 0,
      get dynamicSymbols() {
        return symbols();
      },
      dynamicColumns,
      versionOf: () => null,
    },
  };
}

/** Not what only keeps addresses from being used: __PAGEZERO. */
function isMapped({ protection, memorySize }: MachoSegment): boolean {
  return protection !== 0 && memorySize > 0;
}

function modelSegment({ address, memorySize, offset, fileSize, protection }: MachoSegment, align: number): Segment {
  return {
    ...{ address, memorySize, offset, fileSize, align },
    readable: (protection & PROT_READ) !== 0,
    writable: (protection & PROT_WRITE) !== 0,
    executable: (protection & PROT_EXECUTE) !== 0,
  };
}

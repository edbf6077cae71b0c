// How tests link a dylib where they say nothing else.
import type { DylibOptions } from './emit-dylib-options.js';
import { DEFAULT_SHARED_OPTIONS, type SharedOptions } from './shared/options.js';

/** A signed library for macOS 11 with chained fixups. */
export const DYLIB_OPTIONS: DylibOptions = {
  identity: { name: '@rpath/libtest.dylib', currentVersion: 0x1_0203, compatibilityVersion: 0x1_0000 },
  build: { platform: 1, minimum: 0xb_0000, sdk: 0xe_0000 },
  fixups: 'chained',
  initOffsets: true,
  searchPaths: [],
  headerPad: 32,
  identifier: 'libtest.dylib',
  signed: true,
  identified: true,
  modified: () => 0,
};

/** What all links of dylibs have. */
export const DYLIB_LINK: SharedOptions = { ...DEFAULT_SHARED_OPTIONS, symbolic: 'strong', now: true, relro: false };

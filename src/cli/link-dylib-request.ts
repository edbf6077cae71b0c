// What the command line of a link for Apple's systems comes to. Filled by link-dylib-options.ts, carried out by
// link-dylib.ts.
import type { DylibInputWord } from '../host/link/open-dylib-inputs.js';
import type { SharedOptions } from '../link/shared/options.js';

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Built up word by word. */
export interface DylibRequest {
  output: string;
  machine: 'arm64' | 'x86_64' | null;
  /** Number and name of the platform, and packed versions: the least that it runs on, that of what it is built against. */
  platform: { readonly number: number; readonly system: string; readonly minimum: number; readonly sdk: number } | null;
  readonly inputs: DylibInputWord[];
  readonly directories: string[];
  readonly frameworkDirectories: string[];
  root: string;
  onlyNamed: boolean;
  allArchivesWhole: boolean;
  dropUnusedLibraries: boolean;
  installName: string | null;
  currentVersion: number;
  compatibilityVersion: number;
  readonly searchPaths: string[];
  /** Patterns of names as files have them; null where none was given. */
  exported: string[] | null;
  readonly unexported: string[];
  /** Files of such patterns. */
  readonly exportedLists: string[];
  readonly unexportedLists: string[];
  fixups: 'chained' | 'opcodes' | null;
  /** As the fixups are, where it is not said. */
  initOffsets: boolean | null;
  headerPad: number;
  signed: boolean;
  identified: boolean;
  mapFile: string | null;
  printFiles: boolean;
  fatalWarnings: boolean;
  readonly options: Writable<SharedOptions>;
  readonly warnings: string[];
  askedForVersion: boolean;
}

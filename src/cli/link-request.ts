// What a linker's command line comes to. Filled by link-options.ts, carried out by link.ts.
import type { MachineName } from '../formats/object-file.js';
import type { InputWord } from '../host/link/link-word.js';
import type { SharedOptions } from '../link/shared/options.js';

/** State of the flags that hold from where they stand on. */
export type InputFlags = Pick<InputWord, 'whole' | 'asNeeded' | 'archivesOnly'>;

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Built up word by word. Of `options`, what needs files or their bytes (export rules, build id) is set later. */
export interface LinkRequest {
  output: string;
  shared: boolean;
  machine: MachineName | null;
  readonly inputs: InputWord[];
  readonly directories: string[];
  sysroot: string;
  onlyNamed: boolean;
  readonly excludedArchives: string[];
  /** Paths. */
  readonly versionScripts: string[];
  readonly dynamicLists: string[];
  readonly options: Writable<SharedOptions>;
  /** What `--build-id` says: none, sha1, md5, uuid, fast, or 0x and hex digits. */
  buildId: string;
  mapFile: string | null;
  printMap: boolean;
  printDropped: boolean;
  printFiles: boolean;
  /** Symbols of -y. */
  readonly traced: string[];
  fatalWarnings: boolean;
  readonly warnings: string[];
  /** Instead of a link: the version, or which emulations there are. */
  askedFor: 'version' | null;
  flags: InputFlags;
  /** Those of --push-state. */
  readonly saved: InputFlags[];
}

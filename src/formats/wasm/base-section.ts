// What a module that went through the base rewrite says of itself, in a custom section: read by the agent of a page and
// by whoever makes patches for it.
import { encodeText } from '../../bytes/text.js';

/** The section's name; it holds JSON. agent/web reads the same. */
export const BASE_SECTION = 'ipbp.base';

/** Which build it is, and under which names it exports what patches need. */
export interface BaseDescription {
  /** Hexadecimal; another for every other module before the rewrite. */
  readonly identity: string;
  readonly memory: string;
  readonly table: string;
  readonly stackPointer: string;
  /** What each thread sets to the address of its own data; null where nothing is a thread's own. */
  readonly threadBase: string | null;
  /** Address behind the memory that the module begins with. */
  readonly arena: number;
}

/** The section. */
export function baseSection(base: BaseDescription): { readonly name: string; readonly bytes: Uint8Array } {
  return { name: BASE_SECTION, bytes: encodeText(JSON.stringify(base)) };
}

// Text stubs (`libSystem.tbd`): what a library of Apple's systems exports, for linkers on machines that do not have it. The
// forms of tapi's version 4 and version 5; both give one model (stub.ts).
import { decodeText } from '../../bytes/text.js';
import type { TextStub } from './stub.js';
import { libraryOf } from './version-4.js';
import { readVersion5 } from './version-5.js';
import { readYaml, wrong } from './yaml.js';

/** Is this a text stub? */
export function isTextStub(bytes: Uint8Array): boolean {
  const start = decodeText(bytes.subarray(0, 4096));
  return /^(?:\s*#.*\n|\s)*--- !tapi-tbd/.test(start) || (/^\s*\{/.test(start) && start.includes('tapi_tbd_version'));
}

/**
 * Reads a text stub.
 * @throws IpbpError IPBP1002 with the line of what is not understood, IPBP1003 for another version
 */
export function readTextStub(bytes: Uint8Array, name: string): TextStub {
  const text = decodeText(bytes);
  if (/^\s*\{/.test(text)) return readVersion5(text, name);
  const libraries = readYaml(text, name).map((document) => libraryOf(document, name));
  const [main, ...others] = libraries;
  if (main === undefined) return wrong(name, 1, 'no document');
  return { main, others };
}

// The keywords of `-z` (GNU ld manual, "Command-line Options", -z keyword).
import { IpbpError } from '../codes/error.js';
import type { LinkRequest } from './link-request.js';

/** Without an effect here: how segments are laid out, what only executables have, checks of others. */
const ACCEPTED: ReadonlySet<string> = new Set(
  (
    'combreloc nocombreloc separate-code noseparate-code separate-loadable-segments nocopyreloc undefs-in-shared global ' +
    'nounique hazardplt nognustack nosectionheader-default start-stop-gc nostart-stop-gc keep-text-section-prefix ' +
    'nokeep-text-section-prefix noextern-protected-data nomark-plt lazy'
  ).split(' '),
);

const SWITCHES: Readonly<Record<string, (options: LinkRequest['options']) => void>> = {
  now: (options) => (options.now = true),
  lazy: (options) => (options.now = false),
  relro: (options) => (options.relro = true),
  norelro: (options) => (options.relro = false),
  noexecstack: (options) => (options.executableStack = false),
  execstack: (options) => (options.executableStack = true),
  defs: (options) => (options.unresolved = 'error'),
  undefs: (options) => (options.unresolved = 'allow'),
  nodelete: (options) => (options.noDelete = true),
  nodlopen: (options) => (options.noOpen = true),
  origin: (options) => (options.origin = true),
  'pack-relative-relocs': (options) => (options.packRelative = true),
  'nopack-relative-relocs': (options) => (options.packRelative = false),
  text: (options) => (options.textRelocations = false),
  notext: (options) => (options.textRelocations = true),
  textoff: (options) => (options.textRelocations = true),
};

/** Carries out one keyword. IPBP5901 for a bad value; a keyword that nobody knows is a warning, as with ld. */
export function applyKeyword(request: LinkRequest, keyword: string): void {
  const change = SWITCHES[keyword];
  if (change !== undefined) {
    change(request.options);
    return;
  }
  if (ACCEPTED.has(keyword)) return;
  const [name = '', value = ''] = keyword.split('=');
  switch (name) {
    case 'max-page-size':
      request.options.maxPageSize = pageSize(value, keyword);
      return;
    case 'common-page-size':
      pageSize(value, keyword);
      return;
    case 'stack-size':
      // Of the program, which is another file.
      return;
    case 'muldefs':
    case 'initfirst':
    case 'interpose':
    case 'nodefaultlib':
    case 'nosectionheader':
    case 'rodynamic':
      throw new IpbpError('IPBP5902', 'the link does not do this', { actual: `-z ${keyword}` });
    default:
      request.warnings.push(`-z ${keyword}: not known, and ignored`);
  }
}

function pageSize(text: string, keyword: string): number {
  const size = /^(?:0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
  if (size >= 0x1000 && size <= 0x4000_0000 && Number.isInteger(Math.log2(size))) return size;
  throw new IpbpError('IPBP5901', 'not a size of pages', { expected: 'a power of two from 4096 on', actual: keyword });
}

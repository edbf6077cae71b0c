// IPBP1xxx: input formats. Entries are CodeEntry (table.ts); numbers are never reused.
export const FORMAT_CODES = {
  IPBP1001: {
    title: 'input is truncated',
    meaning: 'A file ends before the structure that its own headers promise.',
    remedy: 'Build the file again; it was probably read while it was being written.',
  },
  IPBP1002: {
    title: 'input is malformed',
    meaning: 'A field of a file has a value that the format does not allow.',
    remedy: 'Build the file again; if a compiler made it like this, please report it.',
  },
  IPBP1003: {
    title: 'format or machine not supported',
    meaning: 'The file is of a format, class, byte order or machine that ipbp does not read yet.',
    remedy: 'See the list of targets in the README.',
  },
  IPBP1010: {
    title: 'not a patch file',
    meaning: 'The file does not start like a patch file of this version.',
    remedy: 'Build it again with this version of ipbp.',
  },
  IPBP1011: {
    title: 'patch file is damaged',
    meaning: "The checksum at the file's end does not match its content.",
    remedy: 'Copy or build the file again.',
  },
  IPBP1020: {
    title: 'linker script not understood',
    meaning: 'A linker script, version script or dynamic list has a command or a form that ipbp does not read.',
    remedy: 'Name the files on the command line, or leave out what is not supported; the message names the line.',
  },
} as const;

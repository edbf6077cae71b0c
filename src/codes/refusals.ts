// IPBP3xxx: refusals. Entries are CodeEntry (table.ts); numbers are never reused.
export const REFUSAL_CODES = {
  IPBP3001: {
    title: 'entry cannot be overwritten',
    meaning: 'No jump fits safely over the first bytes of the function: something inside it branches or returns into them, or it is too short and has no padding.',
    remedy: 'Rebuild and restart.',
  },
  IPBP3002: {
    title: 'function is not in the running program',
    meaning: 'The running program was built from other objects than those the patch starts from.',
    remedy: 'Rebuild and restart.',
  },
  IPBP3003: {
    title: 'thread-local of a shared library',
    meaning: 'A changed function uses a thread-local that lives in a shared library.',
    remedy: 'Rebuild and restart.',
  },
  IPBP3004: {
    title: 'no symbols in the running program',
    meaning: 'The executable is fully stripped: its functions cannot be found.',
    remedy: 'Build without strip = true (strip = "debuginfo" is fine).',
  },
  IPBP3005: {
    title: 'executable is not position independent',
    meaning: 'A non-PIE executable leaves no room at a constant distance below it.',
    remedy: 'Build with relocation-model=pic, the default.',
  },
} as const;

// IPBP4xxx: agent and protocol. Entries are CodeEntry (table.ts); numbers are never reused.
export const AGENT_CODES = {
  IPBP4001: {
    title: 'malformed frame',
    meaning: 'A message between host and agent is longer, shorter or of another shape than the protocol allows.',
    remedy: 'Start the program again under ipbp; if it happens again, please report it.',
  },
  IPBP4002: {
    title: 'wrong protocol version',
    meaning: 'The agent in the program speaks another version of the protocol than this ipbp.',
    remedy: 'Restart the program with the same version of ipbp as the one that follows it.',
  },
  IPBP4003: {
    title: 'wrong token',
    meaning: 'What connected could not prove that it knows the token of this session.',
    remedy: 'Start the program through ipbp, which gives it the right token.',
  },
  IPBP4004: {
    title: 'message out of order',
    meaning: 'A message carries another sequence number, or is of another type, than the one that must come next.',
    remedy: 'Restart the program; if it happens again, please report it.',
  },
  IPBP4005: {
    title: 'message not authentic',
    meaning:
      'The authentication tag of a message does not match its content: it was changed, or comes from someone else.',
    remedy: 'Restart the program; make sure that nothing else writes to the connection.',
  },
  IPBP4006: {
    title: 'connection to the agent ended',
    meaning: 'The program ended or closed its connection while an answer was awaited.',
    remedy: 'If the program still runs, restart it under ipbp.',
  },
  IPBP4007: {
    title: 'value cannot be sent',
    meaning: 'A field of a message is out of the range that the protocol has for it.',
    remedy: 'Please report it with the patch that caused it.',
  },
  IPBP4008: {
    title: 'agent could not be built',
    meaning: 'The agent, a small Rust library, is built once with your cargo; that failed, or there is no cargo.',
    remedy: 'Read what cargo said; run `ipbp doctor`.',
  },
  IPBP4009: {
    title: 'cannot listen for the program',
    meaning: 'The local socket on which the program reports could not be opened.',
    remedy: 'Check that the directory exists, is writable and that its path is shorter than 100 bytes.',
  },
  IPBP4010: {
    title: 'the program did not take the patch',
    meaning: 'The agent checked the patch and could not apply it; the program runs on exactly as it was.',
    remedy: 'The message says what stood in the way; save again, or restart the program.',
  },
  IPBP4020: {
    title: 'patch of another build',
    meaning: 'A patch came to a page whose module was built anew since, or is another one.',
    remedy: 'Load the page again.',
  },
  IPBP4021: {
    title: 'no room in the page',
    meaning: 'The memory or the table of the module cannot hold the patch.',
    remedy: 'Load the page again: the patches are then part of the module.',
  },
  IPBP4022: {
    title: 'not in the page',
    meaning: 'A patch needs a function of JavaScript, or an export of the module, that the page does not have.',
    remedy: 'Load the page again, so that it has the new glue.',
  },
  IPBP4023: {
    title: 'module not accepted',
    meaning: 'The browser or Node does not accept the patch as a module; nothing of it is in the page.',
    remedy: 'Please report it with the message.',
  },
  IPBP4024: {
    title: 'not the last patch',
    meaning: 'A page was asked to take back a patch that others lie upon, or that it does not have.',
    remedy: 'Load the page again; please report it.',
  },
  IPBP4025: {
    title: 'page or worker not reached',
    meaning: 'A page, or a worker that waits for others, has not answered in time; it takes the patch when it can.',
    remedy: 'Nothing, where it goes on by itself; else load the page again.',
  },
} as const;

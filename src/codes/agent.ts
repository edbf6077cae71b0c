// IPBP4xxx: agent and protocol. Entries are CodeEntry (table.ts); numbers are never reused.
export const AGENT_CODES = {
} as const;

// IPBP5xxx: toolchain and project. Entries are CodeEntry (table.ts); numbers are never reused.
export const TOOLCHAIN_CODES = {
} as const;

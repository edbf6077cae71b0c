// What a suite of the conformance run is: it takes what the command line asked for and gives rows for the table and a
// summary for the record. Knows no suite.

/** The machines whose objects are compared. */
export const MACHINES = ['x86_64', 'aarch64'] as const;

/** A machine by the name that compilers and linkers call it. */
export type MachineName = (typeof MACHINES)[number];

/** What the command line asked for. */
export interface SuiteOptions {
  /** All cases, and the record is written. */
  readonly full: boolean;
  /** Cases whose name contains this; empty for all. */
  readonly only: string;
  readonly machines: readonly MachineName[];
  /** Of whatever is random. */
  readonly seed: number;
}

/** One line of the table. */
export interface SuiteRow {
  readonly machine: MachineName | '';
  readonly name: string;
  /** What was found, in a few words. */
  readonly found: string;
  /** What is wrong; empty when the row is right. */
  readonly failures: readonly string[];
}

/** A suite: `say` is called with each row as it is known, the summary goes into the record. */
export interface Suite {
  readonly name: string;
  readonly run: (options: SuiteOptions, say: (row: SuiteRow) => void) => Promise<object>;
}

// How a command ended. The statuses are the contract of the command line; main.ts alone hands them to the system.

/** Exit statuses of every command but `run`, whose status is its program's. */
export const STATUS = { done: 0, failed: 1, usage: 2 } as const;

/** An exit status, or the signal that ipbp is to die of because its program did. */
export type Outcome =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'signal'; readonly signal: string; readonly status: number };

export const DONE: Outcome = { kind: 'status', status: STATUS.done };
export const FAILED: Outcome = { kind: 'status', status: STATUS.failed };

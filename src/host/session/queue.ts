// One thing after the other: what is done to a program never overlaps.

/** Runs what it is given one after the other; a failure is its caller's alone. */
export function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
}

// Work that nobody waits for: warm-ups, looks at stacks. Whatever goes wrong in it is told in one place and ends nothing.
// A fault that Node finds unhandled would end the session, and leave its program without one.

/** Tells of an error that no caller will see. */
export type Report = (error: unknown) => void;

/** Runs `work`, now and in what it awaits. Its errors are reported; an error of the report itself is dropped. */
export function inBackground(work: () => unknown, report: Report): void {
  void run(work, report);
}

async function run(work: () => unknown, report: Report): Promise<void> {
  try {
    await work();
  } catch (error) {
    try {
      report(error);
    } catch {
      // Who is told has gone.
    }
  }
}

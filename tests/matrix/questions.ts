// Asks a running program a row's questions and compares; keeps requests waiting inside it. Knows nothing of edits.
import { type Check, type InFlight } from './row.js';
import { type Session } from './session.js';

/** How long what is printed may take to arrive, in ms. */
const LOG_LIMIT_MS = 5000;

/** The longest that a request waits inside the program: a row's edit goes live meanwhile. */
const IN_FLIGHT_LIMIT_MS = 240_000;

/** What is wrong with the answers, in words. */
export async function askChecks(session: Session, checks: readonly Check[], prefix: string): Promise<string[]> {
  const problems: string[] = [];
  for (const check of checks) problems.push(...(await askCheck(session, check)).map((problem) => prefix + problem));
  return problems;
}

async function askCheck(session: Session, check: Check): Promise<string[]> {
  const printed = session.printed;
  const answer = await askUntil(session, check);
  if (!fits(check.answer, answer))
    return [`${check.ask} answered ${JSON.stringify(answer)}, expected ${String(check.answer)}`];
  const { log } = check;
  if (log === undefined) return [];
  const deadline = performance.now() + LOG_LIMIT_MS;
  while (!log.test(session.outputSince(printed)) && performance.now() < deadline) await pause();
  const text = session.outputSince(printed);
  return log.test(text) ? [] : [`${check.ask} printed ${JSON.stringify(text)}, expected ${log}`];
}

async function askUntil(session: Session, { ask, answer, within, release }: Check): Promise<string> {
  const deadline = performance.now() + (within ?? 0);
  for (;;) {
    const got = release === undefined ? await session.ask(ask) : await askReleasing(session, ask, release);
    if (fits(answer, got) || performance.now() >= deadline) return got;
    await pause();
  }
}

async function askReleasing(session: Session, ask: string, release: string): Promise<string> {
  let open = true;
  const answer = session.ask(ask).finally(() => (open = false));
  answer.catch(() => {}); // Awaited below; it may fail while the release is under way.
  while (open) {
    await pause();
    await session.ask(release);
  }
  return answer;
}

/** Requests that wait inside the program. */
export interface Waiting {
  /** Lets them go; what is wrong with their answers, in words. */
  release(): Promise<string[]>;
}

/** Starts the requests and waits until all are inside. Throws when they do not arrive. */
export async function startWaiting(
  session: Session,
  { ask, count, arrived, release, answer }: InFlight,
): Promise<Waiting> {
  const requests = Array.from({ length: count }, () => session.ask(ask, IN_FLIGHT_LIMIT_MS));
  const ended = Promise.allSettled(requests);
  const problems = await askCheck(session, arrived);
  if (problems.length > 0) throw new Error(`requests to wait: ${problems.join('; ')}`);
  return {
    async release() {
      await session.ask(release);
      const answers = await ended;
      return answers.flatMap((result) => {
        const got = result.status === 'fulfilled' ? result.value : String(result.reason);
        return fits(answer, got)
          ? []
          : [`a request that was inside got ${JSON.stringify(got)}, expected ${String(answer)}`];
      });
    },
  };
}

function fits(wanted: string | RegExp, answer: string): boolean {
  return typeof wanted === 'string' ? wanted === answer : wanted.test(answer);
}

function pause(): Promise<void> {
  return new Promise((done) => setTimeout(done, 10));
}

// A constant stream of requests to the running program. A patch that loses, breaks or stalls one request shows here.
import { type Session } from './session.js';

/** How the requests went. */
export interface TrafficSummary {
  readonly made: number;
  readonly failed: number;
  /** Asked twice, as the server had closed the connection. */
  readonly reconnected: number;
  /** Longest answer in milliseconds. */
  readonly slowestMs: number;
  /** The first failures in words. */
  readonly failures: readonly string[];
}

/** Milliseconds between an answer and the same client's next request: two cores have to compile beside this. */
const PAUSE_MS = 8;

/** An error with what caused it: fetch only says that it failed. */
function inWords(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? `${String(error)} (${String(cause)})` : String(error);
}

/** True where the other side ended the connection without an answer. */
function isClosed(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && (cause.code === 'UND_ERR_SOCKET' || cause.code === 'ECONNRESET');
}

/** Requests paths in turn, in as many clients as there are paths, until told to stop. */
export class Traffic {
  private made = 0;
  private failed = 0;
  private reconnected = 0;
  private slowestMs = 0;
  private readonly failures: string[] = [];
  private stopping = false;
  private clients: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly session: Session,
    private readonly paths: readonly string[],
  ) {}

  start(): void {
    this.clients = Promise.all(this.paths.map((_, first) => this.client(first)));
  }

  get summary(): TrafficSummary {
    const { made, failed, reconnected, failures } = this;
    return { made, failed, reconnected, slowestMs: Math.round(this.slowestMs), failures };
  }

  /** Lets requests that are under way end. */
  async stop(): Promise<TrafficSummary> {
    this.stopping = true;
    await this.clients;
    return this.summary;
  }

  /**
   * A server may close a connection that it thinks idle just when it is used again (RFC 9112, 9.3.1 and 9.5); on a machine
   * that is busy compiling that happens. What is only read is asked once more, as browsers do; a handler that was broken
   * fails again.
   */
  private async ask(path: string): Promise<void> {
    try {
      await this.session.ask(path);
    } catch (error) {
      if (!isClosed(error)) throw error;
      this.reconnected++;
      await this.session.ask(path);
    }
  }

  private async client(first: number): Promise<void> {
    for (let turn = first; !this.stopping; turn++) {
      const path = this.paths[turn % this.paths.length] ?? '/';
      const start = performance.now();
      this.made++;
      try {
        await this.ask(path);
      } catch (error) {
        this.failed++;
        if (this.failures.length < 5) this.failures.push(`${path}: ${inWords(error)}`);
        // A program that is gone would be asked millions of times.
        if (this.session.end !== undefined || this.failed > 1000) return;
      }
      this.slowestMs = Math.max(this.slowestMs, performance.now() - start);
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  }
}

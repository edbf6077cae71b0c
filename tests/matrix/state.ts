// What must hold after every row, whatever it was: the same process, every counter one higher than before, nothing
// moved, the clock's threads alive and never set back. Knows the desk's answers, nothing of edits.
import { readFile, readdir } from 'node:fs/promises';
import { type Session } from './session.js';

/** Values of the desk's counters before the first question. */
const FIRST = { orders: 1000, visits: 1, asked: 40, notes: 1, serial: 7 };

/** What is watched of one process, whatever the rows do. */
export interface StateWatch {
  /** Looks at all of it; what is wrong, in words. */
  check(): Promise<string[]>;
  /** How many threads belong to what the rows count. */
  threads(): Promise<number>;
}

/** Of a program that we did not write: the same process all along. */
export function watchProcess(session: Session, pid: number): StateWatch {
  return {
    async check() {
      const ended =
        session.end ?? session.events.find((event) => event.event === 'exit' || event.event === 'restarted');
      const alive = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
      // proc(5): the state follows the name in parentheses.
      if (ended === undefined && alive !== undefined && !/\) [ZX] /.test(alive)) return [];
      return [`the program (pid ${pid}) has ended: ${JSON.stringify(ended) ?? 'it is gone'}`];
    },
    threads: async () => (await readdir(`/proc/${pid}/task`)).length,
  };
}

/** Follows the order desk's state through all rows. */
export class DeskWatch implements StateWatch {
  private questions = 0;
  private addresses: string | undefined;
  private turns: readonly number[] = [100, 100, 100];
  private ticks = 0;

  constructor(
    private readonly session: Session,
    private readonly pid: number,
  ) {}

  async check(): Promise<string[]> {
    return [
      ...(await this.checkProcess()),
      ...(await this.checkCounters()),
      ...(await this.checkAddresses()),
      ...(await this.checkClock()),
    ];
  }

  /**
   * How many threads carry the name of the desk's: itself, and those that it started and nobody named. The program's
   * other threads come and go with its requests.
   */
  async threads(): Promise<number> {
    const tasks = await readdir(`/proc/${this.pid}/task`);
    const names = await Promise.all(
      // A thread may end between the two looks.
      tasks.map((task) => readFile(`/proc/${this.pid}/task/${task}/comm`, 'utf8').catch(() => '')),
    );
    return names.filter((name) => name === 'desk\n').length;
  }

  private async checkProcess(): Promise<string[]> {
    const { pid } = JSON.parse(await this.session.ask('/health')) as { pid: number };
    return pid === this.pid ? [] : [`the program's pid is ${pid}, it was ${this.pid}`];
  }

  private async checkCounters(): Promise<string[]> {
    this.questions++;
    const answer = (await this.session.ask('/ask/count')).toLowerCase();
    const wanted = Object.entries(FIRST)
      .map(([name, first]) => `${name}=${first + this.questions}`)
      .join(' ');
    return answer === wanted ? [] : [`counters: ${answer}, expected ${wanted}`];
  }

  private async checkAddresses(): Promise<string[]> {
    const answer = await this.session.ask('/ask/addresses');
    this.addresses ??= answer;
    return answer === this.addresses ? [] : [`addresses: ${answer}, they were ${this.addresses}`];
  }

  private async checkClock(): Promise<string[]> {
    const answer = await this.session.ask('/ask/clock');
    const [, ticks, , turns] = /^ticks=(\d+) paces=(\S+) turns=(\S+)$/.exec(answer) ?? [];
    const now = turns?.split(',').map(Number) ?? [];
    const problems: string[] = [];
    if (!(Number(ticks) > this.ticks)) problems.push(`clock: ${answer}, ticks were ${this.ticks}`);
    if (now.length !== 3 || now.some((turn, hand) => !(turn > (this.turns[hand] ?? Infinity)))) {
      problems.push(`clock: ${answer}, turns were ${this.turns.join(',')}`);
    }
    this.ticks = Number(ticks);
    this.turns = now;
    return problems;
  }
}

// Asks the person one question on the terminal itself, not on stdin and stdout: those are the program's.
import { closeSync, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';

/** The terminal's device; a parameter of {@link ask} only for tests. */
const TERMINAL = '/dev/tty';

/** True when the answer begins with y or Y. False without a terminal, and when it is closed before an answer comes. */
export async function ask(question: string, terminal = TERMINAL): Promise<boolean> {
  let descriptor: number;
  try {
    descriptor = openSync(terminal, 'r+');
  } catch {
    return false;
  }
  let input: ReadStream;
  try {
    // Not a file stream: its read would sit in a thread of the pool that nothing can wake at the end of the program.
    input = new ReadStream(descriptor);
  } catch {
    closeSync(descriptor);
    return false;
  }
  try {
    writeSync(descriptor, `${question} [y/N] `);
    return isYes(await firstLine(input));
  } finally {
    input.destroy();
  }
}

function isYes(answer: string): boolean {
  return /^\s*y/i.test(answer);
}

function firstLine(input: ReadStream): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    input.setEncoding('utf8');
    input.on('data', (piece: string) => {
      text += piece;
      if (text.includes('\n')) resolve(text);
    });
    input.on('end', () => resolve(''));
    input.on('error', () => resolve(''));
  });
}

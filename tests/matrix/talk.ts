// How a running program is asked: over HTTP, or by its screen and keyboard. Knows no session and no rows.
import { type Writable } from 'node:stream';
import { type Screen } from './screen.js';

/** Asks a program; throws when no good answer comes within `limitMs`. */
export type Ask = (question: string, limitMs: number) => Promise<string>;

/** The size of the terminal that a program gets. */
export const TERMINAL = { rows: 40, columns: 120 } as const;

/** Questions are paths; the answer is the body. */
export function askHttp(origin: string): Ask {
  return async (path, limitMs) => {
    const response = await fetch(`${origin}${path}`, { signal: AbortSignal.timeout(limitMs) });
    const body = await response.text();
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${body.slice(0, 200)}`);
    return body;
  };
}

/** `screen` asks for what stands there; `keys:…` types the rest (`\e` is the escape key) and answers nothing. */
export function askTerminal(screen: Screen, keyboard: Writable): Ask {
  return (question) => {
    if (question === 'screen') return Promise.resolve(screen.text);
    const [, keys] = /^keys:(.+)$/s.exec(question) ?? [];
    if (keys === undefined) throw new Error(`a terminal is not asked ${question}`);
    keyboard.write(keys.replaceAll('\\e', '\x1b'));
    return Promise.resolve('');
  };
}

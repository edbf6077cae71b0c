// Opens a page in the person's browser, by the system's own command.
import { spawn } from 'node:child_process';

/** Where there is no such command, the address stands in the terminal all the same. */
export function openInBrowser(url: string): void {
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  spawn(command, [url], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}

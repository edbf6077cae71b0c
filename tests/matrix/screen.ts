// What stands on a terminal's screen: a grid of characters, written by a program's output. Knows the control sequences
// that move the cursor and erase; colours and all else are passed over. Pure.

/** Escape and bell, as they stand in what a program prints. */
const [ESC, BEL] = ['\x1b', '\x07'];

/** A control sequence with its private mark, parameters and final byte; a control string; a shorter escape sequence. */
const SEQUENCE = new RegExp(
  [
    `^${ESC}(?:\\[([?>=<]?)([\\d;:]*)[ -/]*([@-~])`,
    `[PX^_\\]][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)`,
    '[ -/]*[0-Z\\\\-~])',
  ].join('|'),
);

/** A sequence that has not come to its end yet is no longer than this, in characters. */
const SEQUENCE_LIMIT = 4096;

/** A terminal of fixed size. */
export class Screen {
  private grid: string[][];
  private row = 0;
  private column = 0;
  private rest = '';

  constructor(
    readonly rows: number,
    readonly columns: number,
  ) {
    this.grid = this.blank();
  }

  /** The screen's lines without trailing blanks. */
  get text(): string {
    return this.grid.map((line) => line.join('').trimEnd()).join('\n');
  }

  /** Takes what the program printed. */
  write(chunk: string): void {
    let text = this.rest + chunk;
    this.rest = '';
    while (text !== '') {
      if (text.startsWith(ESC)) {
        const found = SEQUENCE.exec(text);
        if (found === null && text.length < SEQUENCE_LIMIT) {
          this.rest = text;
          return;
        }
        if (found !== null) this.control(found[1] ?? '', found[2] ?? '', found[3] ?? '');
        text = text.slice(found?.[0].length ?? 1);
        continue;
      }
      const character = String.fromCodePoint(text.codePointAt(0) ?? 32);
      text = text.slice(character.length);
      this.print(character);
    }
  }

  private blank(): string[][] {
    return Array.from({ length: this.rows }, () => Array.from({ length: this.columns }, () => ' '));
  }

  private print(character: string): void {
    switch (character) {
      case '\n':
        this.row++;
        if (this.row < this.rows) return;
        this.grid = [...this.grid.slice(1), Array.from({ length: this.columns }, () => ' ')];
        this.row = this.rows - 1;
        return;
      case '\r':
        this.column = 0;
        return;
      case '\b':
        this.column = Math.max(0, this.column - 1);
        return;
      default: {
        if (character < ' ') return;
        const line = this.grid[this.row];
        if (line !== undefined && this.column < this.columns) line[this.column] = character;
        this.column++;
      }
    }
  }

  /** One control sequence: its private mark, parameters and final byte (ECMA-48, 5.4). */
  private control(mark: string, parameters: string, final: string): void {
    const numbers = parameters.split(';').map((part) => (part === '' ? undefined : Number(part)));
    const first = numbers[0] ?? 1;
    switch (final) {
      case 'H':
      case 'f':
        this.row = Math.min(this.rows, first) - 1;
        this.column = Math.min(this.columns, numbers[1] ?? 1) - 1;
        return;
      case 'A':
        this.row = Math.max(0, this.row - first);
        return;
      case 'B':
        this.row = Math.min(this.rows - 1, this.row + first);
        return;
      case 'C':
        this.column += first;
        return;
      case 'D':
        this.column = Math.max(0, this.column - first);
        return;
      case 'G':
        this.column = first - 1;
        return;
      case 'J':
        this.grid = this.blank();
        return;
      case 'K':
        this.grid[this.row]?.fill(' ', this.column);
        return;
      case 'h':
      case 'l':
        // The alternate screen begins empty.
        if (mark === '?' && numbers[0] === 1049) this.grid = this.blank();
        return;
      default:
        return;
    }
  }
}

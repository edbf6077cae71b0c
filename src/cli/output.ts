// Where a command's words go: JSON lines and results to stdout, everything said along the way to stderr. Owns the
// streams and the choice of colour; what the words are is for render.ts and the commands.

/** How much is said, and in which form. */
export interface OutputOptions {
  /** JSON lines on stdout take the place of every line for a person. */
  readonly json: boolean;
  /** Errors and refusals only. */
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** What a command writes through. */
export interface Output extends OutputOptions {
  /** Stderr is a terminal that takes colours, and NO_COLOR is not set. */
  readonly color: boolean;
  /** The same of stdout, for what {@link print} writes. */
  readonly printsColor: boolean;
  /** One JSON object on a line of stdout; nothing without `--json`. */
  record(value: object): void;
  /** A result for a person on stdout; nothing with `--json`. */
  print(text: string): void;
  /** A line said along the way on stderr; nothing with `--json` or `--quiet`. */
  say(text: string): void;
  /** An error or a refusal on stderr; nothing with `--json`. */
  alert(text: string): void;
}

/** As much of a stream as is needed here, so that tests can collect what is written. */
export interface TextSink {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** What {@link createOutput} needs of the process. */
export interface Surroundings {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Colours are for terminals; NO_COLOR (no-color.org: set and not empty) and TERM=dumb turn them off. */
export function wantsColor(stream: TextSink, env: Surroundings['env']): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/** An output for one command. Writes at once; what the streams throw is passed on. */
export function createOutput(options: OutputOptions, { stdout, stderr, env }: Surroundings): Output {
  // A program that draws on the whole screen has switched off the terminal's own carriage returns: without them our
  // lines would climb down it like a staircase.
  const end = stderr.isTTY === true ? '\r\n' : '\n';
  const toStderr = (text: string): unknown => stderr.write(text.replaceAll(/\r?\n/g, end) + end);
  return {
    ...options,
    color: wantsColor(stderr, env),
    printsColor: wantsColor(stdout, env),
    record: (value) => void (options.json && stdout.write(`${JSON.stringify(value)}\n`)),
    print: (text) => void (options.json || stdout.write(`${text}\n`)),
    say: (text) => void (options.json || options.quiet || toStderr(text)),
    alert: (text) => void (options.json || toStderr(text)),
  };
}

// Which rows go through which program in which configuration. Not the full product: every configuration takes all rows
// of the plain program, the larger programs take those where they differ.
import { ELSEWHERE, RESTART_ROWS, rowsOf } from './all-rows.js';
import { ALL, type Configuration, DEBUG } from './configurations.js';
import { type Program } from './program.js';
import { BOTTOM, MINISERVE, PLAIN, SERVER } from './programs.js';
import { type Row } from './row.js';
import { type SessionSetup } from './session.js';

/** One session of the matrix. */
export interface Trial {
  readonly program: Program;
  readonly configuration: Configuration;
  readonly rows: readonly Row[];
  readonly onRefusal: SessionSetup['onRefusal'];
}

/** Configurations of each program besides `debug`; undefined is all. */
const CONFIGURATIONS: Readonly<Record<string, readonly string[] | undefined>> = {
  plain: undefined,
  server: [
    ...['v0-names', 'release-debug-info', 'release', 'mold', 'dylib', 'dylib-slots'],
    ...['x86_64-apple-darwin', 'x86_64-apple-darwin-release'],
    ...['aarch64-apple-darwin', 'aarch64-apple-darwin-release'],
  ],
  miniserve: ['v0-names', 'dylib', 'dylib-slots'],
  bottom: ['opt-1', 'dylib', 'dylib-slots'],
};

/** All rows of a program in the debug build. */
export function inDebug(program: Program): Trial {
  return { program, configuration: DEBUG, rows: rowsOf(program), onRefusal: 'continue' };
}

/** What needs cargo or a new program. */
export const RESTARTING: Trial = {
  program: PLAIN,
  configuration: DEBUG,
  rows: RESTART_ROWS,
  onRefusal: 'restart',
};

/** All trials, or those of the debug build of our own programs. */
export function trialsOf(full: boolean): readonly Trial[] {
  if (!full) return [inDebug(PLAIN), inDebug(SERVER), RESTARTING];
  const trials = ALL.flatMap((configuration) =>
    [PLAIN, SERVER, MINISERVE, BOTTOM]
      .filter(({ name }) => configuration === DEBUG || (CONFIGURATIONS[name]?.includes(configuration.name) ?? true))
      .map((program): Trial => ({ ...inDebug(program), configuration })),
  );
  return [...trials, RESTARTING];
}

/** One edit per mechanism on the plain program: quick enough to be done in several configurations at every test. */
export function shortRows(): readonly Row[] {
  return rowsOf(PLAIN).filter((row) => ELSEWHERE.includes(row.id));
}

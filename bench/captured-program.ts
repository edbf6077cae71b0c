// A program's link as rustc asks for it, kept with all that it reads, so that it can be done again and again: as it was, and
// with slots, as a session does it. Owns building, keeping and linking; what is measured is in slots.ts.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { LINK_WRITER, slotsEnvironment, type Platform, type Profile } from './platform.js';

export type Way = 'none' | 'slots';

/** What was rewritten before a link. */
export type Before = 'nothing' | 'all' | 'all but one';

/** Stands in for the linker: keeps what rustc deletes when it ends, and links as it was told. */
const KEEP_LINK = `#!/bin/sh
rm -rf "$BENCH_KEEP" && mkdir -p "$BENCH_KEEP/objects" "$BENCH_KEEP/temporary"
printf '%s\\0' "$@" >"$BENCH_KEEP/arguments"
printf '%s\\0' "$IPBP_LINKER" "$IPBP_UNIT" >"$BENCH_KEEP/linker"
for argument; do
  case $argument in
    *.rcgu.o)
      # What is no item of the crate is no hard link, and is not to become one.
      if [ "$(stat -c %h "$argument")" -gt 1 ]; then ln "$argument" "$BENCH_KEEP/objects/"
      else cp -p "$argument" "$BENCH_KEEP/objects/"; fi ;;
    */rustc??????/*) cp -p "$argument" "$BENCH_KEEP/temporary/" ;;
  esac
done
exec "$IPBP_LINKER" "$@"
`;

function fields(file: string): string[] {
  return readFileSync(file, 'utf8').split('\0').slice(0, -1);
}

/** One program in one profile. A class because it is one folder with a link in it. */
export class CapturedProgram {
  readonly #kept: string;
  readonly #linker: string;
  readonly #unit: string;
  readonly #args: readonly string[];
  readonly #environment: NodeJS.ProcessEnv;
  readonly #script: string;

  /**
   * Builds the program by cargo.
   * @param project its sources, in a copy
   */
  constructor(
    platform: Platform,
    profile: Profile,
    project: string,
    readonly folder: string,
  ) {
    this.#kept = join(folder, 'kept');
    const keeper = join(folder, 'keep-link');
    writeFileSync(keeper, KEEP_LINK);
    chmodSync(keeper, 0o755);
    const { CARGO_TARGET_DIR: _, ...own } = process.env;
    const slots = slotsEnvironment(platform, join(folder, 'slots'));
    this.#script = slots.IPBP_LINKER_SCRIPT ?? '';
    this.#environment = { ...own, ...platform.environment, ...slots };
    // So that there is a link, whether it was built here before or not.
    const target = join(folder, 'target');
    if (existsSync(target)) execFileSync('touch', [join(project, 'src', 'main.rs')]);
    const args = ['build', '--quiet', ...platform.cargo, '--target-dir', target];
    execFileSync('cargo', profile === 'release' ? [...args, '--release'] : args, {
      cwd: project,
      env: {
        ...this.#environment,
        CARGO_PROFILE_RELEASE_INCREMENTAL: 'true',
        IPBP_LINKER_SCRIPT: keeper,
        BENCH_KEEP: this.#kept,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    [this.#linker = 'cc', this.#unit = ''] = fields(join(this.#kept, 'linker'));
    const given = fields(join(this.#kept, 'arguments'));
    const output = given.indexOf('-o') + 1;
    this.#args = given.map((word, index) => {
      if (index === output) return '{output}';
      const place = word.endsWith('.rcgu.o') ? 'objects' : /\/rustc\w{6}\//.test(word) ? 'temporary' : null;
      return place === null ? word : join(this.#kept, place, basename(word));
    });
  }

  executable(way: Way): string {
    return join(this.folder, `linked-${way}`);
  }

  /** The crate's objects: those that a rewrite reads. */
  objects(): readonly string[] {
    return this.#args.filter((word) => word.endsWith('.rcgu.o'));
  }

  /** Milliseconds of one link. */
  link(way: Way, before: Before): number {
    this.#prepare(before);
    const args = this.#arguments(way);
    return this.#timed(way === 'none' ? this.#linker : this.#script, args);
  }

  /** Milliseconds of what comes before a link with slots: a process that rewrites what it must. */
  rewrite(before: Before): number {
    this.#prepare(before);
    return this.#timed(process.execPath, [
      LINK_WRITER,
      join(this.folder, 'link-arguments'),
      ...this.#arguments('slots'),
    ]);
  }

  #arguments(way: Way): string[] {
    return this.#args.map((word) => (word === '{output}' ? this.executable(way) : word));
  }

  #timed(command: string, args: readonly string[]): number {
    const env = { ...this.#environment, IPBP_LINKER: this.#linker, IPBP_UNIT: this.#unit };
    const start = performance.now();
    const { status, stderr } = spawnSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
    const ms = performance.now() - start;
    if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
    return ms;
  }

  /**
   * Takes a directory away without deleting what is in it: for seconds after many files were deleted, ext4 searches for an
   * inode that was not, at every file that is created, and that would be measured (a third of the time).
   */
  #setAside(directory: string): void {
    const aside = join(this.folder, 'aside');
    mkdirSync(aside, { recursive: true });
    renameSync(directory, mkdtempSync(join(aside, 'slots-')));
  }

  /** Brings the files that sessions keep between links into that state. */
  #prepare(before: Before): void {
    if (before === 'nothing') {
      const units = join(this.#unit, '..');
      for (const unit of readdirSync(units))
        for (const name of readdirSync(join(units, unit)).filter((one) => one.startsWith('slots-')))
          this.#setAside(join(units, unit, name));
    } else if (before === 'all but one') {
      // The same bytes in another file, which is what counts; a link of another, as rustc's objects are.
      const [object = ''] = this.objects();
      copyFileSync(object, `${object}.new`);
      renameSync(`${object}.new`, object);
      rmSync(`${object}.link`, { force: true });
      linkSync(object, `${object}.link`);
    }
  }
}

// `ipbp build-patch`: objects before and after, and the executable, to a patch file, without a running program. Reads
// and writes the files; the planning is patch/plan.ts.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { IpbpError } from '../codes/error.js';
import { readObjectFile } from '../formats/read-object.js';
import { patchedItems } from '../host/events.js';
import type { PatchedEvent, RedirectMode, RefusedEvent, UnchangedEvent } from '../host/events.js';
import { fileAt, objectsAt } from '../host/files/object-paths.js';
import { findSharedLibraries } from '../host/files/shared-libraries.js';
import { archivesSource } from '../patch/program/archive-source.js';
import { identityText, sameIdentity } from '../patch/program/base-program.js';
import type { Library } from '../patch/program/base-program.js';
import { diffFiles } from '../patch/diff/diff-files.js';
import { toChangedItem } from '../patch/diff/diff.js';
import { encodePatchFile } from '../patch/image/image-file.js';
import type { PatchImage } from '../patch/image/image.js';
import { encodePatchInstance } from '../patch/image/instance.js';
import { encodePatchLibrary, readPatch } from '../patch/image/library.js';
import { DEFAULT_ROOM, planPatch } from '../patch/plan.js';
import { openProgram } from '../patch/program/open-program.js';
import { freshProgram, isTaken, withPatch } from '../patch/program/program.js';
import type { Program } from '../patch/program/program.js';
import { refuseOtherBuild } from '../patch/program/same-build.js';
import { renderChange } from './diff.js';
import { DONE, FAILED } from './outcome.js';
import type { Outcome } from './outcome.js';
import type { Output } from './output.js';
import { renderEvent, renderPatch } from './render.js';
import type { View } from './render.js';
import { byteCount, printable } from './text.js';

/** `ipbp build-patch`'s arguments; lists of paths in the order given. */
export interface BuildPatchOptions {
  readonly base: string;
  readonly old: readonly string[];
  readonly new: readonly string[];
  readonly lib: readonly string[];
  /** Patch files that are live before this one. */
  readonly after: readonly string[];
  readonly file: string;
  readonly emit: 'image' | 'dylib' | 'wasm';
  /** `slots`: no code is changed. Else a function without a slot is entered by a jump, where a patch file can hold one. */
  readonly redirect: RedirectMode;
  readonly explain: boolean;
}

/** What `--json` prints of a patch: as `patched` of a session, but nothing was applied and nothing saved. */
interface BuiltRecord extends Omit<PatchedEvent, 'ms'> {
  readonly ms: Omit<PatchedEvent['ms'], 'apply'>;
  /** Of the whole file. */
  readonly sha256: string;
  readonly file: string;
}

/** Writes the patch file; nothing is written when the patch is refused, or when there is nothing to patch. */
export function buildPatch(options: BuildPatchOptions, output: Output): Promise<Outcome> {
  const start = performance.now();
  const since = (from: number): number => Math.round((performance.now() - from) * 10) / 10;
  const program = programWith(options, output);
  checkForm(options, program);
  const before = objectsAt(options.old);
  const after = objectsAt(options.new);
  const scan = since(start);

  const diffStart = performance.now();
  const diff = diffFiles(before, after, (name) => isTaken(program, name));
  const diffMs = since(diffStart);
  if (options.explain) for (const item of diff.items) explain(renderChange(toChangedItem(item), true), output);

  const linkStart = performance.now();
  const otherBuild = refuseOtherBuild(program, [...diff.replaced, ...diff.unchanged()]);
  if (otherBuild.length > 0) {
    return tell({ event: 'refused', at: since(start), items: otherBuild, restarting: false }, FAILED, output);
  }
  const plan = planPatch({
    program,
    diff,
    identity: diff,
    before: diff.replaced,
    after: diff.changed,
    others: () => diff.unchanged(diff.names),
    archives: archivesSource(options.lib.map(fileAt)),
    room: DEFAULT_ROOM,
    delivery: isLibrary(options, program) ? 'library' : 'map',
    ...codeRights(options, program),
  });
  switch (plan.kind) {
    case 'unchanged':
      return tell({ event: 'unchanged', at: since(start), reason: plan.reason }, DONE, output);
    case 'refused':
      return tell({ event: 'refused', at: since(start), items: plan.items, restarting: false }, FAILED, output);
    case 'patch': {
      const { image } = plan;
      const bytes = encoded(image, program);
      const link = since(linkStart);
      writeFileSync(options.file, bytes);
      const built: BuiltRecord = {
        event: 'patched',
        at: since(start),
        patch: options.after.length + 1,
        ...patchedItems(plan.items),
        bytes: plan.image.segments.reduce((sum, segment) => sum + segment.size, 0),
        ms: { scan, diff: diffMs, link, total: since(start) },
        sinceSaveMs: null,
        warnings: plan.image.warnings,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        file: options.file,
      };
      return tellBuilt(built, bytes.length, output);
    }
  }
}

/** A program whose functions are entered through a table takes modules, and no other does. Throws IPBP5902. */
function checkForm({ emit, base }: BuildPatchOptions, program: Program): void {
  if (emit === 'image' || (emit === 'wasm') === (program.base.tabled !== undefined)) return;
  throw new IpbpError('IPBP5902', `--emit ${emit} is not for this program`, { where: base });
}

/** As sessions do it: where the system lets nobody map code, the program's loader has to bring it in. */
function isLibrary({ emit }: BuildPatchOptions, { base: { machine, tabled } }: Program): boolean {
  return emit === 'dylib' || (machine.codeStays && tabled === undefined);
}

/** Whether the patch may change code. Where such systems let an agent do so, it finds the room for jumps as it starts. */
function codeRights(
  { redirect }: BuildPatchOptions,
  { base: { machine, tabled } }: Program,
): { readonly codeStays?: string | null } {
  if (tabled !== undefined) return {};
  if (machine.codeStays) {
    const only =
      'on such systems only the running process knows where jumps can lead through, so that no file holds any';
    return { codeStays: `${only}: patch it by ipbp run --redirect jump, or link it with slots by ipbp run` };
  }
  return { codeStays: redirect === 'slots' ? 'only slots are to be changed (--redirect slots)' : null };
}

function encoded(image: PatchImage, { base: { file, tabled } }: Program): Uint8Array {
  if (tabled !== undefined) return encodePatchInstance(image, { format: file.format, facts: tabled }).bytes;
  return (image.library === null ? encodePatchFile(image) : encodePatchLibrary(image, file)).bytes;
}

/**
 * The executable with the patches that are live in it. Throws IPBP3010 for a patch of another build, IPBP3011 for a
 * wrong order.
 */
function programWith({ base, after }: BuildPatchOptions, output: Output): Program {
  const file = readObjectFile(fileAt(base).read(), base);
  const libraries = (): readonly Library[] => {
    const found = findSharedLibraries(file, process.env);
    for (const name of found.missing) {
      output.say(`ipbp  note  ${printable(name)} was not found: what it exports is not known`);
    }
    return [
      ...found.libraries.map((library) => ({ name: library.name, open: () => library })),
      ...found.missing.map((name) => ({ name, open: () => null })),
    ];
  };
  let program = freshProgram(openProgram(file, libraries));
  for (const path of after) {
    const { image, digest } = readPatch(fileAt(path).read(), path);
    checkFollows(program, image.modules[0], image.after, path);
    program = withPatch(program, { image, digest });
  }
  return program;
}

function checkFollows(
  program: Program,
  built: Parameters<typeof identityText>[0] | undefined,
  after: readonly Uint8Array[],
  where: string,
): void {
  const { identity } = program.base;
  if (built === undefined || !sameIdentity(identity, built)) {
    const actual = built === undefined ? 'none' : identityText(built);
    throw new IpbpError('IPBP3010', 'the patch is for another build', {
      expected: identityText(identity),
      actual,
      where,
    });
  }
  const live = program.live.map((patch) => hexOf(patch.digest));
  const wanted = after.map(hexOf);
  if (wanted.join() !== live.join()) {
    throw new IpbpError('IPBP3011', 'the patch does not follow those before it', {
      expected: wanted.length === 0 ? 'no patch before it' : wanted.join(', '),
      actual: live.length === 0 ? 'none' : live.join(', '),
      where,
    });
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function viewOf(output: Output): View {
  return { color: output.color, quiet: output.quiet, verbose: output.verbose, compileMs: null };
}

/** With --json stdout is for the records alone, and --explain repeats what `diff --json` prints. */
function explain(lines: readonly string[], output: Output): void {
  for (const line of lines) output.say(line);
}

function tell(event: UnchangedEvent | RefusedEvent, outcome: Outcome, output: Output): Promise<Outcome> {
  output.record(event);
  for (const line of renderEvent(event, viewOf(output))) output.alert(line);
  return Promise.resolve(outcome);
}

function tellBuilt(built: BuiltRecord, size: number, output: Output): Promise<Outcome> {
  output.record(built);
  if (output.quiet) return Promise.resolve(DONE);
  for (const line of renderPatch('built', built, viewOf(output))) output.say(line);
  output.print(`${printable(built.file)}  ${byteCount(size)}  sha256 ${built.sha256}`);
  return Promise.resolve(DONE);
}

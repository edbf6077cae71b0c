// The engine for one running program: opens it, compares objects, plans patches and keeps track of what is live. Holds
// the one changing value, the current Program; everything it calls is a function of values. Pure: files are given.
import type { ByteSource } from '../bytes/source.js';
import { IpbpError } from '../codes/error.js';
import { readObjectFile, readObjectWith } from '../formats/read-object.js';
import { openLinkObject } from '../link/atoms.js';
import { identify, type Identified } from './identity/identity.js';
import { NO_NAMES, renamer, type NameMap } from './identity/name-map.js';
import type { LinkObject } from '../link/graph.js';
import { isUniqueName } from '../link/names.js';
import { archivesSource } from './program/archive-source.js';
import { identityText, sameIdentity, type Library } from './program/base-program.js';
import { openProgram } from './program/open-program.js';
import { withDeparted, type Departed } from './diff/departed.js';
import { diffObjects, type ObjectDiff } from './diff/diff.js';
import type { InputFile, PlanResult } from './engine.js';
import type { DeclarationChange } from './guard/declarations.js';
import { NO_MEMORY, withLayouts, type RememberedLayout } from './guard/remembered.js';
import { encodeTransaction } from './wire/frame-codec.js';
import type { EngineSite } from './program/module-view.js';
import type { AgentOp, Moved } from './wire/frames.js';
import { keptObjects } from './kept-objects.js';
import type { PatchImage } from './image/image.js';
import { encodePatchFile } from './image/image-file.js';
import { readPatch, type LibraryTarget } from './image/library.js';
import { openSide, type AtomRef, type DiffItem } from './diff/items.js';
import { whyCodeStays } from './redirect/islands.js';
import { addressesTaken } from './redirect/shared-bodies.js';
import { AS_IT_WAS, DEFAULT_ROOM, planPatch, type Delivery, type PlanRequest, type Room } from './plan.js';
import {
  departedOf,
  findItems,
  freshProgram,
  inverseRedirection,
  isTaken,
  namesOf,
  withObjects,
  withoutLast,
  withoutUndone,
  withPatch,
  withRedone,
  type Program,
} from './program/program.js';
import { framesInside, type LiveFrame, type ThreadStack } from './program/live-frames.js';
import { objectsSource, type DefinitionSource, type ForeignItem } from './program/surroundings.js';
import { historyStep, transactionOf, type HistoryStep } from './image/transaction.js';
import { rememberedImages } from './program/remembered-images.js';

/** A diff, with the opened objects it points into, and what they are called. */
export interface EngineDiff extends ObjectDiff, Omit<Identified, 'diff'> {
  /** Items that differ. */
  readonly count: number;
  readonly before: readonly LinkObject[];
}

/** What a patch may take from besides the changed objects. All are read when needed only. */
export interface LinkInputFiles {
  /** Objects of the followed crates that did not change. */
  readonly others: readonly InputFile[];
  /** rlibs, in the linker's order. */
  readonly archives: readonly InputFile[];
  /** Told of each name that is in no archive; may throw to end the planning where the list of them is not final. */
  readonly onAbsent?: (name: string) => void;
  /** What patches brought into other modules, by name. */
  readonly elsewhere?: (name: string) => ForeignItem | null;
  /** Names that other modules newly need of this one. */
  readonly wanted?: readonly string[];
  /** What the sources declare otherwise than those of the live code, for objects that do not describe types. */
  readonly declarations?: () => readonly DeclarationChange[];
}

/** One running program and the patches in it. Nothing is live for the engine before it is told so. */
export interface LiveEngine {
  /** Hex of the build id, or of the code's hash where there is none. */
  readonly buildId: string;
  /** Functions that a patch could redirect. */
  readonly functions: number;
  /** How many of them are reached through a slot. */
  readonly slots: number;
  /**
   * Plans a patch of functions that did not change and drops it: what is read once (the libraries' names) and what a
   * JavaScript engine compiles late is then ready when the first edit comes.
   */
  warmUp(objects: readonly InputFile[]): void;
  diff(before: readonly InputFile[], after: readonly InputFile[]): EngineDiff;
  link(diff: EngineDiff, inputs: LinkInputFiles): PlanResult;
  /**
   * A patch file's image.
   * @throws IpbpError IPBP1xxx when it is malformed, IPBP3010 when it is for another build, IPBP3011 when it builds on
   *   other patches than those that are live.
   */
  readPatch(file: InputFile): PatchImage;
  /** What to send for a patch. Needs `attach` before. */
  transaction(image: PatchImage, objectPath?: LibraryTarget['objectPath']): readonly AgentOp[];
  /** Threads of these stacks that are inside a body which a live patch replaced. `read` gives the process's memory. */
  framesInside(
    image: PatchImage,
    stacks: readonly ThreadStack[],
    read: (address: number, size: number) => Uint8Array | null,
  ): readonly LiveFrame[];
  /**
   * The process applied it. `diff` is what it was made from; null for a patch that came as a file. `moved`: where what it
   * brought lies in truth.
   */
  applied(image: PatchImage, diff: EngineDiff | null, moved?: readonly Moved[]): void;
  /** The objects of a diff mean what the program runs already: they are what the next ones are compared with. */
  taken(diff: EngineDiff): void;
  /** The newest live patch, or null; `undone` after the process took it back. */
  undoStep(): HistoryStep | null;
  undone(): void;
  /** After `undone`: nobody will want that patch again. */
  forgetUndone(): void;
  /** The patch that was undone last, or null. */
  redoStep(): HistoryStep | null;
  redone(): void;
}

/** The engine of one module: what others ask of it, and where its process is. */
export interface OneModuleEngine extends LiveEngine {
  readonly delivery: Delivery;
  /** Of an executable: that its process can open libraries. */
  readonly hasLoader: boolean;
  /** True when other modules may mean an item of this one by this name. */
  exports(name: string): boolean;
  /**
   * The place of an item that other modules cannot find by its name: it was no business of theirs before, or a patch
   * brought it, or it is called otherwise now. Null for one that is exported, for thread-locals, and where there is none.
   * @param planned a patch that is not live yet and counts, too
   * @param names what the objects that ask call its items
   */
  hiddenItem(name: string, planned: PatchImage | null, names: NameMap | null): ForeignItem | null;
  /**
   * Which of these names the newest objects define for others.
   * @param diff holds those that differ; null when none does
   * @param others those that do not
   */
  defined(names: readonly string[], diff: EngineDiff | null, others: readonly InputFile[]): readonly string[];
  /**
   * Takes what the agent says of its process.
   * @param library opens a shared library of the process by the path its loader knows; null when there is no such file
   * @throws IpbpError IPBP3010 when that process runs another build
   */
  attach(site: EngineSite, library: (path: string) => InputFile | null): void;
}

function openObject(file: InputFile, names: NameMap = NO_NAMES): LinkObject {
  return openLinkObject(readObjectWith(file), renamer(names));
}

/** By ranges where that can be. */
function contentOf(file: InputFile): Uint8Array | ByteSource {
  return file.source?.() ?? file.read();
}

function tellingAbsent(source: DefinitionSource, tell: ((name: string) => void) | undefined): DefinitionSource {
  if (tell === undefined) return source;
  return (name, from) => {
    const found = source(name, from);
    if (found === null) tell(name);
    return found;
  };
}

/** A function as an item of a diff that says nothing changed. */
function unchangedItem(copies: readonly AtomRef[]): readonly DiffItem[] {
  const [copy] = copies;
  if (copy === undefined || copy.atom.kind !== 'code') return [];
  const { name } = copy.symbol;
  return [
    {
      name,
      demangled: name,
      kind: 'function',
      storage: 'code',
      change: 'body',
      rebind: false,
      before: copies,
      after: copies,
      objects: [],
      because: [],
    },
  ];
}

function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Opens the executable that runs, or a library in it. Its symbols are read when the first name is looked up, or by
 * `warmUp`.
 * @throws IpbpError IPBP1xxx when it is broken, IPBP3004 when it is stripped, IPBP3005 when it is not relocatable, IPBP3019
 *   when it is a module that was not prepared.
 */
export function openLiveEngine(executable: InputFile, delivery: Delivery = 'map'): OneModuleEngine {
  let libraries: readonly Library[] = [];
  const base = openProgram(readObjectFile(contentOf(executable), executable.name), () => libraries, {
    searchedBefore: () => process?.searchedBefore ?? 0,
    // Before it is attached nothing is bound.
    threadLocals: () => process?.threadLocals,
  });
  let program: Program = freshProgram(base);
  let process: EngineSite | null = null;
  let memory = NO_MEMORY;
  const kept = keptObjects();
  // Also by what was undone since: a pointer stays.
  let taken: ReadonlySet<string> = new Set();
  const leavingBehind = new WeakMap<PatchImage, readonly RememberedLayout[]>();

  const attached = (): EngineSite => {
    if (process === null) throw new Error('internal: no process is attached');
    return process;
  };
  const room = (): Room => {
    if (process === null) return DEFAULT_ROOM;
    const { reservation, tls, beside } = process;
    const gap = base.start - (reservation.at + reservation.size);
    const near = { beside: beside.size > 0 ? beside : null };
    return { memory: reservation.size, gap, tlsSize: tls.size, tlsAlign: tls.align, ...near };
  };

  /** What the process lets a patch do with its code; before it is there, as its system usually is. */
  const codeRights = (): Pick<PlanRequest, 'codeStays'> =>
    process === null ? {} : { codeStays: whyCodeStays(process) };

  const departing = ({ items, back }: EngineDiff, moved: readonly string[]): Departed =>
    withDeparted(departedOf(program), items, back, new Set(moved), (name) => findItems(program, name).length > 0);

  return {
    buildId: toHex(base.identity.id),
    functions: base.functions,
    slots: base.slots,
    delivery,
    hasLoader: base.file.linked?.loaded === true,
    exports: (name) => base.exports(name),
    hiddenItem(spelling, planned, names) {
      const name = (names ?? namesOf(program)).get(spelling) ?? spelling;
      // A name that is not mangled may be any library's own.
      if (base.exports(spelling) || base.isPreempted(name) || !isUniqueName(name)) return null;
      const module = base.identity;
      const fresh = planned?.symbols.find((symbol) => symbol.name === name);
      const items = fresh === undefined ? findItems(program, name) : [fresh];
      const [item] = items;
      // Of several local ones it cannot be told which is meant.
      return item === undefined || items.length > 1 || item.kind === 'tls' ? null : { module, address: item.address };
    },
    defined(names, diff, others) {
      const rename = renamer(diff?.names ?? namesOf(program));
      const unchanged = others.map((file) => openObject(file, diff?.names ?? namesOf(program)));
      const find = objectsSource([...(diff?.after ?? []), ...unchanged]);
      return names.filter((name) => find(rename(name), name) !== null);
    },
    attach(site, library) {
      const main = site.modules[0];
      if (main === undefined || !sameIdentity(base.identity, main.identity)) {
        throw new IpbpError('IPBP3010', 'the process runs another build than the executable at hand', {
          expected: identityText(base.identity),
          actual: main === undefined ? 'no modules' : identityText({ name: main.path, ...main.identity }),
          where: executable.name,
        });
      }
      process = site;
      libraries = site.modules.slice(1).map(({ path }) => ({
        name: path,
        open() {
          const file = library(path);
          return file === null ? null : readObjectFile(contentOf(file), path);
        },
      }));
    },
    warmUp(objects) {
      const opened = objects.map((file) => openObject(file));
      const same = diffObjects(
        opened,
        objects.map((file) => openObject(file)),
      );
      const diff = { ...same, items: [...openSide(opened).items.values()].flatMap(unchangedItem) };
      const plan = planPatch({
        program,
        diff,
        identity: AS_IT_WAS,
        before: opened,
        after: opened,
        others: () => [],
        archives: () => null,
        room: room(),
        delivery,
        ...codeRights(),
      });
      if (plan.kind === 'patch') {
        encodePatchFile(plan.image);
        if (process !== null)
          encodeTransaction(0, transactionOf(plan.image, process, base.file, rememberedImages(base)));
      }
      base.exported('');
      base.functionsByAddress();
    },
    diff(before, after) {
      const names = namesOf(program);
      const old = before.map((file) => kept.open(file, names));
      const { diff, ...identity } = identify({
        before: old,
        after: after.map(readObjectWith),
        names,
        isTaken: (name) => isTaken(program, name),
        departed: departedOf(program),
      });
      kept.keep([
        { objects: identity.after, names: identity.names },
        { objects: old, names },
      ]);
      return { ...diff, ...identity, count: diff.items.length, before: old };
    },
    link(diff, inputs) {
      let others: readonly LinkObject[] | null = null;
      const plan = planPatch({
        program,
        diff,
        remembered: memory,
        taken,
        identity: diff,
        before: diff.before,
        after: diff.after,
        others: () => (others ??= inputs.others.map((file) => openObject(file, diff.names))),
        archives: tellingAbsent(archivesSource(inputs.archives), inputs.onAbsent),
        room: room(),
        delivery,
        ...codeRights(),
        ...(inputs.elsewhere === undefined ? {} : { elsewhere: inputs.elsewhere }),
        ...(inputs.wanted === undefined ? {} : { wanted: inputs.wanted.map(renamer(diff.names)) }),
        ...(inputs.declarations === undefined ? {} : { declarations: inputs.declarations }),
      });
      if (plan.kind === 'patch') leavingBehind.set(plan.image, plan.went);
      else if (plan.kind === 'unchanged') memory = withLayouts(memory, plan.went);
      return plan;
    },
    readPatch(file) {
      const { image } = readPatch(file.read(), file.name);
      const wanted = image.modules[0];
      if (wanted === undefined || !sameIdentity(wanted, base.identity)) {
        throw new IpbpError('IPBP3010', 'the patch is for another build', {
          expected: wanted === undefined ? 'a patch that names its program' : identityText(wanted),
          actual: identityText(base.identity),
          where: file.name,
        });
      }
      const live = program.live.map((patch) => toHex(patch.digest));
      const after = image.after.map(toHex);
      if (live.join() !== after.join()) {
        throw new IpbpError('IPBP3011', 'the patch builds on other patches than those that are live', {
          expected: after.length === 0 ? 'no patch' : after.join(', '),
          actual: live.length === 0 ? 'no patch' : live.join(', '),
          where: file.name,
        });
      }
      return image;
    },
    transaction(image, objectPath) {
      const { format, machine, linked } = base.file;
      const target = { format, machine, linked, ...(objectPath === undefined ? {} : { objectPath }) };
      return transactionOf(image, attached(), target, rememberedImages(base));
    },
    framesInside: (image, stacks, read) => framesInside(program, image, stacks, attached().modules[0]?.base ?? 0, read),
    applied(image, diff, libraries = []) {
      // Kept when the patch is undone, too: its own values may live on.
      memory = withLayouts(memory, leavingBehind.get(image) ?? []);
      const patch = { image, digest: encodePatchFile(image).digest, moved: libraries };
      const copies = (diff?.items ?? []).flatMap(({ before, after }) => [...before, ...after]);
      taken = new Set([...taken, ...addressesTaken(copies)]);
      const moved = image.symbols.flatMap((symbol) => (symbol.moved ? [symbol.name] : []));
      const of = diff === null ? { names: namesOf(program) } : { names: diff.names, departed: departing(diff, moved) };
      program = withPatch(program, { ...patch, ...of });
    },
    taken(diff) {
      program = withObjects(program, diff.names, departing(diff, []));
    },
    undoStep() {
      const last = program.live.at(-1);
      if (last === undefined) return null;
      return historyStep(last.image, inverseRedirection(last.image), attached);
    },
    undone() {
      program = withoutLast(program);
    },
    forgetUndone() {
      program = withoutUndone(program);
    },
    redoStep() {
      const next = program.undone.at(-1);
      if (next === undefined) return null;
      return historyStep(next.image, next.image, attached);
    },
    redone() {
      program = withRedone(program);
    },
  };
}

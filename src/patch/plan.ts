// From a diff to a patch image: choose what must be in it, link it against the running program, redirect the old
// entries to it, and say what was done. Refuses with a reason wherever that cannot be shown to be safe.
import { IpbpError } from '../codes/error.js';
import type { Code } from '../codes/table.js';
import { demangle } from '../formats/symbols/demangle.js';
import { link } from '../link/link.js';
import type { LinkedImage } from '../link/linked-image.js';
import type { Atom, LinkObject } from '../link/graph.js';
import type { ObjectDiff } from './diff/diff.js';
import type { PlanResult, RefusedItem } from './engine.js';
import type { DeclarationChange } from './guard/declarations.js';
import { refuseConstructors } from './guard/constructors.js';
import { compareLayouts } from './guard/guard.js';
import type { LayoutMemory } from './guard/remembered.js';
import { withBindingTexts } from './guard/binding-texts.js';
import { refuseOtherExports } from './guard/bindings.js';
import { AS_IT_IS } from './guard/type-names.js';
import { refuseMissing } from './guard/missing.js';
import { otherSignatures } from './guard/tabled-signatures.js';
import { refuseUnchecked } from './guard/unchecked.js';
import { refuseSplitState } from './guard/split-state.js';
import { refuseUnnamedState } from './guard/unnamed-state.js';
import type { Identified } from './identity/identity.js';
import type { ImageSegment, ImageSymbol, ItemReport, ModuleIdentity, PatchImage } from './image/image.js';
import { libraryRange } from './image/library.js';
import { sourcesOf } from './image/sources.js';
import { storageOf } from './diff/items.js';
import { sameIdentity } from './program/base-program.js';
import type { KeptRange } from './wire/frames.js';
import { findItems, lowestAddress, slotsUsed, tlsUsed, type Program } from './program/program.js';
import { islandFor, islandSegments, type Island } from './redirect/islands.js';
import { mostJumps, redirectFunctions, type Redirects } from './redirect/redirect-functions.js';
import { partSharedBodies, spoken } from './redirect/shared-bodies.js';
import { chooseRoots, isApart, type ChangedFunction, type Roots } from './roots.js';
import { objectsSource, surroundingsOf, type DefinitionSource, type ForeignItem } from './program/surroundings.js';

/** What the process offers. The defaults of an agent are taken when no process is there yet. */
export interface Room {
  /** Bytes reserved for patches. */
  readonly memory: number;
  /** How far their end lies before the program, as something else is there; less than 0: behind its start. */
  readonly gap: number;
  readonly tlsSize: number;
  readonly tlsAlign: number;
  /** Pages near the program for what jumps lead through; null where those below it are. */
  readonly beside: KeptRange | null;
}

/** How the process comes to have a patch: mapped where the patch says, or opened as a shared library by its loader. */
export type Delivery = 'map' | 'library';

export const DEFAULT_ROOM: Room = {
  memory: 1024 * 1024 * 1024,
  gap: 0,
  tlsSize: 16 * 1024,
  tlsAlign: 64,
  beside: null,
};

/** What pairing old and new items found out that is of use behind the diff. */
export type PlanIdentity = Pick<Identified, 'moved' | 'forked' | 'pathOf' | 'warnings' | 'refused'>;

/** Nothing is called otherwise than before. */
export const AS_IT_WAS: PlanIdentity = {
  moved: new Set(),
  forked: new Map(),
  pathOf: AS_IT_IS,
  warnings: [],
  refused: [],
};

export interface PlanRequest {
  readonly program: Program;
  readonly diff: ObjectDiff;
  readonly identity: PlanIdentity;
  /** The changed objects as they were, and as they are now, under the program's names. */
  readonly before: readonly LinkObject[];
  readonly after: readonly LinkObject[];
  /** The followed crates' other objects. Opened only when something is found nowhere else. */
  readonly others: () => readonly LinkObject[];
  /** Definitions in archives, in the linker's order. */
  readonly archives: DefinitionSource;
  readonly room: Room;
  /**
   * Without: mapped. Once a library was delivered all that comes later is one, too: it refers to what may lie anywhere.
   */
  readonly delivery?: Delivery;
  /** Why the process's code cannot be changed, null where it can. Without: as the systems of the program's format are. */
  readonly codeStays?: string | null;
  /** Layouts that values may have from before the objects given. */
  readonly remembered?: LayoutMemory;
  /** What patches brought into other modules, by name. Without: nothing. */
  readonly elsewhere?: (name: string) => ForeignItem | null;
  /** Names that other modules newly need of this one: what the objects define under them is in the patch. */
  readonly wanted?: readonly string[];
  /** What sources declare otherwise than before, asked for where objects do not describe types. Without: only a warning. */
  readonly declarations?: () => readonly DeclarationChange[];
  /** Names whose address code took that is live no more. Without: none. */
  readonly taken?: ReadonlySet<string>;
}

/** Callers of callers of what takes no jump are linked anew so far: beyond it is refused. */
const MOST_ROUNDS = 8;

type Warning = PatchImage['warnings'][number];

/** `missing`: why descriptions that there should be are not to be had, if that is so. */
function warnOfUnchecked(missing: string | null): Warning {
  const reason = missing ?? 'build with debug = true';
  return { code: 'IPBP3007', message: `layouts of types cannot be checked: ${reason}` };
}

function refusal(code: Code, name: string, message: string, because: readonly string[] = []): RefusedItem {
  return { code, name, message, because };
}

/** Plans one patch. Errors that belong to the edit come back as refusals; a broken object is thrown as it is. */
export function planPatch(request: PlanRequest): PlanResult {
  const { program, diff, identity } = request;
  const bindings = program.base.tabled === undefined ? [] : refuseOtherExports(diff);
  const unfit = [...identity.refused, ...bindings, ...refuseConstructors(program, request.after)];
  if (unfit.length > 0) return { kind: 'refused', items: unfit };
  const chosen = chooseRoots(program, diff, request.others, identity.moved);
  // What is of another type than its slot cannot be put there. Whether a jump fits is known when all is laid out. Either
  // is given a place of its own.
  let noJump = otherSignatures(program, chosen.functions);
  for (let round = 1; ; round++) {
    const planned = planRoots(request, chosen, noJump);
    if (planned.kind !== 'no jump') return withBindingTexts(planned, request);
    if (round === MOST_ROUNDS) {
      const why = `so it is with what it calls, ${MOST_ROUNDS - 1} calls deep: no further callers are linked anew`;
      const items = [...planned.entries.values()].map((item) => ({ ...item, because: [...item.because, why] }));
      return { kind: 'refused', items };
    }
    noJump = new Map([...noJump, ...planned.entries]);
  }
}

/** `noJump` are those that are known to take no jump; `entries` further ones. */
function planRoots(
  request: PlanRequest,
  chosen: Roots,
  noJump: ReadonlyMap<string, RefusedItem>,
): PlanResult | { readonly kind: 'no jump'; readonly entries: ReadonlyMap<string, RefusedItem> } {
  const { program, diff, identity } = request;
  const { roots, refused } = partSharedBodies(program, chosen, request, noJump);
  // Where a type changed, what takes it by value takes something else: the type is what the person edited.
  if (refused.every(({ code }) => code !== 'IPBP3018') && refused.length > 0)
    return { kind: 'refused', items: refused };
  const elsewhere = roots.functions.filter(({ name }) => program.base.isPreempted(name));
  if (elsewhere.length > 0) {
    const message = 'the process uses the copy of this function that another of its modules exports';
    const items = elsewhere.map(({ demangled, because }) => refusal('IPBP5045', demangled, message, because));
    return { kind: 'refused', items };
  }
  const resized = roots.resized.map((item) =>
    refusal('IPBP3015', item.demangled, 'a static that exists changed its size or storage', item.because),
  );
  if (resized.length > 0) return { kind: 'refused', items: resized };
  const wanted = wantedAtoms(request);
  const nothing = roots.functions.length + roots.initialisers.length + wanted.length === 0;
  if (nothing && !diff.constructors.some(({ change }) => change === 'added')) {
    // The program's code is the same, but what it means by a type may not be.
    const { went } = compareLayouts(request.before, request.after, request.remembered, identity.pathOf);
    return { kind: 'unchanged', reason: reasonForNothing(diff, roots), went };
  }
  const layouts = compareLayouts(request.before, request.after, request.remembered, identity.pathOf);
  if (layouts.changed.length > 0) {
    const items = layouts.changed.map(({ name, message, because }) => refusal('IPBP3006', name, message, because));
    return { kind: 'refused', items };
  }
  if (refused.length > 0) return { kind: 'refused', items: refused };
  const declared = layouts.checked ? undefined : request.declarations?.();
  const undecided = declared === undefined ? [] : refuseUnchecked(diff, declared, layouts.missing);
  if (undecided.length > 0) return { kind: 'refused', items: undecided };
  const modules: ModuleIdentity[] = [program.base.identity];
  const numberOf = (module: ModuleIdentity): number => {
    const known = modules.findIndex((one) => sameIdentity(one, module));
    return known < 0 ? modules.push(module) - 1 : known;
  };
  const { machine } = program.base;
  const anywhere = request.delivery === 'library' || program.mapped.some(({ image }) => image.library !== null);
  const usual = machine.codeStays ? 'systems of this kind let nobody change code that is loaded' : null;
  const codeStays = request.codeStays === undefined ? usual : request.codeStays;
  const { beside } = request.room;
  let island: Island | null = null;
  const end = program.base.start - request.room.gap;
  const { tabled } = program.base;
  const bottom = end - (tabled?.arena.size ?? request.room.memory);
  const top = lowestAddress(program, bottom, end);
  let linked: ReturnType<typeof link>;
  let library: PatchImage['library'] = null;
  try {
    if (anywhere && codeStays === null) island = islandFor(program, mostJumps(program, roots.functions), beside, top);
    linked = link({
      replacing: new Set(wholes(roots).map(({ body }) => body.atom)),
      roots: [...roots.functions.map((changed) => changed.body.atom), ...wanted],
      objects: request.after,
      machine,
      reach: anywhere ? 'anywhere' : tabled === undefined ? 'near' : 'fixed',
      // Where loaded code is changed by way of exception, that is spared libraries.
      entries: codeStays !== null || machine.codeStays ? 'stubs' : 'code',
      outside: surroundingsOf(
        program,
        roots.fresh,
        {
          near: [objectsSource(request.after), request.archives],
          far: [(name, spelling) => objectsSource(request.others())(name, spelling)],
        },
        request.elsewhere ?? (() => null),
        numberOf,
      ),
      placement: {
        top: beside === null ? (island?.code ?? top) : top,
        bottom,
        tlsNext: tlsUsed(program),
        // Of a program with a table, a thread's block has what the linker put there, or thread-locals are plain statics.
        tlsEnd: tabled === undefined ? request.room.tlsSize : 0,
        tlsAlign: request.room.tlsAlign,
        slotNext: slotsUsed(program),
      },
    });
    if (linked.kind === 'linked' && anywhere) library = libraryRange(linked.image, program.base.file, bottom);
  } catch (error) {
    if (!(error instanceof IpbpError) || !/^IPBP[23]/.test(error.code)) throw error;
    return {
      kind: 'refused',
      items: [refusal(error.code, error.facts.where ?? '', error.message, error.facts.because)],
    };
  }
  if (linked.kind === 'unresolved') {
    return { kind: 'refused', items: refuseMissing(linked.symbols, request.after) };
  }
  const brought = linked.image.atoms.map(({ object }) => object);
  const { atoms } = linked.image;
  const lost = [...refuseUnnamedState(atoms), ...refuseSplitState(program, atoms)];
  const unnamed = [...refuseConstructors(program, new Set(brought)), ...lost];
  if (unnamed.length > 0) return { kind: 'refused', items: unnamed };
  const jumping = codeStays === null ? { island } : { not: codeStays };
  const redirected = redirectFunctions(program, roots.functions, linked.image, jumping);
  if (redirected.refused.length > 0) return { kind: 'refused', items: redirected.refused };
  if (redirected.noJump.size > 0) return { kind: 'no jump', entries: redirected.noJump };
  const pages = island === null ? [] : islandSegments(island, redirected.words, machine);
  const image = assemble(program, modules, roots, identity, linked.image, redirected, { pages, library }, [
    ...identity.warnings,
    ...(layouts.checked || declared !== undefined ? [] : [warnOfUnchecked(layouts.missing)]),
    ...warningsOf(diff, roots),
    ...redirected.endless.map(warnOfEndless),
  ]);
  return { kind: 'patch', image, items: image.items, went: layouts.went };
}

function wantedAtoms({ wanted = [], after, others }: PlanRequest): readonly Atom[] {
  if (wanted.length === 0) return [];
  const [near, far] = [objectsSource(after), objectsSource(others())];
  return [...new Set(wanted.flatMap((name) => (near(name, name) ?? far(name, name))?.atom ?? []))];
}

function reasonForNothing(diff: ObjectDiff, roots: Roots): string {
  if (diff.items.length === 0) return 'no function and no data changed';
  const [absent] = roots.absent;
  if (absent !== undefined) return `${absent.demangled} is not in the running program: nothing there ever called it`;
  return 'what changed is not used by the running program';
}

function assemble(
  program: Program,
  modules: readonly ModuleIdentity[],
  roots: Roots,
  identity: PlanIdentity,
  linked: LinkedImage,
  { cells, slots, words }: Redirects,
  place: { readonly pages: readonly ImageSegment[]; readonly library: PatchImage['library'] },
  warnings: readonly Warning[],
): PatchImage {
  const { symbols, items, entered } = describe(program, roots, identity.forked, linked);
  return {
    modules,
    after: program.live.map((patch) => patch.digest),
    segments: [...linked.segments, ...place.pages],
    library: place.library,
    code: linked.code,
    rebases: [...linked.rebases, ...words],
    tlsWords: linked.tlsWords,
    tlsInit: linked.tlsInit,
    tlsUsed: linked.tlsUsed,
    imports: linked.imports,
    checks: [],
    cells,
    slots,
    unwind: linked.unwind,
    unwindEntries: linked.unwindEntries,
    threadLocals: linked.threadLocals,
    init: linked.constructors,
    symbols,
    bodies: [
      ...wholes(roots).map(({ name, body }) => ({
        name,
        address: linked.addressOf(body.atom) + body.symbol.offset,
      })),
      ...entered,
    ],
    sources: place.library === null ? [] : sourcesOf(linked),
    items,
    warnings,
  };
}

/** What the image holds, for later patches (by name) and for the person; and the bodies of what is entered by a stub. */
function describe(
  program: Program,
  roots: Roots,
  forked: PlanIdentity['forked'],
  linked: LinkedImage,
): {
  readonly symbols: readonly ImageSymbol[];
  readonly items: readonly ItemReport[];
  readonly entered: PatchImage['bodies'];
} {
  const symbols: ImageSymbol[] = [];
  const entered: { readonly name: string; readonly address: number }[] = [];
  const items: ItemReport[] = roots.functions.map((changed) => ({
    name: changed.demangled,
    mangled: changed.name,
    kind: 'function',
    ...verdictOf(changed),
  }));
  const redirected = new Set(wholes(roots).map((changed) => changed.name));
  const apart = new Set(roots.functions.filter(isApart).map((changed) => changed.name));
  const seen = new Set<string>();
  for (const atom of linked.atoms) {
    const storage = storageOf(atom);
    if (storage === null) continue;
    for (const symbol of atom.symbols) {
      if (!symbol.stable || seen.has(symbol.name) || redirected.has(symbol.name)) continue;
      seen.add(symbol.name);
      const kind = storage === 'code' ? 'function' : storage === 'mutable' ? 'data' : storage;
      const at = linked.addressOf(atom) + symbol.offset;
      const entry = kind === 'function' ? linked.entryOf(atom, symbol.offset) : null;
      symbols.push({
        name: symbol.name,
        kind,
        address: entry?.address ?? at,
        size: symbol.size,
        moved: apart.has(symbol.name),
        entryWord: entry?.word ?? null,
      });
      if (entry?.isStub === true) entered.push({ name: symbol.name, address: at });
      if (findItems(program, symbol.name).length > 0) continue;
      items.push({
        name: demangle(symbol.name),
        mangled: symbol.name,
        kind: storage === 'code' ? 'function' : 'data',
        ...newVerdict(forked.get(symbol.name)),
      });
    }
  }
  for (const item of roots.initialisers) {
    items.push({
      name: item.demangled,
      mangled: item.name,
      kind: 'data',
      verdict: 'initialiser-changed',
      reason: 'it keeps its value; the new initial value is not used',
    });
  }
  return { symbols, items, entered };
}

/** Those whose old entry leads to the new body. */
function wholes(roots: Roots): readonly ChangedFunction[] {
  return roots.functions.filter((changed) => !isApart(changed));
}

function verdictOf({ because, apartFrom, noJump }: ChangedFunction): Pick<ItemReport, 'verdict' | 'reason'> {
  const reason = because.join('; ');
  if (apartFrom.length === 0 && noJump === null) return { verdict: 'redirected', reason };
  if (apartFrom.length === 0)
    return { verdict: 'redirected', reason: `${reason}; its callers are linked anew, as ${noJump}` };
  return { verdict: 'forked', reason: `${reason}; its old body goes on serving ${spoken(apartFrom)}` };
}

function newVerdict(forkedBecause: string | undefined): Pick<ItemReport, 'verdict' | 'reason'> {
  return forkedBecause === undefined ? { verdict: 'added' } : { verdict: 'forked', reason: forkedBecause };
}

function warnOfEndless(name: string): Warning {
  return { code: 'IPBP3022', message: `${name} never returns: a thread that is inside keeps running its old body` };
}

function warningsOf(diff: ObjectDiff, roots: Roots): Warning[] {
  const warnings: Warning[] = roots.initialisers.map((item) => ({
    code: 'IPBP3020',
    message: `${item.demangled} keeps its value: its new initial value is not used`,
  }));
  for (const { section, item } of diff.registrations) {
    warnings.push({ code: 'IPBP3021', message: `${item.demangled} in section ${section} is not seen by running code` });
  }
  return warnings;
}

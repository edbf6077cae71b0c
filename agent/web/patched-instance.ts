// One instance and the patches in it: applies them all or nothing, takes them back, names them in traps.
import { IpbpError } from '../../src/codes/error.js';
import type { MemoryRange, PageInfo, PageMessages, PagePatch } from '../../src/patch/wire/page-frames.js';
import { type Arena, takeArena } from './arena.js';
import { type BaseInfo, type BaseParts, partsOf } from './base.js';

/** A patch that is in the instance. */
interface Applied {
  readonly number: number;
  /** What was in the slots that existed before. */
  readonly before: readonly { readonly slot: number; readonly was: unknown }[];
  readonly functions: ReadonlySet<string>;
}

/** What patches import from here are the base's own things; its imports may have the same module's name. */
const SHARED_MODULE = 'env';
/** A section of a patch's module with data that the agent writes: address, length and bytes of each piece. */
const DATA_SECTION = 'ipbp.data';

/** What `WebAssembly` says of a value that is to be imported; the types of the language do not know it. */
interface WantedImport {
  readonly module: string;
  readonly name: string;
}

/** What changes of an instance, and which build it is. */
export type InstanceState = Omit<PageInfo, 'kind' | 'name'>;

function notAccepted(cause: unknown): never {
  throw new IpbpError('IPBP4023', `the patch is no module that can be used here: ${String(cause)}`, { cause });
}

/** An instance of a module that went through the engine. */
export class PatchedInstance {
  readonly base: BaseInfo;
  readonly parts: BaseParts;
  readonly arena: Arena;
  private readonly exports: WebAssembly.Exports;
  private readonly imports: WebAssembly.Imports;
  private readonly patches: Applied[] = [];
  /** Taken back, the last one last, with what it had in its slots. */
  private readonly undone: { readonly patch: Applied; readonly now: Applied['before'] }[] = [];
  private done = 0;

  /** To be called right after instantiation. Throws IPBP4022. */
  constructor(base: BaseInfo, exports: WebAssembly.Exports, imports: WebAssembly.Imports) {
    this.base = base;
    this.exports = exports;
    this.imports = imports;
    this.parts = partsOf(base, exports);
    this.arena = takeArena(this.parts.memory, base.arena);
  }

  /** How many patches, undos and redos there were. */
  get steps(): number {
    return this.done;
  }

  /** What the host is to know of it. */
  state(): InstanceState {
    const { base, steps, arena, parts } = this;
    const { range, group } = arena;
    return { base: base.identity, steps, arena: range, tableLength: parts.table.length, group };
  }

  /** Room for more data; null where there is none. */
  reserve(wanted: PageMessages['reserve']): MemoryRange | null {
    return 'end' in wanted ? this.arena.extendTo(wanted.end) : this.arena.more(wanted.size);
  }

  /** Numbers of the patches in it, oldest first. */
  get applied(): readonly number[] {
    return this.patches.map(({ number }) => number);
  }

  /**
   * Brings a patch in. Nothing has changed when it throws: IPBP4020 of another build, IPBP4021 no room, IPBP4022 an import
   * is missing, IPBP4023 the module is not accepted.
   */
  async apply(patch: PagePatch, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.checkBase(patch);
    // While this is done elsewhere the page goes on; what follows is one piece, between turns of the event loop.
    this.commit(patch, await WebAssembly.compile(bytes).catch(notAccepted));
  }

  /** The same at once, for an instance whose turn does not end. */
  applyNow(patch: PagePatch, bytes: Uint8Array<ArrayBuffer>): void {
    this.checkBase(patch);
    let module: WebAssembly.Module;
    try {
      module = new WebAssembly.Module(bytes);
    } catch (cause) {
      notAccepted(cause);
    }
    this.commit(patch, module);
  }

  private checkBase(patch: PagePatch): void {
    if (patch.base === this.base.identity) return;
    const facts = { expected: this.base.identity, actual: patch.base };
    throw new IpbpError('IPBP4020', 'the patch is for another build of the module', facts);
  }

  private commit(patch: PagePatch, module: WebAssembly.Module): void {
    const imports = this.importsFor(module);
    this.makeRoom(patch);
    const { table } = this.parts;
    const before = patch.slots.map(({ slot }) => ({ slot, was: table.get(slot) as unknown }));
    const [data] = WebAssembly.Module.customSections(module, DATA_SECTION);
    if (data !== undefined && this.arena.claim(patch.patch)) this.write(patch, data);
    try {
      // Its active elements are the commit.
      new WebAssembly.Instance(module, imports);
    } catch (cause) {
      for (const { slot, was } of before) table.set(slot, was);
      throw new IpbpError('IPBP4023', `the patch could not be instantiated: ${String(cause)}`, { cause });
    }
    const functions = new Set(patch.slots.map(({ name }) => name));
    this.patches.push({ number: patch.patch, before, functions });
    this.undone.length = 0;
    this.done++;
  }

  /** Takes the last patch back; new functions stay in their slots, as something may point to them. Throws IPBP4024. */
  undo(number: number): void {
    const last = this.patches.at(-1);
    if (last?.number !== number) {
      const facts = { expected: `${last?.number ?? 'none'}`, actual: `${number}` };
      throw new IpbpError('IPBP4024', 'only the last patch can be taken back', facts);
    }
    const now = last.before.map(({ slot }) => ({ slot, was: this.parts.table.get(slot) as unknown }));
    for (const { slot, was } of last.before) if (was !== null) this.parts.table.set(slot, was);
    this.patches.pop();
    this.undone.push({ patch: last, now });
    this.done++;
  }

  /** Brings back what was taken back last; its data stays as it is by now. Throws IPBP4024. */
  redo(number: number): void {
    const last = this.undone.at(-1);
    if (last?.patch.number !== number) {
      const facts = { expected: `${last?.patch.number ?? 'none'}`, actual: `${number}` };
      throw new IpbpError('IPBP4024', 'only the patch that was taken back last can be brought back', facts);
    }
    for (const { slot, was } of last.now) this.parts.table.set(slot, was);
    this.undone.pop();
    this.patches.push(last.patch);
    this.done++;
  }

  /** The newest patch with a function of this name; null where it is not of a patch. */
  patchOf(name: string): number | null {
    return this.patches.findLast(({ functions }) => functions.has(name))?.number ?? null;
  }

  private importsFor(module: WebAssembly.Module): WebAssembly.Imports {
    const { memory, table, stackPointer } = this.parts;
    const { threadBase } = this.base;
    const own: WebAssembly.ModuleImports = {
      memory,
      __indirect_function_table: table,
      __stack_pointer: stackPointer,
      ...(threadBase === null ? {} : { __tls_base: this.exports[threadBase] as WebAssembly.Global }),
    };
    const found: WebAssembly.Imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module) as readonly WantedImport[]) {
      const shared = from === SHARED_MODULE ? own[name] : undefined;
      const value = shared ?? this.imports[from]?.[name] ?? (from === SHARED_MODULE ? this.exports[name] : undefined);
      if (value === undefined) {
        throw new IpbpError('IPBP4022', 'the patch needs what the page does not have', { expected: `${from}.${name}` });
      }
      (found[from] ??= {})[name] = value;
    }
    return found;
  }

  /** Everything that could stop the module in the middle of its elements is looked at before. */
  private makeRoom({ slots, tableLength, memory: { at, end } }: PagePatch): void {
    const { table, memory } = this.parts;
    const length = memory.buffer.byteLength;
    if (end > at && (at < this.arena.range.at || end > length)) {
      const facts = { expected: `below ${length}`, actual: `${at} to ${end}` };
      throw new IpbpError('IPBP4021', 'the memory of the page has no room for the patch', facts);
    }
    if (table.length < tableLength) {
      try {
        table.grow(tableLength - table.length);
      } catch (cause) {
        throw new IpbpError('IPBP4021', 'the table of the page cannot grow', { expected: `${tableLength}`, cause });
      }
    }
    const outside = slots.find(({ slot }) => slot >= table.length);
    if (outside === undefined) return;
    const facts = { expected: `below ${table.length}`, actual: `${outside.slot}` };
    throw new IpbpError('IPBP4021', 'a slot of the patch is not in the table', facts);
  }

  /** Nothing outside of what the patch says it has. */
  private write({ memory: { at: from, end } }: PagePatch, data: ArrayBuffer): void {
    const memory = new Uint8Array(this.parts.memory.buffer);
    const view = new DataView(data);
    for (let offset = 0; offset + 8 <= data.byteLength;) {
      const [at, length] = [view.getUint32(offset, true), view.getUint32(offset + 4, true)];
      if (at >= from && at + length <= end) memory.set(new Uint8Array(data, offset + 8, length), at);
      offset += 8 + length;
    }
  }
}

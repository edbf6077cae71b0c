// What is known of a program whose functions lie in no memory: they are entered through elements of a table, its slots. Who
// links such a program finds these facts out and keeps them in the module (`encodeFacts`, in a section of its own); who
// patches it reads them. A function that has several slots is there once for each, the one that calls go through first.
// Addresses and slots are those of every instance, as each is made alike. Owns shape and encoding.
import { ByteReader } from '../../bytes/reader.js';
import { ByteWriter } from '../../bytes/writer.js';
import { encodeText } from '../../bytes/text.js';
import { IpbpError } from '../../codes/error.js';

/** A function that patches may call, and take the address of. */
export interface TabledFunction {
  /** As the objects call it: mangled, and as it stands in them. Several of one name are copies from several objects. */
  readonly name: string;
  /** Its element of the table: what a pointer to it is. */
  readonly slot: number;
  /** What it takes and gives, as the readers spell types of functions: `(i32, i32) -> i32`. */
  readonly signature: string;
  /** All calls of it go through the slot, so that another body can be put there. */
  readonly patchable: boolean;
}

/** A static, or a thread-local. Everything that the program's objects and libraries have a symbol for, in the module. */
export interface TabledStatic {
  readonly name: string;
  /** In memory; of a thread-local, from the start of each thread's block. */
  readonly address: number;
  readonly size: number;
  readonly kind: 'data' | 'readonly' | 'tls';
}

/** A function that the program gets from its host, which patches get from there, too. */
export interface TabledImport {
  /** As the objects call it. */
  readonly name: string;
  /** As the module imports it. */
  readonly module: string;
  readonly field: string;
  readonly signature: string;
}

/** A global that code uses; the module exports it, or imports it, under `exported`. */
export interface TabledGlobal {
  /** As the objects call it: `__stack_pointer`. */
  readonly name: string;
  readonly exported: string;
  readonly mutable: boolean;
}

/** A range of memory that nothing else uses, which an instance asks for before anything of the program runs. */
export interface Arena {
  /** A multiple of 16. */
  readonly start: number;
  readonly size: number;
}

export interface TabledFacts {
  /** Which build it is, as the module tells its agent. */
  readonly identity: Uint8Array;
  readonly functions: readonly TabledFunction[];
  readonly imports: readonly TabledImport[];
  readonly statics: readonly TabledStatic[];
  readonly globals: readonly TabledGlobal[];
  /** Elements of the table that an instance has at the start: the next one is the first free one. */
  readonly tableSize: number;
  readonly arena: Arena;
  /** Names under which the module exports its memory and table. */
  readonly memory: string;
  readonly table: string;
  /** Pages that the memory may have at most, where threads share it; null where each instance has its own. */
  readonly sharedPages: number | null;
}

/** The name of the section that holds them. */
export const FACTS_SECTION = 'ipbp.facts';

const VERSION = 2;
const KINDS = ['data', 'readonly', 'tls'] as const;

function writeText(w: ByteWriter, text: string): void {
  const bytes = encodeText(text);
  w.uleb(bytes.length).raw(bytes);
}

/** The content of the section. */
export function encodeFacts(facts: TabledFacts): Uint8Array {
  const w = new ByteWriter(4096).uleb(VERSION);
  w.uleb(facts.identity.length).raw(facts.identity);
  const signatures = [...new Set([...facts.functions, ...facts.imports].map(({ signature }) => signature))];
  const numbers = new Map(signatures.map((signature, index) => [signature, index]));
  w.uleb(signatures.length);
  for (const signature of signatures) writeText(w, signature);
  w.uleb(facts.functions.length);
  for (const { name, slot, signature, patchable } of facts.functions) {
    writeText(w, name);
    w.uleb(slot)
      .uleb(numbers.get(signature) ?? 0)
      .u8(patchable ? 1 : 0);
  }
  w.uleb(facts.imports.length);
  for (const { name, module, field, signature } of facts.imports) {
    for (const text of [name, module, field]) writeText(w, text);
    w.uleb(numbers.get(signature) ?? 0);
  }
  w.uleb(facts.statics.length);
  for (const { name, address, size, kind } of facts.statics) {
    writeText(w, name);
    w.uleb(address).uleb(size).u8(KINDS.indexOf(kind));
  }
  w.uleb(facts.globals.length);
  for (const { name, exported, mutable } of facts.globals) {
    writeText(w, name);
    writeText(w, exported);
    w.u8(mutable ? 1 : 0);
  }
  w.uleb(facts.tableSize).uleb(facts.arena.start).uleb(facts.arena.size);
  writeText(w, facts.memory);
  writeText(w, facts.table);
  w.uleb(facts.sharedPages ?? 0);
  return w.finish();
}

/**
 * The facts that a section holds.
 * @throws IpbpError IPBP1003 for those of another version, IPBP1001 and IPBP1002 for broken ones
 */
export function decodeFacts(bytes: Uint8Array, where: string, base = 0): TabledFacts {
  const r = new ByteReader(bytes, where, base);
  const version = r.uleb();
  if (version !== VERSION) {
    throw new IpbpError('IPBP1003', 'the module was prepared by another version of ipbp', {
      expected: `${VERSION}`,
      actual: `${version}`,
      where: r.where(0),
    });
  }
  const text = (): string => r.text(r.uleb());
  const list = <T>(read: () => T): T[] => {
    const count = r.uleb();
    // An entry takes a byte at least.
    r.need(count);
    return Array.from({ length: count }, read);
  };
  const choice = <T>(choices: readonly T[]): T =>
    choices[r.u8()] ?? r.malformed('an unknown kind', { expected: `below ${choices.length}` }, r.position - 1);
  const flag = (): boolean => choice([false, true]);
  const identity = r.take(r.uleb()).slice();
  const signatures = list(text);
  const readSignature = (): string => signatures[r.uleb()] ?? r.malformed('a function of a type that is not there');
  const facts = {
    identity,
    functions: list((): TabledFunction => {
      const named = { name: text(), slot: r.uleb() };
      return { ...named, signature: readSignature(), patchable: flag() };
    }),
    imports: list((): TabledImport => ({ name: text(), module: text(), field: text(), signature: readSignature() })),
    statics: list((): TabledStatic => ({ name: text(), address: r.uleb(), size: r.uleb(), kind: choice(KINDS) })),
    globals: list((): TabledGlobal => ({ name: text(), exported: text(), mutable: flag() })),
    tableSize: r.uleb(),
    arena: { start: r.uleb(), size: r.uleb() },
    memory: text(),
    table: text(),
  };
  const sharedPages = r.uleb();
  if (!r.ended) r.malformed('bytes follow the end of the facts');
  return { ...facts, sharedPages: sharedPages === 0 ? null : sharedPages };
}

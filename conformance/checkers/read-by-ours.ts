// What our own readers see in a linked library, as facts that another reader's are held against. Knows no other reader.
import { type MachoFile, isMachoFile } from '../../src/formats/macho/read.js';
import { readChainedFixups } from '../../src/formats/macho/chained-fixups.js';
import { readDyldInfo } from '../../src/formats/macho/dyld-info.js';
import type { LoaderBind, LoaderImport, LoaderRebase } from '../../src/formats/macho/loader-fixups.js';
import { readObjectFile } from '../../src/formats/read-object.js';

const LC_CODE_SIGNATURE = 0x1d;
const LC_DYLD_INFO_ONLY = 0x8000_0022;
const LC_DYLD_CHAINED_FIXUPS = 0x8000_0034;

/** What a fact is of → the fact. */
export type Facts = ReadonlyMap<string, string>;

/** A part of the file, by two numbers of a load command; of size 0 where it has no such command. */
function partAt({ macho, bytes }: MachoFile, type: number, at = 8): { readonly offset: number; readonly size: number } {
  const command = macho.headers.commands.find((one) => one.type === type);
  if (command === undefined) return { offset: 0, size: 0 };
  const view = new DataView(bytes.buffer, bytes.byteOffset + command.offset, command.size);
  return { offset: view.getUint32(at, true), size: view.getUint32(at + 4, true) };
}

/** All facts of a library. */
export function factsByOurs(bytes: Uint8Array, path: string): Facts {
  const file = readObjectFile(bytes, path);
  if (!isMachoFile(file) || file.linked === null) throw new Error(`${path} is no linked Mach-O file`);
  const { headers, linked } = file.macho;
  const facts = new Map<string, string>();
  const { offset, size } = partAt(file, LC_CODE_SIGNATURE);
  facts.set('signature', `${offset} ${size}`);
  facts.set('uuid', Buffer.from(file.linked.buildId ?? []).toString('hex'));
  facts.set('platform', String(file.linked.platform?.platform));
  file.linked.needed.forEach((name, index) => facts.set(`library ${index + 1}`, name));
  for (const { name, address, memorySize, offset: from, fileSize } of headers.segments)
    facts.set(`segment ${name}`, `${address} ${memorySize} ${from} ${fileSize}`);
  for (const section of headers.sections)
    facts.set(`section ${section.segment},${section.name}`, `${section.address} ${section.size}`);
  for (const { name, kind, value, weak } of linked?.exports() ?? [])
    facts.set(`export ${name}`, `${kind} ${value}${weak ? ' weak' : ''}`);
  facts.set('functions', (linked?.functionStarts() ?? []).join(' '));
  addFixups(file, facts);
  return facts;
}

function addFixups(file: MachoFile, facts: Map<string, string>): void {
  const { segments } = file.macho.headers;
  const whole = { file: file.bytes, name: file.name, segments };
  const chains = partAt(file, LC_DYLD_CHAINED_FIXUPS);
  const putRebases = (rebases: readonly LoaderRebase[]): void => {
    for (const { address, target, tag = 0 } of rebases)
      facts.set(`rebase ${address}`, String((BigInt(tag) << 56n) + BigInt(target)));
  };
  const putBinds = (imports: readonly LoaderImport[], binds: readonly LoaderBind[], isWeak: boolean): void => {
    for (const { address, symbol, addend } of binds) {
      const { name, library, weak } = imports[symbol] as LoaderImport;
      if (isWeak) facts.set(`weak bind ${address}`, `${name} ${addend}`);
      else facts.set(`bind ${address}`, `${name} ${addend} ${library}${weak ? ' weak' : ''}`);
    }
  };
  if (chains.size > 0) {
    const { imports, rebases, binds } = readChainedFixups({ ...whole, ...chains, base: file.macho.linked?.base ?? 0 });
    putRebases(rebases);
    putBinds(imports, binds, false);
    return;
  }
  const part = (at: number): { offset: number; size: number } => partAt(file, LC_DYLD_INFO_ONLY, at);
  const info = readDyldInfo({ ...whole, rebase: part(8), bind: part(16), weakBind: part(24), lazyBind: part(32) });
  putRebases(info.rebases);
  putBinds(info.imports, [...info.binds, ...info.lazyBinds], false);
  putBinds(info.imports, info.weakBinds, true);
}

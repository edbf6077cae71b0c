// Starts llvm-jitlink on one prepared object and reads the linked bytes back. Its dump of contents goes by symbols and
// never ends where two of them overlap; its checker can be asked for any word of a section, and says what it found.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ObjectFile } from '../../src/formats/object-file.js';
import { readLinkGraph, type LinkGraph } from './link-graph.js';
import { placeOf } from './prepare.js';
import { spelledIn } from './prepare-macho.js';

const TOOL = 'llvm-jitlink-19';
const SLAB_ADDRESS = 0x1000_0000;
const SLAB_SIZE = '64Mb';
const GOT = '$__GOT';

/** What is linked: the object's file and the address of every name that it does not define. */
export interface JitlinkInput {
  readonly path: string;
  readonly file: ObjectFile;
  /** A name that the object defines for others: asking for it makes JITLink link the object. */
  readonly entry: string;
  readonly outside: ReadonlyMap<string, number>;
}

/** What JITLink made. */
export interface JitlinkOutput {
  readonly graph: LinkGraph;
  /** Bytes of each section that was kept and is not zero-filled, by the checker's name; also its address. */
  readonly sections: ReadonlyMap<string, { readonly address: number; readonly bytes: Uint8Array }>;
  /** Address of the slot that holds an address. */
  readonly slots: ReadonlyMap<number, number>;
  /** Address of the first slot, 0 when there is none. */
  readonly slotsAt: number;
}

/** JITLink refused; `message` is what it said. */
export class JitlinkError extends Error {}

function run(input: JitlinkInput, folder: string, checks: string): { out: string; err: string } {
  const options = [
    '-noexec',
    '-no-process-syms',
    `-slab-address=${SLAB_ADDRESS}`,
    `-slab-allocate=${SLAB_SIZE}`,
    '-slab-page-size=4096',
    `-entry=${spelledIn(input.file, input.entry)}`,
    '-show-graphs=.*',
    `-check=${checks}`,
    ...[...input.outside].map(([name, address]) => `-abs=${spelledIn(input.file, name)}=${address}`),
  ];
  // Thousands of names do not fit a command line.
  const response = join(folder, 'options');
  writeFileSync(response, options.map((option) => `'${option}'`).join('\n'));
  const { stdout, stderr, error } = spawnSync(TOOL, [`@${response}`, input.path], {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 1 << 30,
  });
  if (error !== undefined) throw new Error(`${TOOL}: ${error.message}`);
  return { out: stdout, err: stderr };
}

const FOUND = /^Expression '\*\{(\d)\}\(section_addr\([^,]+, (.*)\)\+(\d+)\) = 0' is false: (0x[0-9a-f]+) != 0x0$/;

/**
 * Links the object and reads all that was kept. Sections and slots are read in the same run, as JITLink numbers slots
 * anew in each. `folder` is for scratch files.
 */
export function runJitlink(input: JitlinkInput, folder: string): JitlinkOutput {
  const asked = new Map<string, Uint8Array>();
  for (const { index, alloc, fileSize } of input.file.sections) {
    if (!alloc || fileSize === 0) continue;
    const { section, at } = placeOf(input.file, index);
    // The last one that is in it says how long it is.
    asked.set(section, new Uint8Array(Math.max(at + fileSize, asked.get(section)?.length ?? 0)));
  }
  // As many slots as there can be. What lies behind the last one is not zero where it is something else's.
  asked.set(GOT, new Uint8Array(input.file.symbols.length * 8));
  const file = basename(input.path);
  const lines: string[] = [];
  for (const [name, bytes] of asked) {
    for (let at = 0; at < bytes.length;) {
      const size = bytes.length - at >= 8 ? 8 : 1;
      lines.push(`# jitlink-check: *{${size}}(section_addr(${file}, ${name})+${at}) = 0\n`);
      at += size;
    }
  }
  const checks = join(folder, 'checks');
  writeFileSync(checks, lines.join(''));
  const { out, err } = run(input, folder, checks);
  for (const line of err.split('\n')) {
    if (line.startsWith('llvm-jitlink error')) throw new JitlinkError(line);
    const found = FOUND.exec(line);
    if (found === null) continue;
    const bytes = asked.get(found[2]!)!;
    let value = BigInt(found[4]!);
    for (let i = 0; i < Number(found[1]); i++, value >>= 8n) bytes[Number(found[3]) + i] = Number(value & 255n);
  }
  const graph = readLinkGraph(out);
  if (graph.blocks.length === 0) throw new JitlinkError(err.slice(0, 300));
  const slotsAt = graph.blocks.find(({ section }) => section === GOT)?.address ?? 0;
  return { graph, sections: keptOf(graph, asked), slots: slotsOf(graph, asked.get(GOT)!), slotsAt };
}

function keptOf(graph: LinkGraph, asked: ReadonlyMap<string, Uint8Array>): JitlinkOutput['sections'] {
  const kept = new Map<string, { readonly address: number; readonly bytes: Uint8Array }>();
  for (const { section, address } of graph.blocks) {
    const bytes = asked.get(section);
    if (bytes !== undefined && !kept.has(section)) kept.set(section, { address, bytes });
  }
  return kept;
}

function slotsOf(graph: LinkGraph, contents: Uint8Array): Map<number, number> {
  const slots = new Map<number, number>();
  const view = new DataView(contents.buffer);
  const blocks = graph.blocks.filter(({ section }) => section === GOT);
  for (const { address } of blocks) {
    slots.set(Number(view.getBigUint64(address - blocks[0]!.address, true)), address);
  }
  return slots;
}

// The link of one edit's patch, by ipbp and as the peer does it (Dioxus subsecond): all objects of the edited crate and an
// object of stubs for what they use of the program, through rustc's own lld to a shared library. Both take turns; rustc's
// time, which both need, is counted on neither side. ipbp's side is all of its own: reading the objects that differ, diff,
// link, encoding the patch.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDebianTools } from '../conformance/setup/debian-tools.js';
import { run, tryRun, type Said } from '../conformance/setup/run.js';
import { readObjectFile } from '../src/formats/read-object.js';
import { encodePatchFile } from '../src/patch/image/image-file.js';
import { openEdit, patchOf, type OpenEdit } from './engine.js';
import { SUBJECTS, type Subject } from './project.js';
import { round, summarise, type Summary } from './statistics.js';

/** Not counted: a session has seen edits before, or warmed up for the first. */
const WARM_UP = 150;

interface PatchLinkResult {
  readonly subject: string;
  readonly executableBytes: number;
  /** Objects of the edited crate, which the peer links, and those that differ, which ipbp reads. */
  readonly objects: number;
  readonly changedObjects: number;
  readonly stubs: number;
  readonly ipbp: { readonly ms: Summary; readonly bytes: number };
  readonly peer: { readonly ms: Summary; readonly bytes: number; readonly refuses: string | null };
  /** ms of the peer / ms of ipbp, turn by turn: so many times faster. */
  readonly times: Summary;
}

/** rustc's own, as the peer calls it. */
function rustLld(): string {
  const root = spawnSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).stdout.trim();
  return join(root, 'lib', 'rustlib', 'x86_64-unknown-linux-gnu', 'bin', 'rust-lld');
}

/** An object that gives every name the objects use of the program an address: functions a jump there, data the place. */
function stubObject({ executable, objects }: OpenEdit, folder: string): { path: string; count: number } {
  const program = new Map(readObjectFile(executable, 'program').symbols.map((symbol) => [symbol.name, symbol]));
  const symbols = objects.flatMap((path) => readObjectFile(new Uint8Array(readFileSync(path)), path).symbols);
  const defined = new Set(symbols.filter(({ section }) => section !== 'undefined').map(({ name }) => name));
  const wanted = new Set(symbols.filter(({ section }) => section === 'undefined').map(({ name }) => name));
  const lines = ['.text'];
  for (const name of wanted) {
    const symbol = program.get(name);
    if (defined.has(name) || symbol === undefined || typeof symbol.section !== 'number') continue;
    // As if the program lay there.
    const address = `0x${(0x5555_5555_4000 + symbol.value).toString(16)}`;
    lines.push(`.globl "${name}"`);
    if (symbol.kind !== 'function') lines.push(`"${name}" = ${address}`);
    else lines.push(`.type "${name}", @function`, `"${name}":`, 'jmp *0(%rip)', `.quad ${address}`);
  }
  const source = join(folder, 'stubs.s');
  writeFileSync(source, `${lines.join('\n')}\n`);
  const path = join(folder, 'stubs.o');
  run('clang-19', ['-c', source, '-o', path]);
  return { path, count: lines.filter((line) => line.startsWith('.globl')).length };
}

async function measure(subject: Subject, edits: number, folder: string): Promise<PatchLinkResult> {
  const edit = await openEdit(subject, folder);
  const stubs = stubObject(edit, folder);
  const output = join(folder, 'patch.so');
  const options = ['-flavor', 'gnu', '-shared', '--eh-frame-hdr', '-z', 'now', '-z', 'relro', '-o', output];
  const linker = rustLld();
  const peer = (...more: readonly string[]): Said => tryRun(linker, [...options, ...more, ...edit.objects, stubs.path]);
  // It refuses thread-locals of the edited crate; its time is that of the same link without the refusal.
  const refused = peer();
  const anyway = refused.status === 0 ? [] : ['--noinhibit-exec'];
  const times = { ipbp: [] as number[], peer: [] as number[] };
  let bytes = 0;
  for (let turn = -WARM_UP; turn < edits; turn++) {
    const start = performance.now();
    bytes = encodePatchFile(patchOf(edit.request(edit.read()))).bytes.length;
    const middle = performance.now();
    const { status, stderr } = peer(...anyway);
    const end = performance.now();
    if (status !== 0) throw new Error(`rust-lld ended with ${status}: ${stderr}`);
    if (turn < 0) continue;
    times.ipbp.push(middle - start);
    times.peer.push(end - middle);
  }
  return {
    subject: subject.name,
    executableBytes: edit.executable.length,
    objects: edit.objects.length,
    changedObjects: edit.after.length,
    stubs: stubs.count,
    ipbp: { ms: summarise(times.ipbp), bytes },
    peer: {
      ms: summarise(times.peer),
      bytes: statSync(output).size,
      refuses: refused.status === 0 ? null : (refused.stderr.split('\n')[0] ?? ''),
    },
    times: summarise(times.peer.map((ms, turn) => ms / (times.ipbp[turn] ?? NaN))),
  };
}

function print({ subject, objects, changedObjects, stubs, ipbp, peer, times }: PatchLinkResult): void {
  const inputs = `${changedObjects} objects differ; the peer links ${objects} and ${stubs} stubs`;
  process.stdout.write(`${subject}: ${inputs}\n`);
  process.stdout.write(
    `  ipbp ${ipbp.ms.median} ms, ${ipbp.bytes} bytes; peer ${peer.ms.median} ms, ${peer.bytes} bytes\n`,
  );
  process.stdout.write(`  ${round(times.median)} times faster (${times.low}–${times.high})\n`);
  if (peer.refuses !== null) process.stdout.write(`  the peer's linker refuses it: ${peer.refuses}\n`);
}

/** Measures all subjects, or those named. */
export async function benchPatchLink(edits: number, names: readonly string[]): Promise<readonly PatchLinkResult[]> {
  ensureDebianTools();
  const results: PatchLinkResult[] = [];
  for (const subject of SUBJECTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const folder = mkdtempSync(join(tmpdir(), 'ipbp-bench-patch-link-'));
    try {
      const result = await measure(subject, edits, folder);
      print(result);
      results.push(result);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return results;
}

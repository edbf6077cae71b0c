// What it costs a module for pages to be one for patches, and what a patch costs, beside the peer (page-peer.ts), all in
// turns: a toy that does nothing but call, a program of JSON, maps and regular expressions, and one of ten thousand
// functions. The peer changes no call: only what the program's author has put behind its `subsecond::call` comes to new
// code, so its programs run as fast as its link of everything lets them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readWasm } from '../src/formats/wasm/read.js';
import { type RewrittenBase, rewriteBase } from '../src/formats/wasm/rewrite-base.js';
import { definedIn } from '../src/host/web/base-facts.js';
import { type BuiltProgram, buildProgram } from '../tests/wasm/built-program.js';
import { patchChain } from '../tests/wasm/edited-module.js';
import { buildPeer, openPagePeer, type PeerProgram, type PeerSettings } from './page-peer.js';
import { ROOT } from './record.js';
import { round, summarise, type Summary } from './statistics.js';

type Profile = 'debug' | 'release';
const WAYS = ['none', 'calls', 'entries', 'peer'] as const;
type Way = (typeof WAYS)[number];

interface Program {
  readonly name: string;
  readonly folder: string;
  readonly crates: readonly [string, ...string[]];
  /** How often `run` does its work, so that it takes about half a second. */
  readonly rounds: Readonly<Record<Profile, number>>;
  /** In `src/lib.rs`: what is edited, and two texts that take turns in its place. */
  readonly edit: readonly [string, string, string];
}

const PROGRAMS: readonly Program[] = [
  {
    ...{ name: 'toy', folder: 'bench/programs/web-toy', crates: ['toy'] },
    ...{ rounds: { debug: 40, release: 200 }, edit: ['value ^ 3', 'value ^ 5', 'value ^ 9'] },
  },
  {
    ...{ name: 'mid', folder: 'bench/programs/web-mid', crates: ['mid'] },
    ...{ rounds: { debug: 60, release: 600 }, edit: ['* 60 +', '* 61 +', '* 62 +'] },
  },
  {
    ...{ name: 'large', folder: 'tests/wasm/large', crates: ['large', 'parts'] },
    ...{ rounds: { debug: 30, release: 150 }, edit: ['names() + n', 'names() * 2 + n', 'names() * 3 + n'] },
  },
];

/** Not counted: a session has seen edits before, and its engine goes on from one to the next. */
const WARM_UP = 20;

/** Prints how long the thread was on a processor while it ran, in ms (schedstat, proc(5)): what else the machine did is not in it. */
const RUNNER = `
import { readFileSync } from 'node:fs';
const [file, count] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(file), {});
const used = () => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]);
instance.exports.run(1);
const before = used();
const answer = instance.exports.run(Number(count));
console.log((used() - before) / 1e6, answer);
`;

interface CostsResult {
  readonly program: string;
  readonly profile: Profile;
  readonly functions: { readonly all: number; readonly patchable: number; readonly inPeers: number };
  /** What would be chosen for this program. */
  readonly way: RewrittenBase['way'];
  readonly sites: RewrittenBase['calls'];
  /** As they are, and packed. */
  readonly bytes: Readonly<Record<Way | 'peerLinked', readonly [number, number]>>;
  readonly rewriteMs: Readonly<Record<Exclude<Way, 'none'>, Summary>>;
  /** ms of the whole program; ratios are those of the medians, to none. */
  readonly run: Readonly<Record<Way, Summary>>;
  readonly ratios: Readonly<Record<Exclude<Way, 'none'>, number>>;
  /** `ms`: until there is a compiled module, for either. */
  readonly patch: {
    readonly ours: Readonly<Record<'ms' | 'diff' | 'link' | 'encode' | 'compile', Summary>> & {
      readonly bytes: number;
    };
    readonly peer: Readonly<Record<'ms' | 'link' | 'rewrite' | 'compile', Summary>> & {
      readonly bytes: number;
      readonly objects: number;
      /** What it says where it does not go on behind its linker. */
      readonly refuses: string | null;
    };
    /** The peer's linker alone, and all that it does, to all that we do: turn by turn. */
    readonly linkerTimes: Summary;
    readonly times: Summary;
  };
}

const timed = (what: () => unknown): number => {
  const start = performance.now();
  what();
  return performance.now() - start;
};

const sizes = (bytes: Uint8Array): readonly [number, number] => [bytes.length, gzipSync(bytes).length];

/** All by turns, so that what else the machine does meets each; wrong answers are thrown. */
function runAll(
  modules: Readonly<Record<Way, Uint8Array>>,
  rounds: number,
  times: number,
  folder: string,
): CostsResult['run'] {
  const runner = join(folder, 'run.mjs');
  writeFileSync(runner, RUNNER);
  const ms: Record<Way, number[]> = { none: [], calls: [], entries: [], peer: [] };
  const answers = new Set<string>();
  for (const way of WAYS) writeFileSync(join(folder, `${way}.wasm`), modules[way]);
  for (let left = times; left > 0; left--) {
    for (const way of WAYS) {
      const { stdout, stderr } = spawnSync(process.execPath, [runner, join(folder, `${way}.wasm`), `${rounds}`], {
        encoding: 'utf8',
      });
      const [time = '', answer = ''] = stdout.trim().split(' ');
      if (time === '') throw new Error(`${way}: ${stderr}`);
      ms[way].push(Number(time));
      answers.add(answer);
    }
  }
  if (answers.size !== 1) throw new Error(`different answers: ${[...answers].join(', ')}`);
  return {
    none: summarise(ms.none),
    ...{ calls: summarise(ms.calls), entries: summarise(ms.entries), peer: summarise(ms.peer) },
  };
}

async function patches(
  built: BuiltProgram,
  { edit: [text, ...others] }: Program,
  isOwn: (name: string) => boolean,
  open: (sources: PeerSettings['sources']) => PeerProgram,
  times: number,
): Promise<{ readonly patch: CostsResult['patch']; readonly peer: PeerProgram }> {
  const source = readFileSync(join(built.folder, 'src', 'lib.rs'), 'utf8');
  const versions = others.map((other) => built.compile({ 'src/lib.rs': source.replace(text, other) }));
  const chain = patchChain(built, isOwn);
  const peer = open([source, source.replace(text, others[0])]);
  const columns: Record<string, number[]> = {};
  const put = (name: string, ms: number): void => void (columns[name] ??= []).push(ms);
  let [bytes, peerBytes] = [0, 0];
  let refuses: string | null = null;
  for (let turn = -WARM_UP; turn < times; turn++) {
    const made = chain.to(versions[Math.abs(turn) % versions.length] ?? []);
    if (turn < 0) continue;
    const { diff, link, encode } = made.ms;
    bytes = made.bytes.length;
    const compile = timed(() => new WebAssembly.Module(new Uint8Array(made.bytes)));
    for (const [name, ms] of Object.entries({ ...made.ms, compile, ours: diff + link + encode + compile }))
      put(name, ms);
    const theirs = await peer.patch();
    peerBytes = theirs.bytes.length;
    ({ refuses } = theirs);
    put('peerLink', theirs.linkMs);
    put('peerRewrite', theirs.rewriteMs);
    const peerCompile = timed(() => new WebAssembly.Module(new Uint8Array(theirs.bytes)));
    put('peerCompile', peerCompile);
    put('peer', theirs.linkMs + theirs.rewriteMs + peerCompile);
  }
  const of = (name: string): Summary => summarise(columns[name] ?? []);
  const ratio = (name: string): Summary =>
    summarise((columns[name] ?? []).map((ms, turn) => ms / (columns['ours']?.[turn] ?? NaN)));
  const ours = { ms: of('ours'), diff: of('diff'), link: of('link'), encode: of('encode'), compile: of('compile') };
  const theirs = { ms: of('peer'), link: of('peerLink'), rewrite: of('peerRewrite'), compile: of('peerCompile') };
  const patch = {
    ...{ ours: { ...ours, bytes }, peer: { ...theirs, bytes: peerBytes, objects: peer.objects, refuses } },
    ...{ linkerTimes: ratio('peerLink'), times: ratio('peer') },
  };
  return { patch, peer };
}

async function measure(program: Program, profile: Profile, times: number, tool: string): Promise<CostsResult> {
  const release = profile === 'release';
  const built = buildProgram({ folder: join(ROOT, program.folder), crates: program.crates, release });
  try {
    const own = definedIn(built.own);
    const { name, bytes: none } = built.module;
    const rewrite = (way: 'calls' | 'entries' | 'auto'): RewrittenBase =>
      rewriteBase(none, name, (each) => own.has(each), way, true);
    const open = (sources: PeerSettings['sources']): PeerProgram =>
      openPagePeer(tool, built, { crate: program.crates[0], release, sources });
    const { patch, peer } = await patches(built, program, (each) => own.has(each), open, times);
    const made = { calls: rewrite('calls'), entries: rewrite('entries') };
    const modules = { none, calls: made.calls.bytes, entries: made.entries.bytes, peer: peer.base };
    const again = (once: () => number): Summary => summarise(Array.from({ length: times }, once));
    const rewriteMs = {
      calls: again(() => timed(() => rewrite('calls'))),
      entries: again(() => timed(() => rewrite('entries'))),
      peer: again(() => peer.rewrite()),
    };
    peer.close();
    const folder = join(built.folder, 'run');
    mkdirSync(folder);
    const run = runAll(modules, program.rounds[profile], times, folder);
    const to = (way: Way): number => round(run[way].median / run.none.median);
    const count = (bytes: Uint8Array): number => readWasm(bytes, name).wasm.bodies().length;
    return {
      ...{ program: program.name, profile, way: rewrite('auto').way, sites: made.calls.calls },
      functions: { all: count(none), patchable: made.calls.functions.length, inPeers: count(peer.base) },
      bytes: {
        ...{ none: sizes(none), calls: sizes(modules.calls), entries: sizes(modules.entries) },
        ...{ peer: sizes(peer.base), peerLinked: sizes(peer.linked) },
      },
      ...{ rewriteMs, run, ratios: { calls: to('calls'), entries: to('entries'), peer: to('peer') }, patch },
    };
  } finally {
    built.remove();
  }
}

function print({ program, profile, functions, bytes, rewriteMs, ratios, run, patch, way }: CostsResult): void {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const { all, patchable, inPeers } = functions;
  say(
    `${program}, ${profile}: ${patchable} of ${all} functions can be patched, ${way}; the peer's base has ${inPeers}`,
  );
  say(`  bytes ${WAYS.map((each) => `${each} ${bytes[each][0]}`).join(', ')}`);
  say(
    `  rewrite calls ${rewriteMs.calls.median}, entries ${rewriteMs.entries.median}, peer ${rewriteMs.peer.median} ms`,
  );
  say(`  run ${run.none.median} ms; calls ${ratios.calls}, entries ${ratios.entries}, peer ${ratios.peer} times that`);
  const { ours, peer, times, linkerTimes } = patch;
  const parts = `diff ${ours.diff.median}, link ${ours.link.median}, encode ${ours.encode.median}`;
  say(`  patch ${ours.ms.median} ms (${parts}), ${ours.bytes} bytes, compiled in ${ours.compile.median}`);
  const theirs = `linker ${peer.link.median}, behind it ${peer.rewrite.median}`;
  say(`  peer ${peer.ms.median} ms (${theirs}), ${peer.bytes} bytes, compiled in ${peer.compile.median}`);
  if (peer.refuses !== null) say(`  the peer refuses it: ${peer.refuses}`);
  say(`  ${linkerTimes.median} times faster than the linker, ${times.median} than all of it`);
}

/** Measures all programs, or those named; `times` is how often each. `keep`: where the peer's program is built. */
export async function benchModuleCosts(
  times: number,
  names: readonly string[],
  keep: string | null,
): Promise<readonly CostsResult[]> {
  const folder = keep ?? mkdtempSync(join(tmpdir(), 'ipbp-bench-'));
  try {
    const tool = buildPeer(folder);
    const results: CostsResult[] = [];
    for (const program of PROGRAMS.filter(({ name }) => names.length === 0 || names.includes(name))) {
      for (const profile of ['debug', 'release'] as const) {
        const result = await measure(program, profile, times, tool);
        print(result);
        results.push(result);
      }
    }
    return results;
  } finally {
    if (keep === null) rmSync(folder, { recursive: true, force: true });
  }
}

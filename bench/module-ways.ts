// What it costs a WebAssembly module to be one for patches, in each of the two ways (src/formats/wasm/rewrite-base.ts)
// against the module as it was: ns per call of a leaf function, a workload of JSON and hash maps, bytes, and the time of
// the rewrite. Every function that the program's own objects define can be patched, generic ones among them.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { wasmToolchain } from '../conformance/setup/wasm-toolchain.js';
import { readWasm } from '../src/formats/wasm/read.js';
import { rewriteBase } from '../src/formats/wasm/rewrite-base.js';
import { ROOT } from './record.js';
import { round, summarise, type Summary } from './statistics.js';

const WAYS = ['calls', 'entries'] as const;
type Way = (typeof WAYS)[number] | 'none';

const CALLS = 50_000_000;
const ROUNDS = { debug: 50, release: 500 } as const;

/**
 * Runs a program for WASI as Node's documents say, and prints how long its thread was on a processor per call or round, in
 * ns (schedstat, see proc(5)): those that passed count what else the machine did.
 */
const RUNNER = `
import { WASI } from 'node:wasi';
import { readFileSync } from 'node:fs';
const [file, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', returnOnExit: true, args: ['program', ...args] });
const { instance } = await WebAssembly.instantiate(readFileSync(file), wasi.getImportObject());
const used = () => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]);
const before = used();
wasi.start(instance);
console.error((used() - before) / Number(args[1]));
`;

interface Compared {
  readonly none: Summary;
  readonly calls: Summary;
  readonly entries: Summary;
  /** Of the medians, to none. */
  readonly ratios: Readonly<Record<(typeof WAYS)[number], number>>;
}

interface WaysResult {
  readonly profile: string;
  readonly functions: { readonly all: number; readonly patchable: number };
  readonly sites: { readonly indirect: number; readonly overEntries: number };
  /** As they are, and packed; debug information is dropped where code moves. */
  readonly bytes: Readonly<Record<Way, readonly [number, number]>>;
  readonly rewriteMs: Readonly<Record<(typeof WAYS)[number], Summary>>;
  readonly leaf: Compared;
  readonly work: Compared;
}

function build(folder: string, profile: 'debug' | 'release'): { module: Uint8Array; own: ReadonlySet<string> } {
  const tools = wasmToolchain('wasm32-wasip1');
  cpSync(join(ROOT, 'bench/programs/slots'), folder, { recursive: true, filter: (path) => !path.includes('/target') });
  const args = ['build', '-q', '--target', tools.target, ...(profile === 'release' ? ['--release'] : [])];
  const env = { ...process.env, ...tools.env, RUSTFLAGS: '-Csave-temps' };
  execFileSync('cargo', args, { cwd: folder, env, stdio: ['ignore', 2, 2] });
  const output = join(folder, 'target', tools.target, profile);
  const objects = readdirSync(join(output, 'deps')).filter((name) => name.endsWith('.rcgu.o'));
  const own = new Set(
    objects.flatMap((name) => {
      const object = readWasm(new Uint8Array(readFileSync(join(output, 'deps', name))), name);
      const functions = object.symbols.filter(
        ({ kind, section }) => kind === 'function' && typeof section === 'number',
      );
      return functions.map((symbol) => symbol.name);
    }),
  );
  return { module: new Uint8Array(readFileSync(join(output, 'slots-work.wasm'))), own };
}

/** All by turns, so that what else the machine does meets each. */
function compared(times: number, one: (way: Way) => number): Compared {
  const values: Record<Way, number[]> = { none: [], calls: [], entries: [] };
  for (let left = times; left > 0; left--) for (const way of ['none', ...WAYS] as const) values[way].push(one(way));
  const [none, calls, entries] = [summarise(values.none), summarise(values.calls), summarise(values.entries)];
  const to = ({ median }: Summary): number => round(median / none.median);
  return { none, calls, entries, ratios: { calls: to(calls), entries: to(entries) } };
}

function measure(profile: 'debug' | 'release', times: number, folder: string): WaysResult {
  mkdirSync(folder, { recursive: true });
  const { module, own } = build(join(folder, 'project'), profile);
  const runner = join(folder, 'run.mjs');
  writeFileSync(runner, RUNNER);
  const path = (way: Way): string => join(folder, `${way}.wasm`);
  writeFileSync(path('none'), module);
  const rewrite = (way: (typeof WAYS)[number]): ReturnType<typeof rewriteBase> => {
    return rewriteBase(module, 'program', (name) => own.has(name), way);
  };
  const made = { calls: rewrite('calls'), entries: rewrite('entries') };
  for (const way of WAYS) writeFileSync(path(way), made[way].bytes);
  const rewriteMs = (way: (typeof WAYS)[number]): Summary =>
    summarise(
      Array.from({ length: times }, () => {
        const start = performance.now();
        rewrite(way);
        return performance.now() - start;
      }),
    );
  const run =
    (what: string, count: number) =>
    (way: Way): number => {
      const args = ['--no-warnings', runner, path(way), what, String(count)];
      return Number(spawnSync(process.execPath, args, { encoding: 'utf8' }).stderr);
    };
  const sizes = (bytes: Uint8Array): readonly [number, number] => [bytes.length, gzipSync(bytes).length];
  return {
    profile,
    functions: { all: readWasm(module, 'program').wasm.bodies().length, patchable: made.calls.functions.length },
    sites: made.calls.calls,
    bytes: { none: sizes(module), calls: sizes(made.calls.bytes), entries: sizes(made.entries.bytes) },
    rewriteMs: { calls: rewriteMs('calls'), entries: rewriteMs('entries') },
    leaf: compared(times, run('leaf', CALLS)),
    work: compared(times, run('work', ROUNDS[profile])),
  };
}

function print({ profile, functions, bytes, rewriteMs, leaf, work }: WaysResult): void {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`${profile}: ${functions.patchable} of ${functions.all} functions can be patched`);
  for (const way of ['none', ...WAYS] as const)
    say(`  ${way.padEnd(8)} ${bytes[way][0]} bytes, packed ${bytes[way][1]}`);
  for (const way of WAYS) say(`  ${way.padEnd(8)} rewritten in ${rewriteMs[way].median} ms`);
  for (const [what, { none, ratios }] of [
    ['leaf call', leaf],
    ['JSON and hash maps', work],
  ] as const) {
    say(`  ${what}: ${none.median} ns; calls ${ratios.calls}, entries ${ratios.entries} times that`);
  }
}

/** Measures debug and release; `times` is how often each. */
export function benchModuleWays(times: number): Promise<readonly WaysResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ipbp-bench-'));
  try {
    const results = (['debug', 'release'] as const).map((profile) => measure(profile, times, join(folder, profile)));
    for (const result of results) print(result);
    return Promise.resolve(results);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// Bases made of modules of Rust: what the linker knows of statics is found out from the linked code; every call of std's
// code is understood; the module made for patches does what it did, in both ways and in both profiles.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { constantOf } from '../../src/formats/wasm/const-expr.js';
import * as wasm from '../../src/formats/wasm/constants.js';
import { factsOf, type WasmFacts } from '../../src/formats/wasm/facts.js';
import { visitCalls } from '../../src/formats/wasm/instructions.js';
import { findPlaces, placeName, type KnownPlaces, type LinkedInput } from '../../src/formats/wasm/known-places.js';
import { readWasm, type WasmFile } from '../../src/formats/wasm/read.js';
import { rewriteBase } from '../../src/formats/wasm/rewrite-base.js';
import { handPatch } from './hand-patch.js';
import { KEEP_ALL, ownObjects, stdObjects } from './linked-inputs.js';
import { moduleProject } from './modules.js';

const SOURCE = readFileSync(fileURLToPath(new URL('rust-program.rs', import.meta.url)), 'utf8');
const opened = ({ name, bytes }: LinkedInput): WasmFile => readWasm(bytes, name);
const open = (bytes: Uint8Array): WasmFacts => factsOf(bytes, 'module');

/** By name, all addresses that a module with relocations says there are. */
function truthOf(facts: WasmFacts): Map<string, Set<number>> {
  const starts = facts.dataSegments().map(({ place }) => (place === null ? null : constantOf(place.offset)));
  const truth = new Map<string, Set<number>>();
  for (const part of facts.linking() ?? []) {
    for (const symbol of part.kind === 'symbols' ? part.symbols : []) {
      if (symbol.kind !== 'data' || symbol.place === null || (symbol.flags & wasm.WASM_SYM_TLS) !== 0) continue;
      const { segment, offset } = symbol.place;
      const start = (symbol.flags & wasm.WASM_SYM_ABSOLUTE) === 0 ? starts[segment] : 0;
      const name = placeName(symbol.name.text);
      truth.set(name, (truth.get(name) ?? new Set()).add((start ?? NaN) + offset));
    }
  }
  return truth;
}

function compare(
  { data }: KnownPlaces,
  truth: Map<string, Set<number>>,
): { right: number; wrong: string[]; none: string[] } {
  const [wrong, none]: [string[], string[]] = [[], []];
  let right = 0;
  for (const [name, addresses] of truth) {
    const found = data.get(name);
    if (found === undefined) none.push(name);
    else if (addresses.size === 1 && addresses.has(found)) right++;
    else wrong.push(name);
  }
  return { right, wrong, none };
}

for (const release of [false, true]) {
  const profile = release ? 'release' : 'debug';

  test(`${profile}: statics are where the linker says, none elsewhere`, () => {
    const project = moduleProject('wasm32-unknown-unknown', SOURCE, {
      release,
      files: { '.cargo/config.toml': KEEP_ALL },
    });
    const module = project.build();
    const own = ownObjects(join(dirname(project.module), 'deps')).map(opened);
    project.fixture.remove();
    const truth = truthOf(open(module));
    const alone = findPlaces(own, { name: 'module', bytes: module });
    assert.equal(compare(alone, truth).wrong, []);
    const named = [...truth.keys()].filter((name) => /4page/.test(name));
    assert.ok(named.length >= 5, named.join(' '));
    for (const name of named) assert.ok(alone.data.has(name), name);
    const all = findPlaces([...own, ...stdObjects('wasm32-unknown-unknown').map(opened)], {
      name: 'module',
      bytes: module,
    });
    const { right, wrong, none } = compare(all, truth);
    assert.equal(wrong, []);
    // What is left are constants without names that nothing refers to by a word of its own.
    assert.equal(
      none.filter((name) => !name.startsWith('.Lanon.')),
      [],
    );
    assert.ok(right >= 150 && none.length <= 4, `${right} right, ${none.join(' ')}`);
  });

  test(`${profile}: the module does what it did, and patches reach its functions`, () => {
    const project = moduleProject('wasm32-unknown-unknown', SOURCE, { release });
    const module = project.build();
    project.fixture.remove();
    const run = (bytes: Uint8Array<ArrayBuffer>): { instance: WebAssembly.Instance; said: number[] } => {
      const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes));
      const { run, calls } = instance.exports as unknown as Record<'run' | 'calls', (x: number) => number>;
      return { instance, said: [run(3), run(103), run(7), calls(0)] };
    };
    const before = run(module).said;
    for (const way of ['calls', 'entries'] as const) {
      const base = rewriteBase(module, 'page.wasm', (name) => /^(?:step|run|calls)$|4page/.test(name), way);
      assert.ok(base.functions.length > (release ? 1 : 4));
      const { instance, said } = run(base.bytes);
      assert.equal(said, before, way);
      const { step, calls } = instance.exports as unknown as Record<'step' | 'calls', (x: number) => number>;
      handPatch(base, instance, { step: (x) => x * 1000 });
      assert.equal([step(2), calls(0)], [2000, before[3]]);
    }
  });
}

test('calls in all of std are where its relocations say', () => {
  let calls = 0;
  for (const { name, bytes } of stdObjects('wasm32-unknown-unknown')) {
    const facts = open(bytes);
    const sites: number[] = [];
    for (const { type, offset } of facts.relocations().get(facts.indexOf(wasm.SECTION_CODE)) ?? []) {
      offset.forEach((at, row) => type[row] === wasm.R_WASM_FUNCTION_INDEX_LEB && sites.push(at));
    }
    const found = facts.bodies().flatMap(({ bytes: body, start }) => {
      const inside: number[] = [];
      assert.ok(
        visitCalls(body, ({ at }) => inside.push(start + at + 1)),
        `${name} at ${start}`,
      );
      return inside;
    });
    assert.equal(found, sites, name);
    calls += found.length;
  }
  assert.ok(calls > 7000, `${calls}`);
});

test.run();

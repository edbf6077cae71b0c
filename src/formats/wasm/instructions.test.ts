// Direct calls found in bodies: against the relocations of objects, which say where calls are.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../../tests/format-inputs.js';
import * as inputs from '../../../tests/wasm-inputs.js';
import * as wasm from './constants.js';
import { visitCalls } from './instructions.js';
import { readWasm } from './read.js';

/** What has every kind of immediate: vectors, atomics, bulk memory, switches, saturating conversions. */
const MUCH = `
typedef float quad __attribute__((vector_size(16)));
typedef signed char bytes __attribute__((vector_size(16)));
int other(int);
quad sum(quad a, quad b) { return a + b * (quad){1, 2, 3, 4}; }
bytes mixed(bytes a, bytes b) { return __builtin_shufflevector(a, b, 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31); }
float lane(quad a, int x) { a[2] = other(x); return a[1]; }
int once(int *at) { return __atomic_fetch_add(at, other(3), __ATOMIC_SEQ_CST); }
void fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); other(1); }
void copy(char *to, const char *from, unsigned size) { __builtin_memcpy(to, from, size); other(size); }
void clear(char *to, unsigned size) { __builtin_memset(to, 0, size); other(size); }
int chopped(double x) { return (int)x + other((unsigned)x); }
long long wide(long long x) { return x * 0x7fffffffffffffffLL + other(4); }
double exact(double x) { return x * 3.14159 + other(5); }
int pick(int x) { switch (x) { case 0: return other(1); case 1: return other(7); case 2: return 9; case 3: return other(x); } return other(2); }
void *grown(unsigned pages) { return (void *)(__builtin_wasm_memory_grow(0, pages) + __builtin_wasm_memory_size(0) + other(8)); }
`;

/** Bodies of an object, with the offsets at which its relocations say that the index of a called function stands. */
function bodiesOf(path: string): { readonly bytes: Uint8Array; readonly calls: readonly number[] }[] {
  const { wasm: facts } = readWasm(bytesOf(path), path);
  const code = facts.relocations().get(facts.indexOf(wasm.SECTION_CODE)) ?? [];
  const sites = code.flatMap(({ type, offset }) => {
    return [...offset].filter((_, row) => type[row] === wasm.R_WASM_FUNCTION_INDEX_LEB);
  });
  return facts.bodies().map(({ bytes, start }) => {
    const inside = sites.filter((at) => at >= start && at < start + bytes.length);
    return { bytes, calls: inside.map((at) => at - start) };
  });
}

function callsIn(bytes: Uint8Array): number[] | null {
  const found: number[] = [];
  return visitCalls(bytes, ({ at, end }) => {
    assert.is(end - at, 6, 'compilers pad the index');
    found.push(at + 1);
  })
    ? found
    : null;
}

const FLAGS: readonly (readonly ['c' | 'cpp', string, ...string[]])[] = [
  ['c', MUCH, '-O2', '-msimd128', '-matomics', '-mbulk-memory', '-mnontrapping-fptoint'],
  ['c', MUCH, '-O0', '-msimd128'],
  ['c', inputs.WASM_C, '-O0'],
  ['c', inputs.WASM_C, '-O2', '-mtail-call'],
  ['cpp', inputs.WASM_CPP, '-O1', '-fwasm-exceptions'],
];

test('all calls that have a relocation, and no others', () => {
  let calls = 0;
  for (const [language, text, ...flags] of FLAGS) {
    for (const body of bodiesOf(inputs.wasmObject(language, text, ...flags))) {
      assert.equal(callsIn(body.bytes), body.calls, flags.join(' '));
      calls += body.calls.length;
    }
  }
  assert.ok(calls > 30, `${calls}`);
});

test('a call at the end of a function may be a tail call', () => {
  const tails: boolean[] = [];
  const text = 'int other(int); int last(int x) { return other(x + 1); }';
  for (const { bytes } of bodiesOf(inputs.wasmObject('c', text, '-O2', '-mtail-call'))) {
    visitCalls(bytes, ({ tail }) => tails.push(tail));
  }
  assert.equal(tails, [true]);
});

test('a body that ends in the middle of an instruction, or has an unknown one, is told', () => {
  const [body] = bodiesOf(inputs.wasmObject('c', 'int f(int x) { return x + 1000000; }', '-O2'));
  const bytes = body?.bytes ?? new Uint8Array(0);
  assert.is(
    visitCalls(bytes, () => undefined),
    true,
  );
  // The constant has three bytes.
  assert.is(
    visitCalls(bytes.subarray(0, 5), () => undefined),
    false,
  );
  // struct.new of garbage-collected types.
  assert.is(
    visitCalls(Uint8Array.of(0, 0xfb, 0, 0, 0x0b), () => undefined),
    false,
  );
});

test('any bytes: an end, soon', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const began = bytes.length;
      let last = -1;
      visitCalls(bytes, ({ at, end }) => {
        assert.ok(at > last && end > at && end <= began);
        last = at;
      });
    }),
    { numRuns: 2000 },
  );
  // Counts that no body could hold.
  for (const opcode of [[], [0, 0x0e], [0, 0x1c], [0, 0x1f, 0x40]]) {
    const body = Uint8Array.of(...opcode, 0xff, 0xff, 0xff, 0xff, 0x7f);
    assert.is(
      visitCalls(body, () => undefined),
      false,
    );
  }
});

test.run();

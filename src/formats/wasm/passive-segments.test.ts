// Where data goes that a threaded module brings to its memory itself: as its own start function does it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../../tests/format-inputs.js';
import { wasmModule, wasmObject } from '../../../tests/wasm-inputs.js';
import { factsOf } from './facts.js';
import { findPlaces } from './known-places.js';
import { namesIn } from './names.js';
import { passiveAddresses } from './passive-segments.js';
import { readWasm } from './read.js';

const THREADS = ['--shared-memory', '--import-memory', '--max-memory=67108864'];
const SOURCE = `
static int hidden = 5;
_Thread_local int own = 9;
int *table[] = { 0, &hidden };
const char *word = "some text";
int zeros[1000];
__attribute__((export_name("read"))) int read(int i) { return *table[i] + own + zeros[i] + word[i]; }
`;

test('every segment is found where the module puts it, and what only data refers to with it', () => {
  const object = wasmObject('c', SOURCE, '-O1', '-matomics', '-mbulk-memory');
  const bytes = bytesOf(wasmModule([object], ...THREADS));
  const facts = factsOf(bytes, 'threaded.wasm');
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 1024, shared: true });
  new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), { env: { memory } });
  const segments = facts.dataSegments();
  const addresses = passiveAddresses(facts);
  const names = namesIn(facts.names(), 'data').map(({ name }) => name);
  // What is a thread's own is put where the thread says.
  const own = names.indexOf('.tdata');
  assert.ok(own >= 0 && segments.length > 2);
  assert.equal(
    [...addresses.keys()],
    [...segments.keys()].filter((index) => index !== own),
  );
  for (const [index, address] of addresses) {
    const content = segments[index]!.bytes;
    assert.equal(new Uint8Array(memory.buffer).slice(address, address + content.length), content.slice());
  }
  const input = readWasm(bytesOf(object), 'object.o');
  const { data, threadLocals } = findPlaces([input], { name: 'threaded.wasm', bytes });
  assert.is(new Int32Array(memory.buffer)[data.get('hidden')! / 4], 5);
  assert.is(threadLocals.get('own'), 0, 'the first of what is a thread’s own');
});

test('a module that does not copy its data has none', () => {
  const bytes = bytesOf(
    wasmModule([wasmObject('c', 'int x = 7; __attribute__((export_name("f"))) int f(void) { return x; }')]),
  );
  assert.is(passiveAddresses(factsOf(bytes, 'plain.wasm')).size, 0);
});

test.run();

// Broken files: a code and a place, at every length and for every byte.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../../tests/format-inputs.js';
import * as inputs from '../../../tests/wasm-inputs.js';
import type { IpbpError } from '../../codes/error.js';
import { assertRefusal, refusalOf } from '../hostile.test-support.js';
import * as wasm from './constants.js';
import { encodeModule } from './encode-sections.js';
import { encodeLinking, type LinkingPart } from './linking.js';
import type { ModuleSection } from './module.js';
import { readWasm } from './read.js';
import { encodeRelocationSection } from './relocations.js';

/** Everything that a reader of the file could ask. */
function readAll(bytes: Uint8Array): void {
  const file = readWasm(bytes, 'hostile.o');
  file.symbolColumns();
  file.allRelocationColumns(() => true);
  for (const { index } of file.sections) file.sectionBytes(index);
  file.linked?.dynamicColumns();
  file.wasm.sections();
  file.wasm.names();
  file.wasm.producers();
  file.wasm.targetFeatures();
  file.wasm.dynamicLinking();
}

const refused = (bytes: Uint8Array): IpbpError | null => refusalOf(readAll, bytes);

function assertRefused(bytes: Uint8Array, code: string, words: RegExp): void {
  assertRefusal(refused(bytes), code, words);
}

const object = bytesOf(inputs.wasmObject('c', inputs.WASM_C, '-O1'));
const module = bytesOf(inputs.wasmModule([inputs.wasmObject('c', inputs.WASM_C, '-O1')], '--export=work'));

test('a file that ends early is refused or read, at every length', () => {
  for (const bytes of [object, module]) {
    assert.is(refused(bytes), null);
    let cut = 0;
    for (let length = 0; length < bytes.length; length++) {
      const error = refused(bytes.slice(0, length));
      if (error === null) continue;
      assert.match(error.code, /^IPBP100[123]$/);
      assert.match(error.facts.where ?? '', /, offset 0x[0-9a-f]+$/);
      cut++;
    }
    assert.ok(cut > bytes.length * 0.8);
  }
});

test('any byte may be another one', () => {
  for (const bytes of [object, module]) {
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 0x7f, 0x80, 0xff]) {
        const changed = bytes.slice();
        changed[at] = value;
        const error = refused(changed);
        if (error === null) continue;
        assert.match(error.code, /^IPBP100[123]$/);
        assert.match(error.facts.where ?? '', /, offset 0x[0-9a-f]+$/);
      }
    }
  }
});

test('what is no module of version 1 is named', () => {
  const changed = (at: number, value: number): Uint8Array => Object.assign(module.slice(), { [at]: value });
  assertRefused(changed(0, 1), 'IPBP1002', /no WebAssembly file/);
  assertRefused(changed(4, 2), 'IPBP1003', /version 2/);
  assertRefused(changed(6, 1), 'IPBP1003', /component/);
});

const section = (content: object): ModuleSection => ({ lengthWidth: 0, ...content }) as ModuleSection;
const NOTHING = { params: [], results: [] };
const types = section({ id: 'type', types: [NOTHING] });
const one = section({ id: 'function', types: [0] });
const code = section({ id: 'code', bodies: [{ bytes: Uint8Array.of(0, 0x10, 0x80, 0x80, 0x80, 0x80, 0, 0x0b) }] });
const custom = (name: string, bytes: Uint8Array): ModuleSection => section({ id: 'custom', name, nameWidth: 0, bytes });

test('sections come once, in order, and as many bodies as functions', () => {
  assertRefused(encodeModule([one, types]), 'IPBP1002', /out of order; found type/);
  assertRefused(encodeModule([types, types]), 'IPBP1002', /out of order/);
  assertRefused(encodeModule([types, one]), 'IPBP1002', /not as many bodies/);
  assertRefused(encodeModule([types, section({ id: 'data count', count: 3 })]), 'IPBP1002', /as are counted/);
});

/** An object of one function, with these symbols and one relocation of its call. */
function withSymbols(
  symbols: readonly object[],
  relocation: { type?: number; offset?: number; index?: number },
): Uint8Array {
  const linking = [{ kind: 'symbols', symbols, lengthWidth: 0 }] as unknown as readonly LinkingPart[];
  const { type = 0, offset = 4, index = 0 } = relocation;
  const relocations = encodeRelocationSection({
    ...{ target: 2, count: 1, type: Uint8Array.of(type), offset: Uint32Array.of(offset) },
    ...{ index: Uint32Array.of(index), addend: Float64Array.of(0) },
  });
  return encodeModule([types, one, code, custom('linking', encodeLinking(linking)), custom('reloc.CODE', relocations)]);
}

const name = { text: 'f', range: { offset: 0, size: 0 } };
const work = { kind: 'function', flags: 0, index: 0, name };

test('symbols and relocations lead to what is there', () => {
  assert.is(refused(withSymbols([work], {})), null);
  assertRefused(withSymbols([{ ...work, index: 1 }], {}), 'IPBP1002', /a function that is not there/);
  const missing = { ...work, flags: wasm.WASM_SYM_UNDEFINED, name: null };
  assertRefused(withSymbols([missing], {}), 'IPBP1002', /undefined symbol that is no import/);
  const data = { kind: 'data', flags: 0, name, place: { segment: 0, offset: 0, size: 0 } };
  assertRefused(withSymbols([data], {}), 'IPBP1002', /a segment that is not there/);
  assertRefused(withSymbols([{ kind: 'section', flags: 0, index: 9 }], {}), 'IPBP1002', /a section that is not there/);
  assertRefused(
    withSymbols([{ kind: 'table', flags: 0, index: 0, name }], {}),
    'IPBP1002',
    /a table that is not there/,
  );
  assertRefused(withSymbols([work], { index: 1 }), 'IPBP1002', /a symbol that is not there/);
  assertRefused(withSymbols([work], { type: wasm.R_WASM_TYPE_INDEX_LEB, index: 1 }), 'IPBP1002', /a type that/);
  assertRefused(withSymbols([work], { type: 27 }), 'IPBP1002', /unknown relocation; found number 27/);
  for (const offset of [0, 6, 99]) assertRefused(withSymbols([work], { offset }), 'IPBP1002', /lies in no function/);
});

test('counts that no file could hold cost nothing', () => {
  const huge = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f);
  assertRefused(encodeModule([types, custom('linking', Uint8Array.of(2, 8, 5, ...huge))]), 'IPBP1001', /truncated/);
  const relocations = Uint8Array.of(0, ...huge);
  const broken = encodeModule([types, custom('linking', Uint8Array.of(2)), custom('reloc.X', relocations)]);
  assertRefused(broken, 'IPBP1002', /more relocations than/);
});

test('garbage collected types are not supported, and said to be so', () => {
  const structure = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 3, 1, 0x5f, 0);
  assertRefused(structure, 'IPBP1003', /type is not supported/);
});

test.run();

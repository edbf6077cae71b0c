// A library as module 0: what is said of its space means the same places of the process.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentOp, ProgramInfo } from '../wire/frames.js';
import { shareRoom, viewOfModule } from './module-view.js';

const module = (base: number, path: string): ProgramInfo['modules'][number] => ({
  base,
  identity: { kind: 'build-id', id: Uint8Array.of(base % 251) },
  path,
});
const INFO: ProgramInfo = {
  pid: 1,
  reservation: { at: -4096, size: 4096 },
  beside: { at: 0x1000, size: 4096 },
  tls: { offset: -64, size: 1000, align: 64 },
  modules: [module(0x5000_0000, 'program'), module(0x7000_0000, 'first'), module(0x7100_0000, 'library')],
  abilities: { pages: true, libraries: true, code: true },
  pageSize: 4096,
};
const ROOM = {
  reservation: { at: -0x10_0000, size: 0x1000 },
  beside: { at: 0x10_0000, size: 0x2000 },
  threadLocals: -200,
};
const VIEW = viewOfModule(INFO, 2, ROOM, { from: 320, size: 320 });
const SLIDE = 0x2100_0000;

function told(op: AgentOp): AgentOp {
  return VIEW.toProcess([op])[0] as AgentOp;
}

test('the library comes first, then all others as they were', () => {
  assert.equal(
    VIEW.site.modules.map(({ path }) => path),
    ['library', 'program', 'first'],
  );
  assert.equal([VIEW.site.reservation, VIEW.site.beside], [ROOM.reservation, ROOM.beside]);
  assert.equal([VIEW.site.threadLocals, VIEW.site.searchedBefore, VIEW.site.tls.size], [-200, 2, 320]);
});

test('a library that the program opened asks those of the start first, then what it needs itself', () => {
  const opened = viewOfModule({ ...INFO, atStart: 2 }, 2, ROOM, { from: 320, size: 320 });
  assert.is(opened.site.searchedBefore, 2);
  const name = { op: 'import', at: 8, weak: false, byResolver: false, addend: 1, name: 'f' } as const;
  assert.equal(opened.toProcess([name]), [{ ...name, at: SLIDE + 8, scope: 2 }]);
  assert.equal(told(name), { ...name, at: SLIDE + 8 });
});

test('places in its space are those of the process', () => {
  assert.equal(told({ op: 'map', at: -4096, length: 1 }), { op: 'map', at: SLIDE - 4096, length: 1 });
  assert.equal(told({ op: 'unwind', at: 8 }), { op: 'unwind', at: SLIDE + 8 });
  assert.equal(told({ op: 'word', at: 8, module: 0, value: 5 }), { op: 'word', at: SLIDE + 8, module: 2, value: 5 });
  assert.equal(told({ op: 'word', at: 8, module: 1, value: 5 }), { op: 'word', at: SLIDE + 8, module: 0, value: 5 });
  const check = { op: 'check', module: 2, at: 4, bytes: Uint8Array.of(1) } as const;
  assert.equal(told(check), { ...check, module: 1 });
  const slot = { op: 'slot', module: 0, at: 16, oldTarget: 1, newTarget: -9 } as const;
  assert.equal(told(slot), { ...slot, module: 2, oldTarget: SLIDE + 1, newTarget: SLIDE - 9 });
});

test('an addend is a place only where a resolver is one', () => {
  const named = { op: 'import', at: 0, name: 'f', weak: false, byResolver: false, addend: 3 } as const;
  assert.equal(told(named), { ...named, at: SLIDE });
  assert.equal(told({ ...named, byResolver: true }), { ...named, byResolver: true, at: SLIDE, addend: SLIDE + 3 });
});

test('the room for thread-locals in parts that do not overlap', () => {
  assert.equal(shareRoom(INFO.tls, 1), [{ from: 0, size: 960 }]);
  assert.equal(shareRoom(INFO.tls, 3), [
    { from: 0, size: 320 },
    { from: 320, size: 320 },
    { from: 640, size: 320 },
  ]);
  assert.equal(told({ op: 'tls', at: 0, size: 4, value: 8 }), { op: 'tls', at: SLIDE, size: 4, value: 328 });
  const init = { op: 'tls-init', offset: 8, length: 4, at: 16 } as const;
  assert.equal(told(init), { ...init, offset: 328, at: SLIDE + 16 });
});

test.run();

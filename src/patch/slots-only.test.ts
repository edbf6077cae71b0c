// Programs whose code nobody may change once it is loaded: all goes by slots, also what earlier patches brought.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { scratch } from '../../tests/format-inputs.js';
import { patchScript } from '../../tests/patch-script.js';
import { readObjectFile } from '../formats/read-object.js';
import { openLinkObject } from '../link/atoms.js';
import type { LinkObject } from '../link/graph.js';
import { diffObjects } from './diff/diff.js';
import { objectWithSlots } from './give-slots.js';
import { encodePatchFile } from './image/image-file.js';
import { AS_IT_WAS, DEFAULT_ROOM, planPatch } from './plan.js';
import { openBaseProgram } from './program/base-program.js';
import { freshProgram, withPatch, type Program } from './program/program.js';

const DRIVER = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
extern char __executable_start[];
int ask(void);
typedef int function(void);
extern function *kept;
struct { long at, size; char *base; } libraries[8];
static int count;
static char *place(long at) {
  for (int i = 0; i < count; i++)
    if (at >= libraries[i].at && at < libraries[i].at + libraries[i].size) return libraries[i].base + (at - libraries[i].at);
  return __executable_start + at;
}
int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IONBF, 0);
  printf("%d", ask());
  for (int i = 1; i < argc; i++) {
    FILE *script = fopen(argv[i], "r");
    char line[4096], text[4096];
    long a, b, c;
    while (fgets(line, sizeof line, script)) {
      if (sscanf(line, "library %ld %ld %s", &a, &b, text) == 3) {
        void *handle = dlopen(text, RTLD_NOW);
        if (!handle) { puts(dlerror()); return 1; }
        struct { char *base; } *map = handle; /* link_map's first field */
        libraries[count].at = a; libraries[count].size = b; libraries[count++].base = map->base;
      } else if (sscanf(line, "word %ld %ld", &a, &b) == 2) *(char **)place(a) = place(b);
      else if (sscanf(line, "import %ld %ld %s", &a, &b, text) == 3) *(char **)place(a) = (char *)dlsym(0, text) + b;
      else if (sscanf(line, "slot %ld %ld %ld", &a, &b, &c) == 3) {
        if (*(char **)place(a) != place(b)) { puts("the slot leads elsewhere"); return 1; }
        *(char **)place(a) = place(c);
      }
    }
    printf(" %d", ask());
    if (kept) printf("/%d", kept());
  }
  return 0;
}
`;

const FIRST = `
typedef int function(void);
function *kept;
int one(void) { return 1; }
int ask(void) { return one(); }
`;
const SECOND = FIRST.replace('return 1;', 'kept = two; return 10 + two();').replace(
  'int one',
  '__attribute__((noinline)) int two(void) { return 2; }\nint one',
);
const THIRD = SECOND.replace('return 2;', 'return 5;');

const directory = scratch();

function compiled(name: string, source: string): LinkObject {
  const path = join(directory, `${name}.o`);
  writeFileSync(`${path}.c`, source);
  execFileSync('cc', ['-O1', '-fPIC', '-ffunction-sections', '-fdata-sections', '-c', '-o', path, `${path}.c`]);
  return openLinkObject(readObjectFile(readFileSync(path), name));
}

function linked(slots: boolean): { readonly path: string; readonly program: Program } {
  const object = join(directory, 'first.o');
  const given = join(directory, 'given.o');
  const bytes = readFileSync(object);
  writeFileSync(given, (slots ? objectWithSlots(bytes, 'first.o', 'all') : null) ?? bytes);
  const path = join(directory, slots ? 'with-slots' : 'without');
  writeFileSync(`${path}.c`, DRIVER);
  execFileSync('cc', ['-rdynamic', '-o', path, `${path}.c`, given, '-ldl']);
  const file = readObjectFile(readFileSync(path), path);
  return { path, program: freshProgram(openBaseProgram(file, () => [])) };
}

function plan(program: Program, before: LinkObject, after: LinkObject): ReturnType<typeof planPatch> {
  const files = { before: [before], after: [after], others: () => [], archives: () => null };
  const diff = diffObjects([before], [after]);
  const room = DEFAULT_ROOM;
  return planPatch({
    program,
    diff,
    identity: AS_IT_WAS,
    ...files,
    room,
    delivery: 'library',
    codeStays: 'it is a test',
  });
}

const [first, second, third] = [compiled('first', FIRST), compiled('second', SECOND), compiled('third', THIRD)];

test('functions of the program and of patches change without a byte of code', () => {
  const { path, program } = linked(true);
  let now = program;
  const scripts: string[] = [];
  for (const [before, after] of [
    [first, second],
    [second, third],
    [third, second],
  ] as const) {
    const planned = plan(now, before, after);
    assert.is(planned.kind, 'patch', JSON.stringify(planned));
    if (planned.kind !== 'patch') return;
    const { image } = planned;
    assert.equal([image.cells.length, image.slots.length], [0, 1]);
    const script = join(directory, `script-${scripts.length}`);
    writeFileSync(script, patchScript(image, now.base.file, `${script}.so`));
    scripts.push(script);
    now = withPatch(now, { image, digest: encodePatchFile(image).digest });
  }
  // The pointer that the first patch kept leads to what the newest made of it.
  assert.is(execFileSync(path, scripts, { encoding: 'utf8' }), '1 12/2 15/5 12/2');
});

test('a function without a slot is refused', () => {
  const { program } = linked(false);
  const planned = plan(program, first, second);
  assert.is(planned.kind, 'refused');
  if (planned.kind === 'refused')
    assert.equal(
      planned.items.map(({ code, name }) => [code, name]),
      [['IPBP3016', 'one']],
    );
});

test.run();

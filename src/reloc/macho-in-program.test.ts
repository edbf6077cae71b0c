import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesOf } from '../../tests/format-inputs.js';
import { findInProgram } from '../../tests/macho-in-program.js';
import * as inputs from '../../tests/macho-inputs.js';
import { readObjectFile } from '../formats/read-object.js';
import type { ObjectFile } from '../formats/object-file.js';

const open = (path: string): ObjectFile => readObjectFile(bytesOf(path), path);

/** Defines what the assembly of every kind of relocation refers to. */
const AWAY = `.globl _away\n.data\n_away: .quad 3\n.quad 4\n.quad 5\n.subsections_via_symbols\n`;

test('what relocations and their rows say of an object is what a linker has made of it', () => {
  for (const machine of inputs.MACHO_MACHINES) {
    const paths = [
      inputs.machoObject(machine, 'c', inputs.MACHO_C, '-O1', '-g'),
      // This linker does not know the address of a GOT slot in eight bytes.
      inputs.machoObject(machine, 's', inputs.MACHO_ASSEMBLY[machine].replace('.quad _away@GOT', '.quad 0')),
      inputs.machoObject(machine, 's', AWAY),
    ];
    // Hints by which instructions become shorter ones are not what is looked at here.
    const program = inputs.machoLinked(machine, paths, '-no_fixup_chains', '-ignore_optimization_hints');
    const { pieces, fields, rows, wrong } = findInProgram(paths.map(open), open(program), true);
    assert.equal(wrong, []);
    assert.ok(pieces > 15 && fields > 12, `${machine}: ${pieces} pieces, ${fields} fields`);
    const kinds = machine === 'x86_64' ? ['SIGNED', 'SIGNED_1', 'BRANCH'] : ['PAGE21', 'PAGEOFF12', 'BRANCH26'];
    const differences = [
      'SUBTRACTOR (4 bytes, of the place)',
      'SUBTRACTOR (4 bytes)',
      'SUBTRACTOR (8 bytes, from the place)',
    ];
    const prefix = machine === 'x86_64' ? 'X86_64_RELOC_' : 'ARM64_RELOC_';
    for (const kind of [...kinds, ...differences, 'UNSIGNED', 'UNSIGNED (in a thread-local variable)']) {
      assert.ok((rows.get(prefix + kind) ?? 0) > 0, `${machine}: ${kind}`);
    }
  }
});

test('a wrong addend is noticed', () => {
  const path = inputs.machoObject('arm64', 'c', inputs.MACHO_C, '-O1');
  const program = inputs.machoLinked('arm64', [path], '-no_fixup_chains', '-ignore_optimization_hints');
  const file = open(path);
  const relocations = (section: number): ReturnType<ObjectFile['relocations']> =>
    file.relocations(section).map((one) => ({ ...one, addend: (one.addend ?? 0) + 4 }));
  const shifted = Object.create(file, { relocations: { value: relocations } }) as ObjectFile;
  assert.ok(findInProgram([shifted], open(program), true).wrong.length > 3);
});

test.run();

// Opens a program of whichever kind: one whose code lies in memory, or one whose functions are entered through a table.
import { IpbpError } from '../../codes/error.js';
import type { ObjectFile } from '../../formats/object-file.js';
import { machineFor } from '../../reloc/machines.js';
import { openBaseProgram, type BaseProgram, type Library, type LoadedLibrary } from './base-program.js';
import { decodeFacts, FACTS_SECTION } from './tabled-facts.js';
import { openTabledProgram } from './tabled-program.js';

/**
 * The program. One with a table has neither libraries nor a place that only a process knows.
 * @throws IpbpError what `openBaseProgram` throws; IPBP3019 for a module that does not say where its items are
 */
export function openProgram(
  file: ObjectFile,
  libraries: () => readonly Library[],
  loaded: LoadedLibrary = {},
): BaseProgram {
  if (machineFor(file.format, file.machine, file.name).codeIn === 'memory') {
    return openBaseProgram(file, libraries, loaded);
  }
  const section = file.sections.find(({ name }) => name === FACTS_SECTION);
  if (section === undefined) {
    throw new IpbpError('IPBP3019', 'the module does not say where its functions and statics are', {
      expected: `a section ${FACTS_SECTION}`,
      where: file.name,
    });
  }
  return openTabledProgram(file, decodeFacts(file.sectionBytes(section.index), file.name, section.offset));
}

// Linker scripts that stand in for a library: libc.so and its like are text that names the real files (GNU ld manual,
// "Commands Dealing with Files"). Scripts that lay sections out are not read.
import { ScriptReader } from './script-tokens.js';

/** A file that a script names: a path, a file to be searched for, or `-lname`. */
export interface ScriptInput {
  readonly name: string;
  /** Named as needed only if something refers to it. */
  readonly asNeeded: boolean;
}

export interface LinkerScript {
  readonly inputs: readonly ScriptInput[];
  /** Directories of SEARCH_DIR. */
  readonly directories: readonly string[];
}

/** What says nothing about inputs: a name and one pair of parentheses, over which the reader goes. */
const IGNORED = new Set(['OUTPUT_FORMAT', 'OUTPUT_ARCH', 'TARGET', 'ENTRY', 'STARTUP', 'EXTERN']);
const PUNCTUATION = '(){};,';

/** Could these bytes be such a script? Text that is none is refused when it is read. */
export function isLinkerScript(bytes: Uint8Array): boolean {
  const start = bytes.subarray(0, 512);
  return start.length > 0 && start.every((byte) => (byte >= 0x20 && byte !== 0x7f) || (byte >= 9 && byte <= 13));
}

/** Reads a script; IPBP1020 for commands that are not supported and for what is no script. */
export function parseLinkerScript(text: string, name: string): LinkerScript {
  const reader: ScriptReader = new ScriptReader(text, name, PUNCTUATION);
  const inputs: ScriptInput[] = [];
  const directories: string[] = [];
  while (!reader.ended) {
    const command = reader.peek();
    if (reader.takes(';')) continue;
    if (reader.takes('INPUT') || reader.takes('GROUP')) {
      // Archives are searched again until nothing is new (docs of the link): a group is what every input is in.
      reader.expect('(');
      readFiles(reader, false, inputs);
    } else if (reader.takes('AS_NEEDED')) {
      reader.expect('(');
      readFiles(reader, true, inputs);
    } else if (reader.takes('SEARCH_DIR')) {
      reader.expect('(');
      directories.push(reader.next('a directory').text);
      reader.expect(')');
    } else if (command !== null && IGNORED.has(command)) {
      reader.next(command);
      reader.expect('(');
      while (!reader.takes(')')) reader.next('")"');
    } else {
      reader.fail('this command of linker scripts is not supported', {
        expected: 'INPUT, GROUP, AS_NEEDED, SEARCH_DIR',
      });
    }
  }
  return { inputs, directories };
}

function readFiles(reader: ScriptReader, asNeeded: boolean, inputs: ScriptInput[]): void {
  while (!reader.takes(')')) {
    if (reader.takes(',')) continue;
    if (!asNeeded && reader.takes('AS_NEEDED')) {
      reader.expect('(');
      readFiles(reader, true, inputs);
    } else {
      inputs.push({ name: reader.next('a file').text, asNeeded });
    }
  }
}

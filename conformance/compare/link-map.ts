// What linkers' maps say of where each input section lies. Three forms: GNU ld's, lld's (also ours) and mold's.

/** A kept input section: its file (`path` or `path(member)`), its name, and where it lies in the output. */
export interface Placement {
  readonly file: string;
  readonly section: string;
  readonly address: number;
  readonly size: number;
}

/** Reads a map of any of the forms. Throws where none fits. */
export function readMap(text: string): Placement[] {
  if (/^\s*VMA\s+LMA\s+Size/.test(text)) return fromColumns(text, 16);
  if (/^\s*VMA\s+Size/.test(text)) return fromColumns(text, 10);
  if (text.includes('Linker script and memory map')) return fromScriptMap(text);
  throw new Error(`no map of a known form: ${text.slice(0, 80)}`);
}

/** lld's lines are `VMA LMA SIZE ALIGN FILE:(SECTION)` in hex; mold's have no LMA and a decimal size. */
function fromColumns(text: string, base: 10 | 16): Placement[] {
  const line =
    base === 16
      ? /^ *([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+) +[0-9]+ {9}(\S.*):\((.*?)(?:\+0x[0-9a-f]+)?\)$/gm
      : /^ *(?:0x)?([0-9a-f]+) +([0-9]+) +[0-9]+ {9}(\S.*):\((.*?)\)$/gm;
  return [...text.matchAll(line)]
    .filter(([, , , file]) => file !== '<internal>')
    .map(([, address, size, file, section]) => ({
      file: file!,
      section: section!,
      address: Number.parseInt(address!, 16),
      size: Number.parseInt(size!, base),
    }));
}

/** GNU ld's: ` SECTION ADDRESS SIZE FILE`, the rest on a second line where the name is long. */
function fromScriptMap(text: string): Placement[] {
  const start = text.indexOf('Linker script and memory map');
  const end = text.indexOf('\nOUTPUT(', start);
  const body = text.slice(start, end < 0 ? undefined : end);
  const line = /^ ([^\s*][^\n]*?)\n? +0x([0-9a-f]+) +0x([0-9a-f]+) (\S[^\n]*)$/gm;
  return (
    [...body.matchAll(line)]
      // What it calls so is no file: veneers of its own.
      .filter(([, , , , file]) => file !== 'linker stubs')
      .map(([, section, address, size, file]) => ({
        file: file!,
        section: section!.trimEnd(),
        address: Number.parseInt(address!, 16),
        size: Number.parseInt(size!, 16),
      }))
  );
}

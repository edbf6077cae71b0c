// The map of a link for Apple's systems, in the form of ld64's -map: objects, sections, symbols, and what was dropped.
import { fileName } from '../formats/macho/names.js';
import type { SharedResult } from '../link/shared.js';

const hex = (value: number): string => `0x${value.toString(16).toUpperCase().padStart(8, '0')}`;

/** The text, with a newline at its end. Object 0 is the link itself. */
export function dylibMap(output: string, machine: string, { map, symbols, objects, dropped }: SharedResult): string {
  const lines = [`# Path: ${output}`, `# Arch: ${machine}`, '# Object files:', '[  0] linker synthesized'];
  const objectOf = (number: number): string => `[${String(number).padStart(3)}]`;
  objects.forEach((name, index) => lines.push(`${objectOf(index + 1)} ${name}`));
  lines.push('# Sections:', '# Address\tSize    \tSegment\tSection');
  for (let at = 0; at < map.length;) {
    const first = map[at] as (typeof map)[number];
    let end = at;
    while (end < map.length && map[end]?.output === first.output) end++;
    const last = map[end - 1] as (typeof map)[number];
    const size = last.address + last.size - first.address;
    lines.push(`${hex(first.address)}\t${hex(size)}\t${first.output.replace(',', '\t')}`);
    at = end;
  }
  lines.push('# Symbols:', '# Address\tSize    \tFile  Name');
  for (const { address, size, file, name } of symbols) {
    lines.push(`${hex(address)}\t${hex(size)}\t${objectOf(file + 1)} ${fileName(name)}`);
  }
  lines.push('', '# Dead Stripped Sections:', ...dropped);
  return `${lines.join('\n')}\n`;
}

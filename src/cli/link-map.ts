// The map of a link as text, in the form of lld's -Map: a line for each output section, behind it its input sections.
import type { MapEntry } from '../link/shared/map.js';

const HEADER = '             VMA              LMA     Size Align Out     In      Symbol';

/** The text, with a newline at its end. */
export function mapText(entries: readonly MapEntry[]): string {
  const lines = [HEADER];
  for (let at = 0; at < entries.length;) {
    const { output } = entries[at] as MapEntry;
    let end = at;
    while (end < entries.length && entries[end]?.output === output) end++;
    const members = entries.slice(at, end);
    const first = members[0] as MapEntry;
    const last = members[members.length - 1] as MapEntry;
    const align = members.reduce((most, entry) => Math.max(most, entry.align), 1);
    lines.push(`${columns(first.address, last.offset + last.size - first.offset, align)} ${output}`);
    for (const { address, size, align: own, file, section } of members) {
      lines.push(`${columns(address, size, own)}         ${file ?? '<internal>'}:(${section})`);
    }
    at = end;
  }
  return `${lines.join('\n')}\n`;
}

function columns(address: number, size: number, align: number): string {
  const place = address.toString(16).padStart(16);
  return `${place} ${place} ${size.toString(16).padStart(8)} ${String(align).padStart(5)}`;
}

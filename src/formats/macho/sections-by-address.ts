// From an address to the file's section that holds it.
import type { MachoSection } from './header.js';

/** Finds the section that an address is in. */
export function openSectionsByAddress(sections: readonly MachoSection[]): (address: number) => MachoSection | null {
  const order = sections.filter(({ size }) => size > 0).sort((a, b) => a.address - b.address);
  return (address) => {
    let low = 0;
    let high = order.length;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if ((order[middle] as MachoSection).address <= address) low = middle;
      else high = middle;
    }
    const found = order[low];
    return found !== undefined && address >= found.address && address < found.address + found.size ? found : null;
  };
}

// The suite `jitlink`: objects linked at given addresses have the bytes that `llvm-jitlink -noexec` gives them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDebianTools } from '../setup/debian-tools.js';
import type { Suite } from '../suite.js';
import { count, REASONS, type Reason } from './compare.js';
import { compareObject, LINKERS, type Linker } from './compare-object.js';
import { objectGroups, type ObjectFormat, type ObjectGroup } from './objects.js';

/** Without `--full`: objects of each group, its first ones. */
const FEW = 24;
/** Failures that are printed per group. */
const SHOWN = 10;

/** Totals of one linker over a group. */
interface LinkerTotals {
  sections: number;
  bytes: number;
  readonly equal: Map<string, number>;
  readonly allowed: Map<string, number>;
}

/** Totals of one group of objects. */
interface Totals {
  objects: number;
  readonly linkers: Readonly<Record<Linker, LinkerTotals>>;
  readonly masked: Map<string, number>;
  readonly skipped: Map<string, number>;
  readonly failures: string[];
}

function compareGroup(group: ObjectGroup, linkers: readonly Linker[], most: number, folder: string): Totals {
  const nothing = (): LinkerTotals => ({ sections: 0, bytes: 0, equal: new Map(), allowed: new Map() });
  const totals: Totals = {
    objects: 0,
    linkers: { patch: nothing(), shared: nothing() },
    masked: new Map(),
    skipped: new Map(),
    failures: [],
  };
  let seen = 0;
  for (const object of group.objects(folder)) {
    if (seen++ >= most) break;
    const outcome = compareObject(object, linkers, folder);
    if (outcome.kind === 'skipped') {
      count(totals.skipped, outcome.why.replaceAll(folder, '').replace(/^(JITLink: .{0,100})[^]*/, '$1'));
      continue;
    }
    totals.objects++;
    for (const [name, times] of outcome.masked) count(totals.masked, name, times);
    for (const linker of linkers) {
      const comparison = outcome.comparisons[linker];
      if (comparison === null) continue;
      const sums = totals.linkers[linker];
      sums.sections += comparison.sections;
      sums.bytes += comparison.bytes;
      for (const [name, times] of comparison.equal) count(sums.equal, name, times);
      for (const [name, times] of comparison.allowed) count(sums.allowed, name, times);
      totals.failures.push(...comparison.failures.map((failure) => `${linker}: ${object.name}: ${failure}`));
    }
  }
  return totals;
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, one) => total + one, 0);
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function foundOf({ objects, linkers: { patch, shared } }: Totals, linkers: readonly Linker[]): string {
  const differ = `${sum(patch.allowed)} differ as they may`;
  const ofShared = linkers.includes('shared') ? `; shared ${sum(shared.equal)} relocations equal` : '';
  return `${objects} objects; patch ${sum(patch.equal)} relocations equal, ${differ}${ofShared}`;
}

function recordOf({ sections, bytes, equal, allowed }: LinkerTotals): object {
  return { sections, bytes, equal: sorted(equal), allowed: sorted(allowed) };
}

/** What is compared of each format; links of Mach-O libraries are held against ld64.lld. */
const LINKERS_OF: Readonly<Record<ObjectFormat, readonly Linker[]>> = { elf: LINKERS, macho: ['patch'] };

/** The suite for objects of one format. */
export const jitlinkSuite = (format: ObjectFormat): Suite => ({
  name: 'jitlink',
  run: ({ full, only, machines }, say) => {
    const linkers = LINKERS_OF[format];
    ensureDebianTools();
    const folder = mkdtempSync(join(tmpdir(), 'ipbp-jitlink-'));
    const record: Record<string, object> = {};
    try {
      for (const machine of machines) {
        const groups: Record<string, object> = {};
        const relocations: Record<Linker, number> = { patch: 0, shared: 0 };
        for (const group of objectGroups(format, machine)) {
          if (!group.name.includes(only) || (group.dear === true && !full)) continue;
          const totals = compareGroup(group, linkers, full ? Infinity : FEW, folder);
          const failures = totals.failures.slice(0, SHOWN);
          for (const linker of linkers) {
            const equal = sum(totals.linkers[linker].equal);
            relocations[linker] += equal;
            if (equal === 0) failures.push(`no relocation was compared: ${JSON.stringify(sorted(totals.skipped))}`);
          }
          say({ machine, name: group.name, found: foundOf(totals, linkers), failures });
          groups[group.name] = {
            objects: totals.objects,
            ...Object.fromEntries(linkers.map((linker) => [linker, recordOf(totals.linkers[linker])])),
            unknownToJitlink: sorted(totals.masked),
            skipped: sorted(totals.skipped),
            failures: totals.failures.length,
          };
        }
        record[machine] = { relocations, groups };
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    return Promise.resolve({ reasons: REASONS satisfies Record<Reason, string>, machines: record });
  },
});

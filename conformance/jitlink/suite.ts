// The suite `jitlink`: objects linked at given addresses have the bytes that `llvm-jitlink -noexec` gives them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDebianTools } from '../setup/debian-tools.js';
import type { Suite } from '../suite.js';
import { count, REASONS, type Reason } from './compare.js';
import { compareObject } from './compare-object.js';
import { objectGroups, type ObjectGroup } from './objects.js';

/** Without `--full`: objects of each group, its first ones. */
const FEW = 24;
/** Failures that are printed per group. */
const SHOWN = 10;

/** Totals of one group of objects. */
interface Totals {
  objects: number;
  sections: number;
  bytes: number;
  readonly equal: Map<string, number>;
  readonly allowed: Map<string, number>;
  readonly masked: Map<string, number>;
  readonly skipped: Map<string, number>;
  readonly failures: string[];
}

function compareGroup(group: ObjectGroup, most: number, folder: string): Totals {
  const totals: Totals = {
    objects: 0,
    sections: 0,
    bytes: 0,
    equal: new Map(),
    allowed: new Map(),
    masked: new Map(),
    skipped: new Map(),
    failures: [],
  };
  let seen = 0;
  for (const object of group.objects(folder)) {
    if (seen++ >= most) break;
    const outcome = compareObject(object, folder);
    if (outcome.kind === 'skipped') {
      count(totals.skipped, outcome.why.replace(/^(JITLink: .{0,100})[^]*/, '$1'));
      continue;
    }
    const { comparison, masked } = outcome;
    totals.objects++;
    totals.sections += comparison.sections;
    totals.bytes += comparison.bytes;
    for (const [name, times] of comparison.equal) count(totals.equal, name, times);
    for (const [name, times] of comparison.allowed) count(totals.allowed, name, times);
    for (const [name, times] of masked) count(totals.masked, name, times);
    totals.failures.push(...comparison.failures.map((failure) => `${object.name}: ${failure}`));
  }
  return totals;
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, one) => total + one, 0);
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const jitlinkSuite: Suite = {
  name: 'jitlink',
  run: ({ full, only, machines }, say) => {
    ensureDebianTools();
    const folder = mkdtempSync(join(tmpdir(), 'ipbp-jitlink-'));
    const record: Record<string, object> = {};
    try {
      for (const machine of machines) {
        const groups: Record<string, object> = {};
        let relocations = 0;
        for (const group of objectGroups(machine)) {
          if (!group.name.includes(only)) continue;
          const totals = compareGroup(group, full ? Infinity : FEW, folder);
          const equal = sum(totals.equal);
          relocations += equal;
          const found = `${totals.objects} objects, ${totals.sections} sections, ${totals.bytes} bytes, ${equal} relocations equal, ${sum(totals.allowed)} differ as they may`;
          const failures = totals.failures.slice(0, SHOWN);
          if (equal === 0) failures.push(`no relocation was compared: ${JSON.stringify(sorted(totals.skipped))}`);
          say({ machine, name: group.name, found, failures });
          groups[group.name] = {
            objects: totals.objects,
            sections: totals.sections,
            bytes: totals.bytes,
            equal: sorted(totals.equal),
            allowed: sorted(totals.allowed),
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
};

// `ipbp diff`: which functions and data differ between two sets of objects, and why. The comparison is patch/diff/diff.ts.
import { objectsAt } from '../host/files/object-paths.js';
import { diffFiles } from '../patch/diff/diff-files.js';
import type { FileDiff } from '../patch/diff/diff-files.js';
import { toChangedItem } from '../patch/diff/diff.js';
import type { ChangedItem } from '../patch/engine.js';
import { compareLayouts, toChangedType } from '../patch/guard/guard.js';
import { DONE } from './outcome.js';
import type { Outcome } from './outcome.js';
import type { Output } from './output.js';
import { counted, listed, printable, shortName } from './text.js';

/** `ipbp diff`'s arguments. */
export interface DiffOptions {
  readonly old: readonly string[];
  readonly new: readonly string[];
}

/** The last line of `diff --json`. */
export interface DiffSummary {
  /** `identical`: byte for byte the same on both sides. */
  readonly objects: { readonly old: number; readonly new: number; readonly identical: number };
  readonly functions: number;
  readonly data: number;
  /** Types whose values lie otherwise in memory. */
  readonly types: number;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** Constructors that came or went. */
  readonly constructors: number;
  readonly ms: number;
}

/** Objects named per item before "and n more". */
const MOST_OBJECTS = 2;

/**
 * Prints what differs. A promise like every other command's, so that nobody need know which of them wait.
 * @throws IpbpError IPBP5903 to IPBP5905 for the paths, IPBP1xxx and IPBP2001 for what is in them.
 */
export function diff(options: DiffOptions, output: Output): Promise<Outcome> {
  const start = performance.now();
  const result = diffFiles(objectsAt(options.old), objectsAt(options.new));
  const layouts = compareLayouts(result.replaced, result.changed, undefined, result.pathOf);
  const items = [...layouts.changed.map(toChangedType), ...result.items.map(toChangedItem)];
  const summary = summarise(items, result, performance.now() - start);
  for (const item of items) output.record(item);
  output.record({ summary });
  for (const line of renderDiff(items, summary, output)) output.print(line);
  if (layouts.missing !== null) output.alert(`layouts of types are not compared: ${layouts.missing}`);
  return Promise.resolve(DONE);
}

function summarise(items: readonly ChangedItem[], result: FileDiff, ms: number): DiffSummary {
  const number = (test: (item: ChangedItem) => boolean): number => items.filter(test).length;
  return {
    objects: { old: result.objectsBefore, new: result.objectsAfter, identical: result.identical },
    functions: number(({ kind }) => kind === 'function'),
    data: number(({ kind }) => kind === 'data'),
    types: number(({ kind }) => kind === 'type'),
    added: number(({ change }) => change === 'added'),
    removed: number(({ change }) => change === 'removed'),
    changed: number(({ change }) => change !== 'added' && change !== 'removed'),
    constructors: result.constructors.length,
    ms: Math.round(ms * 10) / 10,
  };
}

/** The lines for a person: with --quiet only the items, with --verbose full and mangled names and all objects. */
export function renderDiff(
  items: readonly ChangedItem[],
  summary: DiffSummary,
  view: { readonly quiet: boolean; readonly verbose: boolean },
): string[] {
  // What changed is what the person did; what came and went with it is the compiler's answer to that.
  const order: readonly ChangedItem['change'][] = ['layout', 'body', 'initialiser', 'added', 'removed'];
  const sorted = items.toSorted((a, b) => order.indexOf(a.change) - order.indexOf(b.change));
  const lines = sorted.flatMap((item) => renderChange(item, view.verbose));
  if (view.quiet) return lines;
  const { functions, data, types, added, removed, changed, constructors } = summary;
  if (items.length === 0) return [...lines, 'nothing differs'];
  const layouts = types === 0 ? '' : ` and ${counted(types, 'layout')}`;
  const kinds = `${counted(functions, 'function')} and ${counted(data, 'static')}${layouts} differ`;
  const more = constructors === 0 ? '' : `; ${counted(constructors, 'constructor')} came or went`;
  return [...lines, `${kinds}: ${changed} changed, ${added} added, ${removed} removed${more}`];
}

/** One changed item with the reasons; where it is new or gone, nothing more is to be said. */
export function renderChange(item: ChangedItem, verbose: boolean): string[] {
  const name = verbose ? printable(item.name) : shortName(item.name);
  const place = listed(item.objects.map(printable), MOST_OBJECTS, verbose);
  const head = `${item.change}  ${item.kind}  ${name}${verbose ? `  (${item.mangled} in ${place})` : ''}`;
  if (item.change === 'added' || item.change === 'removed') return [head];
  return [head, ...item.because.map((reason, at) => `    ${at === 0 ? 'because' : '    and'} ${printable(reason)}`)];
}

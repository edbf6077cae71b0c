// Which methods stand in the slots of vtables. An object made before a patch keeps its vtable, and new code calls its
// slots by number: a slot that means another method now would call the wrong one. Lengths are compared with the layouts
// of types; this is about the order. Type descriptions do not name the methods; the vtable's own references do.
import { demangle } from '../../formats/symbols/demangle.js';
import type { DescribedVtable } from '../../formats/dwarf/type-table.js';
import type { LinkObject } from '../../link/graph.js';

/** A vtable's content. */
export interface VtableSlots {
  /** `<app::Square as app::Shape>`. */
  readonly name: string;
  /** Per slot the method's name; null where it is not a method of a trait, as for what the optimiser put there. */
  readonly methods: readonly (string | null)[];
  /** Per slot the mangled name of what it leads to. */
  readonly targets: readonly (string | null)[];
  readonly text: string;
  readonly object: string;
}

/** Words in front of the methods: what drops the value, its size and its alignment. */
const HEAD_WORDS = 3;
/** Slots read at the most. */
const MOST_SLOTS = 10_000;

/** The vtables of an object. */
export function readVtables(object: LinkObject, described: readonly DescribedVtable[]): VtableSlots[] {
  return described.flatMap(({ name, place }) => {
    const atom = object.atom(place.section);
    if (atom === null) return [];
    const word = object.machine.pointerSize;
    const first = place.offset + HEAD_WORDS * word;
    const methods: (string | null)[] = [];
    const targets: (string | null)[] = [];
    for (const { offset, target } of atom.edges) {
      const slot = (offset - first) / word;
      if (!Number.isInteger(slot) || slot < 0 || slot >= MOST_SLOTS) continue;
      // Methods that only sized types have leave their slot empty.
      while (methods.length < slot) targets[methods.push(null) - 1] = null;
      targets[slot] = target.name;
      methods.push(target.name === null ? null : methodName(demangle(target.name), traitOf(name)));
    }
    return [{ name, methods, targets, text: targets.join(), object: object.name }];
  });
}

/**
 * The slots that call another method now, or one that takes or gives something else, in words. Only where both are known
 * to be methods: optimised code shares one body among functions, and then a slot may name any of them.
 * @param typeBefore and `typeNow` give a function's type by its mangled name, where it is described
 */
export function movedSlots(
  old: VtableSlots,
  now: VtableSlots,
  typeBefore: (name: string) => string | undefined,
  typeNow: (name: string) => string | undefined,
): string[] {
  return now.methods.flatMap((method, slot) => {
    const before = old.methods[slot];
    if (method === null || before == null) return [];
    if (before !== method) return [`slot ${slot} of its vtable was \`${before}\`, is \`${method}\``];
    const [was, is] = [typeBefore(old.targets[slot] ?? ''), typeNow(now.targets[slot] ?? '')];
    if (was === undefined || is === undefined || was === is) return [];
    return [`slot ${slot} of its vtable, \`${method}\`, was ${was}, is ${is}`];
  });
}

/** What leads elsewhere than before: a method that has another type has another name, too. */
export function changedTargets(old: VtableSlots, now: VtableSlots): readonly string[] {
  return now.targets.flatMap((target, slot) => {
    const before = old.targets[slot];
    return target === null || before == null || before === target ? [] : [before, target];
  });
}

/** `app::Shape` of `<app::Square as app::Shape<u8>>`. */
function traitOf(name: string): string {
  return name.slice(name.lastIndexOf(' as ') + 4).replace(/[<>].*$/, '');
}

/** `area` of `<app::Square as app::Shape>::area` and of `app::Shape::area`, a provided method. */
function methodName(path: string, trait: string): string | null {
  const at = path.lastIndexOf('::');
  const isMethod = (path.startsWith('<') && path.includes(' as ')) || path.startsWith(`${trait}::`);
  return isMethod && at >= 0 ? path.slice(at + 2) : null;
}

// What crates tell the tool that makes bindings (bindgen): texts in a section of their own, which no code reads. Each is a
// static of a type that is made for it, so a changed text is a changed type that no value has; and names of what JavaScript
// sees, comments and inline scripts are nowhere else.
import type { LinkObject } from '../../link/graph.js';
import type { PlanResult } from '../engine.js';
import type { Program } from '../program/program.js';

const TYPE = '::_::_Section';
const SECTION = '_bindgen_unstable';

/** What was planned from. */
interface Planned {
  readonly program: Program;
  readonly before: readonly LinkObject[];
  readonly after: readonly LinkObject[];
}

/** By the path of a type. */
export function isBindingText(path: string): boolean {
  return path.endsWith(TYPE);
}

/** A length of four bytes, then the text, one behind the other. */
function textsOf(objects: readonly LinkObject[]): string {
  const texts = objects.flatMap(({ file }) =>
    file.sections.flatMap(({ name, index }) => {
      if (!name.endsWith(SECTION)) return [];
      const bytes = file.sectionBytes(index);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const found: string[] = [];
      for (let at = 0; at + 4 <= bytes.length;) {
        const end = at + 4 + view.getUint32(at, true);
        found.push(bytes.subarray(at + 4, end).join());
        at = end;
      }
      return found;
    }),
  );
  return texts.sort().join('\n');
}

/** A plan that says so where bindings would be others now (IPBP3051): those of the page stay as they are. */
export function withBindingTexts(plan: PlanResult, { program, before, after }: Planned): PlanResult {
  if (program.base.tabled === undefined || plan.kind === 'refused' || textsOf(before) === textsOf(after)) return plan;
  const message = 'names, comments or scripts of the bindings changed: those of the page are as they were';
  if (plan.kind === 'unchanged') return { ...plan, reason: message };
  const warnings = [...plan.image.warnings, { code: 'IPBP3051', message } as const];
  return { ...plan, image: { ...plan.image, warnings } };
}

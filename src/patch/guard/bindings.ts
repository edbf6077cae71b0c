// What a page's own code lacks for an edit. Where bindings between Rust and JavaScript are made by a tool after the link
// (bindgen), its JavaScript has a function for each import that the program had then, and one for each export. Rust
// marks all of them by their names: imports begin as `__wbg_`, functions that the tool runs and takes out as
// `__wbindgen_describe`. Refuses what needs bindings that are not there (IPBP3050), and says for what.
import { demangle } from '../../formats/symbols/demangle.js';
import type { Unresolved } from '../../link/close.js';
import type { ObjectDiff } from '../diff/diff.js';
import type { RefusedItem } from '../engine.js';

/** In front of what an export's description is called; of an import's, {@link IMPORT} follows. */
const DESCRIPTION = '__wbindgen_describe_';
const IMPORT = '__wbg_';
/** Behind names, so that crates do not meet. */
const HASH = /_[0-9a-f]{16}$/;
/** Where the tool's own crate converts values: what counts is who asks for it. */
const CONVERSIONS = /^<?(?:\w+_bindgen|core)::/;

/** Exports that the page's code does not have, or has with other types. */
export function refuseOtherExports({ items }: ObjectDiff): RefusedItem[] {
  return items.flatMap(({ name, change, because }): RefusedItem[] => {
    if (!name.startsWith(DESCRIPTION) || change === 'removed') return [];
    const of = name.slice(DESCRIPTION.length);
    // A new import counts where it is used.
    if (of.startsWith(IMPORT) && change === 'added') return [];
    const shown = of.replace(HASH, '').replace(IMPORT, '');
    const message =
      change === 'added'
        ? 'the page has no binding for it, as it is newly exported'
        : 'the page has a binding for it with other types';
    return [{ code: 'IPBP3050', name: shown, message, because: change === 'added' ? [] : because }];
  });
}

/** The refusal for an import that only new bindings would bring; null for any other symbol. */
export function missingBinding({ name, chain }: Unresolved): RefusedItem | null {
  const shown = demangle(name);
  const last = shown.slice(shown.lastIndexOf('::') + 2);
  const users = chain.map(demangle);
  const because = users.map((user) => `needed by ${user}`);
  if (last.startsWith(IMPORT)) {
    const message = 'the page has no binding for this import, which the program did not use before';
    return { code: 'IPBP3050', name: shown.slice(0, -last.length - 2) || last, message, because };
  }
  if (!last.startsWith(DESCRIPTION.slice(0, -1))) return null;
  const user = users.find((one) => !CONVERSIONS.test(one)) ?? shown;
  const message =
    'the page has no binding for a value or closure of this type, which the program did not hand over before';
  return { code: 'IPBP3050', name: user, message, because };
}

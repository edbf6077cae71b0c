// Functions that were edited and have no code of their own in the program, as the compiler inlined them: says which
// functions hold their code and were patched for them. Known from the sources: without descriptions for debuggers an
// object does not tell what was inlined into what.
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { editedFunctions } from '../compile/source-functions.js';
import type { PatchedEvent, PatchedFunction, Untimed } from '../events.js';

type Emit = (event: Untimed) => void;

/** Larger sources are made by programs: nobody edits their functions. */
const MOST_BYTES = 1_000_000;
/** Most callers that are named. */
const SPELLED = 3;

export interface InlinedTeller {
  /** Passes events on; patches with what is known of inlined functions. */
  readonly emit: Emit;
  /** Keeps what files hold that are new to it. */
  follow(files: Iterable<string>): void;
  /** A change begins: these files hold something else now. */
  begin(files: readonly string[]): void;
  /** All of the change has been told. */
  end(): void;
}

/**
 * @param whole true where all of a change comes in one patch; else another crate's patch may hold a function that the
 *   first one lacks, so that it is told in the end, by a note
 */
export function tellInlined(emit: Emit, whole: boolean): InlinedTeller {
  const live = new Map<string, string>();
  let changed = new Map<string, string>();
  let patched: PatchedFunction[] = [];
  // By the program; a refusal is told elsewhere.
  let taken = false;

  const inlined = (functions: readonly PatchedFunction[]): PatchedFunction[] => {
    const edited = [...changed].flatMap(([file, text]) => editedFunctions(live.get(file) ?? text, text));
    return inlinedAway([...new Set(edited)], functions);
  };

  return {
    emit(event) {
      switch (event.event) {
        case 'patched': {
          taken = true;
          patched.push(...event.functions);
          const more = whole ? inlined(event.functions) : [];
          return emit(more.length === 0 ? event : withFunctions(event, more));
        }
        case 'unchanged':
          taken = true;
          return emit(event);
        case 'undone':
          taken = false;
          return emit(event);
        default:
          return emit(event);
      }
    },
    follow(files) {
      for (const file of files) {
        const text = live.has(file) ? null : readText(file);
        if (text !== null) live.set(file, text);
      }
    },
    begin(files) {
      patched = [];
      taken = false;
      for (const file of files) {
        const text = readText(file);
        if (text !== null) changed.set(file, text);
      }
    },
    end() {
      if (!whole && taken) {
        for (const { name, reason } of inlined(patched)) {
          emit({ event: 'note', code: null, message: `${name}: ${reason ?? 'inlined'}` });
        }
      }
      // What was not taken is still to be: the next change is compared with what runs.
      if (!taken) return;
      for (const [file, text] of changed) live.set(file, text);
      changed = new Map();
    },
  };
}

function withFunctions(event: Untimed<PatchedEvent>, more: readonly PatchedFunction[]): Untimed<PatchedEvent> {
  return { ...event, functions: [...event.functions, ...more] };
}

/** Those of `edited` that no item of a patch is called after, or lies in, with the functions that changed with them. */
export function inlinedAway(edited: readonly string[], functions: readonly PatchedFunction[]): PatchedFunction[] {
  const is = (name: string, item: PatchedFunction): boolean => new RegExp(`(?:^|::)${name}(?:$|::|<)`).test(item.name);
  const hidden = edited.filter((name) => !functions.some((item) => is(name, item)));
  if (hidden.length === 0) return [];
  const old = functions.filter(({ verdict }) => verdict !== 'added');
  const only = old.filter((item) => !edited.some((name) => is(name, item)));
  const callers = [...new Set((only.length > 0 ? only : old).map(({ name }) => name))];
  if (callers.length === 0) return [];
  const rest = callers.length - SPELLED;
  const named = callers.slice(0, SPELLED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  const reason = `it has no code of its own in this program: patched with what holds it, ${named}`;
  return hidden.map((name) => ({ name, verdict: 'inlined', reason }));
}

function readText(file: string): string | null {
  if (extname(file) !== '.rs') return null;
  try {
    const bytes = readFileSync(file);
    return bytes.length > MOST_BYTES ? null : bytes.toString('utf8');
  } catch {
    return null;
  }
}

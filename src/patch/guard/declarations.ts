// Where objects do not describe their types: do the sources still declare every type as they did when values of it
// were made? Compares the text of items, all that ever were live against those of now. What cannot be told from the
// text counts as changed.
import { itemsOf, type SourceBody, type SourceItems } from './source-items.js';
import { isWord, tokensOf } from './source-tokens.js';

/** Something in a source that may make values lie differently. */
export interface DeclarationChange {
  /** File and item, as `src/main.rs: struct Fish`. */
  readonly name: string;
  readonly message: string;
}

/** What the sources of all live code declare. Begins with those of the base program. */
export interface KnownDeclarations {
  /** What is not as it was, in the files as they are now. Null: the file is gone. */
  changes(files: ReadonlyMap<string, string | null>): readonly DeclarationChange[];
  /** These sources' code is live, besides all that was before. */
  add(files: ReadonlyMap<string, string | null>): void;
}

/** Every text that a file's live code had, with its items once they were asked for: mostly nobody asks. */
type Known = Map<string, SourceItems | null>;

/** Begins with nothing known. */
export function createDeclarations(): KnownDeclarations {
  const known = new Map<string, Known>();
  return {
    changes(files) {
      return [...files].flatMap(([file, text]) => {
        const before = known.get(file);
        if (text === null || before === undefined || before.has(text)) return [];
        return changedIn(versionsOf(before), itemsOf(text)).map(({ name, message }) => ({
          name: `${file}: ${name}`,
          message,
        }));
      });
    },
    add(files) {
      for (const [file, text] of files) {
        if (text === null) continue;
        const before = known.get(file) ?? new Map<string, SourceItems | null>();
        known.set(file, before);
        if (!before.has(text)) before.set(text, null);
      }
    },
  };
}

function versionsOf(known: Known): readonly SourceItems[] {
  return [...known].map(([text, items]) => {
    const found = items ?? itemsOf(text);
    known.set(text, found);
    return found;
  });
}

function changedIn(versions: readonly SourceItems[], now: SourceItems): DeclarationChange[] {
  return [...changedShapes(versions, now), ...changedUses(versions, now), ...changedBodies(versions, now)];
}

function changedShapes(versions: readonly SourceItems[], now: SourceItems): DeclarationChange[] {
  const mentioned = mentionedNames(versions);
  return [...now.shapes].flatMap(([name, text]) => {
    const before = versions.filter(({ shapes }) => shapes.has(name));
    if (before.length === 0) {
      const last = /(\w+)$/.exec(name)?.[1] ?? '';
      return mentioned.has(last) ? [{ name, message: 'it is new, and its name was in use here' }] : [];
    }
    return before.every(({ shapes }) => shapes.get(name) === text)
      ? []
      : [{ name, message: 'its declaration changed' }];
  });
}

/** Another import may give a name that a declaration uses another meaning. */
function changedUses(versions: readonly SourceItems[], now: SourceItems): DeclarationChange[] {
  const mentioned = mentionedNames([...versions, now]);
  return versions.flatMap(({ uses }) =>
    [...new Set([...uses.keys(), ...now.uses.keys()])].flatMap((name) => {
      if (uses.get(name) === now.uses.get(name) || !(name.startsWith('*') || mentioned.has(name))) return [];
      return [{ name: `use ${name}`, message: 'a declaration uses this name, and it is imported differently' }];
    }),
  );
}

function mentionedNames(versions: readonly SourceItems[]): ReadonlySet<string> {
  return new Set(
    versions.flatMap(({ shapes }) => [...shapes.values()].flatMap((text) => tokensOf(text).filter(isWord))),
  );
}

function changedBodies(versions: readonly SourceItems[], now: SourceItems): DeclarationChange[] {
  return [...now.bodies].flatMap(([name, body]) => {
    const before = versions.flatMap(({ bodies }) => bodies.get(name) ?? []);
    const [change] = before.flatMap((old) => bodyChange(old, body));
    return change === undefined ? [] : [{ name: `fn ${name}`, message: change }];
  });
}

function bodyChange(old: SourceBody, now: SourceBody): string[] {
  if (old.text === now.text) return [];
  const opaque = old.opaque ?? now.opaque;
  if (opaque !== null) return [`it changed, and ${opaque}`];
  // Closures that came or went leave the others what they hold; which is which is for whoever pairs items.
  if (runsThrough(old.closures, now.closures) || runsThrough(now.closures, old.closures)) return [];
  return ['it changed, and a closure in it may hold something else'];
}

/** Are all of these among the others, in this order? */
function runsThrough(few: readonly string[], many: readonly string[]): boolean {
  let at = 0;
  for (const one of many) if (at < few.length && one === few[at]) at++;
  return at === few.length;
}

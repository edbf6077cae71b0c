// Names with numbers in them. Compilers tell closures, `impl` blocks and what lies inside functions apart by position:
// `app::setup::{closure#1}`, `app::{impl#0}::run`, `app::log#0::COUNT#1`, also deep inside of generic arguments. This file
// finds those numbers, says what each one counts among, and puts others in their place.

/** One number in a name. */
export interface NumberedPart {
  /** What it counts among: the path up to here, without generic arguments, and the kind. Equal groups, one sequence. */
  readonly group: string;
  readonly number: number;
  /** Where the number's digits stand. */
  readonly start: number;
  readonly end: number;
  /** Where the part with its closing brace ends. */
  readonly past: number;
  /** False inside of generic arguments, types and traits: there it is only mentioned. */
  readonly own: boolean;
  /** It stands in what a function type takes or gives: values of such a type hold none of it. */
  readonly inFunctionType: boolean;
}

/** Behind an item's readable name stands how debug information calls it. */
export const HALVES = '|';

const PART = /\{(\w+)#(\d+)\}|#(\d+)(?![\d}])/g;
/** Closures and coroutines share one sequence, functions and what they capture one number. */
const ENVIRONMENT = /\{(?!impl#)\w+#(\d+)\}/g;

const NO_PARTS: readonly NumberedPart[] = [];

/** The parts of names that were asked for: an edit asks for those of the same names over and over. */
const known = new Map<string, readonly NumberedPart[]>();
/** Names that are remembered, at most; then it begins anew. */
const MOST_KNOWN = 50_000;

/** All numbers of a name, from its start to its end. */
export function partsOf(text: string): readonly NumberedPart[] {
  if (!text.includes('#')) return NO_PARTS;
  let parts = known.get(text);
  if (parts !== undefined) return parts;
  if (known.size >= MOST_KNOWN) {
    known.clear();
    beginning = newPath('');
  }
  known.set(text, (parts = findParts(text)));
  return parts;
}

function findParts(text: string): readonly NumberedPart[] {
  const parts: NumberedPart[] = [];
  const paths = new PathWalk(text);
  const functionTypes = functionTypesOf(text);
  for (const match of text.matchAll(PART)) {
    const [whole, kind, inBraces, bare] = match;
    const { index } = match;
    const path = paths.pathBefore(index);
    const digits = inBraces ?? bare ?? '';
    const end = index + whole.length - (kind === undefined ? 0 : 1);
    parts.push({
      group: groupOf(path, kind),
      number: Number(digits),
      start: end - digits.length,
      end,
      past: index + whole.length,
      own: paths.open === 0,
      inFunctionType: functionTypes.some(([start, stop]) => start < index && index < stop),
    });
  }
  return parts;
}

/** A path as groups have it: the same object for the same steps, as a thousand names lead through the same few. */
interface Path {
  readonly text: string;
  /** What stands between two numbers in a name → the path with it. */
  readonly further: Map<string, Path>;
  /** Kind of what is counted → the group. */
  readonly groups: Map<string | undefined, string>;
}

function newPath(text: string): Path {
  return { text, further: new Map(), groups: new Map() };
}

/** All paths of the names that are remembered. Groups are long, and looked up by what they say: each is made once. */
let beginning = newPath('');

function goOn(path: Path, step: string): Path {
  let found = path.further.get(step);
  if (found === undefined) {
    found = newPath(path.text + withoutArguments(step).replaceAll(ENVIRONMENT, '{closure#$1}'));
    path.further.set(step, found);
  }
  return found;
}

function groupOf(path: Path, kind: string | undefined): string {
  let group = path.groups.get(kind);
  if (group === undefined) {
    group = path.text + (kind === undefined ? '#' : kind === 'impl' ? '{impl' : '{closure');
    path.groups.set(kind, group);
  }
  return group;
}

/** A path within a name, read as far as `end`. */
interface OpenPath {
  path: Path;
  end: number;
}

/**
 * Goes through a name once, from front to back, and knows at every place which path leads there: names of several
 * thousand characters, with dozens of numbers, are nothing rare. A class because it walks.
 */
class PathWalk {
  /** Brackets that are open, counted from the last half on; 1 before it. */
  open = 1;
  /** The paths around the place, the outermost first. */
  private readonly paths: [OpenPath, ...OpenPath[]] = [{ path: beginning, end: 0 }];
  private readonly half: number;
  private place = 0;

  constructor(private readonly text: string) {
    this.half = text.lastIndexOf(HALVES) + 1;
  }

  /** The path that ends before `index`, without generic arguments. Asked for with rising places. */
  pathBefore(index: number): Path {
    for (; this.place < index; this.place++) this.step(this.text.charCodeAt(this.place));
    if (this.place === this.half) this.open = 0;
    const last = this.paths.at(-1) as OpenPath;
    last.path = goOn(last.path, this.text.slice(last.end, index));
    last.end = index;
    return last.path;
  }

  private step(character: number): void {
    const { text, place, paths } = this;
    if (place === this.half) this.open = 0;
    switch (character) {
      case 0x3c: // <
      case 0x28: // (
      case 0x5b: // [
        if (place >= this.half) this.open++;
        paths.push({ path: beginning, end: place + 1 });
        return;
      case 0x3e: // >
        if (text.charCodeAt(place - 1) === 0x2d) return this.begin(place + 1);
        return this.close();
      case 0x29: // )
      case 0x5d: // ]
        return this.close();
      case 0x3a: // :
        if (text.charCodeAt(place - 1) !== 0x3a && text.charCodeAt(place + 1) !== 0x3a) this.begin(place + 1);
        return;
      case 0x20: // space
      case 0x2c: // ,
      case 0x3b: // ;
      case 0x26: // &
      case 0x2a: // *
      case 0x7c: // |
      case 0x3d: // =
      case 0x40: // @
        this.begin(place + 1);
    }
  }

  private close(): void {
    if (this.place >= this.half) this.open--;
    if (this.paths.length > 1) this.paths.pop();
    // What was never opened belongs to the path behind it, with all before it.
    else this.begin(0);
  }

  private begin(end: number): void {
    const last = this.paths.at(-1) as OpenPath;
    last.path = beginning;
    last.end = end;
  }
}

/** Does a group count closures and coroutines? */
export function countsClosures(group: string): boolean {
  return group.endsWith('{closure');
}

/** Does a group count `impl` blocks? */
export function countsImpls(group: string): boolean {
  return group.endsWith('{impl');
}

/** The name with every number that is given by position left out: equal for items that only numbers tell apart. */
export function withoutNumbers(text: string): string {
  return text.includes('#')
    ? text.replaceAll(PART, (_, kind?: string) => (kind === undefined ? '#' : `{${kind}#}`))
    : text;
}

/** Gives the number to write for one of a group; null where it is nobody's known: a new one. */
export type Renumber = (group: string, number: number) => number | null;

/** A name with other numbers. */
export interface Renumbered {
  readonly text: string;
  /** It is, or mentions, something new. */
  readonly fresh: boolean;
}

/** What is written before the number of something new, so that it is equal to no old name. */
const FRESH = '~';

/**
 * Puts other numbers into a name. What a function type only takes or gives stays as it is when it is new: the function
 * that is meant by it is the same place in the source, and a value of that type holds nothing of it. (One that is stored as
 * a pointer, not as the function's own type, would give what its old code gives: descriptions do not tell the two apart.)
 */
export function renumber(text: string, of: Renumber): Renumbered {
  let result = '';
  let from = 0;
  let fresh = false;
  for (const { group, number, start, end, inFunctionType } of partsOf(text)) {
    const other = of(group, number);
    if (other === number || (other === null && inFunctionType)) continue;
    result += text.slice(from, start) + (other === null ? FRESH + String(number) : String(other));
    if (other === null) fresh = true;
    from = end;
  }
  return { text: from === 0 ? text : result + text.slice(from), fresh };
}

/** Puts other numbers into a name. */
export type Rewrite = (text: string) => Renumbered;

/** As {@link renumber} for numbers that stay as they are: every name once. */
export function rewriter(of: Renumber): Rewrite {
  const texts = new Map<string, Renumbered>();
  return (text) => {
    if (!text.includes('#')) return { text, fresh: false };
    let found = texts.get(text);
    if (found === undefined) texts.set(text, (found = renumber(text, of)));
    return found;
  };
}

/** From where to where each `fn(…) -> …` of a name goes. */
function functionTypesOf(text: string): readonly (readonly [start: number, end: number])[] {
  return [...text.matchAll(/\bfn\(/g)].map(({ index }) => {
    let depth = 0;
    for (let at = index + 2; at < text.length; at++) {
      const character = text[at] as string;
      if (text.startsWith('->', at)) at++;
      else if ('(<['.includes(character)) depth++;
      else if (')>]'.includes(character)) depth--;
      if (depth < 0 || (depth === 0 && ',;|'.includes(character))) return [index, at] as const;
    }
    return [index, text.length] as const;
  });
}

/** `a::b::<c>::d` → `a::b::d`. */
function withoutArguments(path: string): string {
  let result = path;
  for (let at = result.indexOf('::<'); at >= 0; at = result.indexOf('::<', at)) {
    const end = closing(result, at + 2);
    if (end < 0) return result;
    result = result.slice(0, at) + result.slice(end + 1);
  }
  return result;
}

/** The bracket that closes the one at `start`; -1 when none does. */
function closing(text: string, start: number): number {
  let open = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '<') open++;
    else if (character === '>' && text[at - 1] !== '-' && --open === 0) return at;
  }
  return -1;
}

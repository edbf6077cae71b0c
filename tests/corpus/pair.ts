// The shape of the corpus: small programs, each with two edits that look alike, of which one would misread values that
// are alive and must be refused, and the other does not and must be taken. The programs are in pairs/; how they are
// compiled, judged and run is in compile.ts, verdict.ts and live.ts.
import { replaceOnce } from '../matrix/program.js';

/**
 * One edit of a program: the crate after it is the crate before it with some texts replaced, each of which stands there
 * once.
 */
export interface Edit {
  readonly what: string;
  readonly edits: readonly (readonly [from: string, to: string])[];
  /** What a program says after it whose values were all read as they were meant. */
  readonly says: string;
}

/** An edit that must be refused. Forced, the program must say something else, crash, panic or hang. */
export interface RefusedEdit extends Edit {
  /** What the refusal must say: which member of which type moved, in words. */
  readonly names: string | RegExp;
}

/**
 * An edit of what a closure or coroutine holds, or of a static's type: it is taken, what holds other things is another one
 * from then on, and the values that are alive go on by the code that they were made for.
 */
export interface ForkedEdit extends Edit {
  readonly forks: true;
}

/** A program and two edits of it. */
export interface Pair {
  readonly id: string;
  /** Items of the crate: a `State`, `fn make() -> State` and `fn show(&mut State) -> String`; see {@link crateOf}. */
  readonly program: string;
  /** Further arguments for rustc. */
  readonly flags?: readonly string[];
  /** What the program says before any edit. */
  readonly before: string;
  readonly refuse: RefusedEdit | ForkedEdit;
  readonly accept: Edit;
}

/**
 * The whole crate: the state is made once, before any patch, and shown once per line of input. `main` is inside its loop
 * for ever, so that it keeps its old body: as in real programs, only what it calls can change.
 */
export function crateOf(program: string): string {
  return `${program.trim()}

fn main() {
    let mut state = Box::new(make());
    for line in std::io::stdin().lines() {
        if line.is_ok() {
            println!("{}", show(&mut state));
        }
    }
}
`;
}

/** The crate after an edit. Throws when a text to be replaced does not stand there just once. */
export function edited(program: string, { edits }: Edit): string {
  return crateOf(edits.reduce((text, [from, to]) => replaceOnce(text, from, to), program));
}

/** The pairs in an order that only the seed decides. */
export function shuffled(pairs: readonly Pair[], seed: number): readonly Pair[] {
  // Knuth's multiplicative hash of the place, so that neighbours part.
  const key = (at: number): number => ((at + seed) * 2_654_435_761) % 4_294_967_296;
  return pairs
    .map((pair, at) => ({ pair, key: key(at) }))
    .sort((a, b) => a.key - b.key)
    .map(({ pair }) => pair);
}

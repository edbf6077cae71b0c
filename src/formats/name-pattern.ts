// Patterns of names as scripts and options have them: `*`, `?`, `[a-z]`, `[!a-z]` (GNU ld manual, "Input Section
// Wildcards", which are the shell's).

/** Has the text any of the characters that make it a pattern? */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text);
}

/** Does the pattern match all of the name? In time of pattern × name at most, whatever they are. */
export function matchesPattern(pattern: string, name: string): boolean {
  let at = 0;
  let place = 0;
  // Where to go on if what follows the last star does not fit: one character further.
  let star = -1;
  let retry = 0;
  while (place < name.length) {
    if (pattern[at] === '*') {
      star = ++at;
      retry = place;
      continue;
    }
    const end = matchesOne(pattern, at, name.charAt(place));
    if (end > 0) {
      at = end;
      place++;
    } else if (star >= 0) {
      at = star;
      place = ++retry;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

/** Where the pattern goes on behind the part at `at` if that fits the letter; 0 if it does not. */
function matchesOne(pattern: string, at: number, letter: string): number {
  const part = pattern[at];
  if (part === '?') return at + 1;
  if (part === '\\' && at + 1 < pattern.length) return pattern[at + 1] === letter ? at + 2 : 0;
  const end = part === '[' ? pattern.indexOf(']', at + 2) : -1;
  if (end < 0) return part === letter ? at + 1 : 0;
  const not = pattern[at + 1] === '!' || pattern[at + 1] === '^';
  let found = false;
  for (let index = at + (not ? 2 : 1); index < end; index++) {
    const low = pattern.charAt(index);
    if (pattern[index + 1] === '-' && index + 2 < end) {
      index += 2;
      if (letter >= low && letter <= pattern.charAt(index)) found = true;
    } else if (letter === low) {
      found = true;
    }
  }
  return found === not ? 0 : end + 1;
}

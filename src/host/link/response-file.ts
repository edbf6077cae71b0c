// Response files: `@file` stands for the words in it (GNU binutils manual, "Invoking ld", "@FILE"). A word that names no
// file stays as it is, as there.
import { readFileSync } from 'node:fs';
import { IpbpError } from '../../codes/error.js';

/** Files in files; more is a ring. */
const DEEPEST = 16;

/** The words with those of response files in their place. IPBP5901 for files that name each other in a ring. */
export function expandResponseFiles(words: readonly string[], depth = 0): string[] {
  return words.flatMap((word) => {
    if (!word.startsWith('@')) return [word];
    let text: string;
    try {
      text = readFileSync(word.slice(1), 'utf8');
    } catch {
      return [word];
    }
    if (depth >= DEEPEST) throw new IpbpError('IPBP5901', 'response files name each other', { where: word.slice(1) });
    return expandResponseFiles(responseWords(text), depth + 1);
  });
}

/** Words apart by white space; quotes of both kinds keep it, a backslash keeps the character behind it. */
export function responseWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (letter === '\\' && at + 1 < text.length) word = (word ?? '') + text.charAt(++at);
    else if (letter === quote) quote = '';
    else if (quote !== '') word = (word ?? '') + letter;
    else if (letter === '"' || letter === "'") {
      quote = letter;
      word ??= '';
    } else if (/\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + letter;
  }
  if (word !== null) words.push(word);
  return words;
}

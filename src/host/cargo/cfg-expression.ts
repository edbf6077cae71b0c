// `cfg(…)` expressions, as tables of cargo's configuration are named (Rust reference, "Conditional compilation").

/**
 * True when a `cfg(…)` expression holds.
 * @param known what is set, as `rustc --print cfg` prints it: `unix`, `target_os="linux"`
 */
export function cfgHolds(expression: string, known: ReadonlySet<string>): boolean {
  const words = expression.match(/[A-Za-z_][A-Za-z0-9_]*|"[^"]*"|[(),=]/g) ?? [];
  let at = 0;
  const take = (word: string): boolean => words[at] === word && ++at > 0;
  const list = (): boolean[] => {
    const values: boolean[] = [];
    if (!take('(')) return values;
    while (at < words.length && !take(')')) {
      values.push(one());
      take(',');
    }
    return values;
  };
  const one = (): boolean => {
    const name = words[at++] ?? '';
    if (name === 'all' && words[at] === '(') return list().every(Boolean);
    if (name === 'any' && words[at] === '(') return list().some(Boolean);
    if (name === 'not' && words[at] === '(') return !(list()[0] ?? true);
    return take('=') ? known.has(`${name}=${words[at++] ?? ''}`) : known.has(name);
  };
  return words[0] === 'cfg' && (at = 1) === 1 && (list()[0] ?? false);
}

// Small pieces of text for a person: names, numbers, colours, chains of reasons. Pure.

/** ANSI attributes that ipbp uses. */
const STYLES = { dim: '2', bold: '1', red: '31', green: '32', yellow: '33' } as const;

export type Style = keyof typeof STYLES;

/** `text` in a style, or as it is where colours are off. */
export function styled(style: Style, text: string, color: boolean): string {
  return color ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
}

/** Names and paths come from files: control characters in them must not reach the terminal. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
}

/**
 * A demangled name without the modules it lies in: `aquarium::tank::Fish::swim` is `Fish::swim`,
 * `app::main::{{closure}}` is `main::{{closure}}`. Lower-case segments in front of another name are modules, or
 * functions around it, which say less than the name itself.
 */
export function shortName(name: string): string {
  return printable(name).replaceAll(/(?<![A-Za-z0-9_])[a-z_][a-z0-9_]*::(?=[A-Za-z_])/g, '');
}

/** `a, b, c and 4 more`; all of them when `all`. */
export function listed(names: readonly string[], most: number, all = false): string {
  if (all || names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** `1 function`, `3 functions`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** `63,551` */
export function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Milliseconds as a person reads them: `9 ms`, `0.4 ms`, `1.25 s`. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 1 || ms === 0 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

/** Bytes as a person reads them: `812 bytes`, `12.4 KiB`. */
export function byteCount(bytes: number): string {
  if (bytes < 1024) return counted(bytes, 'byte');
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** A chain of reasons, outermost first, each a step further in. */
export function chain(because: readonly string[], indent = 8): string[] {
  return because.map((reason, depth) => `${' '.repeat(indent + 2 * depth)}because ${printable(reason)}`);
}

// rustc's messages, as they come on its stderr with --error-format=json: one JSON object per line, other text between.

export interface Diagnostics {
  /** What rustc would have printed, with its colours as captured. */
  readonly errors: string;
  readonly warnings: string;
  /** Lines that are not JSON: an internal compiler error, a panic message. */
  readonly other: string;
}

/** Splits stderr. `color` false takes ANSI sequences out. */
export function readDiagnostics(stderr: string, color: boolean): Diagnostics {
  const errors: string[] = [];
  const warnings: string[] = [];
  const other: string[] = [];
  for (const line of stderr.split('\n')) {
    if (line === '') continue;
    const message = parse(line);
    if (message === null) {
      other.push(`${line}\n`);
      continue;
    }
    const { rendered, level } = message;
    if (rendered === undefined) continue;
    (level === 'error' || level?.startsWith('error:') === true ? errors : warnings).push(rendered);
  }
  const text = (parts: readonly string[]): string => (color ? parts.join('') : stripColor(parts.join('')));
  return { errors: text(errors), warnings: text(warnings), other: text(other) };
}

function parse(line: string): { readonly rendered?: string; readonly level?: string } | null {
  if (!line.startsWith('{')) return null;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const rendered = 'rendered' in value && typeof value.rendered === 'string' ? value.rendered : undefined;
  const level = 'level' in value && typeof value.level === 'string' ? value.level : undefined;
  return { ...(rendered === undefined ? {} : { rendered }), ...(level === undefined ? {} : { level }) };
}

/** Text without ANSI colour and link sequences. */
export function stripColor(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are what it looks for
  return text.replace(/\u001b\[[0-9;]*[A-Za-z]|\u001b\]8;[^\u0007\u001b]*(?:\u0007|\u001b\\)/g, '');
}

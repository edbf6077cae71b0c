// rustc's messages, as they come on its stderr with --error-format=json: one JSON object per line, other text between.

export interface Diagnostics {
  /** What rustc would have printed, in its order. */
  readonly rendered: string;
  readonly hasErrors: boolean;
  /** Lines that are not JSON: an internal compiler error, a panic message. */
  readonly other: string;
}

/** Splits stderr. `color` false takes ANSI sequences out. */
export function readDiagnostics(stderr: string, color: boolean): Diagnostics {
  const rendered: string[] = [];
  const other: string[] = [];
  let hasErrors = false;
  for (const line of stderr.split('\n')) {
    if (line === '') continue;
    const message = parse(line);
    if (message === null) {
      other.push(`${line}\n`);
      continue;
    }
    if (message.rendered === undefined) continue;
    const isError = message.level?.startsWith('error') === true;
    hasErrors ||= isError;
    // cargo leaves this summary out too.
    if (isError && /aborting due to .*previous error/.test(message.rendered)) continue;
    rendered.push(message.rendered);
  }
  const text = rendered.join('');
  return { rendered: color ? text : stripColor(text), hasErrors, other: other.join('') };
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

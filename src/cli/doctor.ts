// `ipbp doctor`: shows what the checks of host/doctor found. Owns the lines and the records; judges nothing.
import { examine } from '../host/doctor/doctor.js';
import type { Finding, Status } from '../host/doctor/finding.js';
import { DONE, FAILED, type Outcome } from './outcome.js';
import type { Output } from './output.js';
import { counted, printable, styled, type Style } from './text.js';

/** The last record of `--json`. */
export interface DoctorSummary {
  readonly ok: number;
  readonly warning: number;
  readonly missing: number;
}

/** Prints the findings for the current directory. 1 when something needed is missing. */
export async function doctor(cargoArguments: readonly string[], output: Output): Promise<Outcome> {
  const findings = await examine({ directory: process.cwd(), cargoArguments });
  const summary = summaryOf(findings);
  for (const finding of findings) output.record(finding);
  output.record({ summary });
  for (const line of doctorLines(findings, { color: output.printsColor, quiet: output.quiet })) output.print(line);
  return summary.missing > 0 ? FAILED : DONE;
}

function summaryOf(findings: readonly Finding[]): DoctorSummary {
  const count = (status: Status): number => findings.filter((finding) => finding.status === status).length;
  return { ok: count('ok'), warning: count('warning'), missing: count('missing') };
}

const STYLES: Readonly<Record<Status, Style>> = { ok: 'green', warning: 'yellow', missing: 'red' };

/** A line per finding, its remedy below it, a blank line between groups, and one sentence at the end. */
export function doctorLines(
  findings: readonly Finding[],
  view: { readonly color: boolean; readonly quiet: boolean },
): readonly string[] {
  const shown = view.quiet ? findings.filter(({ status }) => status !== 'ok') : findings;
  const width = Math.max(0, ...shown.map(({ check }) => check.length));
  const lines = shown.flatMap(({ check, status, message, remedy, code }, index) => {
    const word = styled(STYLES[status], status.padEnd(7), view.color);
    const group = check.split('.')[0];
    const isNewGroup = index > 0 && shown[index - 1]?.check.split('.')[0] !== group;
    const text = printable(message.replaceAll(/\s*\n\s*/g, ' '));
    const indent = ' '.repeat(width + 11);
    return [
      ...(isNewGroup ? [''] : []),
      `${word}  ${check.padEnd(width)}  ${text}${code === undefined ? '' : ` (${code})`}`,
      ...(remedy === undefined ? [] : [`${indent}${styled('bold', printable(remedy), view.color)}`]),
    ];
  });
  return view.quiet && lines.length === 0 ? [] : [...lines, ...(lines.length === 0 ? [] : ['']), lastLine(findings)];
}

function lastLine(findings: readonly Finding[]): string {
  const { warning, missing } = summaryOf(findings);
  if (missing > 0) return `${counted(missing, 'thing')} to mend before ipbp run can work here.`;
  if (warning > 0) return `ipbp run can work here; ${counted(warning, 'warning')}.`;
  return 'ipbp run can work here.';
}

// What a person sees of a session: one event in, the lines for stderr out. Pure; who writes them is run.ts. The
// program's terminal is its own, so the lines are few, and a patch is one of them.
import { CODES } from '../codes/table.js';
import type {
  CompiledEvent,
  ConfirmedEvent,
  ExitEvent,
  PageSeenEvent,
  PatchedEvent,
  ReadyEvent,
  RefusedEvent,
  SessionEvent,
} from '../host/events.js';
import type { RefusedItem } from '../patch/engine.js';
import { byteCount, chain, counted, duration, grouped, listed, printable, shortName, styled } from './text.js';
import type { Style } from './text.js';

/** How events are shown. */
export interface View {
  readonly color: boolean;
  /** Errors and refusals only. */
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** What rustc took for the change that this event belongs to; null where no rustc ran. */
  readonly compileMs: number | null;
}

/** Names in one line, and refusals in one event, before "and n more". */
const MOST_NAMES = 4;
const MOST_REFUSALS = 5;

/** The lines for one event, without line ends; none for what is not worth one. */
export function renderEvent(event: SessionEvent, view: View): readonly string[] {
  switch (event.event) {
    case 'ready':
      return view.quiet ? [] : renderReady(event, view);
    case 'change':
      return view.verbose && !view.quiet ? [line('changed', event.files.map(printable).join(', '), view, 'dim')] : [];
    case 'compiled':
      return view.quiet ? [] : renderCompiled(event, view);
    case 'compile-error':
      return [
        withoutLastBreak(event.rendered),
        ...(view.quiet ? [] : [line('waiting', 'rustc found errors; the program goes on as it was', view, 'yellow')]),
      ];
    case 'unchanged':
      return view.quiet ? [] : [line('unchanged', printable(event.reason), view, 'dim')];
    case 'patched':
      return view.quiet ? [] : renderPatch(`patched #${event.patch}`, event, view);
    case 'confirmed':
      return view.verbose && !view.quiet ? [line('confirmed', confirmedText(event), view, 'dim')] : [];
    case 'refused':
      return renderRefused(event, view);
    case 'undone':
      return view.quiet ? [] : [line('undone', undoneText(event.patch, event.now), view, 'green')];
    case 'restarted':
      return view.quiet ? [] : [line('restarted', `pid ${event.pid}  ${printable(event.reason)}`, view, 'yellow')];
    case 'page':
      return view.verbose && !view.quiet ? [line(event.kind, pageText(event), view, 'dim')] : [];
    case 'note':
      return view.quiet ? [] : [line('note', withCode(printable(event.message), event.code), view, 'yellow')];
    case 'exit':
      return view.quiet ? [] : renderExit(event, view);
  }
}

/** `ipbp  patched #3  …` */
function line(what: string, text: string, view: View, style: Style): string {
  return `${styled('dim', 'ipbp', view.color)}  ${styled(style, what, view.color)}  ${text}`;
}

function withCode(text: string, code: string | null): string {
  return code === null ? text : `${text} (${code})`;
}

function withoutLastBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}

function fileName(path: string): string {
  return printable(path.slice(path.lastIndexOf('/') + 1));
}

function renderReady(event: ReadyEvent, view: View): string[] {
  const indexed = `${counted(event.functions, 'function')} indexed in ${duration(event.indexMs)}`;
  const followed = event.crates.length === 0 ? '' : `  following ${crateList(event.crates, view)}`;
  const where = event.url ?? `(pid ${event.pid})`;
  const lines = [line('ready', `${fileName(event.executable)} ${where}  ${indexed}${followed}`, view, 'green')];
  if (view.verbose) {
    lines.push(`      session ${event.session}, build id ${event.buildId}, ${event.target}`);
    for (const directory of event.watching) lines.push(`      watching ${printable(directory)}`);
  }
  return lines;
}

function pageText({ name, connected }: PageSeenEvent): string {
  return `${printable(name)} ${connected ? 'has come' : 'has gone'}`;
}

function crateList(crates: readonly string[], view: View): string {
  return listed(crates.map(printable), MOST_NAMES, view.verbose);
}

function renderCompiled(event: CompiledEvent, view: View): string[] {
  const lines = event.rendered === '' ? [] : [withoutLastBreak(event.rendered)];
  if (view.verbose) {
    const what = `${crateList(event.crates, view)}: ${counted(event.objects, 'object')} changed in ${duration(event.ms)}`;
    lines.push(line('compiled', what, view, 'dim'));
  }
  return lines;
}

/** A patch as far as it is shown: one that was only built was not applied. */
export interface ShownPatch extends Omit<PatchedEvent, 'event' | 'ms'> {
  readonly ms: Omit<PatchedEvent['ms'], 'apply'> & { readonly apply?: number };
}

/** A patch that was applied or built (`what`): its items in one line, then what the person should know of it. */
export function renderPatch(what: string, event: ShownPatch, view: View): string[] {
  const lines = [line(what, `${patchedNames(event, view)}  ${patchedTime(event, view)}`, view, 'green')];
  if (view.verbose) lines.push(...patchedDetails(event));
  for (const { name, verdict, reason } of event.data) {
    // The engine's own warning about it, where there is one, says more.
    if (verdict !== 'initialiser-changed' || event.warnings.some((warning) => warning.message.includes(name))) continue;
    lines.push(
      line('kept', `${shortName(name)}: ${reason ?? 'its initial value changed; the live one stays'}`, view, 'yellow'),
    );
  }
  for (const { code, message } of event.warnings) {
    lines.push(line('warning', withCode(printable(message), code), view, 'yellow'));
  }
  return lines;
}

/** `paint_fish, tick (+2 new)`; with nothing redirected, what is new is named instead. */
function patchedNames({ functions, data }: ShownPatch, view: View): string {
  const name = view.verbose ? printable : shortName;
  const isNew = ({ verdict }: { readonly verdict: string }): boolean => verdict === 'added';
  const redirected = functions.filter((item) => !isNew(item));
  const added = [...functions.filter(isNew), ...data.filter(isNew)];
  const shown = redirected.length > 0 ? redirected : added;
  const names = listed([...new Set(shown.map((item) => name(item.name)))], MOST_NAMES, view.verbose);
  if (names === '') return 'data only';
  if (redirected.length === 0) return `${names} (new)`;
  return added.length === 0 ? names : `${names} (+${grouped(added.length)} new)`;
}

/** `rustc 151 ms + 9 ms`, or `9 ms` where no rustc ran. */
function patchedTime({ ms }: ShownPatch, { compileMs }: View): string {
  return compileMs === null ? duration(ms.total) : `rustc ${duration(compileMs)} + ${duration(ms.total)}`;
}

function patchedDetails({ functions, data, bytes, ms, sinceSaveMs }: ShownPatch): string[] {
  const applied = ms.apply === undefined ? '' : `, apply ${duration(ms.apply)}`;
  const phases = `scan ${duration(ms.scan)}, diff ${duration(ms.diff)}, link ${duration(ms.link)}${applied}`;
  const save = sinceSaveMs === null ? '' : `; ${duration(sinceSaveMs)} since the save`;
  const items = [...functions, ...data].map(({ name, verdict, reason }) => {
    return `      ${verdict}  ${printable(name)}${reason === undefined ? '' : `: ${printable(reason)}`}`;
  });
  return [...items, `      ${byteCount(bytes)}; ${phases}${save}`];
}

function confirmedText({ patches, ms }: ConfirmedEvent): string {
  const numbers = patches.map((patch) => `#${patch}`).join(', ');
  return `${numbers}: rustc ended after ${duration(ms)}`;
}

function renderRefused({ items, restarting }: RefusedEvent, view: View): string[] {
  const shown = view.verbose ? items : items.slice(0, MOST_REFUSALS);
  const lines = shown.flatMap((item) => renderRefusal(item, view));
  if (shown.length < items.length) lines.push(`      and ${items.length - shown.length} more (--verbose names them)`);
  const next = restarting ? 'restarting the program' : 'the program goes on as it was';
  return [...lines, line('refused', next, view, 'red')];
}

/** One refusal with its code, its chain of reasons and what can be done. */
export function renderRefusal(item: RefusedItem, view: Pick<View, 'color' | 'verbose'>): string[] {
  const name = view.verbose ? printable(item.name) : shortName(item.name);
  // What the process itself refuses concerns no one item.
  const text = name === '' ? printable(item.message) : `${name}: ${printable(item.message)}`;
  const head = line('refused', withCode(text, item.code), { ...view, quiet: false, compileMs: null }, 'red');
  const remedy = remedyOf(item.code);
  return [head, ...chain(item.because), ...(remedy === null ? [] : [`        ${remedy}`])];
}

/** What the table of codes advises; null for a code that it does not know. */
export function remedyOf(code: string): string | null {
  return Object.entries(CODES).find(([known]) => known === code)?.[1].remedy ?? null;
}

function undoneText(patch: number, now: number): string {
  return `#${patch}; ${now === 0 ? 'the program is as it was built' : `#${now} is the newest now`}`;
}

function renderExit({ code, signal }: ExitEvent, view: View): string[] {
  // A plain end needs no words, nor does Ctrl-C: the shell's prompt says it.
  if (signal !== null && (signal !== 'SIGINT' || view.verbose))
    return [line('ended', `the program was ended by ${signal}`, view, 'yellow')];
  return view.verbose && code !== null ? [line('ended', `the program ended with status ${code}`, view, 'dim')] : [];
}

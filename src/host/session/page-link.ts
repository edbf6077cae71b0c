// Patches into all instances of a module: each becomes a module of its own, which page-host.ts brings to those that are
// there and to those that come. An instance that does not take what others took is loaded anew.
import type { InstanceTarget } from '../../patch/image/instance.js';
import { isRefusal, type PageHost, type PageResult } from '../web/page-host.js';
import { pagePatch } from '../web/page-patch.js';
import type { Answer, ProgramLink } from './program-link.js';

/**
 * The way into the instances that this host knows.
 * @param process the one that serves them, or that they are in
 */
export function pageLink(
  host: PageHost,
  target: InstanceTarget,
  process: Pick<ProgramLink, 'pid' | 'closed'>,
): ProgramLink {
  return {
    ...process,
    async apply(number, image) {
      const { patch, bytes } = pagePatch(number, image, target);
      return answerOf(host, await host.add(patch, bytes));
    },
    undo: async () => answerOf(host, await host.undo()),
    redo: async () => answerOf(host, await host.redo()),
  };
}

function answerOf(host: PageHost, results: readonly PageResult[]): Answer {
  const said = results.flatMap(({ page, error }) => (error === null ? [] : [{ name: page.name, ...error }]));
  const refusing = results.filter(isRefusal);
  if (refusing.length > 0 && refusing.length === results.length) {
    return { kind: 'refused', items: said.map((one) => ({ ...one, because: [] })) };
  }
  if (refusing.length > 0)
    host.reload(
      'it did not take what others took',
      refusing.map(({ page }) => page),
    );
  return {
    kind: 'taken',
    moved: [],
    warnings: said.map(({ name, code, message }) => ({ code, message: `${name}: ${message}` })),
  };
}

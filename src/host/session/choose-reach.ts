// Which way leads to the programs of a target.
import { isModule, isWasi } from '../cargo/target-triple.js';
import type { Reach, ReachContext } from './reach.js';
import { withAgent } from './with-agent.js';
import { withPages } from './with-pages.js';
import { withWasi } from './with-wasi.js';

/** Throws what that way does. */
export function chooseReach(context: ReachContext): Reach {
  const { targetTriple } = context.project;
  if (!isModule(targetTriple)) return withAgent(context);
  return isWasi(targetTriple) ? withWasi(context) : withPages(context);
}

// Pass: which symbols other modules see, and which of them other modules may replace. gABI "Symbol Table" (visibility),
// and ld's options -Bsymbolic, --version-script, --dynamic-list and --exclude-libs.
import {
  KIND_FUNCTION,
  KIND_IFUNC,
  VISIBILITY_DEFAULT,
  VISIBILITY_HIDDEN,
  VISIBILITY_PROTECTED,
} from '../../formats/columns.js';
import type { Link } from './link-state.js';
import * as symbols from './symbols.js';

/** Sets DYNAMIC and PREEMPTIBLE of what this link defines; `isImport` says it of the rest. */
export function decideScopes(link: Link): void {
  const table = link.symbols;
  const { exportRule } = link.options;
  for (let symbol = 0; symbol < table.names.count; symbol++) {
    const state = table.state[symbol] as number;
    if (state < symbols.STATE_COMMON) {
      // Undefined names that a version script makes local still are imports: it speaks of definitions.
      continue;
    }
    const visibility = table.visibility[symbol] as number;
    if (visibility >= VISIBILITY_HIDDEN || table.section[symbol] === symbols.MADE_ADDRESS) continue;
    if (symbols.hasFlag(table, symbol, symbols.FROM_HIDDEN_ARCHIVE)) continue;
    if (exportRule !== null && exportRule(table.names.text(symbol)) === false) continue;
    symbols.setFlag(table, symbol, symbols.DYNAMIC);
    if (visibility === VISIBILITY_DEFAULT && !isBoundHere(link, symbol)) {
      symbols.setFlag(table, symbol, symbols.PREEMPTIBLE);
    }
  }
}

function isBoundHere(link: Link, symbol: number): boolean {
  const { symbolic, dynamicList } = link.options;
  if (dynamicList !== null) return !dynamicList(link.symbols.names.text(symbol));
  if (symbolic === 'all') return true;
  if (symbolic === 'strong') return !symbols.hasFlag(link.symbols, symbol, symbols.WEAK);
  const kind = link.symbols.kind[symbol];
  return symbolic === 'functions' && (kind === KIND_FUNCTION || kind === KIND_IFUNC);
}

/**
 * Is the symbol one that the loader is to find in another module? Hidden ones are not, and weak ones that only may be
 * absent neither when nobody else could see them.
 */
export function isImport(link: Link, symbol: number): boolean {
  const table = link.symbols;
  if ((table.state[symbol] as number) >= symbols.STATE_COMMON) return false;
  return (table.visibility[symbol] as number) < VISIBILITY_PROTECTED;
}

// The cases of the comparison: captured links, and what their libraries must answer.
import { type MachineName } from '../suite.js';
import { ARCHIVE_NAMES, captureArchive } from './archives.js';
import { type CapturedLink } from './capture.js';
import { captureCrate, CRATES, type Call } from './crates.js';
import { choicesLink } from './choices.js';
import { captureCpp, CPP_CALLS, CPP_NAMES } from './cpp.js';
import { referencesLink } from './references.js';

/** A case: its link is captured when it is asked for. */
export interface Case {
  readonly name: string;
  readonly machine: MachineName;
  readonly calls: readonly Call[];
  readonly link: () => CapturedLink;
}

/** All cases of a machine. */
export function casesOf(machine: MachineName): Case[] {
  const cpp = CPP_NAMES.map((name) => ({ name, machine, calls: CPP_CALLS, link: () => captureCpp(machine, name) }));
  const crates = Object.entries(CRATES).map(([name, calls]) => ({
    name: `crate-${name}`,
    machine,
    calls,
    link: () => captureCrate(machine, name),
  }));
  // Only opened: what they hold is for programs that were compiled for it.
  const archives = ARCHIVE_NAMES.map((name) => ({
    name,
    machine,
    calls: [],
    link: () => captureArchive(machine, name),
  }));
  const small = Object.entries({ references: referencesLink, choices: choicesLink }).map(([name, link]) => ({
    name,
    machine,
    calls: [],
    link: () => link(machine),
  }));
  return [...cpp, ...crates, ...archives, ...small];
}

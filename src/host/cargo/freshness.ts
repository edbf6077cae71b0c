// cargo's idea of what is fresh, as far as ipbp touches it: making cargo run a unit again, and waiting while another
// cargo works in the same directory. Knows cargo's `.fingerprint` and `.cargo-lock`; runs nothing.
import { readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fingerprintDirectory, type Unit } from './unit.js';

/**
 * Dates a unit's dep-info back to 1970, so that the next cargo build runs its rustc again. Needed where nothing was
 * recorded, and before each replay: a replay writes the unit's rlib and incremental directory, and if the source then
 * returns to its old content *and time*, cargo would take them for its own (measured: it links the replayed code).
 * Done before rather than after, it also holds when the session is killed in between. True if there was a file.
 */
export function ageDepInfo(unit: Unit): boolean {
  return ageDirectory(fingerprintDirectory(unit));
}

/** The same for a unit that was never recorded: `key` is `<crate>-<hash>`, the package's name is not known. */
export function ageUnrecorded(profileDirectory: string, key: string): boolean {
  const hash = key.slice(key.lastIndexOf('-'));
  const fingerprints = join(profileDirectory, '.fingerprint');
  let aged = false;
  for (const name of list(fingerprints)) if (name.endsWith(hash)) aged = ageDirectory(join(fingerprints, name)) || aged;
  return aged;
}

function ageDirectory(directory: string): boolean {
  let aged = false;
  for (const name of list(directory)) {
    if (!name.startsWith('dep-')) continue;
    utimesSync(join(directory, name), 1, 1);
    aged = true;
  }
  return aged;
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/**
 * True when a cargo that did not record ran this unit after it was recorded, and may have called rustc otherwise: its
 * fingerprint is another, or a build script (whose output is in no fingerprint) has its say.
 * @param recording `<target>/ipbp/units/<key>`
 */
export function isOutdated(unit: Unit, recording: string): boolean {
  const invoked = statSync(join(fingerprintDirectory(unit), 'invoked.timestamp'), { throwIfNoEntry: false });
  const capture = statSync(join(recording, 'capture'), { throwIfNoEntry: false });
  if (invoked === undefined || capture === undefined || invoked.mtimeMs <= capture.mtimeMs) return false;
  return unit.env['OUT_DIR'] !== undefined || readText(join(recording, 'fingerprint')) !== fingerprintText(unit);
}

/** Notes the fingerprint that a recording belongs to, unless a later cargo has replaced it. */
export function noteFingerprint(unit: Unit, recording: string): void {
  const text = fingerprintText(unit);
  if (text !== '' && !isOutdated(unit, recording)) writeFileSync(join(recording, 'fingerprint'), text, { mode: 0o600 });
}

function fingerprintText(unit: Unit): string {
  const directory = fingerprintDirectory(unit);
  return list(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readText(join(directory, name)))
    .join('\n');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The process that holds cargo's lock on a profile directory, or null. Linux only; elsewhere always null. */
export function lockHolder(profileDirectory: string): number | null {
  const lock = statSync(join(profileDirectory, '.cargo-lock'), { throwIfNoEntry: false });
  if (lock === undefined) return null;
  let text: string;
  try {
    text = readFileSync('/proc/locks', 'utf8');
  } catch {
    return null;
  }
  // "12: FLOCK  ADVISORY  WRITE 4242 08:01:131 0 EOF"; waiting ones have "->" as their second word.
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    if (words[1] === '->' || words[5] === undefined) continue;
    if (Number(words[5].split(':')[2]) === lock.ino && words[3] === 'WRITE') return Number(words[4]);
  }
  return null;
}

/** A cargo that only checks writes nothing that a replay reads or writes; editors start one at every save. */
function onlyChecks(pid: number): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.slice(1, 4).some((word) => word === 'check' || word === 'clippy');
  } catch {
    return false;
  }
}

/** Waits while a cargo that builds holds the lock of any of these units' profile directories. */
export async function waitForCargo(units: readonly Unit[], stopped: () => boolean): Promise<void> {
  const profiles = [...new Set(units.map((unit) => dirname(unit.outDir)))];
  const busy = (): boolean =>
    profiles.some((profile) => {
      const holder = lockHolder(profile);
      return holder !== null && !onlyChecks(holder);
    });
  while (!stopped() && busy()) await sleep(20);
}

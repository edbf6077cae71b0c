// cargo's idea of what is fresh, as far as ipbp touches it: making cargo run a unit again, and waiting while another
// cargo works in the same directory. Knows cargo's `.fingerprint` and `.cargo-lock`; runs nothing.
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Unit } from './unit.js';

/**
 * Takes cargo's dep-info of a unit away, so that the next cargo build runs its rustc again. Needed where nothing was
 * recorded, and where what lies on disk of the unit does not belong together. Dating the file back is not enough:
 * sources out of an archive or a package store may be as old as one likes. True if there was a file.
 */
export function makeStale(unit: Unit): boolean {
  return fingerprintDirectories(unit).map(removeDepInfo).includes(true);
}

/** False as long as cargo has not compiled the unit since {@link makeStale}. */
export function hasDepInfo(unit: Unit): boolean {
  return fingerprintDirectories(unit).some((directory) => depInfoFiles(directory).length > 0);
}

/**
 * cargo's directories for this unit's freshness, `<profile>/.fingerprint/<package>-<hash>`. Of a shared library, whose
 * files bear no hash, all that may be meant.
 */
export function fingerprintDirectories(unit: Unit): string[] {
  const fingerprints = join(profileDirectory(unit), '.fingerprint');
  if (unit.extraFilename !== '') return [join(fingerprints, unit.packageName + unit.extraFilename)];
  return list(fingerprints)
    .filter((name) => name.replace(/-[0-9a-f]+$/, '') === unit.packageName)
    .map((name) => join(fingerprints, name))
    .filter((directory) => list(directory).includes(`lib-${unit.crate}`));
}

/**
 * The same for a unit that was never recorded: `key` is `<crate>-<hash>`, or the crate alone where its files bear no
 * hash. The package's name is not known.
 */
export function makeUnrecordedStale(profileDirectory: string, key: string): boolean {
  const hash = /-[0-9a-f]{16}$/.exec(key)?.[0] ?? null;
  const fingerprints = join(profileDirectory, '.fingerprint');
  let removed = false;
  for (const name of list(fingerprints)) {
    const directory = join(fingerprints, name);
    const meant = hash === null ? list(directory).includes(`lib-${key}`) : name.endsWith(hash);
    if (meant) removed = removeDepInfo(directory) || removed;
  }
  return removed;
}

function removeDepInfo(directory: string): boolean {
  const found = depInfoFiles(directory);
  for (const path of found) rmSync(path, { force: true });
  return found.length > 0;
}

/** cargo's dep-info in one of these directories: without it the unit is not fresh, its time says when it last was. */
export function depInfoFiles(directory: string): string[] {
  return list(directory)
    .filter((name) => name.startsWith('dep-'))
    .map((name) => join(directory, name));
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
  const invoked = fingerprintDirectories(unit).flatMap((directory) => timeOf(join(directory, 'invoked.timestamp')));
  const [captured] = timeOf(join(recording, 'capture'));
  if (invoked.length === 0 || captured === undefined || Math.max(...invoked) <= captured) return false;
  return unit.env['OUT_DIR'] !== undefined || readText(join(recording, 'fingerprint')) !== fingerprintText(unit);
}

/** Notes the fingerprint that a recording belongs to, unless a later cargo has replaced it. */
export function noteFingerprint(unit: Unit, recording: string): void {
  const text = fingerprintText(unit);
  if (text !== '' && !isOutdated(unit, recording)) writeFileSync(join(recording, 'fingerprint'), text, { mode: 0o600 });
}

function timeOf(path: string): number[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? [] : [stat.mtimeMs];
}

function fingerprintText(unit: Unit): string {
  return fingerprintDirectories(unit)
    .flatMap((directory) => list(directory).map((name) => join(directory, name)))
    .filter((path) => path.endsWith('.json'))
    .map(readText)
    .join('\n');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The file that cargo locks (flock(2)) while it works in the unit's profile directory. */
export function profileLock(unit: Unit): string {
  return join(profileDirectory(unit), '.cargo-lock');
}

function profileDirectory(unit: Unit): string {
  return dirname(unit.outDir);
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
  const profiles = [...new Set(units.map(profileDirectory))];
  while (!stopped() && profiles.some(isBuilding)) await sleep(20);
}

/** A cargo that builds holds the lock of the unit's profile directory. */
export function cargoBuilds(unit: Unit): boolean {
  return isBuilding(profileDirectory(unit));
}

/** A cargo that only checks holds it. */
export function cargoChecks(unit: Unit): boolean {
  const holder = lockHolder(profileDirectory(unit));
  return holder !== null && onlyChecks(holder);
}

function isBuilding(profile: string): boolean {
  const holder = lockHolder(profile);
  return holder !== null && !onlyChecks(holder);
}

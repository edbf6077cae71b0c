// The machine that the claims are shown on: what it must have, and what a report says of it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The first line that a command prints; null where it cannot be run or fails. */
function firstLine(command: string, ...args: readonly string[]): string | null {
  try {
    const text = execFileSync(command, [...args], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return text.trim().split('\n')[0] ?? '';
  } catch {
    return null;
  }
}

/** What is missing, each with the way to get it; empty where all is there. */
export function missingTools(isMac: boolean, target: string | undefined): readonly string[] {
  const missing: string[] = [];
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) missing.push(`Node 20 or newer (this is ${process.versions.node}): https://nodejs.org`);
  if (firstLine('cargo', '--version') === null) missing.push('cargo: https://rustup.rs');
  if (!isMac) return missing;
  if (firstLine('xcrun', '--find', 'ld') === null) missing.push("Apple's command line tools: xcode-select --install");
  const known = target === undefined || firstLine('rustc', '--print', 'target-libdir', '--target', target) !== null;
  if (!known) missing.push(`a rustc that knows ${target}: rustup target add ${target}`);
  return missing;
}

/** A line per fact that tells one machine from another: nothing of its owner. */
export function machineFacts(isMac: boolean): readonly string[] {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
  const facts = {
    ipbp: `${version}, commit ${firstLine('git', 'rev-parse', '--short', 'HEAD') ?? 'unknown'}`,
    system: isMac
      ? `macOS ${firstLine('sw_vers', '-productVersion') ?? '?'} (${firstLine('sw_vers', '-buildVersion') ?? '?'})`
      : `${process.platform}, programs run in a loader of the project's own`,
    processor: isMac ? firstLine('sysctl', '-n', 'machdep.cpu.brand_string') : process.arch,
    node: `${process.version} ${process.arch}`,
    rustc: firstLine('rustc', '--version'),
    linker: isMac ? firstLine('sh', '-c', 'xcrun ld -version_details 2>/dev/null || xcrun ld -v 2>&1') : 'ld64.lld',
    protection: isMac ? firstLine('csrutil', 'status') : null,
  };
  return Object.entries(facts).flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(10)} ${value}`]));
}

// The link of one edit's patch, by ipbp and as the peer does it (peer-link.ts): all objects of the edited crate to a shared
// library, and beside it the same link of only the objects that differ. All take turns; rustc's time, which both need, is
// counted on neither side. ipbp's side is all of its own: reading the objects that differ, diff, link, and encoding the
// patch, which for macOS is a signed dylib.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDebianTools } from '../conformance/setup/debian-tools.js';
import { encodePatchFile } from '../src/patch/image/image-file.js';
import { libraryOf } from '../src/patch/image/library.js';
import { openEdit, patchOf } from './open-edit.js';
import { openPeer } from './peer-link.js';
import { platformOf, type Platform, type Target } from './platform.js';
import { SUBJECTS, type Subject } from './project.js';
import { round, summarise, type Summary } from './statistics.js';

/** Not counted: a session has seen edits before, or warmed up for the first. */
const WARM_UP = 150;

interface PatchLinkResult {
  readonly subject: string;
  readonly target: string;
  readonly executableBytes: number;
  /** Objects of the edited crate, which the peer links, and those that differ, which ipbp reads. */
  readonly objects: number;
  readonly changedObjects: number;
  readonly stubs: number;
  readonly ipbp: {
    readonly ms: Summary;
    /** Of it: reading and diff, link, encoding. */
    readonly diff: Summary;
    readonly link: Summary;
    readonly encode: Summary;
    readonly bytes: number;
  };
  readonly peer: { readonly ms: Summary; readonly bytes: number; readonly refuses: string | null };
  /** The peer's linker over the objects that differ only. */
  readonly peerChanged: { readonly ms: Summary };
  /** ms of the peer / ms of ipbp, turn by turn: so many times faster. */
  readonly times: Summary;
  readonly timesChanged: Summary;
}

async function measure(subject: Subject, platform: Platform, edits: number, folder: string): Promise<PatchLinkResult> {
  const edit = await openEdit(subject, platform, folder);
  const peer = openPeer(edit, platform, folder);
  const columns = { ipbp: [], diff: [], link: [], encode: [], all: [], changed: [] } as Record<string, number[]>;
  let bytes = 0;
  let peerBytes = 0;
  for (let turn = -WARM_UP; turn < edits; turn++) {
    const start = performance.now();
    const request = edit.request(edit.read());
    const compared = performance.now();
    const image = patchOf(request);
    const linked = performance.now();
    bytes = (platform.slotsOnly ? libraryOf(image, edit.program.base.file) : encodePatchFile(image).bytes).length;
    const encoded = performance.now();
    if (turn < 0) continue;
    peer.link('all');
    const all = performance.now();
    peerBytes = statSync(peer.output).size;
    const between = performance.now();
    peer.link('changed');
    const changed = performance.now() - between;
    const parts = { diff: compared - start, link: linked - compared, encode: encoded - linked, all: all - encoded };
    for (const [name, ms] of Object.entries({ ipbp: encoded - start, ...parts, changed })) columns[name]?.push(ms);
  }
  const of = (name: string): Summary => summarise(columns[name] ?? []);
  const times = (name: string): Summary =>
    summarise((columns[name] ?? []).map((ms, turn) => ms / (columns.ipbp?.[turn] ?? NaN)));
  return {
    subject: subject.name,
    target: platform.target,
    executableBytes: edit.executable.length,
    objects: edit.objects.length,
    changedObjects: edit.after.length,
    stubs: peer.stubs,
    ipbp: { ms: of('ipbp'), diff: of('diff'), link: of('link'), encode: of('encode'), bytes },
    peer: { ms: of('all'), bytes: peerBytes, refuses: peer.refuses },
    peerChanged: { ms: of('changed') },
    times: times('all'),
    timesChanged: times('changed'),
  };
}

function print(result: PatchLinkResult): void {
  const { subject, target, objects, changedObjects, stubs, ipbp, peer, peerChanged, times, timesChanged } = result;
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  say(`${subject}, ${target}: ${changedObjects} objects differ; the peer links ${objects} and ${stubs} stubs`);
  const parts = `diff ${ipbp.diff.median}, link ${ipbp.link.median}, encode ${ipbp.encode.median}`;
  say(`  ipbp ${ipbp.ms.median} ms (${parts}), ${ipbp.bytes} bytes; peer ${peer.ms.median} ms, ${peer.bytes} bytes`);
  say(`  ${round(times.median)} times faster (${times.low}–${times.high})`);
  say(`  the peer over what differs ${peerChanged.ms.median} ms: ${round(timesChanged.median)} times`);
  if (peer.refuses !== null) say(`  the peer's linker refuses it: ${peer.refuses}`);
}

/** A folder in which nothing is left of an earlier run but what cargo has built. */
function keptFolder(folder: string): string {
  const project = join(folder, 'project');
  mkdirSync(project, { recursive: true });
  for (const name of readdirSync(folder)) if (name !== 'project') rmSync(join(folder, name), { recursive: true });
  for (const name of readdirSync(project)) if (name !== 'target') rmSync(join(project, name), { recursive: true });
  return folder;
}

/**
 * Measures all subjects, or those named, for each target.
 * @param keep a folder for what was built, so that a second run need not; null: a temporary one
 */
export async function benchPatchLink(
  edits: number,
  names: readonly string[],
  targets: readonly Target[],
  keep: string | null,
): Promise<readonly PatchLinkResult[]> {
  ensureDebianTools();
  const results: PatchLinkResult[] = [];
  for (const platform of targets.map(platformOf)) {
    for (const subject of SUBJECTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
      const folder =
        keep === null
          ? mkdtempSync(join(tmpdir(), 'ipbp-bench-patch-link-'))
          : keptFolder(join(keep, `${subject.name}-${platform.target}`));
      try {
        const result = await measure(subject, platform, edits, folder);
        print(result);
        results.push(result);
      } finally {
        if (keep === null) rmSync(folder, { recursive: true, force: true });
      }
    }
  }
  return results;
}

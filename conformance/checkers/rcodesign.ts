// rcodesign, which signs and verifies for Apple's systems without Apple's tools, asked of signatures.
import { rcodesign } from '../setup/rcodesign.js';
import { tryRun } from '../setup/run.js';
import { directoryDifferences, type SignedFile } from './signature.js';

/** Signatures of linkers have no certificate, which rcodesign counts among the problems. */
const NO_CERTIFICATE = 'no cryptographic signature present';

interface Reading {
  readonly path: string;
  readonly problems: readonly string[];
  readonly directory: Readonly<Record<string, unknown>>;
}

/** Reads all files: path → what is wrong with its signature, each a line. */
export function verifyWithRcodesign(files: ReadonlyMap<string, SignedFile>): Map<string, readonly string[]> {
  const paths = [...files.keys()];
  const { stdout, stderr } = tryRun(rcodesign(), [], { input: paths.map((path) => `${path}\n`).join('') });
  const lines = stdout.split('\n').filter((line) => line !== '');
  const readings = new Map(lines.map((line) => JSON.parse(line) as Reading).map((reading) => [reading.path, reading]));
  return new Map(
    [...files].map(([path, { wanted }]) => {
      const reading = readings.get(path);
      // Of a number of hashes that is too large it has no word: it stops.
      if (reading === undefined) return [path, [`rcodesign stopped: ${stderr.slice(0, 300)}`]];
      const { problems, directory } = reading;
      const rest = problems.map((problem) => problem.replace(/^@\d+: /, '')).filter((one) => one !== NO_CERTIFICATE);
      const missing = rest.length === problems.length ? ['rcodesign found a certificate'] : [];
      return [path, [...rest, ...missing, ...directoryDifferences(directory, wanted)]];
    }),
  );
}

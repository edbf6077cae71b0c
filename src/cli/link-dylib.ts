// `ipbp link -dylib`: the engine as a linker for Apple's systems. Opens what the command line names, links, writes the
// library. What the options mean is in link-dylib-options.ts, the link itself in link/shared.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { IpbpError } from '../codes/error.js';
import { fileName, modelName } from '../formats/macho/names.js';
import { matchesPattern } from '../formats/name-pattern.js';
import { openDylibInputs } from '../host/link/open-dylib-inputs.js';
import { UNPACKERS } from '../host/link/unpack.js';
import { dylibEmitter } from '../link/emit-dylib.js';
import { linkShared } from '../link/shared.js';
import type { ExportRule } from '../link/shared/options.js';
import { parseDylibOptions } from './link-dylib-options.js';
import type { DylibRequest } from './link-dylib-request.js';
import { dylibMap } from './link-dylib-map.js';
import { tellLinked, tellProblems, writeResult } from './link-result.js';
import { DONE, FAILED, type Outcome } from './outcome.js';
import type { Output } from './output.js';

/** From this version on macOS starts libraries with chained fixups; so do the systems that came out with it (packed). */
const CHAINS_SINCE = 0xd_0000;

/** Links as the words of ld64's command line say. `version` is ours. */
export function linkDylib(words: readonly string[], version: string, output: Output): Outcome {
  const started = performance.now();
  const request = parseDylibOptions(words);
  if (request.askedForVersion) {
    output.print(`ipbp ${version} (compatible with Apple's linkers)`);
    output.record({ event: 'version', version });
    if (request.inputs.length === 0) return DONE;
  }
  const { machine, platform, options, warnings } = request;
  if (machine === null) throw new IpbpError('IPBP5901', 'the machine is not said', { expected: '-arch' });
  if (platform === null) throw new IpbpError('IPBP5901', 'the system is not said', { expected: '-platform_version' });
  const inputs = request.allArchivesWhole ? request.inputs.map((one) => ({ ...one, whole: true })) : request.inputs;
  const search = { ...request, machine, system: platform.system, dropUnused: request.dropUnusedLibraries };
  const opened = openDylibInputs(inputs, search);
  if (request.printFiles) for (const file of opened.files) output.print(file);
  const name = basename(request.output);
  const fixups = request.fixups ?? (platform.minimum >= CHAINS_SINCE ? 'chained' : 'opcodes');
  const emitter = dylibEmitter({
    identity: {
      name: request.installName ?? request.output,
      currentVersion: request.currentVersion,
      compatibilityVersion: request.compatibilityVersion,
    },
    build: { platform: platform.number, minimum: platform.minimum, sdk: platform.sdk },
    fixups,
    initOffsets: request.initOffsets ?? fixups === 'chained',
    searchPaths: request.searchPaths,
    headerPad: request.headerPad,
    identifier: name,
    signed: request.signed,
    identified: request.identified,
    modified: (file) => opened.modified.get(file) ?? 0,
  });
  const modelNames = (names: readonly string[]): string[] => names.map(modelName);
  const result = linkShared(
    opened.inputs,
    {
      ...options,
      keep: modelNames(options.keep),
      unresolvedNames: modelNames(options.unresolvedNames),
      exportRule: exportRule(request),
      unpack: UNPACKERS,
    },
    emitter,
  );
  tellProblems(warnings, result, output);
  if (request.fatalWarnings && warnings.length + result.warnings.length > 0) {
    throw new IpbpError('IPBP5901', 'there are warnings, and -fatal_warnings');
  }
  const { bytes, errors } = result;
  if (bytes === null || errors.length > 0) return FAILED;
  writeResult(request.output, bytes);
  if (request.mapFile !== null) writeFileSync(request.mapFile, dylibMap(request.output, machine, result));
  const facts = { inputs: opened.files.length, warnings: warnings.length, started };
  tellLinked(request.output, result, facts, output);
  return DONE;
}

/** A pattern a line; `#` begins a comment. */
function patternsOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** Names are matched as the file has them. */
function exportRule(request: DylibRequest): ExportRule | null {
  const { exportedLists, unexportedLists } = request;
  const lists = exportedLists.flatMap(patternsOf);
  const exported =
    request.exported === null && exportedLists.length === 0 ? null : [...(request.exported ?? []), ...lists];
  const unexported = [...request.unexported, ...unexportedLists.flatMap(patternsOf)];
  if (exported === null && unexported.length === 0) return null;
  const isShown = exported === null ? (): boolean => true : matcher(exported);
  const isHidden = matcher(unexported);
  return (name) => {
    const spelled = fileName(name);
    return isShown(spelled) && !isHidden(spelled);
  };
}

/** Most lists are of names, thousands of them. */
function matcher(patterns: readonly string[]): (name: string) => boolean {
  const names = new Set(patterns.filter((pattern) => !/[*?[]/.test(pattern)));
  const others = patterns.filter((pattern) => !names.has(pattern));
  return (name) => names.has(name) || others.some((pattern) => matchesPattern(pattern, name));
}

// `ipbp link`: the engine as a linker. Opens what the command line names, links, writes the file, tells what there is to
// tell. What the options mean is in link-options.ts, the link itself in link/shared.ts.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { IpbpError } from '../codes/error.js';
import { parseDynamicList, parseVersionScript } from '../formats/version-script.js';
import { expectOneLink } from '../host/link/one-link.js';
import { openInputs, type OpenedInputs } from '../host/link/open-inputs.js';
import { expandResponseFiles } from '../host/link/response-file.js';
import { UNPACKERS } from '../host/link/unpack.js';
import { SHARED_OBJECT } from '../link/emit-shared.js';
import { linkShared, type SharedResult } from '../link/shared.js';
import type { BuildId, ExportRule, SharedOptions } from '../link/shared/options.js';
import { linkDylib } from './link-dylib.js';
import { isDylibLink } from './link-dylib-options.js';
import { mapText } from './link-map.js';
import { parseLinkOptions } from './link-options.js';
import type { LinkRequest } from './link-request.js';
import { tellLinked, tellProblems, writeResult } from './link-result.js';
import { traceSymbols } from './link-trace.js';
import { DONE, FAILED, type Outcome } from './outcome.js';
import type { Output } from './output.js';

/** Links in a process that ends then; see `link`. */
export function linkOnce(words: readonly string[], version: string, output: Output): Outcome {
  expectOneLink();
  return link(words, version, output);
}

/** Links as the words of ld's command line say, or those of Apple's. `version` is ours. */
export function link(words: readonly string[], version: string, output: Output): Outcome {
  const started = performance.now();
  const expanded = expandResponseFiles(words);
  if (isDylibLink(expanded)) return linkDylib(expanded, version, output);
  const request = parseLinkOptions(expanded);
  if (request.askedFor === 'version') {
    // Build scripts look for the words "compatible with GNU linkers".
    output.print(`ipbp ${version} (compatible with GNU linkers)`);
    output.record({ event: 'version', version });
    if (request.inputs.length === 0) return DONE;
  }
  if (!request.shared) {
    throw new IpbpError('IPBP5902', 'only shared objects are linked', { expected: '-shared' });
  }
  const opened = openInputs(request.inputs, request, request.machine);
  if (request.printFiles) for (const file of opened.files) output.print(file);
  const options = completed(request);
  const result = linkShared(opened.inputs, options, SHARED_OBJECT);
  tell(request, opened, result, output);
  const { bytes, errors } = result;
  if (bytes === null || errors.length > 0) return FAILED;
  writeResult(request.output, bytes);
  if (request.mapFile !== null) writeFileSync(request.mapFile, mapText(result.map));
  const facts = { inputs: opened.files.length, warnings: request.warnings.length, started };
  tellLinked(request.output, result, facts, output);
  return DONE;
}

function tell(request: LinkRequest, opened: OpenedInputs, result: SharedResult, output: Output): void {
  tellProblems(request.warnings, result, output);
  if (request.traced.length > 0) {
    for (const line of traceSymbols(request.traced, opened.inputs, result.map)) output.print(line);
  }
  if (request.printDropped) for (const place of result.dropped) output.print(`removing unused section ${place}`);
  if (request.printMap) output.print(mapText(result.map).trimEnd());
  if (request.fatalWarnings && request.warnings.length + result.warnings.length > 0) {
    throw new IpbpError('IPBP5901', 'there are warnings, and --fatal-warnings');
  }
}

/** The options with what comes from files. */
function completed({ options, versionScripts, dynamicLists, buildId, warnings }: LinkRequest): SharedOptions {
  const rules = versionScripts.map((path): ExportRule => {
    const { shows, versions } = parseVersionScript(readFileSync(path, 'utf8'), path);
    if (versions.length > 0) warnings.push(`${path}: symbols get no versions (${versions.join(', ')})`);
    return shows;
  });
  const lists = dynamicLists.map((path) => parseDynamicList(readFileSync(path, 'utf8'), path));
  return {
    ...options,
    exportRule: rules.length === 0 ? null : (name) => firstAnswer(rules, name),
    dynamicList: lists.length === 0 ? null : (name) => lists.some((has) => has(name)),
    buildId: buildIdOf(buildId),
    unpack: UNPACKERS,
  };
}

function firstAnswer(rules: readonly ExportRule[], name: string): boolean | null {
  for (const rule of rules) {
    const answer = rule(name);
    if (answer !== null) return answer;
  }
  return null;
}

function buildIdOf(style: string): BuildId | null {
  const digest = (algorithm: 'sha1' | 'md5', size: number): BuildId => ({
    size,
    digest: (file) => createHash(algorithm).update(file).digest().subarray(0, size),
  });
  switch (style) {
    case 'none':
      return null;
    case 'sha1':
    case 'tree':
      return digest('sha1', 20);
    case 'md5':
      return digest('md5', 16);
    case 'fast':
      return digest('sha1', 8);
    case 'uuid':
      return { bytes: Uint8Array.from(randomBytes(16)) };
    default: {
      const digits = /^0x((?:[0-9a-f]{2})+)$/i.exec(style.replaceAll(/[-:]/g, ''))?.[1];
      if (digits !== undefined) return { bytes: Uint8Array.from(Buffer.from(digits, 'hex')) };
      throw new IpbpError('IPBP5901', 'not a style of build ids', {
        expected: 'none, sha1, md5, fast, uuid or 0x and pairs of hexadecimal digits',
        actual: style,
      });
    }
  }
}

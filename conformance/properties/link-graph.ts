// Assembles a random link's objects, links them with every linker, and says in what the outputs do not mean the same.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replay, type CapturedLink } from '../cases/capture.js';
import { MACHINE_TOOLS, type LinkerName } from '../cases/machine-tools.js';
import { compareOutputs } from '../compare/between.js';
import { compareFacts, dynamicFacts, type DynamicFacts } from '../compare/dynamic-facts.js';
import { addAllowed, addIgnored, noneIgnored, type IgnoredCounts } from '../compare/ignored.js';
import { Inputs, placeInputs } from '../compare/inputs.js';
import { reasonOf, tellKept, type KeepingOutput } from '../compare/kept-by-one.js';
import { readMap } from '../compare/link-map.js';
import { viewLinked } from '../compare/linked-view.js';
import { judgeOutput, type JudgedOutput } from '../compare/places.js';
import { run } from '../setup/run.js';
import { type MachineName } from '../suite.js';
import { assemblyOf, symbolName } from './assembly.js';
import { isUnordered } from './draw.js';
import { type Graph, type Home } from './graph.js';

/** What one link showed. */
export interface GraphResult {
  readonly places: number;
  /** What of it was left out, by class. */
  readonly ignored: IgnoredCounts;
  /** All that is wrong, in words; empty when all outputs mean the same. */
  readonly failures: readonly string[];
}

/** An output, judged. */
interface Output extends KeepingOutput {
  readonly name: string;
  /** The loose objects were given from the last to the first. */
  readonly backwards: boolean;
  readonly judged: JudgedOutput;
  readonly facts: DynamicFacts;
}

function optionsOf(graph: Graph, folder: string): string[] {
  const options = ['-shared', '--eh-frame-hdr', '--hash-style=gnu', '-soname', 'random.so', '-o', '{output}'];
  if (graph.dropUnused) options.push('--gc-sections');
  if (graph.atOnce) options.push('-z', 'now');
  if (graph.packed) options.push('-z', 'pack-relative-relocs');
  if (graph.symbolic !== 'none') options.push(graph.symbolic === 'all' ? '-Bsymbolic' : '-Bsymbolic-functions');
  if (graph.archivesHidden) options.push('--exclude-libs', 'ALL');
  options.push(...graph.asked.flatMap((number) => ['-u', symbolName(number)]));
  if (graph.shown !== null) {
    const script = join(folder, 'shown');
    const shown = graph.shown.map((number) => `${symbolName(number)};`).join(' ');
    writeFileSync(script, `{ ${shown === '' ? '' : `global: ${shown}`} local: *; };\n`);
    options.push('--version-script', script);
  }
  return options;
}

/** The objects of a graph as files, and the arguments that link them, the loose ones forwards or backwards. */
function prepare(graph: Graph, machine: MachineName, folder: string): (backwards: boolean) => CapturedLink {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const objects = graph.homes.map((_, number) => {
    const [source, object] = [join(folder, `object${number}.s`), join(folder, `object${number}.o`)];
    writeFileSync(source, assemblyOf(graph, number, machine));
    run('llvm-mc-19', ['-filetype=obj', `-triple=${MACHINE_TOOLS[machine].triple}`, source, '-o', object]);
    return object;
  });
  const at = (home: Home): string[] => objects.filter((_, number) => graph.homes[number] === home);
  const archive = (home: Home): string[] => {
    const members = at(home);
    if (members.length === 0) return [];
    const file = join(folder, `${home.replace(' ', '-')}.a`);
    run('ar', [graph.thin && home === 'second archive' ? 'rcsT' : 'rcs', file, ...members]);
    return [file];
  };
  const [first, second] = [archive('first archive'), archive('second archive')];
  const whole = graph.whole ? ['--whole-archive', ...first, '--no-whole-archive'] : [];
  // Members of the two may want each other.
  const searched = ['--start-group', ...(graph.whole ? [] : first), ...second, '--end-group'];
  const options = optionsOf(graph, folder);
  return (backwards) => {
    const loose = backwards ? at('loose').reverse() : at('loose');
    return { name: 'random', machine, args: [...options, ...loose, ...whole, ...searched] };
  };
}

/** Links one graph with each linker, and with the last of them once more with the objects turned round. */
export function linkGraph(
  graph: Graph,
  machine: MachineName,
  linkers: readonly LinkerName[],
  folder: string,
): GraphResult {
  const linkOf = prepare(graph, machine, folder);
  const inputs = new Inputs();
  const failures: string[] = [];
  const ignored = noneIgnored();
  let judgedPlaces = 0;
  const judge = (linker: LinkerName, backwards: boolean, name: string): Output | null => {
    const into = join(folder, name);
    const linked = replay(linkOf(backwards), linker, into);
    if (linked.said.status !== 0) {
      failures.push(`${name} ended with ${linked.said.status}: ${linked.said.stderr.slice(0, 600)}`);
      return null;
    }
    const placed = placeInputs(inputs, readMap(readFileSync(linked.map, 'utf8')), into);
    const view = viewLinked(readFileSync(linked.output), name);
    const judged = judgeOutput(view, placed);
    judgedPlaces += judged.places + judged.unwind.places;
    addIgnored(ignored, judged.ignored);
    failures.push(...judged.wrong.slice(0, 3).map((line) => `${name}: ${line}`));
    return { name, linker, backwards, placed, judged, facts: dynamicFacts(view, placed) };
  };
  const outputs = linkers.flatMap((linker) => judge(linker, false, linker) ?? []);
  const pairs = outputs.flatMap((one, index) => outputs.slice(index + 1).map((other) => [one, other] as const));
  const last = linkers.at(-1)!;
  const first = outputs.find(({ name }) => name === last);
  if (isUnordered(graph) && graph.homes.length > 1 && first !== undefined) {
    const turned = judge(last, true, `${last}-turned`);
    if (turned !== null) pairs.push([first, turned]);
  }
  for (const [one, other] of pairs) {
    const both = `${one.name} and ${other.name}`;
    const found = compareOutputs(one.judged, other.judged, [one.linker, other.linker]);
    addAllowed(ignored, found.allowed);
    const kept = found.keptByOne.flatMap((section) => {
      const [having, without] = section.by === 'one' ? [one, other] : [other, one];
      const reason = reasonOf(section, having, without, {
        dropsUnused: graph.dropUnused,
        reordered: one.backwards !== other.backwards,
      });
      if (reason === null) return [tellKept(section)];
      ignored[reason] += section.places;
      return [];
    });
    const facts = compareFacts(one.facts, other.facts);
    // GNU ld does not mark arm64 libraries so (`unmarked-static-tls`).
    const marked = (line: string): boolean =>
      !(one.name === 'ld' && machine === 'aarch64' && line === 'static thread-locals: false | true');
    const told = [...facts.differences.filter(marked), ...facts.weakness, ...facts.extraImports];
    for (const list of [found.differences, kept, told])
      failures.push(...list.slice(0, 3).map((line) => `${both}: ${line}`));
  }
  return { places: judgedPlaces, ignored, failures };
}

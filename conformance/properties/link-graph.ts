// Assembles a random link's objects, links them with every linker, and says in what the outputs do not mean the same.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replay, type CapturedLink } from '../cases/capture.js';
import { MACHINE_TOOLS, type LinkerName } from '../cases/machine-tools.js';
import { compareOutputs } from '../compare/between.js';
import { compareFacts, dynamicFacts, type DynamicFacts } from '../compare/dynamic-facts.js';
import { Inputs, placeInputs } from '../compare/inputs.js';
import { readMap } from '../compare/link-map.js';
import { viewLinked } from '../compare/linked-view.js';
import { judgeOutput, type JudgedOutput } from '../compare/places.js';
import { run } from '../setup/run.js';
import { type MachineName } from '../suite.js';
import { assemblyOf } from './assembly.js';
import { type Graph } from './graph.js';

/** What one link showed. */
export interface GraphResult {
  readonly places: number;
  /** All that is wrong, in words; empty when all outputs mean the same. */
  readonly failures: readonly string[];
}

/** An output, judged. */
interface Output {
  readonly name: string;
  readonly judged: JudgedOutput;
  readonly facts: DynamicFacts;
}

/** The objects of a graph as files, and the arguments that link them in the order given. */
function prepare(graph: Graph, machine: MachineName, folder: string): (order: readonly number[]) => CapturedLink {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const objects = Array.from({ length: graph.objects }, (_, number) => {
    const [source, object] = [join(folder, `object${number}.s`), join(folder, `object${number}.o`)];
    writeFileSync(source, assemblyOf(graph, number, machine));
    run('llvm-mc-19', ['-filetype=obj', `-triple=${MACHINE_TOOLS[machine].triple}`, source, '-o', object]);
    return object;
  });
  const [loose, archived] = [objects.slice(0, graph.archivedFrom), objects.slice(graph.archivedFrom)];
  const archive = join(folder, 'members.a');
  if (archived.length > 0) run('ar', ['rcs', archive, ...archived]);
  const options = ['-shared', '--eh-frame-hdr', '--hash-style=gnu', '-soname', 'random.so', '-o', '{output}'];
  if (graph.dropUnused) options.push('--gc-sections');
  if (graph.atOnce) options.push('-z', 'now');
  return (order) => {
    const files = order.map((number) => loose[number]!);
    return { name: 'random', machine, args: [...options, ...files, ...(archived.length > 0 ? [archive] : [])] };
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
  let judgedPlaces = 0;
  const judge = (linker: LinkerName, order: readonly number[], name: string): Output | null => {
    const into = join(folder, name);
    const linked = replay(linkOf(order), linker, into);
    if (linked.said.status !== 0) {
      failures.push(`${name} ended with ${linked.said.status}: ${linked.said.stderr.slice(0, 600)}`);
      return null;
    }
    const placed = placeInputs(inputs, readMap(readFileSync(linked.map, 'utf8')), into);
    const view = viewLinked(readFileSync(linked.output), name);
    const judged = judgeOutput(view, placed);
    judgedPlaces += judged.places + judged.unwind.places;
    failures.push(...judged.wrong.slice(0, 3).map((line) => `${name}: ${line}`));
    return { name, judged, facts: dynamicFacts(view, placed) };
  };
  const order = Array.from({ length: Math.min(graph.objects, graph.archivedFrom) }, (_, number) => number);
  const outputs = linkers.flatMap((linker) => judge(linker, order, linker) ?? []);
  const pairs = outputs.flatMap((one, index) => outputs.slice(index + 1).map((other) => [one, other] as const));
  // Which of several weak definitions is taken is what the order decides; without those it decides nothing.
  const ordered = graph.symbols.every(({ object, weak }) => (object >= 0 ? 1 : 0) + weak.length <= 1);
  const last = linkers.at(-1)!;
  const first = outputs.find(({ name }) => name === last);
  if (ordered && order.length > 1 && first !== undefined) {
    const turned = judge(last, [...order].reverse(), `${last}-turned`);
    if (turned !== null) pairs.push([first, turned]);
  }
  for (const [one, other] of pairs) {
    const both = `${one.name} and ${other.name}`;
    failures.push(
      ...compareOutputs(one.judged, other.judged)
        .differences.slice(0, 3)
        .map((line) => `${both}: ${line}`),
    );
    const { differences, weakness, extraImports } = compareFacts(one.facts, other.facts);
    // GNU ld does not mark arm64 libraries so (`unmarked-static-tls`).
    const marked = (line: string): boolean =>
      !(one.name === 'ld' && machine === 'aarch64' && line === 'static thread-locals: false | true');
    failures.push(
      ...[...differences.filter(marked), ...weakness, ...extraImports].slice(0, 3).map((line) => `${both}: ${line}`),
    );
  }
  return { places: judgedPlaces, failures };
}

// One library of a process seen as a program of its own: it is module 0, and patches of it lie below it. What the engine
// says in that space is turned into what the agent is told, whose module 0 is the executable. Knows nothing of what a
// patch holds.
import type { AgentOp, ModuleRoom, ProgramInfo } from '../wire/frames.js';

/** Where an engine's module is: what the agent says of its process, with that module as the first. */
export interface EngineSite extends ProgramInfo {
  /**
   * Offset of module 0's thread-locals from the thread pointer, null when there is none that all threads share. An
   * executable's follows from its file.
   */
  readonly threadLocals?: number | null;
  /** How many of the modules behind the first are asked for a name before it; 0 where it is not given. */
  readonly searchedBefore?: number;
}

/** A library as module 0. */
export interface ModuleView {
  readonly site: EngineSite;
  /** The same operations in the space of the process. */
  toProcess(ops: readonly AgentOp[]): readonly AgentOp[];
}

/** A part of the agent's thread-local room. */
export interface RoomShare {
  readonly from: number;
  readonly size: number;
}

/** The room in equal parts for the executable (first) and its libraries. */
export function shareRoom({ size, align }: ProgramInfo['tls'], modules: number): readonly RoomShare[] {
  const each = Math.floor(size / modules / align) * align;
  return Array.from({ length: modules }, (_, i) => ({ from: i * each, size: each }));
}

/**
 * The library with this number as module 0.
 * @param share its part of the thread-local room
 */
export function viewOfModule(info: ProgramInfo, number: number, room: ModuleRoom, share: RoomShare): ModuleView {
  const { modules } = info;
  const [executable, library] = [modules[0], modules[number]];
  if (executable === undefined || library === undefined) throw new Error(`internal: there is no module ${number}`);
  const slide = library.base - executable.base;
  const order = [number, ...modules.keys()].filter((one, i) => i === 0 || one !== number);
  const atStart = info.atStart ?? modules.length;
  // A library that the program opened asks those of the start first, and then only its own dependencies.
  const wasOpened = number >= atStart;
  const inProcess = (module: number): number => order[module] ?? 0;
  const toProcess = (op: AgentOp): AgentOp => {
    switch (op.op) {
      case 'map':
      case 'library':
      case 'write':
      case 'protect':
      case 'unwind':
      case 'init':
        return { ...op, at: op.at + slide };
      case 'word':
        return { ...op, at: op.at + slide, module: inProcess(op.module) };
      case 'tls':
        return { ...op, at: op.at + slide, value: op.value + share.from };
      case 'tls-init':
        return { ...op, at: op.at + slide, offset: op.offset + share.from };
      case 'import':
        // The addend of one that a resolver chooses is the resolver's place.
        return {
          ...op,
          at: op.at + slide,
          addend: op.byResolver ? op.addend + slide : op.addend,
          ...(wasOpened ? { scope: number } : {}),
        };
      case 'check':
      case 'cell':
      case 'renew':
        return { ...op, module: inProcess(op.module) };
      case 'slot':
        return {
          ...op,
          module: inProcess(op.module),
          oldTarget: op.oldTarget + slide,
          newTarget: op.newTarget + slide,
        };
    }
  };
  return {
    site: {
      ...info,
      reservation: room.reservation,
      beside: room.beside,
      tls: { ...info.tls, size: share.size },
      modules: order.flatMap((module) => modules[module] ?? []),
      threadLocals: room.threadLocals,
      searchedBefore: wasOpened ? atStart : number,
    },
    toProcess: (ops) => ops.map(toProcess),
  };
}

// What the agent knows of a module that patches are for: the section that the engine wrote into it at the link.
import { IpbpError } from '../../src/codes/error.js';

/** A custom section's name; it holds JSON. */
const SECTION = 'ipbp.base';

/** Names under which the module exports what patches need, and where their data begins. */
export interface BaseInfo {
  readonly identity: string;
  readonly memory: string;
  readonly table: string;
  readonly stackPointer: string;
  /** null where nothing is a thread's own. */
  readonly threadBase: string | null;
  /** The first address behind the memory that the module begins with. */
  readonly arena: number;
}

/** What the module says of itself; null where it did not go through the engine. */
export function readBase(module: WebAssembly.Module): BaseInfo | null {
  const [section] = WebAssembly.Module.customSections(module, SECTION);
  return section === undefined ? null : (JSON.parse(new TextDecoder().decode(section)) as BaseInfo);
}

/** What patches need of an instance. */
export interface BaseParts {
  readonly memory: WebAssembly.Memory;
  readonly table: WebAssembly.Table;
  readonly stackPointer: WebAssembly.Global<'i32'>;
}

/** Throws IPBP4022 where the instance has not what its module says. */
export function partsOf(base: BaseInfo, exports: WebAssembly.Exports): BaseParts {
  const memory = exports[base.memory];
  const table = exports[base.table];
  const stackPointer = exports[base.stackPointer];
  if (
    memory instanceof WebAssembly.Memory &&
    table instanceof WebAssembly.Table &&
    stackPointer instanceof WebAssembly.Global
  ) {
    return { memory, table, stackPointer: stackPointer as WebAssembly.Global<'i32'> };
  }
  throw new IpbpError('IPBP4022', 'the instance lacks what patches need', { expected: 'memory, table, stack pointer' });
}

// Rust's v0 mangling (RFC 2603; rustc book, "v0 Symbol Format"; production names below are its). Owns paths, types,
// binders and back references; constants are in demangle-v0-const.ts, reading characters in v0-cursor.ts.
import { LIMITS } from '../../bytes/limits.js';
import { writeConst } from './demangle-v0-const.js';
import { V0Cursor } from './v0-cursor.js';

const BASIC_TYPES: ReadonlyMap<string, string> = new Map([
  ['a', 'i8'],
  ['b', 'bool'],
  ['c', 'char'],
  ['d', 'f64'],
  ['e', 'str'],
  ['f', 'f32'],
  ['h', 'u8'],
  ['i', 'isize'],
  ['j', 'usize'],
  ['l', 'i32'],
  ['m', 'u32'],
  ['n', 'i128'],
  ['o', 'u128'],
  ['p', '_'],
  ['s', 'i16'],
  ['t', 'u16'],
  ['u', '()'],
  ['v', '...'],
  ['x', 'i64'],
  ['y', 'u64'],
  ['z', '!'],
]);

/**
 * Null when `name`, which starts with `_R`, is not well formed or passes a limit. `hashes` keeps crates' disambiguators,
 * `numbers` those of named items.
 */
export function demangleV0(name: string, hashes: boolean, numbers = false): string | null {
  const dot = name.search(/[.$]/);
  const body = dot < 0 ? name : name.slice(0, dot);
  // Only version 0 exists, and it writes no version number.
  if (!/^_R[A-Z][0-9A-Za-z_]*$/.test(body)) return null;
  const cursor = new V0Cursor(body.slice(2), hashes, numbers);
  writePath(cursor, true);
  // The crate that an instance was made in is told apart by it, but is no part of its name.
  if (!cursor.failed && !cursor.ended) cursor.silently(() => writePath(cursor, false));
  if (cursor.failed || !cursor.ended) return null;
  return cursor.output() + (dot < 0 ? '' : name.slice(dot));
}

/** `path`. In a value's path generic arguments follow `::`. */
function writePath(cursor: V0Cursor, inValue: boolean): void {
  if (writeOpenPath(cursor, inValue)) cursor.write('>');
}

/** As writePath, but leaves the `<…` of generic arguments open and says so: bindings of `dyn` go in there too. */
function writeOpenPath(cursor: V0Cursor, inValue: boolean): boolean {
  if (!cursor.enter()) return false;
  let open = false;
  const tag = cursor.next();
  switch (tag) {
    case 'C': {
      const disambiguator = cursor.disambiguatorText();
      cursor.write(cursor.identifier());
      if (cursor.hashes && disambiguator !== '') cursor.write(`[${disambiguator}]`);
      break;
    }
    case 'N':
      writeNested(cursor, inValue);
      break;
    case 'M':
    case 'X':
    case 'Y':
      if (tag !== 'Y') {
        cursor.disambiguator();
        cursor.silently(() => writePath(cursor, false));
      }
      cursor.write('<');
      writeType(cursor);
      if (tag !== 'M') {
        cursor.write(' as ');
        writePath(cursor, false);
      }
      cursor.write('>');
      break;
    case 'I':
      writePath(cursor, inValue);
      cursor.write(inValue ? '::<' : '<');
      cursor.list(', ', () => writeGenericArgument(cursor));
      open = true;
      break;
    case 'B':
      cursor.backReference(() => {
        open = writeOpenPath(cursor, inValue);
      });
      break;
    default:
      cursor.fail();
  }
  cursor.leave();
  return open;
}

/** `N namespace path identifier`, behind the N. */
function writeNested(cursor: V0Cursor, inValue: boolean): void {
  const namespace = cursor.next();
  if (!/^[A-Za-z]$/.test(namespace)) cursor.fail();
  writePath(cursor, inValue);
  const disambiguator = cursor.disambiguator();
  const name = cursor.identifier();
  if (namespace >= 'a') {
    if (name !== '') cursor.write(cursor.numbers ? `::${name}#${disambiguator}` : `::${name}`);
    return;
  }
  const kind = namespace === 'C' ? 'closure' : namespace === 'S' ? 'shim' : namespace;
  cursor.write(`::{${kind}${name === '' ? '' : `:${name}`}#${disambiguator}}`);
}

function writeGenericArgument(cursor: V0Cursor): void {
  if (cursor.eat('L')) cursor.write(lifetimeName(cursor, cursor.base62()));
  else if (cursor.eat('K')) writeConst(cursor, false, writePath);
  else writeType(cursor);
}

/** `type`. */
function writeType(cursor: V0Cursor): void {
  const tag = cursor.next();
  const basic = BASIC_TYPES.get(tag);
  if (basic !== undefined) {
    cursor.write(basic);
    return;
  }
  if (!cursor.enter()) return;
  switch (tag) {
    case 'R':
    case 'Q': {
      cursor.write('&');
      if (cursor.eat('L')) {
        const lifetime = cursor.base62();
        if (lifetime !== 0) cursor.write(`${lifetimeName(cursor, lifetime)} `);
      }
      if (tag === 'Q') cursor.write('mut ');
      writeType(cursor);
      break;
    }
    case 'P':
    case 'O':
      cursor.write(tag === 'P' ? '*const ' : '*mut ');
      writeType(cursor);
      break;
    case 'A':
    case 'S':
      cursor.write('[');
      writeType(cursor);
      if (tag === 'A') {
        cursor.write('; ');
        writeConst(cursor, true, writePath);
      }
      cursor.write(']');
      break;
    case 'T': {
      cursor.write('(');
      const count = cursor.list(', ', () => writeType(cursor));
      cursor.write(count === 1 ? ',)' : ')');
      break;
    }
    case 'F':
      inBinder(cursor, () => writeFunctionType(cursor));
      break;
    case 'D':
      writeDynType(cursor);
      break;
    case 'B':
      cursor.backReference(() => writeType(cursor));
      break;
    default:
      cursor.back();
      writePath(cursor, false);
  }
  cursor.leave();
}

/** `fn-sig` behind its binder. */
function writeFunctionType(cursor: V0Cursor): void {
  if (cursor.eat('U')) cursor.write('unsafe ');
  if (cursor.eat('K')) {
    const abi = cursor.eat('C') ? 'C' : cursor.identifier().replaceAll('_', '-');
    cursor.write(`extern "${abi}" `);
  }
  cursor.write('fn(');
  cursor.list(', ', () => writeType(cursor));
  cursor.write(')');
  if (cursor.eat('u')) return;
  cursor.write(' -> ');
  writeType(cursor);
}

/** `dyn-bounds lifetime`. */
function writeDynType(cursor: V0Cursor): void {
  cursor.write('dyn ');
  inBinder(cursor, () => cursor.list(' + ', () => writeDynTrait(cursor)));
  if (!cursor.eat('L')) cursor.fail();
  const lifetime = cursor.base62();
  if (lifetime !== 0) cursor.write(` + ${lifetimeName(cursor, lifetime)}`);
}

function writeDynTrait(cursor: V0Cursor): void {
  let open = writeOpenPath(cursor, false);
  while (!cursor.failed && cursor.eat('p')) {
    cursor.write(open ? ', ' : '<');
    open = true;
    cursor.write(`${cursor.identifier()} = `);
    writeType(cursor);
  }
  if (open) cursor.write('>');
}

/** Reads an optional `binder` and writes `for<'a, …> ` before what it binds in. */
function inBinder(cursor: V0Cursor, inside: () => void): void {
  const count = cursor.optionalBase62('G');
  if (count > LIMITS.demangleDepth) cursor.fail();
  if (cursor.failed) return;
  cursor.boundLifetimes += count;
  if (count > 0) {
    const names = Array.from({ length: count }, (_, index) => lifetimeName(cursor, count - index));
    cursor.write(`for<${names.join(', ')}> `);
  }
  inside();
  cursor.boundLifetimes -= count;
}

/** Lifetimes are numbered from the innermost binder outwards (de Bruijn), from 1; 0 is an erased one. */
function lifetimeName(cursor: V0Cursor, index: number): string {
  if (index === 0) return "'_";
  const depth = cursor.boundLifetimes - index;
  if (depth < 0) {
    cursor.fail();
    return '';
  }
  return depth < 26 ? `'${String.fromCharCode(0x61 + depth)}` : `'_${depth}`;
}

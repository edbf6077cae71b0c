// Writes a cargo project whose executable is as large as wanted: a small application, always the same, and a library
// of many instances that it could call. Only the size differs between two of them, so a time that differs is the
// size's doing. Needs no package from anywhere.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The application's crate. */
export const APP_CRATE = 'ledger';

/** A function body that can be edited over and over. */
export interface Editable {
  readonly file: string;
  /** Stands in the file once; `variant` is put in its place. */
  readonly original: string;
  variant(number: number): string;
}

/** In the application. */
export const APP_BODY: Editable = {
  file: 'src/desk/prices.rs',
  original: 'cents + 1\n',
  variant: (number) => `cents + ${number + 2}\n`,
};

/** In a workspace library that the application uses: plain, so no object of the application holds a copy. */
export const LIBRARY_BODY: Editable = {
  file: 'rates/src/lib.rs',
  original: 'cents * 3\n',
  variant: (number) => `cents * ${number + 4}\n`,
};

/** Modules of the application: each is at least a codegen unit. */
const APP_MODULES = 24;
/** Instances of one source file of the library: more files are quicker to build on several cores. */
const INSTANCES_PER_FILE = 32;

const PRICES = `//! The one that is edited.

#[inline(never)]
pub fn price(cents: u64) -> u64 {
    cents + 1
}

#[inline(never)]
pub fn total(all: &[u64]) -> u64 {
    all.iter().map(|cents| rates::tax(price(*cents))).sum()
}
`;

const RATES = `pub fn tax(cents: u64) -> u64 {
    cents * 3
}

pub fn shown<T: std::fmt::Display>(value: T) -> String {
    format!("{value}")
}
`;

function module(number: number): string {
  return `use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub struct Entry${number} {
    pub name: String,
    pub amounts: Vec<u64>,
}

#[inline(never)]
pub fn collect(round: u64) -> BTreeMap<u64, Entry${number}> {
    (0..3)
        .map(|i| (i, Entry${number} { name: format!("{i}-{round}"), amounts: (0..i).collect() }))
        .collect()
}

#[inline(never)]
pub fn sum(round: u64) -> u64 {
    collect(round).values().map(|entry| entry.name.len() as u64 + super::prices::total(&entry.amounts)).sum()
}
`;
}

/** Instances of collections over distinct types, each with all of its own code and debug information. */
function instances(file: number): string {
  const types = Array.from({ length: INSTANCES_PER_FILE }, (_, i) => i);
  return `use std::collections::{BTreeMap, HashMap, VecDeque};

${types.map((i) => `#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub struct Key${i}(pub u64, pub String);`).join('\n')}

fn work<K: std::fmt::Debug + Clone + Ord + std::hash::Hash>(make: impl Fn(u64) -> K, x: u64) -> u64 {
    let keys: Vec<K> = (0..x).map(make).collect();
    let tree: BTreeMap<K, Vec<K>> = keys.iter().map(|k| (k.clone(), vec![k.clone()])).collect();
    let hash: HashMap<K, VecDeque<K>> = keys.iter().map(|k| (k.clone(), VecDeque::from(vec![k.clone()]))).collect();
    let mut sorted: Vec<(K, usize)> = tree.into_iter().map(|(k, v)| (k, v.len())).collect();
    sorted.sort_by(|a, b| b.cmp(a));
    sorted.dedup();
    sorted.retain(|(k, _)| hash.contains_key(k));
    format!("{sorted:?}").len() as u64
}

pub static TABLE: [fn(u64) -> u64; ${INSTANCES_PER_FILE}] = [
${types.map((i) => `    |x| work(|n| Key${i}(n, n.to_string()), x + ${file}),`).join('\n')}
];
`;
}

/**
 * Writes the project.
 * @param files source files of the library; one gives about 25 MB of executable with debug information. 0: no library
 */
export function writeHeavyProject(folder: string, files: number): void {
  const put = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const bulk = files === 0 ? '' : 'bulk = { path = "bulk" }\n';
  const uses = `\n[dependencies]\nrates = { path = "rates" }\n${bulk}\n[workspace]\n`;
  put('Cargo.toml', `[package]\nname = "${APP_CRATE}"\nversion = "0.1.0"\nedition = "2021"\n${uses}`);
  put('rates/Cargo.toml', '[package]\nname = "rates"\nversion = "0.1.0"\nedition = "2021"\n');
  put('rates/src/lib.rs', RATES);
  const call = files === 0 ? '0' : 'if round == u64::MAX { bulk::call(round) } else { 0 }';
  put(
    'src/main.rs',
    `mod desk;

fn main() {
    println!("started");
    for round in 0u64.. {
        let sum = desk::sum(round) + ${call};
        if round % 1000 == 0 {
            println!("{round} {}", rates::shown(sum));
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
`,
  );
  const modules = Array.from({ length: APP_MODULES }, (_, i) => i);
  put(
    'src/desk/mod.rs',
    `${modules.map((i) => `pub mod m${i};`).join('\n')}\npub mod prices;\n
pub fn sum(round: u64) -> u64 {
    ${modules.map((i) => `m${i}::sum(round)`).join('\n        + ')}
}
`,
  );
  for (const i of modules) put(`src/desk/m${i}.rs`, module(i));
  put(APP_BODY.file, PRICES);
  if (files === 0) return;
  const parts = Array.from({ length: files }, (_, i) => i);
  put('bulk/Cargo.toml', '[package]\nname = "bulk"\nversion = "0.1.0"\nedition = "2021"\n');
  put(
    'bulk/src/lib.rs',
    `${parts.map((i) => `mod p${i};`).join('\n')}

pub fn call(x: u64) -> u64 {
    let tables = [${parts.map((i) => `&p${i}::TABLE`).join(', ')}];
    tables.iter().flat_map(|table| table.iter()).map(|f| f(x)).sum()
}
`,
  );
  for (const i of parts) put(`bulk/src/p${i}.rs`, instances(i));
}

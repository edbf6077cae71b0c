// Rust programs for macOS that the tests run in our loader, and how they are built and run.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DarwinToolchain, darwinToolchain } from '../../conformance/setup/darwin-toolchain.js';
import { type Said, run, tryRun } from '../../conformance/setup/run.js';

/** A folder with programs of one target. */
export interface DarwinWorkshop {
  readonly tools: DarwinToolchain;
  path(name: string): string;
  /** Compiles one file with rustc; `name` is the output's. Throws with what rustc said. */
  compile(name: string, source: string, ...options: readonly string[]): string;
  /** Runs a program in the loader. */
  run(program: string, args?: readonly string[], env?: Readonly<Record<string, string>>): Said;
  remove(): void;
}

/** Sets the toolchain up, where that was not done before. */
export function darwinWorkshop(target: DarwinToolchain['target']): DarwinWorkshop {
  const tools = darwinToolchain(target);
  const folder = mkdtempSync(join(tmpdir(), 'ipbp-darwin-'));
  const path = (name: string): string => join(folder, name);
  return {
    tools,
    path,
    compile(name, source, ...options) {
      writeFileSync(path(`${name}.rs`), source);
      const linker = [`-Clinker=${tools.cc}`, '-Csplit-debuginfo=unpacked'];
      const crate = ['--crate-name', name.replace(/\W.*/, '')];
      const common = [...crate, '--edition', '2024', '--target', target, '-g', ...linker, '-o', path(name)];
      run(tools.rustc, [...common, ...options, path(`${name}.rs`)], { env: tools.env });
      return path(name);
    },
    run: (program, args = [], env = {}) => tryRun(tools.machorun, [program, ...args], { env, timeout: 60_000 }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Threads with thread-locals, panics that run destructors and are caught, trait objects, maps, a backtrace. */
export const STD_PROGRAM = `
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, RwLock, mpsc};
use std::time::{Duration, Instant};

thread_local! {
    static NUMBER: Cell<u32> = const { Cell::new(7) };
    static TEXT: RefCell<String> = RefCell::new(String::from("tls"));
    static LAST: Farewell = Farewell("thread-local");
}
static COUNT: AtomicU32 = AtomicU32::new(0);

struct Farewell(&'static str);
impl Drop for Farewell {
    fn drop(&mut self) {
        println!("drop {}", self.0);
    }
}

trait Shape {
    fn area(&self) -> f64;
}
struct Square(f64);
struct Circle(f64);
impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}
impl Shape for Circle {
    fn area(&self) -> f64 {
        self.0.powi(2) * std::f64::consts::PI.floor()
    }
}

#[inline(never)]
fn fail(x: u32) -> u32 {
    let _farewell = Farewell("on the way out");
    if x > 2 {
        panic!("failed with {x}");
    }
    x
}

#[inline(never)]
fn trace() -> String {
    std::backtrace::Backtrace::force_capture().to_string()
}

fn main() {
    println!("{} {}", std::env::consts::ARCH, std::env::consts::OS);
    let threads: Vec<_> = (0..4u32)
        .map(|i| {
            std::thread::spawn(move || {
                NUMBER.with(|n| n.set(n.get() + i));
                TEXT.with(|t| t.borrow_mut().push_str(&i.to_string()));
                COUNT.fetch_add(NUMBER.with(|n| n.get()), Ordering::SeqCst);
                TEXT.with(|t| t.borrow().clone())
            })
        })
        .collect();
    let texts: Vec<String> = threads.into_iter().map(|t| t.join().unwrap()).collect();
    println!("threads {texts:?} {} {}", COUNT.load(Ordering::SeqCst), NUMBER.with(|n| n.get()));
    std::thread::spawn(|| LAST.with(|_| ())).join().unwrap();

    let caught = std::panic::catch_unwind(|| fail(3)).unwrap_err();
    println!("caught {:?}", caught.downcast_ref::<String>());
    println!("in a thread {}", std::thread::spawn(|| fail(9)).join().is_err());

    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Square(2.0)), Box::new(Circle(1.0))];
    println!("areas {:?}", shapes.iter().map(|s| s.area()).collect::<Vec<_>>());
    let mut words = HashMap::new();
    for word in "a b a c b a".split(' ') {
        *words.entry(word).or_insert(0) += 1;
    }
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort();
    println!("words {words:?}");

    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = pair.clone();
    let waker = std::thread::spawn(move || {
        *other.0.lock().unwrap() = true;
        other.1.notify_all();
    });
    let set = pair.1.wait_while(pair.0.lock().unwrap(), |set| !*set).unwrap();
    println!("condition {}", *set);
    drop(set);
    waker.join().unwrap();
    let timed = pair.1.wait_timeout(pair.0.lock().unwrap(), Duration::from_millis(20)).unwrap();
    println!("timed out {}", timed.1.timed_out());
    let lock = RwLock::new(5);
    println!("read {}", *lock.read().unwrap() + *lock.read().unwrap());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || (0..3).for_each(|i| sender.send(i).unwrap()));
    println!("received {:?}", receiver.iter().collect::<Vec<_>>());
    // In a thread of its own: a channel may wake its receiver once more after that has gone on.
    let parked = std::thread::spawn(|| {
        let start = Instant::now();
        std::thread::park_timeout(Duration::from_millis(20));
        start.elapsed() >= Duration::from_millis(20)
    });
    println!("parked {}", parked.join().unwrap());

    println!("error {:?}", std::fs::File::open("/no/such/file").unwrap_err().kind());
    let folder = std::env::temp_dir().join(format!("machorun-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("one"), "some text").unwrap();
    let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    println!("folder {names:?} {}", std::fs::metadata(folder.join("one")).unwrap().len());
    std::fs::remove_dir_all(&folder).unwrap();

    let trace = trace();
    println!("trace {} {}", trace.contains("::trace"), trace.contains("std.rs:"));
    println!("arguments {:?}", std::env::args().skip(1).collect::<Vec<_>>());
    std::process::exit(3);
}
`;

/** What the program above says. */
export function stdOutput(machine: string): string {
  return [
    `${machine} macos`,
    'threads ["tls0", "tls1", "tls2", "tls3"] 34 7',
    'drop thread-local',
    'drop on the way out',
    'caught Some("failed with 3")',
    'drop on the way out',
    'in a thread true',
    'areas [4.0, 3.0]',
    'words [("a", 3), ("b", 2), ("c", 1)]',
    'condition true',
    'timed out true',
    'read 10',
    'received [0, 1, 2]',
    'parked true',
    'error NotFound',
    'folder ["one"] 9',
    'trace true true',
    'arguments ["one", "two words"]',
    '',
  ].join('\n');
}

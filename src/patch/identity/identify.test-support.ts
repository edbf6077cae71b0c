// A small program with one of each thing that is numbered by position, or whose type a name may hide, and what pairing it
// with an edited version of itself finds.
import { compileProgram, type CompiledProgram } from '../diff/compile.test-support.js';
import { demangle } from '../../formats/symbols/demangle.js';
import { openSide } from '../diff/items.js';
import { identify, type Identified } from './identity.js';
import { NO_NAMES } from './name-map.js';

export const PROGRAM = `#![feature(type_alias_impl_trait)]
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

type Job = Box<dyn Fn(u32) -> u32 + Send>;
static JOBS: Mutex<Vec<Job>> = Mutex::new(Vec::new());
fn start(job: impl Fn(u32) -> u32 + Send + 'static) { JOBS.lock().unwrap().push(Box::new(job)); }

#[inline(never)]
fn jobs(k: u32, wide: u64) {
    /* before jobs */
    start(move |x| black_box(x * k + 100));
    /* second */
    start(move |x| black_box((x ^ k).rotate_left(7)));
}

#[inline(never)]
fn twins() {
    /* before twins */
    start(|x| black_box(x + 1));
    start(|x| black_box(x + 1));
}

macro_rules! event {
    ($name:literal) => {{
        static SITE: AtomicU32 = AtomicU32::new(0);
        static META: &str = $name;
        if SITE.fetch_add(1, Relaxed) == 0 { println!("{}", black_box(META)); }
    }};
}

#[inline(never)]
fn log() {
    /* before events */
    event!("one");
    event!("two");
}

struct Gate;
impl Future for Gate {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> { black_box(Poll::Pending) }
}
async fn work(n: u32) -> u32 {
    let kept = black_box(n);
    Gate.await;
    kept + 10
}

// Holds the coroutine of what it serves; its name among newer symbols says only what that is, not what it gives.
trait Serve<T> { fn serve(self) -> Pin<Box<dyn Future<Output = u32>>>; }
impl<F, R> Serve<u32> for F
where
    F: FnOnce(u32) -> R + 'static,
    R: Future<Output = u32> + 'static,
{
    fn serve(self) -> Pin<Box<dyn Future<Output = u32>>> { Box::pin(async move { self(2).await + 1 }) }
}

trait Speak { fn speak(&self) -> u32; }
struct Cat(u32);
struct Dog(u32);
/* before impls */
impl Speak for Cat { #[inline(never)] fn speak(&self) -> u32 { black_box(self.0 + 1) } }
impl Speak for Dog { #[inline(never)] fn speak(&self) -> u32 { black_box(self.0 + 2) } }
impl Dog { #[inline(never)] fn bark(&self) -> u32 { black_box(self.0 + 3) } }

static LIMIT: Mutex<u32> = Mutex::new(7);

#[inline(never)]
fn sum(x: u32) -> u32 { black_box(x) + 40 }

mod store {
    use super::*;
    pub static COUNTED: AtomicU32 = AtomicU32::new(0);
    /* in store */
    #[inline(never)]
    pub fn count() -> u32 { COUNTED.fetch_add(1, Relaxed) + black_box(2) }
}

type Held = impl Fn(u32) -> u32;
struct Holder { held: Held }
#[define_opaque(Held)]
fn hold(k: u32, wide: u64) -> Held { move |x| black_box(x + k) }
static HOLDER: Mutex<Option<Holder>> = Mutex::new(None);

thread_local!(static OWN: std::cell::Cell<u64> = const { std::cell::Cell::new(7) });
#[inline(never)]
fn own() -> u64 { OWN.get() }

fn main() {
    println!("{}", own());
    jobs(black_box(3), black_box(4));
    twins();
    log();
    let mut future = Box::pin(work(1));
    let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let _ = work.serve().as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let all: [Box<dyn Speak>; 2] = [Box::new(Cat(1)), Box::new(Dog(2))];
    println!("{} {}", all.iter().map(|one| one.speak()).sum::<u32>(), Dog(1).bark());
    println!("{}", black_box(&LIMIT).lock().unwrap().to_string());
    println!("{} {}", sum(1), store::count());
    *HOLDER.lock().unwrap() = Some(Holder { held: hold(1, 2) });
    println!("{}", (HOLDER.lock().unwrap().as_ref().unwrap().held)(3));
}
`;

/** One way of compiling it. */
export interface Profile {
  readonly name: string;
  readonly flags: readonly string[];
  readonly v0: boolean;
  readonly described: boolean;
  readonly optimised: boolean;
}

export const PROFILES: readonly Profile[] = ['legacy', 'v0'].flatMap((mangling) =>
  ['0', '1'].flatMap((level) =>
    ['2', '0'].map((debug) => ({
      name: `${mangling}, opt-level ${level}, debuginfo ${debug}`,
      flags: [
        `-Csymbol-mangling-version=${mangling}`,
        `-Copt-level=${level}`,
        `-Cdebuginfo=${debug}`,
        '-Zunstable-options',
      ],
      v0: mangling === 'v0',
      described: debug === '2',
      optimised: level !== '0',
    })),
  ),
);

/** What was found, in words that are equal for both kinds of mangling. */
export interface Found extends Pick<Identified, 'warnings' | 'refused'> {
  /** Readable names of the functions and statics that differ, without hashes: `body app::sum`. */
  readonly changes: readonly string[];
  /** Readable names of what has a new name of its own, with the verdict. */
  readonly forked: readonly string[];
  readonly moved: number;
  readonly identified: Identified;
}

const programs = new Map<string, CompiledProgram>();

/** Compiles the program and an edited one, and pairs them. */
export function identifyEdit(profile: Profile, edits: readonly (readonly [from: string, to: string])[]): Found {
  const known = programs.get(profile.name);
  const program = known ?? compileProgram(PROGRAM, profile.flags);
  programs.set(profile.name, program);
  const { before, after } = program.edited(edits);
  const taken = openSide(program.objects).items;
  const identified = identify({
    before,
    after: after.map(({ file }) => file),
    names: NO_NAMES,
    isTaken: (name) => taken.has(name),
  });
  return {
    changes: identified.diff.items.map(({ change, demangled }) => `${change} ${demangled}`),
    forked: [...identified.forked.keys()].map(demangle),
    moved: identified.moved.size,
    warnings: identified.warnings,
    refused: identified.refused,
    identified,
  };
}

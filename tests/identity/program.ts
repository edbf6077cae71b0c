// A program that keeps what an edit must not confuse: boxed closures, statics inside of functions, futures in flight, a
// thread in a caller, objects behind a trait. A talker whose words tell how each of them fares.

/** What the edits of the tests change; the defaults are the program as it is built. */
export interface Parts {
  /** Statements before the two closures that are stored. */
  readonly insertedClosure?: string;
  readonly secondClosure?: string;
  /** How many closures the program wants: below it, it stores them again. */
  readonly closures?: number;
  /** Statements before the two events. */
  readonly insertedEvent?: string;
  /** Before and after the await of the async function. */
  readonly held?: string;
  readonly result?: string;
  readonly futures?: number;
  readonly released?: boolean;
  readonly signature?: string;
  readonly call?: string;
  /** Items before the implementations. */
  readonly insertedImpl?: string;
  readonly says?: string;
}

export function heldSource({
  insertedClosure = '',
  secondClosure = '|x| x + k + 20',
  closures = 2,
  insertedEvent = '',
  held = '',
  result = 'n * 10',
  futures = 1,
  released = false,
  signature = 'fn sum(x: u32) -> u32 { x + 100 }',
  call = 'sum(1)',
  insertedImpl = '',
  says = '"b"',
}: Parts = {}): string {
  return `use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

type Stored = Box<dyn Fn(u32) -> u32 + Send>;
static STORED: Mutex<Vec<Stored>> = Mutex::new(Vec::new());

#[inline(never)]
fn store(k: u32) {
    let mut stored = STORED.lock().unwrap();
    ${insertedClosure}
    stored.push(Box::new(move |x| x + k + 10));
    stored.push(Box::new(move ${secondClosure}));
}

#[inline(never)]
fn wanted() -> usize {
    ${closures}
}

static NEXT: AtomicU32 = AtomicU32::new(1);

/// Registers itself when it is first met, as the events of tracing do.
macro_rules! event {
    ($to:ident, $name:literal) => {{
        static CALLSITE: AtomicU32 = AtomicU32::new(0);
        static META: &str = $name;
        if CALLSITE.load(Relaxed) == 0 {
            CALLSITE.store(NEXT.fetch_add(1, Relaxed), Relaxed);
        }
        $to.push_str(META);
        $to.push_str(&CALLSITE.load(Relaxed).to_string());
    }};
}

#[inline(never)]
fn log() -> String {
    let mut text = String::new();
    ${insertedEvent}
    event!(text, "a");
    event!(text, "b");
    text
}

struct Gate;
impl Future for Gate {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if released() { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[inline(never)]
fn released() -> bool {
    ${String(released)}
}

async fn work(n: u32) -> u32 {
    ${held}
    Gate.await;
    ${result}
}

async fn outer(n: u32) -> u32 {
    work(n).await + 1
}

#[inline(never)]
fn futures() -> usize {
    ${futures}
}

#[inline(never)]
fn start(n: u32) -> Pin<Box<dyn Future<Output = u32>>> {
    Box::pin(outer(n))
}

enum Job {
    Runs(Pin<Box<dyn Future<Output = u32>>>),
    Done(u32),
}

static SUM: AtomicU32 = AtomicU32::new(0);

#[inline(never)]
${signature}

fn worker() {
    loop {
        SUM.store(${call}, Relaxed);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[inline(never)]
fn call() -> u32 {
    ${call}
}

trait Speak {
    fn speak(&self) -> String;
}
struct A;
struct B;
${insertedImpl}
impl Speak for A {
    fn speak(&self) -> String {
        "a".into()
    }
}
impl Speak for B {
    fn speak(&self) -> String {
        ${says}.into()
    }
}

#[inline(never)]
fn step(jobs: &mut Vec<Job>, speakers: &[Box<dyn Speak>]) -> String {
    if STORED.lock().unwrap().len() < wanted() {
        store(1);
    }
    if jobs.len() < futures() {
        jobs.push(Job::Runs(start(jobs.len() as u32 + 1)));
    }
    for job in jobs.iter_mut() {
        if let Job::Runs(future) = job {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                *job = Job::Done(value);
            }
        }
    }
    let stored: Vec<String> = STORED.lock().unwrap().iter().map(|f| f(1).to_string()).collect();
    let done: Vec<String> = jobs
        .iter()
        .map(|job| match job {
            Job::Runs(_) => "-".to_string(),
            Job::Done(value) => value.to_string(),
        })
        .collect();
    let spoken: Vec<String> = speakers.iter().map(|one| one.speak()).collect();
    let sums = format!("{}/{}", SUM.load(Relaxed), call());
    format!("{} {} {} {sums} {}", stored.join(","), log(), done.join(","), spoken.join(""))
}

fn main() {
    std::thread::spawn(worker);
    let mut jobs = Vec::new();
    let speakers: Vec<Box<dyn Speak>> = vec![Box::new(A), Box::new(B)];
    for count in 0u64.. {
        println!("{} {count} {}", std::process::id(), step(&mut jobs, &speakers));
        std::thread::sleep(Duration::from_millis(10));
    }
}
`;
}

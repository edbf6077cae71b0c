// Closures and coroutines: what they hold has a layout, too, and no name but a number.
import type { Pair } from '../pair.js';

const RULES = `
struct State { rules: Vec<Box<dyn Fn(u32) -> u32>> }
fn make() -> State {
    State { rules: vec![rule(3, 40), rule(5, 60)] }
}
fn rule(tens: u32, ones: u32) -> Box<dyn Fn(u32) -> u32> {
    Box::new(move |x| {
        let sum = tens * 10 + x;
        sum + ones
    })
}
fn show(state: &mut State) -> String {
    format!("rule {}", (state.rules[0])(1))
}
`;

const TASKS = `
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
struct Pause(bool);
impl Future for Pause {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0 = !self.0;
        if self.0 { Poll::Pending } else { Poll::Ready(()) }
    }
}
async fn task(start: u32) -> u32 {
    let mut count = start;
    Pause(false).await;
    count += 1;
    count
}
struct State { tasks: Vec<Pin<Box<dyn Future<Output = u32>>>> }
fn make() -> State {
    let mut tasks: Vec<Pin<Box<dyn Future<Output = u32>>>> = Vec::new();
    for start in [70, 80] {
        let mut task = Box::pin(task(start));
        let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        tasks.push(task);
    }
    State { tasks }
}
fn show(state: &mut State) -> String {
    let mut task = state.tasks.remove(0);
    match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(count) => format!("count {count}"),
        Poll::Pending => String::from("waits"),
    }
}
`;

export const ENVIRONMENT_PAIRS: readonly Pair[] = [
  {
    id: 'captures-swapped',
    program: RULES,
    before: 'rule 71',
    refuse: {
      what: 'a closure uses what it captured in another order: captures of one type change places',
      edits: [['let sum = tens * 10 + x;\n        sum + ones', 'let sum = ones + x;\n        sum + tens * 10 + 1000']],
      says: 'rule 71',
      forks: true,
    },
    accept: {
      what: 'a closure does another thing with what it captured, in the same order',
      edits: [['sum + ones', 'ones + sum + 1000']],
      says: 'rule 1071',
    },
  },
  {
    id: 'captures-v0',
    program: RULES,
    flags: ['-Csymbol-mangling-version=v0'],
    before: 'rule 71',
    refuse: {
      what: 'a closure captures another type, under names that do not tell',
      edits: [
        ['tens: u32', 'tens: u64'],
        ['tens * 10 + x', 'tens as u32 * 10 + x + 1000'],
      ],
      says: 'rule 71',
      forks: true,
    },
    accept: {
      what: 'a closure has a variable of another type',
      edits: [
        ['let sum = tens * 10 + x;', 'let sum: u64 = u64::from(tens * 10 + x) + 1000;\n        let sum = sum as u32;'],
      ],
      says: 'rule 1071',
    },
  },
  {
    id: 'local-across-await',
    program: TASKS,
    before: 'count 71',
    refuse: {
      what: 'a local is held across an await: futures that wait there have no room for it',
      edits: [
        ['Pause(false).await;', 'let more = [start + 1, start + 2, start + 3];\n    Pause(false).await;'],
        ['count += 1;', 'count += more[1] - more[0];'],
      ],
      says: 'count 81',
      forks: true,
    },
    accept: {
      what: 'a local between two awaits',
      edits: [['count += 1;', 'let more = [10, 20, 30];\n    count += more[1];']],
      says: 'count 100',
    },
  },
  {
    id: 'local-of-another-type',
    program: TASKS,
    before: 'count 71',
    refuse: {
      what: 'a local that is held across an await becomes another type',
      edits: [
        ['let mut count = start;', 'let mut count = start as f32;'],
        ['count += 1;\n    count', 'count += 1.0;\n    count as u32'],
      ],
      says: 'count 81',
      forks: true,
    },
    accept: {
      what: 'a local that is held across an await is used as another type behind it',
      edits: [['count += 1;\n    count', '(count as f32 * 1.5) as u32']],
      says: 'count 120',
    },
  },
];

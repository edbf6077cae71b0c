//! The order desk: one thread that answers questions in turn, clock hands that never stop, counters, standing offers.
//!
//! Plain Rust: std, the workspace's own `pricing`, and rayon, which is declared and waits for its first use. The web side in `routes.rs` asks
//! the desk by name. Everything here is meant to be edited while it runs; `// region …` marks what the edit matrix
//! replaces.

pub mod clock;
pub mod counters;
pub mod offers;
pub mod receipts;
pub mod visits;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

type Job = (String, Sender<String>);

/// A handle to the desk's thread; clones ask the same thread.
#[derive(Clone)]
pub struct Desk {
    jobs: Sender<Job>,
}

impl Desk {
    /// Opens the desk: starts its thread and the clock.
    pub fn open() -> Desk {
        let (jobs, inbox) = channel();
        offers::open();
        clock::start();
        thread::Builder::new().name("desk".into()).spawn(move || serve(inbox)).expect("the desk's thread starts");
        Desk { jobs }
    }

    /// Asks and waits for the answer. `None` where the desk does not know the question.
    pub fn ask(&self, question: &str) -> Option<String> {
        let (reply, answer) = channel();
        self.jobs.send((question.to_string(), reply)).ok()?;
        answer.recv().ok().filter(|text| !text.is_empty())
    }
}

/// The thread's loop: it stays in here for as long as the program runs.
fn serve(inbox: Receiver<Job>) {
    while let Ok((question, reply)) = inbox.recv() {
        let _ = reply.send(answer(&question));
    }
}

/// Not inlined, so that an optimised build too calls it from the loop above: an edit of what is inlined into a loop that
/// never ends could not reach the thread inside.
#[inline(never)]
fn answer(question: &str) -> String {
    match question {
        "greeting" => receipts::greeting().to_string(),
        "receipt" => receipts::receipt(3, 425),
        "total" => receipts::total(&[100, 250, 399]),
        "doubled" => receipts::doubled(&[1, 2, 3]),
        "raised" => receipts::raised(&5),
        "largest" => receipts::largest_of(),
        "shout" => receipts::shout(" cafe 3.25 "),
        "squares" => receipts::squares(1000),
        "menu" => receipts::menu(),
        "careful" => receipts::careful(3),
        "loyalty" => receipts::loyalty(),
        "ticket" => receipts::ticket(),
        "offers" => offers::standing(1000),
        "steps" => offers::stepped(10),
        "callbacks" => offers::called_back(10),
        "special" => offers::special(1000),
        "buttons" => offers::pressed(10),
        "enter" => visits::enter(),
        "leave" => visits::leave(),
        "bill" => visits::bill(),
        "count" => counters::count(),
        "addresses" => counters::addresses(),
        "clock" => clock::read(),
        _ => String::new(),
    }
}

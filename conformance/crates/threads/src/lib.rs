//! rayon, crossbeam and thread-locals: threads that share, steal and keep their own.
use rayon::prelude::*;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicUsize, Ordering};

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Dropped(Vec<u64>);
impl Drop for Dropped {
    fn drop(&mut self) {
        DROPPED.fetch_add(self.0.len(), Ordering::SeqCst);
    }
}

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(7) };
    static KEPT: RefCell<Dropped> = RefCell::new(Dropped(Vec::new()));
}

conform_wire::exports! {
    sum_squares = |text| {
        let limit: u64 = text.parse().expect("a number");
        (0..limit).into_par_iter().map(|number| number * number).sum::<u64>().to_string()
    };
    sort_words = |text| {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.par_sort_unstable();
        words.join(" ")
    };
    count_in_threads = |text| {
        let threads: u64 = text.parse().expect("a number");
        let (sender, receiver) = crossbeam_channel::unbounded();
        let before = DROPPED.load(Ordering::SeqCst);
        let all: Vec<_> = (0..threads)
            .map(|number| {
                let sender = sender.clone();
                std::thread::spawn(move || {
                    COUNT.with(|count| count.set(count.get() + number));
                    KEPT.with(|kept| kept.borrow_mut().0.push(number));
                    sender.send(COUNT.with(Cell::get)).expect("a receiver");
                })
            })
            .collect();
        drop(sender);
        for thread in all {
            thread.join().expect("a thread that ends");
        }
        let sum: u64 = receiver.iter().sum();
        format!("{sum} {} {}", COUNT.with(Cell::get), DROPPED.load(Ordering::SeqCst) - before)
    };
    own_values = |text| {
        let own: thread_local::ThreadLocal<Cell<usize>> = thread_local::ThreadLocal::new();
        let parts: Vec<&str> = text.split(' ').collect();
        parts.par_iter().for_each(|part| {
            let cell = own.get_or(|| Cell::new(0));
            cell.set(cell.get() + part.len());
        });
        own.into_iter().map(|cell| cell.get()).sum::<usize>().to_string()
    };
    panic_in_thread = |text| {
        let text = text.to_owned();
        let ended = std::thread::spawn(move || -> () { panic!("{text}") }).join();
        format!("{}", ended.unwrap_err().downcast_ref::<String>().expect("a text"))
    };
}

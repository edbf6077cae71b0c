//! The order desk in a module: what a page asks, it answers. The desk's sources are those of `examples/server`.

#[path = "desk/counters.rs"]
mod counters;
#[path = "desk/offers.rs"]
mod offers;
#[path = "desk/receipts.rs"]
mod receipts;
#[path = "desk/visits.rs"]
mod visits;
mod workshop;

/// Questions and answers pass through it.
static mut PAPER: [u8; 4096] = [0; 4096];

#[unsafe(no_mangle)]
pub extern "C" fn paper() -> *mut u8 {
    &raw mut PAPER as *mut u8
}

#[unsafe(no_mangle)]
pub extern "C" fn open_desk() {
    offers::open();
}

/// Room for a thread's stack, or what is its own.
#[unsafe(no_mangle)]
pub extern "C" fn room(size: usize) -> *mut u8 {
    unsafe { std::alloc::alloc(std::alloc::Layout::from_size_align(size, 16).unwrap()) }
}

/// Answers the question of that many bytes: how many the answer has.
#[unsafe(no_mangle)]
pub extern "C" fn ask(length: usize) -> usize {
    let question = unsafe { String::from_utf8_lossy(std::slice::from_raw_parts(paper(), length)).into_owned() };
    let text = answer(&question);
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), paper(), text.len().min(4096)) };
    text.len()
}

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
        "bill" => visits::bill(),
        "count" => counters::count(),
        "addresses" => counters::addresses(),
        other => workshop::answer(other),
    }
}

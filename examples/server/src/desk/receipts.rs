//! What the desk says: each function is small, so that an edit of it is easy to see.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

// region greeting
pub fn greeting() -> &'static str {
    "good morning"
}
// endregion

// region receipt
pub fn receipt(count: u64, cents: u64) -> String {
    format!("{count} at {cents}")
}
// endregion

// region total
pub fn total(prices: &[u64]) -> String {
    let sum: u64 = prices.iter().sum();
    format!("total {sum}")
}
// endregion

// region doubled
pub fn doubled(prices: &[u64]) -> String {
    let list: Vec<String> = prices.iter().map(|price| (price * 2).to_string()).collect();
    list.join(" ")
}
// endregion

fn twice(change: impl Fn(u64) -> u64) -> u64 {
    change(change(100))
}

// region raised
pub fn raised(by: &u64) -> String {
    let raise = |cents: u64| cents + *by;
    twice(raise).to_string()
}
// endregion

fn largest<T: PartialOrd + Copy>(values: &[T]) -> T {
    let mut best = values[0];
    for &value in values {
        if value > best {
            best = value;
        }
    }
    best
}

// region largest
pub fn largest_of() -> String {
    largest(&[3u64, 9, 4]).to_string()
}
// endregion

// region shout
pub fn shout(text: &str) -> String {
    text.to_string()
}
// endregion

// region squares
pub fn squares(up_to: u64) -> String {
    let sum: u64 = (1..=up_to).map(|n| n * n).sum();
    sum.to_string()
}
// endregion

// region menu-table
static MENU: [(&str, u64); 3] = [("tea", 250), ("soup", 480), ("cake", 399)];
// endregion

/// Reads the table; no edit of the matrix touches this function.
pub fn menu() -> String {
    MENU.iter().map(|(dish, cents)| format!("{dish}={cents}")).collect::<Vec<_>>().join(" ")
}

static SWEPT: AtomicU64 = AtomicU64::new(0);

struct Broom;

// region broom
impl Drop for Broom {
    fn drop(&mut self) {
        SWEPT.fetch_add(1, Relaxed);
    }
}
// endregion

// region risky
fn risky(count: u64) -> u64 {
    let _broom = Broom;
    count * 2
}
// endregion

// region careful
/// Does something that may panic and says how it went and how often the broom was used.
pub fn careful(count: u64) -> String {
    let outcome = catch_unwind(AssertUnwindSafe(|| risky(count)));
    let swept = SWEPT.load(Relaxed);
    match outcome {
        Ok(result) => format!("result={result} swept={swept}"),
        Err(_) => format!("panicked swept={swept}"),
    }
}
// endregion

// region loyalty
pub fn loyalty() -> String {
    String::from("no card")
}
// endregion

/// Tickets that are out: values of this type live from the first call until the program ends.
static TICKETS: std::sync::Mutex<Vec<Ticket>> = std::sync::Mutex::new(Vec::new());

// region ticket-type
struct Ticket {
    number: u32,
    cents: u64,
}
// endregion

// region ticket
pub fn ticket() -> String {
    let mut tickets = TICKETS.lock().unwrap();
    let number = tickets.len() as u32 + 1;
    tickets.push(Ticket { number, cents: 450 });
    let list: Vec<String> = tickets.iter().map(|ticket| format!("{}:{}", ticket.number, ticket.cents)).collect();
    list.join(" ")
}
// endregion

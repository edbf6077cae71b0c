//! Standing offers, made once at the start and kept: boxed trait objects, function pointers, boxed closures.

use std::sync::OnceLock;

pub trait Offer: Send + Sync {
    fn name(&self) -> String;
    fn apply(&self, cents: u64) -> u64;
}

struct Flat(u64);
struct Share(u64);

// region flat
impl Offer for Flat {
    fn name(&self) -> String {
        String::from("flat")
    }
    fn apply(&self, cents: u64) -> u64 {
        cents - self.0
    }
}
// endregion

impl Offer for Share {
    fn name(&self) -> String {
        format!("share of {}", self.0)
    }
    fn apply(&self, cents: u64) -> u64 {
        cents * (100 - self.0) / 100
    }
}

type Step = fn(u64) -> u64;
type Callback = Box<dyn Fn(u64) -> u64 + Send + Sync>;

static OFFERS: OnceLock<Vec<Box<dyn Offer>>> = OnceLock::new();
static STEPS: OnceLock<[Step; 2]> = OnceLock::new();
static CALLBACKS: OnceLock<Vec<Callback>> = OnceLock::new();
static BUTTONS: OnceLock<Vec<Callback>> = OnceLock::new();

// region step
fn add_tip(cents: u64) -> u64 {
    cents + 1
}
// endregion

fn round_up(cents: u64) -> u64 {
    cents.next_multiple_of(5)
}

// region callbacks
fn callback(bonus: u64) -> Callback {
    Box::new(move |cents| cents + bonus)
}
// endregion

// region buttons
fn buttons() -> Vec<Callback> {
    vec![Box::new(|cents| cents + 1), Box::new(|cents| cents * 2)]
}
// endregion

/// Makes what stands from then on.
pub fn open() {
    let _ = OFFERS.set(vec![Box::new(Flat(50)), Box::new(Share(10))]);
    let _ = STEPS.set([add_tip, round_up]);
    let _ = CALLBACKS.set(vec![callback(2), callback(20)]);
    let _ = BUTTONS.set(buttons());
}

/// What each offer that stands since the start makes of a price.
pub fn standing(cents: u64) -> String {
    let offers = OFFERS.get().expect("open() ran");
    offers.iter().map(|offer| format!("{}={}", offer.name(), offer.apply(cents))).collect::<Vec<_>>().join(" ")
}

/// What the stored function pointers make of a price, and whether the first still equals the function's address.
pub fn stepped(cents: u64) -> String {
    let steps = STEPS.get().expect("open() ran");
    let same = std::ptr::fn_addr_eq(steps[0], add_tip as Step);
    format!("{} {} same={same}", steps[0](cents), steps[1](cents))
}

/// What the stored closures make of a price.
pub fn called_back(cents: u64) -> String {
    let callbacks = CALLBACKS.get().expect("open() ran");
    callbacks.iter().map(|callback| callback(cents).to_string()).collect::<Vec<_>>().join(" ")
}

/// What the closures stored at the start make of a price, and what those made just now do.
pub fn pressed(cents: u64) -> String {
    let press =
        |buttons: &[Callback]| buttons.iter().map(|button| button(cents).to_string()).collect::<Vec<_>>().join(" ");
    format!("stored {} fresh {}", press(BUTTONS.get().expect("open() ran")), press(&buttons()))
}

// region special
/// Today's special offer.
pub fn special(cents: u64) -> String {
    format!("none on {cents}")
}
// endregion

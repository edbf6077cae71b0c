//! What the order desk charges: a library of its own in the desk's workspace, with a plain and a generic function.

use std::fmt::Display;

// region with-service
/// A price with the service in it.
pub fn with_service(cents: u64) -> u64 {
    cents + cents / 10
}
// endregion

// region listed
/// Prices in a row. Generic: its code is made in the crate that calls it.
pub fn listed<T: Display>(prices: &[T]) -> String {
    prices.iter().map(|price| price.to_string()).collect::<Vec<_>>().join(", ")
}
// endregion

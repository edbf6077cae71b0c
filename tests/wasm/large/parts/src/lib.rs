//! A library of the same workspace.

/// What `words` words are worth.
pub fn weigh(words: usize) -> u32 {
    words as u32 * 2
}

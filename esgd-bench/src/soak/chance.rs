//! Random moments and places, the same in every soak of a seed.

use esgd_core::rng::{Key, Philox, Purpose};

/// A stream of random numbers.
pub struct Chance(Philox);

impl Chance {
    /// The stream of trial `index` of the part numbered `part`.
    #[must_use]
    pub fn new(part: usize, index: usize) -> Self {
        Self(Key::new(1, Purpose::Shuffle).generation(part).individual(index).stream())
    }

    /// From 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        self.0.unit()
    }

    /// From 0 up to `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0.below(n.max(1))
    }
}

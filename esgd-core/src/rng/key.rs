//! Where in a run a random number belongs: the address that Philox turns into words.

use serde::{Deserialize, Serialize};

use super::{Philox, philox4x32_10};

/// What a random number is for. Numbers of different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Purpose {
    /// Initial weights of a network.
    Init = 1,
    /// Drawing an optimizer and its hyper-parameters.
    Recipe = 2,
    /// An epoch of training: the order of samples, dropout masks.
    Train = 3,
    /// Whether a step that made the fitness worse is backed off (section 4.3).
    BackOff = 4,
    /// Roulette: drawing parents.
    Parents = 5,
    /// The Gaussian noise of mutation, ε in eq. 12.
    Mutation = 6,
    /// The μ−m survivors that are not elite.
    Survivors = 7,
    /// Splitting and ordering of data.
    Shuffle = 8,
    /// Keys derived from another key.
    Derived = 9,
}

/// The address of a stream of random numbers: (seed, purpose, generation, step, individual).
///
/// Philox's 64-bit key is the seed; its 128-bit counter is
/// `[block, step << 8 | purpose, generation, individual]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    seed: u64,
    purpose: Purpose,
    generation: u32,
    step: u32,
    individual: u32,
}

impl Key {
    /// The key of `purpose` under `seed`, at generation, step and individual 0.
    #[must_use]
    pub const fn new(seed: u64, purpose: Purpose) -> Self {
        Self { seed, purpose, generation: 0, step: 0, individual: 0 }
    }

    /// The same address in generation `k`.
    #[must_use]
    pub const fn generation(self, k: usize) -> Self {
        Self { generation: k as u32, ..self }
    }

    /// The same address at step `s` (an epoch, or an evolution step) below 2²⁴.
    #[must_use]
    pub const fn step(self, s: usize) -> Self {
        Self { step: s as u32 & 0x00FF_FFFF, ..self }
    }

    /// The same address for individual `j`.
    #[must_use]
    pub const fn individual(self, j: usize) -> Self {
        Self { individual: j as u32, ..self }
    }

    /// Philox's counter for `block` of this address, and its key: for who computes the words
    /// elsewhere, many at a time or on another device.
    ///
    /// ```
    /// use esgd_core::rng::{Key, Purpose, philox4x32_10};
    ///
    /// let key = Key::new(7, Purpose::Mutation).generation(1);
    /// let (counter, seed) = key.counter(5);
    /// assert_eq!(philox4x32_10(counter, seed), key.block(5));
    /// ```
    #[must_use]
    pub const fn counter(&self, block: u32) -> ([u32; 4], [u32; 2]) {
        (
            [block, (self.step << 8) | self.purpose as u32, self.generation, self.individual],
            [self.seed as u32, (self.seed >> 32) as u32],
        )
    }

    /// Words 4·`block` to 4·`block` + 3 of this address.
    #[must_use]
    pub const fn block(&self, block: u32) -> [u32; 4] {
        let (counter, seed) = self.counter(block);
        philox4x32_10(counter, seed)
    }

    /// The words of this address, one after another.
    #[must_use]
    pub fn stream(self) -> Philox {
        Philox::new(self)
    }

    /// A key of its own for part `tag` of the work at this address: the dropout mask of one batch,
    /// the initial values of one tensor.
    #[must_use]
    pub const fn derive(self, tag: u64) -> Self {
        let here = self.block(u32::MAX);
        let words =
            philox4x32_10([here[0], here[1], tag as u32, (tag >> 32) as u32], [here[2], here[3]]);
        Self::new((words[0] as u64) | ((words[1] as u64) << 32), Purpose::Derived)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_coordinate_changes_the_words() {
        let key = Key::new(1, Purpose::Mutation).generation(2).step(3).individual(4);
        let others = [
            Key { seed: 1 << 32 | 1, ..key },
            Key { purpose: Purpose::Parents, ..key },
            key.generation(3),
            key.step(4),
            key.individual(5),
            key.derive(0),
            key.derive(1),
            key.derive(1 << 32),
        ];
        let mut seen = HashSet::from([key.block(0), key.block(1)]);
        for other in others {
            assert!(seen.insert(other.block(0)), "{other:?} repeats another address");
        }
    }
}

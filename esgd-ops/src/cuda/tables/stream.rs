//! A key as the kernels take it: the twin of `../kernels/philox.cuh`.
//!
//! Of Philox's counter only the first word, the block, differs between the numbers of a key. Two
//! rounds carry it into all four words; what they do to the other three is done here, once.

use esgd_core::rng::Key;

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;

/// What the first two rounds make of a key without its blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(16))]
pub(crate) struct Start([u32; 4]);

/// The keys of rounds 2 to 9, two words each. They depend on the seed alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct RoundKeys([u32; 16]);

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Stream {
    start: Start,
    rounds: RoundKeys,
}

impl From<Key> for Stream {
    fn from(key: Key) -> Self {
        Self { start: Start::from(key), rounds: RoundKeys::from(key) }
    }
}

impl From<Key> for Start {
    /// Rounds 0 and 1 on [b, s, g, i] with b unknown: the first product of round 0 is left to the
    /// kernel, and so are the words it reaches.
    fn from(key: Key) -> Self {
        let ([_, step, generation, individual], seed) = key.counter(0);
        let (high, low) = multiply(M1, generation);
        let (first, second) = multiply(M0, high ^ step ^ seed[0]);
        let seed_1 = round_key(seed, 1);
        Self([individual ^ seed[1], low ^ seed_1[0], first ^ seed_1[1], second])
    }
}

impl From<Key> for RoundKeys {
    fn from(key: Key) -> Self {
        let (_, seed) = key.counter(0);
        Self(std::array::from_fn(|k| round_key(seed, 2 + k as u32 / 2)[k % 2]))
    }
}

impl RoundKeys {
    /// The words of round 2, from which the others follow.
    pub(crate) fn first(&self) -> [u32; 2] {
        [self.0[0], self.0[1]]
    }
}

/// Cuts `keys` where the seed changes: the keys of a launch share their round keys.
pub(crate) fn runs_of_one_seed(keys: &[Key]) -> impl Iterator<Item = &[Key]> {
    keys.chunk_by(|a, b| a.counter(0).1 == b.counter(0).1)
}

fn round_key(seed: [u32; 2], round: u32) -> [u32; 2] {
    [seed[0].wrapping_add(round.wrapping_mul(W0)), seed[1].wrapping_add(round.wrapping_mul(W1))]
}

/// The upper and the lower half of a product.
fn multiply(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    ((product >> 32) as u32, product as u32)
}

#[cfg(test)]
mod tests {
    use esgd_core::rng::Purpose;
    use proptest::prelude::*;

    use super::*;

    /// What `philox` in `philox.cuh` does.
    fn block(stream: &Stream, block: u32) -> [u32; 4] {
        let (start, rounds) = (stream.start.0, stream.rounds.0);
        let (high, low) = multiply(M0, block);
        let other = multiply(M1, high ^ start[0]);
        let mut c = [other.0 ^ start[1], other.1, low ^ start[2], start[3]];
        for key in rounds.chunks(2) {
            let (p0, p1) = (multiply(M0, c[0]), multiply(M1, c[2]));
            c = [p1.0 ^ c[1] ^ key[0], p1.1, p0.0 ^ c[3] ^ key[1], p0.1];
        }
        c
    }

    proptest! {
        #[test]
        fn two_rounds_beforehand_and_eight_are_ten(seed: u64, g: u32, step: u32, j: u32, b: u32) {
            let key = Key::new(seed, Purpose::Mutation).generation(g as usize).step(step as usize);
            let key = key.individual(j as usize);
            prop_assert_eq!(block(&Stream::from(key), b), key.block(b));
        }
    }

    #[test]
    fn keys_of_one_seed_stay_together() {
        let key = Key::new(1, Purpose::Mutation);
        let other = Key::new(2, Purpose::Mutation);
        let keys = [key, key.individual(1), other, key];
        let lengths: Vec<_> = runs_of_one_seed(&keys).map(<[Key]>::len).collect();
        assert_eq!(lengths, [2, 1, 1]);
    }
}

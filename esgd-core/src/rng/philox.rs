//! Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw,
//! *Parallel Random Numbers: As Easy as 1, 2, 3* (SC 2011), section 3.3.

use std::convert::Infallible;

use rand_core::TryRng;

use super::Key;

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;
/// The Weyl constants: the golden ratio and √3 − 1, as 32-bit fractions.
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;

/// One block of four random words: ten rounds of Philox on `counter` under `key`.
#[must_use]
pub const fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    let mut round = 0;
    while round < 10 {
        let p0 = (M0 as u64) * (counter[0] as u64);
        let p1 = (M1 as u64) * (counter[2] as u64);
        counter = [
            (p1 >> 32) as u32 ^ counter[1] ^ key[0],
            p1 as u32,
            (p0 >> 32) as u32 ^ counter[3] ^ key[1],
            p0 as u32,
        ];
        key = [key[0].wrapping_add(W0), key[1].wrapping_add(W1)];
        round += 1;
    }
    counter
}

/// The words of one [`Key`] in order, as a generator for the `rand` ecosystem.
///
/// It holds 2³² blocks, that is 2³⁴ words, and then repeats.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use rand::RngExt;
///
/// let mut rng = Key::new(7, Purpose::Shuffle).stream();
/// let u: f64 = rng.random();
/// assert!((0.0..1.0).contains(&u));
/// ```
#[derive(Clone, Debug)]
pub struct Philox {
    key: Key,
    block: u32,
    words: [u32; 4],
    next: usize,
}

impl Philox {
    pub(super) fn new(key: Key) -> Self {
        Self { key, block: 0, words: [0; 4], next: 4 }
    }

    fn word(&mut self) -> u32 {
        if self.next == 4 {
            self.words = self.key.block(self.block);
            self.block = self.block.wrapping_add(1);
            self.next = 0;
        }
        self.next += 1;
        self.words[self.next - 1]
    }

    /// A uniform number in `[0, 1)` with 53 bits.
    pub fn unit(&mut self) -> f64 {
        let bits = (u64::from(self.word()) << 32) | u64::from(self.word());
        (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A uniform index below `n`, without bias (Lemire's multiplication, with rejection).
    ///
    /// Returns 0 where `n` is 0 or 1. `n` above 2³² is taken as 2³².
    pub fn below(&mut self, n: usize) -> usize {
        let n = (n as u64).min(1 << 32);
        if n < 2 {
            return 0;
        }
        let reject_below = (1u64 << 32) % n;
        loop {
            let product = u64::from(self.word()) * n;
            if product & 0xFFFF_FFFF >= reject_below {
                return (product >> 32) as usize;
            }
        }
    }

    /// Shuffles in place (Fisher and Yates), every order equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

impl TryRng for Philox {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from(self.word()) | (u64::from(self.word()) << 32))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(4) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand_core::Rng;

    use super::*;
    use crate::rng::Purpose;

    /// The three vectors for `philox4x32 10` in Random123's `tests/kat_vectors`.
    #[test]
    fn known_answers_of_random123() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox4x32_10(counter, key), expected);
        }
    }

    #[test]
    fn the_stream_is_the_blocks_in_order() {
        let key = Key::new(3, Purpose::Train).generation(5).individual(2);
        let mut stream = key.stream();
        let words: Vec<u32> = (0..8).map(|_| stream.next_u32()).collect();
        assert_eq!(words[..4], key.block(0));
        assert_eq!(words[4..], key.block(1));
    }

    #[test]
    fn below_reaches_every_index_equally() {
        let mut rng = Key::new(11, Purpose::Shuffle).stream();
        let mut seen = [0u32; 7];
        for _ in 0..70_000 {
            seen[rng.below(7)] += 1;
        }
        // Four standard deviations of a binomial count with n = 70,000 and p = 1/7.
        assert!(seen.iter().all(|&n| n.abs_diff(10_000) < 371), "{seen:?}");
    }

    #[test]
    fn shuffle_permutes() {
        let mut items: Vec<usize> = (0..50).collect();
        Key::new(1, Purpose::Shuffle).stream().shuffle(&mut items);
        let mut sorted = items.clone();
        sorted.sort_unstable();
        assert_ne!(items, sorted);
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }
}

//! 32 blocks of a key at a time: the unit in which the kernels draw.
//!
//! Word k of the 32 blocks is one array, so each step of Philox and of Box–Muller is a loop over
//! an array, which the compiler turns into vector instructions. 32 is wide enough to hide the
//! latency of Philox's chain of multiplications (16 halves the speed) and narrow enough for the
//! registers (64 halves it as well).

use std::ops::Range;

use esgd_core::rng::{Key, box_muller};

use crate::isa::prefetch;

/// Blocks drawn together.
const BLOCKS: usize = 32;

/// Numbers that a group has: four a block.
pub(crate) const NUMBERS: usize = 4 * BLOCKS;

/// Numbers that a key has: 2³² blocks of four.
pub(crate) const NUMBERS_PER_KEY: u64 = 1 << 34;

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;
const TWO_POW_MINUS_24: f32 = 1.0 / (1u32 << 24) as f32;

type Lanes = [u32; BLOCKS];

/// The words of blocks `first` to `first` + 31 of `key`, word k of each in array k.
///
/// Philox4x32-10, as `esgd_core::rng::philox4x32_10` has it.
#[inline(always)]
fn words(key: &Key, first: u32) -> [Lanes; 4] {
    // The counters differ in their first word alone: two rounds are the same for all, but for that
    // word's product.
    let (counter, mut seed) = key.counter(0);
    let blocks: Lanes = std::array::from_fn(|i| first.wrapping_add(i as u32));
    let (high0, low0) = multiply(M0, &blocks);
    let same = u64::from(M1) * u64::from(counter[2]);
    let shared0 = (same >> 32) as u32 ^ counter[1] ^ seed[0];
    let shared2: Lanes = std::array::from_fn(|i| high0[i] ^ counter[3] ^ seed[1]);
    seed = [seed[0].wrapping_add(W0), seed[1].wrapping_add(W1)];
    let (high1, low1) = multiply(M1, &shared2);
    let product = u64::from(M0) * u64::from(shared0);
    let mut c = [
        std::array::from_fn(|i| high1[i] ^ same as u32 ^ seed[0]),
        low1,
        std::array::from_fn(|i| (product >> 32) as u32 ^ low0[i] ^ seed[1]),
        [product as u32; BLOCKS],
    ];
    for _ in 2..10 {
        seed = [seed[0].wrapping_add(W0), seed[1].wrapping_add(W1)];
        let (high0, low0) = multiply(M0, &c[0]);
        let (high1, low1) = multiply(M1, &c[2]);
        c = [
            std::array::from_fn(|i| high1[i] ^ c[1][i] ^ seed[0]),
            low1,
            std::array::from_fn(|i| high0[i] ^ c[3][i] ^ seed[1]),
            low0,
        ];
    }
    c
}

/// The upper and the lower halves of 64-bit products.
#[inline(always)]
fn multiply(m: u32, x: &Lanes) -> (Lanes, Lanes) {
    let high = std::array::from_fn(|i| ((u64::from(m) * u64::from(x[i])) >> 32) as u32);
    (high, std::array::from_fn(|i| m.wrapping_mul(x[i])))
}

/// The 128 normal numbers of blocks `first` on.
#[inline(always)]
pub(crate) fn normals(key: &Key, first: u32) -> [f32; NUMBERS] {
    let w = words(key, first);
    let mut n = [[0.0; BLOCKS]; 4];
    for i in 0..BLOCKS {
        (n[0][i], n[1][i]) = box_muller(w[0][i], w[1][i]);
    }
    for i in 0..BLOCKS {
        (n[2][i], n[3][i]) = box_muller(w[2][i], w[3][i]);
    }
    interleave(&n)
}

/// The 128 uniform numbers of blocks `first` on.
#[inline(always)]
pub(crate) fn uniforms(key: &Key, first: u32) -> [f32; NUMBERS] {
    let words = plain_words(key, first);
    let mut out = [0.0; NUMBERS];
    for i in 0..NUMBERS {
        out[i] = unit(words[i]);
    }
    out
}

/// The 128 words of blocks `first` on.
#[inline(always)]
pub(crate) fn plain_words(key: &Key, first: u32) -> [u32; NUMBERS] {
    interleave(&words(key, first))
}

/// A word as a number in [0, 1): its upper 24 bits, exact in `f32`.
#[inline(always)]
pub(crate) fn unit(word: u32) -> f32 {
    (word >> 8) as i32 as f32 * TWO_POW_MINUS_24
}

#[inline(always)]
fn interleave<T: Copy + Default>(n: &[[T; BLOCKS]; 4]) -> [T; NUMBERS] {
    let mut out = [T::default(); NUMBERS];
    for i in 0..BLOCKS {
        for k in 0..4 {
            out[4 * i + k] = n[k][i];
        }
    }
    out
}

/// A piece of a stretch of numbers: what one group has of it.
pub(crate) struct Piece {
    /// The first block of the group.
    pub(crate) block: u32,
    /// The piece's place in the stretch.
    pub(crate) here: Range<usize>,
    /// Numbers of the group that come before the piece.
    skip: usize,
}

impl Piece {
    /// The piece's part of a group's numbers.
    #[inline(always)]
    pub(crate) fn of<'a, T>(&self, group: &'a [T; NUMBERS]) -> &'a [T] {
        &group[self.skip..self.skip + self.here.len()]
    }

    /// Asks for the memory of the piece after this one, to be written.
    #[inline(always)]
    pub(crate) fn prefetch_next(&self, out: &[f32]) {
        let next = &out[self.here.end..];
        prefetch(&next[..next.len().min(NUMBERS)]);
    }
}

/// Cuts numbers `offset` to `offset + length` of a key into the pieces that groups have of it.
///
/// An offset inside a block takes that block's end first; all pieces but that and the last are whole
/// groups. An iterator rather than a function that takes closures: those would be compiled without
/// the vector instructions of the kernel that they are written in.
///
/// # Panics
/// If `offset + length` exceeds the numbers that a key has.
#[inline(always)]
pub(crate) fn pieces(offset: u64, length: usize) -> impl Iterator<Item = Piece> {
    assert_numbers(offset, length);
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = offset + at as u64;
        let skip = (first % 4) as usize;
        let most = if skip == 0 { NUMBERS } else { 4 - skip };
        let here = at..length.min(at + most);
        at = here.end;
        (!here.is_empty()).then_some(Piece { block: (first / 4) as u32, here, skip })
    })
}

/// That a key has the numbers asked for.
pub(crate) fn assert_numbers(offset: u64, length: usize) {
    let end = offset.checked_add(length as u64);
    assert!(end.is_some_and(|end| end <= NUMBERS_PER_KEY), "a key has 2^34 numbers, not more");
}

#[cfg(test)]
mod tests {
    use esgd_core::rng::Purpose;

    use super::*;

    #[test]
    fn words_are_philoxs() {
        let key = Key::new(0x1234_5678_9ABC, Purpose::Mutation).generation(3).step(2).individual(1);
        for first in [0, 1, 77, u32::MAX - 31, u32::MAX - 3] {
            let words = plain_words(&key, first);
            for (i, block) in words.chunks(4).enumerate() {
                assert_eq!(
                    block,
                    key.block(first.wrapping_add(i as u32)),
                    "block {i} from {first}"
                );
            }
        }
    }
}

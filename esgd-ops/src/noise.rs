//! Normal and uniform numbers by address: each is a pure function of (key, index).
//!
//! The words are Philox's ([`Key::block`]); the normals are made of them by the transform of Box
//! and Muller. Block b of a key holds its numbers 4b to 4b + 3, so any piece of the sequence can be
//! had without the rest.

use esgd_core::rng::Key;

use crate::{
    group,
    isa::{Isa, vectorized},
};

/// Writes standard normal number `offset + i` of `key` to `out[i]`, for every i.
///
/// Words (w₀, w₁) of a block make its first two numbers, (w₂, w₃) the other two
/// ([`reference::normal`](crate::reference::normal) has the formula). Each operation is one that
/// IEEE 754 rounds exactly: every processor and every GPU gives the same bits. No number is larger
/// than 6.67 in magnitude.
///
/// # Panics
/// If `offset + out.len()` exceeds 2³⁴, the numbers that a key has.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::noise::normals;
///
/// let key = Key::new(7, Purpose::Mutation);
/// let (mut whole, mut piece) = ([0.0; 10], [0.0; 4]);
/// normals(key, 0, &mut whole);
/// normals(key, 3, &mut piece);
/// assert_eq!(whole[3..7], piece);
/// ```
pub fn normals(key: Key, offset: u64, out: &mut [f32]) {
    normals_by(Isa::best(), &key, offset, out);
}

/// Writes uniform number `offset + i` of `key`, in `[0, 1)`, to `out[i]`, for every i.
///
/// Number n is the upper 24 bits of word n of the key, over 2²⁴: exact in `f32`, and never 1.
///
/// # Panics
/// If `offset + out.len()` exceeds 2³⁴, the numbers that a key has.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::noise::uniforms;
///
/// let mut mask = [0.0; 100];
/// uniforms(Key::new(7, Purpose::Train), 0, &mut mask);
/// assert!(mask.iter().all(|u| (0.0..1.0).contains(u)));
/// ```
pub fn uniforms(key: Key, offset: u64, out: &mut [f32]) {
    uniforms_by(Isa::best(), &key, offset, out);
}

vectorized! {
    fn normals_by(key: &Key, offset: u64, out: &mut [f32]) {
        group::for_each(key, offset, out.len(), group::normals, |at, numbers| {
            out[at..at + numbers.len()].copy_from_slice(numbers);
        });
    }
}

vectorized! {
    fn uniforms_by(key: &Key, offset: u64, out: &mut [f32]) {
        group::for_each(key, offset, out.len(), group::uniforms, |at, numbers| {
            out[at..at + numbers.len()].copy_from_slice(numbers);
        });
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::rng::Purpose;
    use proptest::prelude::*;

    use super::*;

    const N: usize = 1_000_000;
    const KEY: Key = Key::new(2018, Purpose::Mutation).generation(3).individual(5);

    /// The mean of `terms` differs from `expected` by less than five standard errors, where one
    /// term has the given variance.
    fn assert_mean(what: &str, terms: impl Iterator<Item = f64>, expected: f64, variance: f64) {
        let (count, sum) = terms.fold((0.0, 0.0), |(count, sum), term| (count + 1.0, sum + term));
        let errors = (sum / count - expected).abs() / (variance / count).sqrt();
        assert!(errors < 5.0, "{what}: {errors} standard errors from {expected}");
    }

    fn million(key: Key, numbers: fn(Key, u64, &mut [f32])) -> Vec<f64> {
        let mut out = vec![0.0; N];
        numbers(key, 0, &mut out);
        out.into_iter().map(f64::from).collect()
    }

    #[test]
    fn normals_have_the_moments_of_the_normal_distribution() {
        let x = million(KEY, normals);
        // The variance of x^k is E x^2k − (E x^k)².
        assert_mean("mean", x.iter().copied(), 0.0, 1.0);
        assert_mean("second moment", x.iter().map(|x| x.powi(2)), 1.0, 2.0);
        assert_mean("third moment", x.iter().map(|x| x.powi(3)), 0.0, 15.0);
        assert_mean("fourth moment", x.iter().map(|x| x.powi(4)), 3.0, 96.0);
        // The share beyond two standard deviations, and the variance of that indicator.
        let beyond = x.iter().map(|x| f64::from(x.abs() > 2.0));
        assert_mean("tails", beyond, 0.045_500_264, 0.043_43);
    }

    #[test]
    fn normals_are_uncorrelated() {
        let x = million(KEY, normals);
        for lag in 1..=8 {
            // The squares too: a pair of Box and Muller shares its radius.
            let pairs = || x.iter().zip(&x[lag..]);
            assert_mean(&format!("lag {lag}"), pairs().map(|(a, b)| a * b), 0.0, 1.0);
            let squares = pairs().map(|(a, b)| (a * a - 1.0) * (b * b - 1.0));
            assert_mean(&format!("squares, lag {lag}"), squares, 0.0, 4.0);
        }
        let others = [KEY.individual(6), KEY.generation(4), KEY.step(1), KEY.derive(0)];
        for other in others {
            let y = million(other, normals);
            let products = x.iter().zip(&y).map(|(a, b)| a * b);
            assert_mean(&format!("{other:?}"), products, 0.0, 1.0);
        }
    }

    #[test]
    fn uniforms_are_uniform() {
        let u = million(KEY, uniforms);
        assert!(u.iter().all(|u| (0.0..1.0).contains(u)));
        assert_mean("mean", u.iter().copied(), 0.5, 1.0 / 12.0);
        assert_mean("second moment", u.iter().map(|u| u * u), 1.0 / 3.0, 4.0 / 45.0);
        let lagged = u.iter().zip(&u[1..]).map(|(a, b)| (a - 0.5) * (b - 0.5));
        assert_mean("lag 1", lagged, 0.0, 1.0 / 144.0);
    }

    #[test]
    fn the_extreme_words_make_finite_numbers() {
        for w0 in [0, u32::MAX] {
            for w1 in [0, 1 << 30, 1 << 31, u32::MAX] {
                let (a, b) = box_muller(w0, w1);
                assert!(a.abs() < 6.77 && b.abs() < 6.77, "{w0} {w1}: {a} {b}");
            }
        }
    }

    #[test]
    fn the_last_numbers_of_a_key_can_be_had() {
        let (mut last, mut aligned) = ([0.0; 6], [0.0; 4]);
        normals(KEY, NUMBERS_PER_KEY - 6, &mut last);
        normals(KEY, NUMBERS_PER_KEY - 4, &mut aligned);
        assert_eq!(last[2..], aligned);
        normals(KEY, NUMBERS_PER_KEY, &mut []);
    }

    #[test]
    #[should_panic(expected = "a key has 2^34 numbers")]
    fn a_key_has_no_more_than_its_numbers() {
        uniforms(KEY, NUMBERS_PER_KEY - 3, &mut [0.0; 4]);
    }

    proptest! {
        #[test]
        fn any_segmentation_gives_the_same_bits(
            seed: u64,
            offset in prop_oneof![0..64u64, 0..NUMBERS_PER_KEY - 400],
            lengths in prop::collection::vec(0..40usize, 0..10),
        ) {
            let key = Key::new(seed, Purpose::Mutation);
            for numbers in [normals, uniforms] {
                let mut whole = vec![0.0; lengths.iter().sum()];
                numbers(key, offset, &mut whole);
                let mut start = 0;
                for &length in &lengths {
                    let mut piece = vec![0.0; length];
                    numbers(key, offset + start as u64, &mut piece);
                    prop_assert_eq!(&whole[start..start + length], &piece[..]);
                    start += length;
                }
            }
        }
    }
}

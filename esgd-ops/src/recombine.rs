//! Offspring of several parents: intermediate recombination with Gaussian mutation, equation 12 of
//! Cui, Zhang, Tüske and Picheny, *Evolutionary Stochastic Gradient Descent for Optimization of
//! Deep Neural Networks* (NeurIPS 2018).
//!
//! θ = (1/ρ) Σ θⱼ + ε, with ε ~ N(0, σ²). The order of operations is part of the interface, so that
//! an offspring can be made anew anywhere, to the bit.

use esgd_core::rng::Key;

use crate::noise::normals;
use crate::optimizer::squared_norm;

/// Numbers worked on at a time: small enough that a tile of the offspring and its noise stay in the
/// first-level cache, and the noise on the stack.
const TILE: usize = 512;

/// Writes the offspring of ρ = `parents.len()` parents to `out`: their mean plus `sigma` times
/// standard normal noise.
///
/// `out[i] = ((p₀[i] + p₁[i] + …) / ρ) + (σ · ε[i])`, where `ε[i]` is normal number `offset + i` of
/// `key` ([`normals`]). Each operation is one in `f32`, rounded on its own (no fused multiply-add),
/// the sum from the first parent on. With σ = 0 no noise is drawn and the result is that of
/// [`mean`].
///
/// All slices have one length: a tensor's, or that of any piece of it with `offset` moved
/// accordingly. `sigma` is in the units of the parameters, from 0 up.
///
/// # Panics
/// If there are no parents, a parent differs from `out` in length, or `offset + out.len()` exceeds
/// 2³⁴, the numbers that a key has.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::noise::normals;
/// use esgd_ops::recombine::intermediate;
///
/// let key = Key::new(7, Purpose::Mutation).individual(3);
/// let (mut theta, mut noise) = ([0.0; 2], [0.0; 2]);
/// intermediate(&[&[1.0, 2.0], &[3.0, 6.0]], 0.5, key, 0, &mut theta);
/// normals(key, 0, &mut noise);
/// assert_eq!(theta, [2.0 + 0.5 * noise[0], 4.0 + 0.5 * noise[1]]);
/// ```
pub fn intermediate(parents: &[&[f32]], sigma: f32, key: Key, offset: u64, out: &mut [f32]) {
    if sigma == 0.0 {
        return mean(parents, out);
    }
    assert_lengths(parents, out);
    let mut noise = [0.0; TILE];
    for (start, tile) in (0..).step_by(TILE).zip(out.chunks_mut(TILE)) {
        mean_from(parents, start, tile);
        let noise = &mut noise[..tile.len()];
        normals(key, offset + start as u64, noise);
        for (x, &epsilon) in tile.iter_mut().zip(&*noise) {
            *x += sigma * epsilon;
        }
    }
}

/// Writes the mean of the parents to `out`: recombination without mutation.
///
/// It is for what a network measures rather than learns, such as the running variance of batch
/// normalisation, which noise could make negative. `out[i] = (p₀[i] + p₁[i] + …) / ρ` in `f32`, the
/// sum from the first parent on; one parent is copied exactly.
///
/// # Panics
/// If there are no parents, or a parent differs from `out` in length.
///
/// ```
/// let mut variance = [0.0; 2];
/// esgd_ops::recombine::mean(&[&[1.0, 0.5], &[2.0, 0.5]], &mut variance);
/// assert_eq!(variance, [1.5, 0.5]);
/// ```
pub fn mean(parents: &[&[f32]], out: &mut [f32]) {
    assert_lengths(parents, out);
    for (start, tile) in (0..).step_by(TILE).zip(out.chunks_mut(TILE)) {
        mean_from(parents, start, tile);
    }
}

/// The root mean square of `values`, at least 0, in their units; 0 for no values.
///
/// It gives σ the scale of the tensor that it mutates. The sum is [`squared_norm`], in `f64`.
///
/// ```
/// assert_eq!(esgd_ops::recombine::rms(&[3.0, -4.0, 0.0, 0.0]), 2.5);
/// ```
#[must_use]
pub fn rms(values: &[f32]) -> f32 {
    (squared_norm(values) / values.len().max(1) as f64).sqrt() as f32
}

fn assert_lengths(parents: &[&[f32]], out: &[f32]) {
    assert!(!parents.is_empty(), "an offspring needs at least one parent");
    for (j, parent) in parents.iter().enumerate() {
        assert_eq!(parent.len(), out.len(), "parent {j} differs in length from the offspring");
    }
}

/// The mean of the parents' elements from `start` on, as many as `tile` holds.
fn mean_from(parents: &[&[f32]], start: usize, tile: &mut [f32]) {
    let here = start..start + tile.len();
    tile.copy_from_slice(&parents[0][here.clone()]);
    for parent in &parents[1..] {
        for (sum, &x) in tile.iter_mut().zip(&parent[here.clone()]) {
            *sum += x;
        }
    }
    let rho = parents.len() as f32;
    for sum in tile {
        *sum /= rho;
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::rng::Purpose;
    use proptest::prelude::*;

    use super::*;

    /// Between 1 and 5 parents of one length, around the size of a tile.
    fn families() -> impl Strategy<Value = Vec<Vec<f32>>> {
        (1..=5usize, prop_oneof![0..20usize, TILE - 2..TILE + 3, 2 * TILE..2 * TILE + 9])
            .prop_flat_map(|(rho, length)| {
                prop::collection::vec(prop::collection::vec(-1e3f32..1e3, length), rho)
            })
    }

    fn slices(parents: &[Vec<f32>]) -> Vec<&[f32]> {
        parents.iter().map(Vec::as_slice).collect()
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|x| x.to_bits()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_the_equation(parents in families(), sigma in 0.001f32..2.0, offset in 0..99u64) {
            let key = Key::new(9, Purpose::Mutation);
            let length = parents[0].len();
            let (mut out, mut noise) = (vec![0.0; length], vec![0.0; length]);
            intermediate(&slices(&parents), sigma, key, offset, &mut out);
            normals(key, offset, &mut noise);
            for i in 0..length {
                let sum = parents[1..].iter().fold(parents[0][i], |sum, parent| sum + parent[i]);
                let expected = sum / parents.len() as f32 + sigma * noise[i];
                prop_assert_eq!(out[i].to_bits(), expected.to_bits());
            }
        }

        #[test]
        fn without_noise_it_is_the_mean(parents in families()) {
            let mut mutated = vec![0.0; parents[0].len()];
            let mut averaged = mutated.clone();
            // An offset with no numbers left: drawing one would panic.
            let key = Key::new(9, Purpose::Mutation);
            intermediate(&slices(&parents), 0.0, key, 1 << 34, &mut mutated);
            mean(&slices(&parents), &mut averaged);
            prop_assert_eq!(bits(&mutated), bits(&averaged));
        }

        #[test]
        fn the_mean_lies_between_the_parents(parents in families()) {
            let mut out = vec![0.0; parents[0].len()];
            mean(&slices(&parents), &mut out);
            for (i, x) in out.iter().enumerate() {
                let low = parents.iter().map(|p| p[i]).fold(f32::INFINITY, f32::min);
                let high = parents.iter().map(|p| p[i]).fold(f32::NEG_INFINITY, f32::max);
                let slack = 1e-6 * low.abs().max(high.abs()) * parents.len() as f32;
                prop_assert!((low - slack..=high + slack).contains(x));
            }
        }

        #[test]
        fn pieces_of_a_tensor_make_the_whole(parents in families(), cut in 0.0..1.0) {
            let key = Key::new(9, Purpose::Mutation).individual(2);
            let length = parents[0].len();
            let cut = (cut * length as f64) as usize;
            let (mut whole, mut pieces) = (vec![0.0; length], vec![0.0; length]);
            intermediate(&slices(&parents), 0.1, key, 5, &mut whole);
            let (left, right) = pieces.split_at_mut(cut);
            let lefts: Vec<_> = parents.iter().map(|p| &p[..cut]).collect();
            let rights: Vec<_> = parents.iter().map(|p| &p[cut..]).collect();
            intermediate(&lefts, 0.1, key, 5, left);
            intermediate(&rights, 0.1, key, 5 + cut as u64, right);
            prop_assert_eq!(bits(&whole), bits(&pieces));
        }
    }

    #[test]
    fn one_parent_is_copied_exactly() {
        let parent = [-0.0, f32::MIN_POSITIVE / 2.0, f32::MAX, f32::NEG_INFINITY, 0.1];
        let mut copy = [1.0; 5];
        intermediate(&[&parent], 0.0, Key::new(1, Purpose::Mutation), 0, &mut copy);
        assert_eq!(bits(&copy), bits(&parent));
    }

    #[test]
    #[should_panic(expected = "parent 1 differs in length")]
    fn parents_of_other_lengths_are_a_mistake() {
        mean(&[&[1.0, 2.0], &[1.0]], &mut [0.0; 2]);
    }

    #[test]
    fn the_rms_of_large_values_does_not_overflow() {
        assert_eq!(rms(&[]), 0.0);
        assert_eq!(rms(&[f32::MAX; 3]), f32::MAX);
        let x = [0.1f32; 100_000];
        assert!((rms(&x) - 0.1).abs() < 1e-8);
    }
}

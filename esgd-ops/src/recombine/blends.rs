//! The loops of recombination, 128 numbers at a time: a blend of the parents' values, and the noise.

use esgd_core::{plan::definition::crossover_key, rng::Key};

use crate::{
    group::{self, NUMBERS},
    isa::vectorized,
};

vectorized! {
    pub(super) fn mean_by(parents: &[&[f32]], out: &mut [f32]) {
        for (k, out) in out.chunks_mut(NUMBERS).enumerate() {
            mean_at(parents, k * NUMBERS, out);
        }
    }
}

vectorized! {
    pub(super) fn mutated_mean_by(
        parents: &[&[f32]],
        sigma: f32,
        key: &Key,
        offset: u64,
        out: &mut [f32],
    ) {
        for piece in group::pieces(offset, out.len()) {
            piece.prefetch_next(out);
            let noise = group::normals(key, piece.block);
            let mut theta = [0.0; NUMBERS];
            let theta = &mut theta[..piece.here.len()];
            mean_at(parents, piece.here.start, theta);
            mutated(theta, sigma, piece.of(&noise), &mut out[piece.here.clone()]);
        }
    }
}

vectorized! {
    pub(super) fn weighted_by(parents: &[&[f32]], weights: &[f32], out: &mut [f32]) {
        for (k, out) in out.chunks_mut(NUMBERS).enumerate() {
            weighted_at(parents, weights, k * NUMBERS, out);
        }
    }
}

vectorized! {
    pub(super) fn mutated_weighted_by(
        parents: &[&[f32]],
        weights: &[f32],
        sigma: f32,
        key: &Key,
        offset: u64,
        out: &mut [f32],
    ) {
        for piece in group::pieces(offset, out.len()) {
            piece.prefetch_next(out);
            let noise = group::normals(key, piece.block);
            let mut theta = [0.0; NUMBERS];
            let theta = &mut theta[..piece.here.len()];
            weighted_at(parents, weights, piece.here.start, theta);
            mutated(theta, sigma, piece.of(&noise), &mut out[piece.here.clone()]);
        }
    }
}

vectorized! {
    pub(super) fn crossover_by(
        parents: &[&[f32]],
        sigma: f32,
        key: &Key,
        offset: u64,
        out: &mut [f32],
    ) {
        let choice = crossover_key(*key);
        for piece in group::pieces(offset, out.len()) {
            piece.prefetch_next(out);
            let words = group::plain_words(&choice, piece.block);
            let out = &mut out[piece.here.clone()];
            chosen_at(parents, piece.here.start, piece.of(&words), out);
            if sigma != 0.0 {
                let noise = group::normals(key, piece.block);
                mutate(out, sigma, piece.of(&noise));
            }
        }
    }
}

/// The mean of the parents' values from `at` on, as many as `out` holds.
#[inline(always)]
fn mean_at(parents: &[&[f32]], at: usize, out: &mut [f32]) {
    let here = at..at + out.len();
    if let [a, b] = parents {
        for ((x, a), b) in out.iter_mut().zip(&a[here.clone()]).zip(&b[here]) {
            *x = (a + b) * 0.5;
        }
        return;
    }
    out.copy_from_slice(&parents[0][here.clone()]);
    for parent in &parents[1..] {
        for (sum, theta) in out.iter_mut().zip(&parent[here.clone()]) {
            *sum += theta;
        }
    }
    let rho = parents.len() as f32;
    if parents.len().is_power_of_two() {
        // 1/ρ is exact, so a product rounds as the quotient does, and is faster.
        let share = 1.0 / rho;
        out.iter_mut().for_each(|sum| *sum *= share);
    } else {
        out.iter_mut().for_each(|sum| *sum /= rho);
    }
}

/// The weighted sum of the parents' values from `at` on, as many as `out` holds.
#[inline(always)]
pub(crate) fn weighted_at(parents: &[&[f32]], weights: &[f32], at: usize, out: &mut [f32]) {
    let here = at..at + out.len();
    for (sum, theta) in out.iter_mut().zip(&parents[0][here.clone()]) {
        *sum = weights[0] * theta;
    }
    for (parent, w) in parents[1..].iter().zip(&weights[1..]) {
        for (sum, theta) in out.iter_mut().zip(&parent[here.clone()]) {
            *sum = w.mul_add(*theta, *sum);
        }
    }
}

/// From `at` on, the value of the parent that each word chooses: parent ⌊word ρ / 2³²⌋.
#[inline(always)]
fn chosen_at(parents: &[&[f32]], at: usize, words: &[u32], out: &mut [f32]) {
    let here = at..at + out.len();
    out.copy_from_slice(&parents[0][here.clone()]);
    // Parent by parent, where the draw has reached it: a vector blend instead of a gather. It
    // reaches parent j from the least word with word ρ ≥ j 2³² on.
    for (j, parent) in (1u64..).zip(&parents[1..]) {
        let least = (j << 32).div_ceil(parents.len() as u64) as u32;
        for ((x, theta), word) in out.iter_mut().zip(&parent[here.clone()]).zip(words) {
            *x = if *word >= least { *theta } else { *x };
        }
    }
}

/// Writes `theta` plus `sigma` times the noise to `out`: the one time that memory far from the
/// processor is touched, for which `theta` is a buffer in the nearest cache.
#[inline(always)]
fn mutated(theta: &[f32], sigma: f32, noise: &[f32], out: &mut [f32]) {
    for ((x, theta), epsilon) in out.iter_mut().zip(theta).zip(noise) {
        *x = sigma.mul_add(*epsilon, *theta);
    }
}

/// Adds `sigma` times the noise.
#[inline(always)]
pub(crate) fn mutate(theta: &mut [f32], sigma: f32, noise: &[f32]) {
    for (x, epsilon) in theta.iter_mut().zip(noise) {
        *x = sigma.mul_add(*epsilon, *x);
    }
}

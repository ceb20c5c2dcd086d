//! What every kernel computes, one number at a time, in plain words.
//!
//! These are the definitions: each kernel, on every processor and on a GPU, gives the same bits,
//! and the tests compare them. Where a result is not a number, which of those it is stays undefined.
//! Only the [`layers`] of a network agree with theirs within rounding. Written to be read, not to be fast. An expression is evaluated as it
//! stands, each operation rounded once to `f32`; `a.mul_add(b, c)` is a·b + c rounded once.
//!
//! `i` is the index of a parameter in its network: tensors follow one another, so a tensor's
//! first parameter has the number of parameters before it. A key has 2³⁴ numbers, the four words of
//! each of 2³² blocks: after that they repeat, and the kernels refuse a network as large.

pub mod layers;

use esgd_core::rng::{Key, box_muller};

use crate::group::unit;

/// Normal number `i` of `key`, standard normal.
///
/// Philox gives block ⌊i/4⌋ four words. (w₀, w₁) make its numbers 0 and 1, (w₂, w₃) 2 and 3: with
/// u = (⌊w₀/2⌋ + ½) / 2³¹ and r = √(−2 ln u), Box and Muller's numbers are r cos φ and r sin φ. φ
/// is made of w₁: its lower 30 bits are the angle within a quarter of the circle, its upper two
/// which quarter.
#[must_use]
pub fn normal(key: Key, i: u64) -> f32 {
    let [w0, w1, w2, w3] = key.block((i / 4) as u32);
    let (a, b) = pair(w0, w1);
    let (c, d) = pair(w2, w3);
    [a, b, c, d][(i % 4) as usize]
}

/// The two normal numbers of two words.
#[must_use]
pub fn pair(w0: u32, w1: u32) -> (f32, f32) {
    box_muller(w0, w1)
}

/// Uniform number `i` of `key`, in `[0, 1)`: the upper 24 bits of its word, over 2²⁴.
#[must_use]
pub fn uniform(key: Key, i: u64) -> f32 {
    unit(word(key, i))
}

/// Word `i` of `key`.
fn word(key: Key, i: u64) -> u32 {
    key.block((i / 4) as u32)[(i % 4) as usize]
}

/// Intermediate recombination: the mean of the parents' values, (1/ρ) Σⱼ θⱼ of eq. 12 in the ESGD
/// paper, the sum from the first parent on.
///
/// # Panics
/// If there are no parents.
#[must_use]
pub fn mean(parents: &[f32]) -> f32 {
    let sum = parents[1..].iter().fold(parents[0], |sum, theta| sum + theta);
    sum / parents.len() as f32
}

/// Weighted recombination Σⱼ wⱼ θⱼ: the mean of CMA-ES, m = Σ wⱼ x₍ⱼ:λ₎ (Hansen, *The CMA Evolution
/// Strategy: A Tutorial*, arXiv:1604.00772, eq. 6). The weights are used as they are.
///
/// # Panics
/// If there are no parents, or not one weight a parent.
#[must_use]
pub fn weighted(parents: &[f32], weights: &[f32]) -> f32 {
    assert_eq!(parents.len(), weights.len(), "there is not one weight for each parent");
    let first = weights[0] * parents[0];
    let rest = parents[1..].iter().zip(&weights[1..]);
    rest.fold(first, |sum, (theta, w)| w.mul_add(*theta, sum))
}

/// Uniform crossover (Syswerda, *Uniform Crossover in Genetic Algorithms*, ICGA 1989), for any
/// number of parents: each value comes from one of them, all equally likely. `key` is the
/// offspring's; the draws come from a key derived from it, as its own numbers are the mutation.
///
/// # Panics
/// If there are no parents.
#[must_use]
pub fn crossover(parents: &[f32], key: Key, i: u64) -> f32 {
    let draw = u64::from(word(crossover_key(key), i));
    parents[((draw * parents.len() as u64) >> 32) as usize]
}

/// The key that the choices of uniform crossover come from.
#[must_use]
pub const fn crossover_key(key: Key) -> Key {
    key.derive(0)
}

/// Gaussian mutation, the second term of eq. 12: θ + ε with ε ~ N(0, σ²). With σ = 0 nothing is
/// drawn and θ stays as it is, to the bit.
#[must_use]
pub fn mutate(theta: f32, sigma: f32, key: Key, i: u64) -> f32 {
    if sigma == 0.0 { theta } else { sigma.mul_add(normal(key, i), theta) }
}

/// The antithetic pair θ + σε and θ − σε (mirrored sampling: Salimans et al., *Evolution Strategies
/// as a Scalable Alternative to Reinforcement Learning*, arXiv:1703.03864, section 2.1).
#[must_use]
pub fn antithetic(theta: f32, sigma: f32, key: Key, i: u64) -> (f32, f32) {
    (mutate(theta, sigma, key, i), mutate(theta, -sigma, key, i))
}

/// Σⱼ wⱼ εⱼ, with ε made anew from the keys: the sum in OpenAI-ES's gradient estimate
/// 1/(nσ) Σ Fⱼ εⱼ (arXiv:1703.03864, algorithm 1), and in PEPG's.
///
/// # Panics
/// If there is not one weight a key.
#[must_use]
pub fn weighted_noise(keys: &[Key], weights: &[f32], i: u64) -> f32 {
    assert_eq!(keys.len(), weights.len(), "there is not one weight for each key");
    let terms = keys.iter().zip(weights);
    terms.fold(0.0, |sum, (key, w)| w.mul_add(normal(*key, i), sum))
}

/// Differential evolution's trial value (Storn and Price, *Differential Evolution*, Journal of
/// Global Optimization 11, 1997, eqs. 2 to 4): a + F (b − c) with probability `cr` and at index
/// `forced`, else the target's own x.
#[must_use]
pub fn trial(x: f32, [a, b, c]: [f32; 3], f: f32, cr: f32, forced: u64, key: Key, i: u64) -> f32 {
    let mutant = f.mul_add(b - c, a);
    if uniform(key, i) < cr || i == forced { mutant } else { x }
}

/// One step of a particle (Shi and Eberhart, *A Modified Particle Swarm Optimizer*, 1998, eqs. 1a
/// and 2): v ← w v + c₁ r₁ (p − x) + c₂ r₂ (g − x) and x ← x + v, with r₁ and r₂ uniform and drawn
/// for each parameter. Returns (x, v).
#[must_use]
pub fn particle(
    (x, v): (f32, f32),
    (own_best, swarm_best): (f32, f32),
    [w, c1, c2]: [f32; 3],
    key: Key,
    i: u64,
) -> (f32, f32) {
    let (r1, r2) = (uniform(key, i), uniform(second_key(key), i));
    let towards_own = (c1 * r1).mul_add(own_best - x, w * v);
    let v = (c2 * r2).mul_add(swarm_best - x, towards_own);
    (x + v, v)
}

/// The key of a particle's second set of uniform numbers.
#[must_use]
pub const fn second_key(key: Key) -> Key {
    key.derive(1)
}

/// Σ x², in `f64`, in an order that a vector unit and a GPU can follow.
///
/// The values are cut into tiles of 4096. In a tile, partial sum l of 256 adds the squares of
/// values l, l + 256, …, which are exact; then the upper half of the partial sums is added to the
/// lower until one is left. The sums of the tiles are added in the same way.
#[must_use]
pub fn squared_norm(values: &[f32]) -> f64 {
    let mut sums: Vec<f64> = values.iter().map(|&x| f64::from(x) * f64::from(x)).collect();
    loop {
        sums = sums.chunks(4096).map(tile_sum).collect();
        if sums.len() <= 1 {
            return sums.first().copied().unwrap_or(0.0);
        }
    }
}

fn tile_sum(tile: &[f64]) -> f64 {
    let mut partial = [0.0; 256];
    for (i, x) in tile.iter().enumerate() {
        partial[i % 256] += x;
    }
    let mut half = 128;
    while half > 0 {
        for l in 0..half {
            partial[l] += partial[l + half];
        }
        half /= 2;
    }
    partial[0]
}

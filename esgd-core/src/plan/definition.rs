//! What each operation computes, one number at a time, in plain words.
//!
//! These are the definitions: each kernel, on every processor and on a GPU, gives the same bits, and tests
//! compare them. Where a result is not a number, which of those it is stays undefined. Written to be read,
//! not to be fast. An expression is evaluated as it stands, each operation rounded once;
//! `a.mul_add(b, c)` is a·b + c rounded once.
//!
//! `i` is the index of a value in its network: tensors follow one another, so a tensor's first value has the
//! number of values before it. A key has 2³⁴ numbers, the four words of each of 2³² blocks: after that they
//! repeat, and the kernels refuse a network as large.

use super::{
    NoiseTerm,
    real::{Real, word},
};
use crate::rng::Key;

/// Intermediate recombination: the mean of the parents' values, (1/ρ) Σⱼ θⱼ of eq. 12 in the ESGD
/// paper, the sum from the first parent on.
///
/// # Panics
/// If there are no parents.
#[must_use]
pub fn mean<V: Real>(parents: &[V]) -> V {
    let sum = parents[1..].iter().fold(parents[0], |sum, theta| sum + *theta);
    sum / V::of(parents.len() as f64)
}

/// Weighted recombination Σⱼ wⱼ θⱼ: the mean of CMA-ES, m = Σ wⱼ x₍ⱼ:λ₎ (Hansen, *The CMA Evolution
/// Strategy: A Tutorial*, arXiv:1604.00772, eq. 6). The weights are used as they are.
///
/// # Panics
/// If there are no parents, or not one weight a parent.
#[must_use]
pub fn weighted<V: Real>(parents: &[V], weights: &[V]) -> V {
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
pub fn crossover<V: Real>(parents: &[V], key: Key, i: u64) -> V {
    let draw = u64::from(word(crossover_key(key), i));
    parents[((draw * parents.len() as u64) >> 32) as usize]
}

/// The key that the choices of uniform crossover come from.
#[must_use]
pub const fn crossover_key(key: Key) -> Key {
    key.derive(0)
}

/// Gaussian mutation, the second term of eq. 12: θ + ε with ε ~ N(0, σ²). With σ = 0 nothing is
/// drawn and θ stays as it is, to the bit. −σ mirrors: θ + σε and θ − σε are an antithetic pair
/// (Salimans et al., *Evolution Strategies as a Scalable Alternative to Reinforcement Learning*,
/// arXiv:1703.03864, section 2.1).
#[must_use]
pub fn mutate<V: Real>(theta: V, sigma: V, key: Key, i: u64) -> V {
    if sigma == V::of(0.0) { theta } else { sigma.mul_add(V::normal(key, i), theta) }
}

/// Mutation with a variance of its own for each value, θ + σ √v ε: sep-CMA-ES (Ros and Hansen, *A Simple
/// Modification in CMA-ES Achieving Linear Time and Space Complexity*, PPSN 2008, eq. 2).
#[must_use]
pub fn mutate_diagonal<V: Real>(theta: V, sigma: V, variance: V, key: Key, i: u64) -> V {
    if sigma == V::of(0.0) {
        return theta;
    }
    (sigma * variance.sqrt()).mul_add(V::normal(key, i), theta)
}

/// Σⱼ wⱼ εⱼ, with ε made anew from the keys: the sum in OpenAI-ES's gradient estimate
/// 1/(nσ) Σ Fⱼ εⱼ (arXiv:1703.03864, algorithm 1), and in PEPG's.
#[must_use]
pub fn weighted_noise<V: Real>(terms: &[NoiseTerm], i: u64) -> V {
    let add = |sum, term: &NoiseTerm| V::of(term.weight).mul_add(V::normal(term.key, i), sum);
    terms.iter().fold(V::of(0.0), add)
}

/// Σⱼ wⱼ εⱼ²: what the rank-μ update of a diagonal covariance (Ros and Hansen, 2008) and the gradient of
/// SNES's step sizes (Wierstra et al., *Natural Evolution Strategies*, JMLR 15, 2014, algorithm 6) are made of.
#[must_use]
pub fn squared_noise<V: Real>(terms: &[NoiseTerm], i: u64) -> V {
    let add = |sum, term: &NoiseTerm| {
        let epsilon = V::normal(term.key, i);
        (V::of(term.weight) * epsilon).mul_add(epsilon, sum)
    };
    terms.iter().fold(V::of(0.0), add)
}

/// Differential evolution's trial value (Storn and Price, *Differential Evolution*, Journal of
/// Global Optimization 11, 1997, eqs. 2 to 4): the mutant with probability `cr` and at index
/// `forced`, else the target's own x.
#[must_use]
pub fn trial<V: Real>(x: V, mutant: V, cr: V, forced: u64, key: Key, i: u64) -> V {
    if V::uniform(key, i) < cr || i == forced { mutant } else { x }
}

/// The index that a trial takes from the mutant for certain, in a network of `n` values.
#[must_use]
pub fn forced(key: Key, n: u64) -> u64 {
    let [low, high, ..] = key.derive(3).block(0);
    let draw = (u64::from(high) << 32) | u64::from(low);
    ((u128::from(draw) * u128::from(n)) >> 64) as u64
}

/// A particle's velocity (Shi and Eberhart, *A Modified Particle Swarm Optimizer*, 1998, eq. 1a):
/// w v + c₁ r₁ (p − x) + c₂ r₂ (g − x), with r₁ and r₂ uniform and drawn for each value.
#[must_use]
pub fn velocity<V: Real>([x, v, p, g]: [V; 4], [w, c1, c2]: [V; 3], key: Key, i: u64) -> V {
    let (r1, r2) = (V::uniform(key, i), V::uniform(second_key(key), i));
    let towards_own = (c1 * r1).mul_add(p - x, w * v);
    (c2 * r2).mul_add(g - x, towards_own)
}

/// The key of a particle's second set of uniform numbers.
#[must_use]
pub const fn second_key(key: Key) -> Key {
    key.derive(1)
}

/// a b.
#[must_use]
#[inline(always)]
pub fn product<V: Real>(a: V, b: V) -> V {
    a * b
}

/// a exp(η b): SNES's σ ← σ exp(η ∇) (Wierstra et al., 2014, algorithm 6).
#[must_use]
#[inline(always)]
pub fn exponential<V: Real>(a: V, b: V, rate: V) -> V {
    a * (rate * b).exp()
}

/// θ + α m / (√v + δ) (Kingma and Ba, *Adam*, ICLR 2015, algorithm 1, with α the corrected and negated rate).
#[must_use]
#[inline(always)]
pub fn adaptive_step<V: Real>(theta: V, m: V, v: V, rate: V, epsilon: V) -> V {
    theta + rate * m / (v.sqrt() + epsilon)
}

/// What a network of the length `now` is multiplied by to have the length `wanted`, if it is: not if it is 0, or
/// shorter already where that is enough.
#[must_use]
pub fn scaling(now: f64, wanted: f64, at_most: bool) -> Option<f64> {
    let stays = now == 0.0 || at_most && now <= wanted;
    (!stays).then_some(wanted / now)
}

/// How far into a ball a point lies, as a part of the radius, uniform in `[0, 1)`: the sphere of SPSO-2011
/// (Clerc, *Standard Particle Swarm Optimisation*, 2012, section 3.3).
#[must_use]
pub fn share_of_radius(key: Key) -> f64 {
    key.derive(2).stream().unit()
}

/// Σ x², in `f64`, in an order that a vector unit and a GPU can follow.
///
/// The values are cut into tiles of 4096. In a tile, partial sum l of 256 adds the squares of
/// values l, l + 256, …; then the upper half of the partial sums is added to the
/// lower until one is left. The sums of the tiles are added in the same way.
#[must_use]
pub fn squared_norm<V: Real>(values: &[V]) -> f64 {
    let mut sums: Vec<f64> = values.iter().map(|x| x.to_f64() * x.to_f64()).collect();
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

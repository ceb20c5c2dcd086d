//! Offspring of several parents: recombination with Gaussian mutation, equation 12 of Cui, Zhang,
//! Tüske and Picheny, *Evolutionary Stochastic Gradient Descent for Optimization of Deep Neural
//! Networks* (NeurIPS 2018): θ = (1/ρ) Σ θⱼ + ε, with ε ~ N(0, σ²).
//!
//! The order of operations is part of the interface, so that an offspring can be made anew
//! anywhere, to the bit: [`reference`](crate::reference) has it.

use esgd_core::rng::Key;

use crate::{
    group::{self, NUMBERS},
    isa::{Isa, vectorized},
    reference::crossover_key,
    tensors::{Tensors, TensorsMut, assert_shape, for_each_tile, shape},
};

/// How the values of several parents become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Blend<'a> {
    /// Their mean: intermediate recombination, as in eq. 12.
    Mean,
    /// Σⱼ wⱼ θⱼ with a weight for each parent, used as they are: CMA-ES's recombination.
    Weighted(&'a [f32]),
    /// Each value from one parent, all equally likely: uniform crossover.
    Crossover,
}

/// An offspring before it is made.
#[derive(Clone, Copy, Debug)]
pub struct Offspring<'a> {
    /// Which of the population are its parents; one may stand here twice.
    pub parents: &'a [usize],
    /// What becomes of their values.
    pub blend: Blend<'a>,
    /// The noise's standard deviation for each tensor, in the parameters' units; 0 for a statistic
    /// such as a running variance, which noise could make negative.
    pub sigma: &'a [f32],
    /// Where its random numbers come from.
    pub key: Key,
}

/// Makes all `offspring` of a population, each network a table of tensors.
///
/// A tile of the parents is read from memory once and feeds every offspring; tiles are shared out
/// over the threads of rayon's current pool. Neither changes a bit.
///
/// # Panics
/// If an offspring has no parents, one that the population lacks, not one weight a parent, or not
/// one σ a tensor; if networks differ in shape; or if one has more than 2³⁴ parameters.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::recombine::{Blend, Offspring, offspring};
///
/// // Two networks of two tensors: weights and a running variance.
/// let population = [vec![&[1.0, 2.0][..], &[0.5]], vec![&[3.0, 6.0], &[1.5]]];
/// let sigma = [0.01, 0.0];
/// let key = Key::new(7, Purpose::Mutation);
/// let plan = [0, 1].map(|j| Offspring {
///     parents: &[0, 1],
///     blend: Blend::Mean,
///     sigma: &sigma,
///     key: key.individual(j),
/// });
/// let mut memory = [([0.0; 2], [0.0; 1]); 2];
/// let mut out: Vec<_> = memory.iter_mut().map(|(w, v)| vec![&mut w[..], &mut v[..]]).collect();
/// offspring(&population, &plan, &mut out);
/// assert_eq!(memory[0].1, [1.0]);
/// assert!((memory[0].0[1] - 4.0).abs() < 0.1 && memory[0].0 != memory[1].0);
/// ```
pub fn offspring(population: &[Tensors<'_>], plan: &[Offspring<'_>], out: &mut [TensorsMut<'_>]) {
    offspring_by(Isa::best(), population, plan, out);
}

fn offspring_by(
    isa: Isa,
    population: &[Tensors<'_>],
    plan: &[Offspring<'_>],
    out: &mut [TensorsMut<'_>],
) {
    assert_eq!(plan.len(), out.len(), "there is not one output for each offspring");
    let Some(first) = out.first() else { return };
    let lengths = shape(first);
    out.iter().for_each(|network| assert_shape("an output", network, &lengths));
    population.iter().for_each(|network| assert_shape("a parent", network, &lengths));
    for child in plan {
        let known = child.parents.iter().all(|&j| j < population.len());
        assert!(known, "an offspring has a parent that the population lacks");
        assert_eq!(child.sigma.len(), lengths.len(), "an offspring needs a sigma for each tensor");
    }
    for_each_tile(out, 1, |mut tile| {
        let mut parents = vec![];
        for k in 0..tile.out.len() {
            let child = &plan[tile.first + k];
            parents.clear();
            parents.extend(child.parents.iter().map(|&j| tile.of(&population[j])));
            let sigma = child.sigma[tile.tensor];
            let out = &mut *tile.out[k];
            tensor_by(isa, &parents, child.blend, sigma, child.key, tile.offset, out);
        }
    });
}

/// Makes one tensor of an offspring, or any piece of one, on this thread.
///
/// The first value of `out` is parameter `offset` of its network.
///
/// # Panics
/// If there are no parents, a parent differs from `out` in length, there is not one weight a
/// parent, or `offset + out.len()` exceeds 2³⁴, the numbers that a key has.
///
/// ```
/// use esgd_core::rng::{Key, Purpose};
/// use esgd_ops::recombine::{Blend, tensor};
///
/// let key = Key::new(7, Purpose::Mutation);
/// let mut theta = [0.0; 2];
/// tensor(&[&[1.0, 2.0], &[3.0, 6.0]], Blend::Mean, 0.0, key, 0, &mut theta);
/// assert_eq!(theta, [2.0, 4.0]);
/// ```
pub fn tensor(
    parents: &[&[f32]],
    blend: Blend<'_>,
    sigma: f32,
    key: Key,
    offset: u64,
    out: &mut [f32],
) {
    tensor_by(Isa::best(), parents, blend, sigma, key, offset, out);
}

fn tensor_by(
    isa: Isa,
    parents: &[&[f32]],
    blend: Blend<'_>,
    sigma: f32,
    key: Key,
    offset: u64,
    out: &mut [f32],
) {
    assert!(!parents.is_empty(), "an offspring needs at least one parent");
    for (j, parent) in parents.iter().enumerate() {
        assert_eq!(parent.len(), out.len(), "parent {j} differs in length from the offspring");
    }
    match blend {
        Blend::Mean if sigma == 0.0 => mean_by(isa, parents, out),
        Blend::Mean => mutated_mean_by(isa, parents, sigma, &key, offset, out),
        Blend::Weighted(weights) => {
            assert_eq!(weights.len(), parents.len(), "there is not one weight for each parent");
            weighted_by(isa, parents, weights, sigma, &key, offset, out);
        }
        Blend::Crossover => crossover_by(isa, parents, sigma, &key, offset, out),
    }
}

vectorized! {
    fn mean_by(parents: &[&[f32]], out: &mut [f32]) {
        for (k, out) in out.chunks_mut(NUMBERS).enumerate() {
            mean_at(parents, k * NUMBERS, out);
        }
    }
}

vectorized! {
    fn mutated_mean_by(
        parents: &[&[f32]],
        sigma: f32,
        key: &Key,
        offset: u64,
        out: &mut [f32],
    ) {
        group::for_each(key, offset, out.len(), group::normals, |at, noise| {
            let out = &mut out[at..at + noise.len()];
            mean_at(parents, at, out);
            mutate(out, sigma, noise);
        });
    }
}

vectorized! {
    fn weighted_by(
        parents: &[&[f32]],
        weights: &[f32],
        sigma: f32,
        key: &Key,
        offset: u64,
        out: &mut [f32],
    ) {
        let sum_at = |at: usize, out: &mut [f32]| {
            let here = at..at + out.len();
            for (x, theta) in out.iter_mut().zip(&parents[0][here.clone()]) {
                *x = weights[0] * theta;
            }
            for (parent, &w) in parents[1..].iter().zip(&weights[1..]) {
                for (x, theta) in out.iter_mut().zip(&parent[here.clone()]) {
                    *x = w.mul_add(*theta, *x);
                }
            }
        };
        if sigma == 0.0 {
            for (k, out) in out.chunks_mut(NUMBERS).enumerate() {
                sum_at(k * NUMBERS, out);
            }
        } else {
            group::for_each(key, offset, out.len(), group::normals, |at, noise| {
                let out = &mut out[at..at + noise.len()];
                sum_at(at, out);
                mutate(out, sigma, noise);
            });
        }
    }
}

vectorized! {
    fn crossover_by(
        parents: &[&[f32]],
        sigma: f32,
        key: &Key,
        offset: u64,
        out: &mut [f32],
    ) {
        let (choice, rho) = (crossover_key(*key), parents.len() as u64);
        group::for_each(&choice, offset, out.len(), group::plain_words, |at, words| {
            for (k, (x, &word)) in out[at..at + words.len()].iter_mut().zip(words).enumerate() {
                *x = parents[((u64::from(word) * rho) >> 32) as usize][at + k];
            }
        });
        if sigma != 0.0 {
            group::for_each(key, offset, out.len(), group::normals, |at, noise| {
                mutate(&mut out[at..at + noise.len()], sigma, noise);
            });
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

/// Adds `sigma` times the noise.
#[inline(always)]
pub(crate) fn mutate(theta: &mut [f32], sigma: f32, noise: &[f32]) {
    for (x, epsilon) in theta.iter_mut().zip(noise) {
        *x = sigma.mul_add(*epsilon, *x);
    }
}

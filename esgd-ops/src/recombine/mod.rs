//! Offspring of several parents: recombination with Gaussian mutation, equation 12 of Cui, Zhang,
//! Tüske and Picheny, *Evolutionary Stochastic Gradient Descent for Optimization of Deep Neural
//! Networks* (NeurIPS 2018): θ = (1/ρ) Σ θⱼ + ε, with ε ~ N(0, σ²).
//!
//! The order of operations is part of the interface, so that an offspring can be made anew
//! anywhere, to the bit: [`definition`](mod@esgd_core::plan::definition) has it.

mod blends;

use esgd_core::rng::Key;

use crate::{
    isa::Isa,
    tensors::{Tensors, TensorsMut, assert_shape, for_each_tile, shape},
};
use blends::{crossover_by, mean_by, mutated_mean_by, mutated_weighted_by, weighted_by};

pub(crate) use blends::{mutate, weighted_at};

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
/// one σ a tensor; if there is not one output for each; if networks differ in shape; or if one has
/// more than 2³⁴ parameters.
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
        assert!(!child.parents.is_empty(), "an offspring needs at least one parent");
        assert_eq!(child.sigma.len(), lengths.len(), "an offspring needs a sigma for each tensor");
        if let Blend::Weighted(weights) = child.blend {
            let (found, expected) = (weights.len(), child.parents.len());
            assert_eq!(found, expected, "there is not one weight for each parent");
        }
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
            if sigma == 0.0 {
                weighted_by(isa, parents, weights, out);
            } else {
                mutated_weighted_by(isa, parents, weights, sigma, &key, offset, out);
            }
        }
        Blend::Crossover => crossover_by(isa, parents, sigma, &key, offset, out),
    }
}

#[cfg(test)]
mod tests {
    use esgd_core::{plan::definition, rng::Purpose};
    use proptest::prelude::*;

    use super::*;
    use crate::tensors::tests::Network;

    /// What the definition says value `i` of a tensor becomes.
    fn expected(parents: &[f32], blend: Blend<'_>, sigma: f32, key: Key, i: u64) -> f32 {
        let blended = match blend {
            Blend::Mean => definition::mean(parents),
            Blend::Weighted(weights) => definition::weighted(parents, weights),
            Blend::Crossover => definition::crossover(parents, key, i),
        };
        definition::mutate(blended, sigma, key, i)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_path_is_the_definition(
            population in Network::several(),
            families in prop::collection::vec(prop::collection::vec(0..4usize, 1..7), 0..4),
            weights in prop::collection::vec(-1f32..1.0, 7),
            sigma in prop_oneof![Just(0.0), 0.001f32..2.0],
            threads in 1..4usize,
        ) {
            let tables: Vec<_> = population.iter().map(Network::tensors).collect();
            let values: Vec<_> = population.iter().map(Network::values).collect();
            // The first tensor is one of statistics.
            let sigmas: Vec<_> =
                (0..tables[0].len()).map(|t| if t == 0 { 0.0 } else { sigma }).collect();
            let first = population[0].0[0].len();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let blends = |rho: usize| {
                [Blend::Mean, Blend::Weighted(&weights[..rho]), Blend::Crossover]
            };
            for (isa, which) in Isa::available().into_iter().flat_map(|isa| [(isa, 0), (isa, 1), (isa, 2)]) {
                let plan: Vec<_> = families
                    .iter()
                    .enumerate()
                    .map(|(j, parents)| Offspring {
                        parents,
                        blend: blends(parents.len())[which],
                        sigma: &sigmas,
                        key: Key::new(9, Purpose::Mutation).individual(j),
                    })
                    .collect();
                let mut out = vec![population[0].zeros(); plan.len()];
                let mut table: Vec<_> = out.iter_mut().map(Network::tensors_mut).collect();
                pool.install(|| offspring_by(isa, &tables, &plan, &mut table));
                for (child, theta) in plan.iter().zip(&out) {
                    for (i, x) in theta.values().into_iter().enumerate() {
                        let parents: Vec<_> = child.parents.iter().map(|&j| values[j][i]).collect();
                        let sigma = if i < first { 0.0 } else { sigma };
                        let y = expected(&parents, child.blend, sigma, child.key, i as u64);
                        prop_assert_eq!(x.to_bits(), y.to_bits(), "{} {} {:?}", i, isa, child.blend);
                    }
                }
            }
        }

        #[test]
        fn pieces_of_a_tensor_make_the_whole(
            [a, b, _, _] in Network::several(),
            cut in 0.0..1.0,
            offset in 0..99u64,
        ) {
            let key = Key::new(9, Purpose::Mutation).individual(2);
            let (a, b) = (a.values(), b.values());
            let cut = (cut * a.len() as f64) as usize;
            let (mut whole, mut pieces) = (vec![0.0; a.len()], vec![0.0; a.len()]);
            let (left, right) = pieces.split_at_mut(cut);
            tensor(&[&a, &b], Blend::Mean, 0.1, key, offset, &mut whole);
            tensor(&[&a[..cut], &b[..cut]], Blend::Mean, 0.1, key, offset, left);
            tensor(&[&a[cut..], &b[cut..]], Blend::Mean, 0.1, key, offset + cut as u64, right);
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&whole), bits(&pieces));
        }

        #[test]
        fn without_noise_no_number_is_drawn(network in Network::any()) {
            let theta = network.values();
            let mut out = vec![0.0; theta.len()];
            // An offset with no numbers left: drawing one would panic.
            tensor(&[&theta], Blend::Mean, 0.0, Key::new(9, Purpose::Mutation), 1 << 34, &mut out);
            prop_assert_eq!(out, theta);
        }
    }

    #[test]
    fn one_parent_is_copied_exactly() {
        let parent = [-0.0, f32::MIN_POSITIVE / 2.0, f32::MAX, f32::NEG_INFINITY, 0.1];
        let mut copy = [1.0; 5];
        tensor(&[&parent], Blend::Mean, 0.0, Key::new(1, Purpose::Mutation), 0, &mut copy);
        assert_eq!(copy.map(f32::to_bits), parent.map(f32::to_bits));
    }

    #[test]
    fn crossover_takes_from_all_parents_alike() {
        let parents: Vec<Vec<f32>> = (0..3).map(|j| vec![j as f32; 30_000]).collect();
        let parents: Vec<&[f32]> = parents.iter().map(Vec::as_slice).collect();
        let mut out = vec![9.0; 30_000];
        tensor(&parents, Blend::Crossover, 0.0, Key::new(1, Purpose::Mutation), 0, &mut out);
        for j in 0..3 {
            let count = out.iter().filter(|x| **x == j as f32).count();
            // Four standard deviations of a binomial count with n = 30,000 and p = 1/3.
            assert!(count.abs_diff(10_000) < 327, "{j}: {count}");
        }
    }

    #[test]
    #[should_panic(expected = "parent 1 differs in length")]
    fn parents_of_other_lengths_are_a_mistake() {
        let key = Key::new(1, Purpose::Mutation);
        tensor(&[&[1.0, 2.0], &[1.0]], Blend::Mean, 0.0, key, 0, &mut [0.0; 2]);
    }

    #[test]
    #[should_panic(expected = "a parent that the population lacks")]
    fn a_parent_that_is_not_there_is_a_mistake() {
        let child = Offspring {
            parents: &[1],
            blend: Blend::Mean,
            sigma: &[0.1],
            key: Key::new(1, Purpose::Mutation),
        };
        offspring(&[vec![&[1.0]]], &[child], &mut [vec![&mut [0.0]]]);
    }
}

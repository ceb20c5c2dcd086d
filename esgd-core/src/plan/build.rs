//! Every operation on plain values, by its definition: so that core runs every strategy alone, and any
//! problem whose genome is a slice of numbers.

use thiserror::Error;

use super::{Noise, Operation, Real, Scale, Weights, definition as define};
use crate::rng::Key;

/// Why a network cannot be built of values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a network cannot be built: {0}")]
pub struct BuildError(pub(crate) String);

/// The network that `operation` makes of `sources`, all of one length, as one tensor. Random numbers come
/// from `key`; the same arguments give the same bits.
///
/// ```
/// use esgd_core::{Operation, build, rng::{Key, Purpose}};
///
/// let key = Key::new(1, Purpose::Mutation);
/// let ahead = build(&Operation::weighted([1.0, 0.5]), &[&[1.0, 2.0], &[2.0, -2.0]], key)?;
/// assert_eq!(ahead, [2.0, 1.0]);
/// # Ok::<(), esgd_core::BuildError>(())
/// ```
///
/// # Errors
/// If the operation has other sources than it takes, they differ in length, or it is one that only a problem
/// knows: [`Operation::Init`] and [`Operation::Custom`].
pub fn build<V: Real>(
    operation: &Operation,
    sources: &[&[V]],
    key: Key,
) -> Result<Vec<V>, BuildError> {
    if let Some(fault) = operation.fault(sources.len()) {
        return Err(BuildError(fault));
    }
    let n = sources.first().map_or(0, |source| source.len());
    if let Some(other) = sources.iter().find(|source| source.len() != n) {
        return Err(BuildError(format!("its sources have {n} and {} values", other.len())));
    }
    let at = |i: usize| sources.iter().map(|source| source[i]).collect::<Vec<V>>();
    let each = |f: &dyn Fn(u64, &[V]) -> V| (0..n).map(|i| f(i as u64, &at(i))).collect::<Vec<V>>();
    let of = |x: &f64| V::of(*x);
    Ok(match operation {
        Operation::Combine { weights, noise } => {
            let (blended, rest) = sources.split_at(sources.len() - noise.sources());
            let weights = match weights {
                Weights::Equal => None,
                Weights::Each(weights) => Some(weights.iter().map(of).collect::<Vec<_>>()),
            };
            let mut theta = each(&|_, x| match &weights {
                None => define::mean(&x[..blended.len()]),
                Some(weights) => define::weighted(&x[..blended.len()], weights),
            });
            add(&mut theta, noise, rest, key);
            theta
        }
        Operation::Crossover { noise } => {
            let (blended, rest) = sources.split_at(sources.len() - noise.sources());
            let mut theta = each(&|i, x| define::crossover(&x[..blended.len()], key, i));
            add(&mut theta, noise, rest, key);
            theta
        }
        Operation::Trial { weights, cr } => {
            let weights: Vec<V> = weights.iter().map(of).collect();
            let (forced, cr) = (define::forced(key, n as u64), of(cr));
            each(&|i, x| {
                let mutant = define::weighted(&x[1..], &weights);
                define::trial(x[0], mutant, cr, forced, key, i)
            })
        }
        Operation::Velocity { inertia, own, social } => {
            let constants = [inertia, own, social].map(of);
            each(&|i, x| define::velocity([x[0], x[1], x[2], x[3]], constants, key, i))
        }
        Operation::WeightedNoise { terms } => each(&|i, _| define::weighted_noise(terms, i)),
        Operation::SquaredNoise { terms } => each(&|i, _| define::squared_noise(terms, i)),
        Operation::Product => each(&|_, x| x[0] * x[1]),
        Operation::Exponential { rate } => {
            each(&|_, x| define::exponential(x[0], x[1], V::of(*rate)))
        }
        Operation::AdaptiveStep { rate, epsilon } => {
            each(&|_, x| define::adaptive_step(x[0], x[1], x[2], V::of(*rate), V::of(*epsilon)))
        }
        Operation::Rescale { length, at_most } => {
            let now = define::squared_norm(sources[0]).sqrt();
            match now == 0.0 || *at_most && now <= *length {
                true => sources[0].to_vec(),
                false => each(&|_, x| V::of(length / now) * x[0]),
            }
        }
        Operation::Values(values) if values.len() == n => values.iter().map(of).collect(),
        Operation::Values(values) => {
            let count = values.len();
            return Err(BuildError(format!("{count} values were given for a network of {n}")));
        }
        Operation::Init | Operation::Custom { .. } => {
            return Err(BuildError(format!("{} is the problem's to build", operation.kind())));
        }
    })
}

/// Adds noise to what the sources have become; `rest` is what the noise takes for itself.
fn add<V: Real>(theta: &mut [V], noise: &Noise, rest: &[&[V]], key: Key) {
    match *noise {
        Noise::None => {}
        Noise::Isotropic { sigma, scale: Scale::Absolute } => mutate(theta, V::of(sigma), key),
        Noise::Isotropic { sigma, scale: Scale::Relative } => {
            let mean = define::squared_norm(theta) / theta.len().max(1) as f64;
            mutate(theta, V::of(sigma) * V::of(mean.sqrt()), key);
        }
        Noise::Diagonal { sigma } => {
            let variance = rest[0];
            for (i, (x, v)) in theta.iter_mut().zip(variance).enumerate() {
                *x = define::mutate_diagonal(*x, V::of(sigma), *v, key, i as u64);
            }
        }
        Noise::Ball => {
            let apart: Vec<V> = theta.iter().zip(rest[0]).map(|(x, edge)| *edge - *x).collect();
            let radius = define::squared_norm(&apart).sqrt();
            let noise: Vec<V> = (0..theta.len() as u64).map(|i| V::normal(key, i)).collect();
            let length = define::squared_norm(&noise).sqrt();
            if length > 0.0 {
                mutate(theta, V::of(define::share_of_radius(key) * radius / length), key);
            }
        }
    }
}

fn mutate<V: Real>(theta: &mut [V], sigma: V, key: Key) {
    for (i, x) in theta.iter_mut().enumerate() {
        *x = define::mutate(*x, sigma, key, i as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    const KEY: Key = Key::new(5, Purpose::Mutation);

    /// Values of a formula that was worked out by hand.
    #[test]
    fn operations_without_chance_are_their_formulas() {
        let (a, b, c) = (&[1.0, -2.0][..], &[3.0, 0.5][..], &[4.0, 0.25][..]);
        let of =
            |operation: &Operation, sources: &[&[f64]]| build(operation, sources, KEY).unwrap();
        assert_eq!(of(&Operation::weighted([2.0, -1.0]), &[a, b]), [-1.0, -4.5]);
        assert_eq!(of(&Operation::Product, &[a, b]), [3.0, -1.0]);
        let doubled =
            of(&Operation::Exponential { rate: std::f64::consts::LN_2 }, &[a, &[1.0, 2.0]]);
        assert!((doubled[0] - 2.0).abs() < 1e-15 && (doubled[1] + 8.0).abs() < 1e-14);
        let step = Operation::AdaptiveStep { rate: -0.5, epsilon: 0.5 };
        assert_eq!(of(&step, &[a, b, c]), [1.0 - 1.5 / 2.5, -2.25]);
        let rescaled =
            |length, at_most| of(&Operation::Rescale { length, at_most }, &[&[3.0, 4.0]]);
        assert_eq!(rescaled(10.0, false), [6.0, 8.0]);
        assert_eq!(rescaled(10.0, true), [3.0, 4.0]);
        assert_eq!(rescaled(1.0, true), [0.2 * 3.0, 0.2 * 4.0]);
        assert_eq!(of(&Operation::Values(vec![7.0, 8.0]), &[a]), [7.0, 8.0]);
    }

    #[test]
    fn a_trial_takes_one_value_for_certain_and_all_where_it_must() {
        let (x, y) = ([0.0f32; 50], [1.0f32; 50]);
        let taken = |cr, j| {
            let operation = Operation::Trial { weights: vec![1.0], cr };
            let trial = build(&operation, &[&x, &y], KEY.individual(j)).unwrap();
            trial.iter().filter(|value| **value == 1.0).count()
        };
        assert!((0..20).all(|j| taken(0.0, j) == 1 && taken(1.0, j) == 50));
        let mean = (0..400).map(|j| taken(0.3, j)).sum::<usize>() as f64 / 400.0;
        // 1 + 0.3 · 49, and four standard errors.
        assert!((mean - 15.7).abs() < 4.0 * (49.0 * 0.21f64 / 400.0).sqrt(), "{mean}");
    }

    #[test]
    fn a_point_of_a_ball_is_in_it_and_on_no_side_of_it() {
        let (centre, edge) = ([1.0f64, 2.0, 3.0], [1.0f64, 4.0, 3.0]);
        let operation = Operation::Combine { weights: Weights::Equal, noise: Noise::Ball };
        let mut sum = [0.0; 3];
        for j in 0..4000 {
            let point = build(&operation, &[&centre, &edge], KEY.individual(j)).unwrap();
            let apart: Vec<f64> = point.iter().zip(centre).map(|(x, c)| x - c).collect();
            assert!(define::squared_norm(&apart).sqrt() < 2.0);
            sum.iter_mut().zip(apart).for_each(|(sum, x)| *sum += x / 4000.0);
        }
        // A coordinate's variance is E r² R² / 3 = 4/9.
        assert!(sum.iter().all(|x| x.abs() < 4.0 * (4.0 / 9.0 / 4000f64).sqrt()), "{sum:?}");
    }

    #[test]
    fn noise_of_a_sum_is_the_sum_of_the_noise() {
        let (zero, terms) = ([0.0f64; 9], [(1, 0.5), (2, -2.0)]);
        let noise = |j: usize, sigma: f64| {
            let noise = Noise::Isotropic { sigma, scale: Scale::Absolute };
            let operation = Operation::Combine { weights: Weights::Equal, noise };
            build(&operation, &[&zero], KEY.individual(j)).unwrap()
        };
        let term = |(j, weight)| crate::NoiseTerm { key: KEY.individual(j), weight };
        let terms = terms.map(term).to_vec();
        let (one, two) = (noise(1, 1.0), noise(2, 1.0));
        assert_eq!(noise(1, -1.0), one.iter().map(|x| -x).collect::<Vec<_>>(), "mirrored");
        let sum = build(&Operation::WeightedNoise { terms: terms.clone() }, &[&zero], KEY).unwrap();
        let squares = build(&Operation::SquaredNoise { terms }, &[&zero], KEY).unwrap();
        for i in 0..9 {
            assert!((sum[i] - (0.5 * one[i] - 2.0 * two[i])).abs() < 1e-12);
            let expected = 0.5 * one[i].powi(2) - 2.0 * two[i].powi(2);
            assert!((squares[i] - expected).abs() < 1e-12);
        }
        let variance = [4.0f64; 9];
        let diagonal =
            Operation::Combine { weights: Weights::Equal, noise: Noise::Diagonal { sigma: 0.5 } };
        let same = build(&diagonal, &[&zero, &variance], KEY.individual(1)).unwrap();
        assert_eq!(same, one, "0.5 √4 is 1");
    }

    #[test]
    fn what_cannot_be_built_is_said() {
        let message = |operation: &Operation, sources: &[&[f32]]| {
            build(operation, sources, KEY).unwrap_err().to_string()
        };
        let mean = Operation::recombination(crate::Mutation::NONE);
        assert!(message(&mean, &[&[1.0], &[1.0, 2.0]]).contains("1 and 2 values"));
        assert!(message(&Operation::Init, &[]).contains("init is the problem's"));
        assert!(message(&Operation::Values(vec![1.0]), &[&[1.0, 2.0]]).contains("1 values"));
    }
}
